"""`python -m include.nacre check`: requests against botocore's model, and the command line."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from include.nacre.__main__ import main
from include.nacre.check import check_definition
from include.nacre.definition.expressions import evaluate
from include.nacre.definition.reader import read_pipeline
from include.nacre.definition.records import Step
from include.nacre.definition.steptypes import STEP_TYPES
from tests.support.definitions import (
    FIXTURES,
    SDK_DEFINITIONS,
    Json,
    definition_of,
    get,
    json_values,
    mutations,
    places,
    sdk_definition,
    sdk_text,
    step_of,
)

ROOT = Path(__file__).parent.parent.parent


def faults(definition: Json) -> list[str]:
    return [str(fault) for fault in check_definition(json.dumps(definition), "any").faults]


@pytest.mark.parametrize("name", SDK_DEFINITIONS)
def test_what_the_sdk_wrote_has_no_fault(name: str) -> None:
    assert check_definition(sdk_text(name), name).faults == ()


def abalone_with(change: Json, *path: str | int) -> list[str]:
    """The faults of the abalone definition with something else at a place."""
    definition = sdk_definition("abalone")
    holder = definition
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = change
    return faults(definition)


TRAIN = ("Steps", 1, "Arguments")
AT = "Steps[1].Arguments"


@pytest.mark.parametrize(
    ("change", "path", "fault"),
    [
        (
            "arn:aws:iam::1234:role/R",
            ("RoleArn",),
            (
                r'.RoleArn (AbaloneTrain): "arn:aws:iam::1234:role/R" is no RoleArn — It must '
                r"match "
                r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+."
            ),
        ),
        ("role", ("RoleArn",), '.RoleArn (AbaloneTrain): "role" is no RoleArn — It must match '),
        (
            "s3:/bucket",
            ("OutputDataConfig", "S3OutputPath"),
            '.OutputDataConfig.S3OutputPath (AbaloneTrain): "s3:/bucket" is no S3Uri — ',
        ),
        (
            "one",
            ("ResourceConfig", "InstanceCount"),
            (
                ".ResourceConfig.InstanceCount (AbaloneTrain): must be a whole number, not the "
                "text "
                '"one"'
            ),
        ),
        (
            0,
            ("StoppingCondition", "MaxRuntimeInSeconds"),
            ".StoppingCondition.MaxRuntimeInSeconds (AbaloneTrain): 0, but at least 1 needed",
        ),
        (
            "ml.m5.xlrge",
            ("ResourceConfig", "InstanceType"),
            (
                '.ResourceConfig.InstanceType (AbaloneTrain): unknown value "ml.m5.xlrge" — Did '
                "you "
                'mean "ml.m5.xlarge"?'
            ),
        ),
        (
            {"num_round": 50},
            ("HyperParameters",),
            ".HyperParameters.num_round (AbaloneTrain): must be text, not the number 50",
        ),
        (
            {"num_round": get("Parameters.ProcessingInstanceCount")},
            ("HyperParameters",),
            (
                ".HyperParameters.num_round (AbaloneTrain): must be text, but "
                "Parameters.ProcessingInstanceCount has the type integer — Make text of it: "
                '{"Std:Join": '
                '{"On": "", "Values": [it]}}.'
            ),
        ),
        (
            get("Parameters.InputData"),
            ("ResourceConfig", "InstanceType"),
            (
                ".ResourceConfig.InstanceType (AbaloneTrain): with the value "
                '"s3://amzn-demo-ml-bucket/abalone/abalone-dataset.csv" of the parameter '
                "'InputData': unknown value"
            ),
        ),
        (
            {"MaxRuntimeInSeconds": 60, "MaxWaitTime": 60},
            ("StoppingCondition",),
            (
                '.StoppingCondition.MaxWaitTime (AbaloneTrain): unknown member "MaxWaitTime" — Did '
                'you mean "MaxWaitTimeInSeconds"?'
            ),
        ),
        ({}, ("OutputDataConfig",), ".OutputDataConfig (AbaloneTrain): the required member"),
        ([], ("InputDataConfig",), ".InputDataConfig (AbaloneTrain): 0 entries, but at least 1"),
        (
            [{"ChannelName": "a", "DataSource": "s3://b/k"}],
            ("InputDataConfig",),
            (
                ".InputDataConfig[0].DataSource (AbaloneTrain): must be an object, not the text "
                '"s3://b/k"'
            ),
        ),
    ],
)
def test_a_request_at_fault(change: Json, path: tuple[str, ...], fault: str) -> None:
    found = abalone_with(change, *TRAIN, *path)

    assert [item[: len(AT) + len(fault)] for item in found] == [AT + fault]


def test_a_default_of_a_wrong_kind_is_no_value_to_check() -> None:
    parameters = [{"Name": "Role", "DefaultValue": ["x"]}]
    step = step_of("Training", arguments={"RoleArn": get("Parameters.Role")})

    assert faults(definition_of(step, parameters=parameters))[0] == (
        "Parameters[0].DefaultValue: the default must have the type String, not be a list"
    )


def test_what_the_service_fills_in_may_be_missing_and_may_be_there() -> None:
    assert abalone_with("abalone-train", *TRAIN, "TrainingJobName") == []


def test_what_a_pipeline_cannot_set_is_refused() -> None:
    step = step_of("RegisterModel", arguments={"CertifyForMarketplace": True})

    assert faults(definition_of(step)) == [
        "Steps[0].Arguments.CertifyForMarketplace (S): cannot be set in a pipeline"
    ]


def test_faults_of_the_language_and_of_requests_come_together_each_once() -> None:
    definition = sdk_definition("abalone")
    definition["Steps"][0]["Arguments"]["ProcessingInputs"] = [
        {"InputName": f"i{n}"} for n in range(11)
    ]
    definition["Steps"][0]["Arguments"]["RoleArn"] = "role"
    definition["Steps"][1]["DependsOn"] = ["Nobody"]

    assert [fault.split(" ")[0] for fault in faults(definition)] == [
        "Steps[0].Arguments.ProcessingInputs",
        "Steps[0].Arguments.RoleArn",
        "Steps[1].DependsOn[0]",
    ]


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (
            step_of("EMR", arguments={"StepConfig": {"HadoopJarStep": {"Jr": "x"}}}),
            'Steps[0].Arguments.StepConfig.HadoopJarStep (S): the required member "Jar" is missing',
        ),
        (
            step_of("EMRServerless", arguments={"JobConfig": {"jobDriver": {"spark": {}}}}),
            (
                'Steps[0].Arguments.JobConfig.jobDriver.spark (S): unknown member "spark" — Did '
                "you "
                'mean "sparkSubmit"?'
            ),
        ),
        (
            step_of("Lineage", arguments={"Actions": [{"ActionName": "a", "ActionType": "t"}]}),
            'Steps[0].Arguments.Actions[0] (S): the required member "Source" is missing',
        ),
    ],
)
def test_requests_inside_arguments_are_checked_too(step: Json, fault: str) -> None:
    assert fault in faults(definition_of(step))


def test_emr_properties_may_be_written_as_awss_documentation_writes_them() -> None:
    properties = [{"key": "a", "value": "b"}, {"Key": "a", "Value": "b"}]
    jar = {"Jar": "s3://b/x.jar", "Properties": properties}

    assert (
        faults(definition_of(step_of("EMR", arguments={"StepConfig": {"HadoopJarStep": jar}})))
        == []
    )


# Against botocore's own validator.

MODEL = botocore.session.get_session().get_service_model("sagemaker")
PLAIN_STEPS = [
    step
    for name in SDK_DEFINITIONS
    for step in read_pipeline(sdk_definition(name), name).all_steps
    if STEP_TYPES[step.type].operation
]


class Texts:
    """A scope in which everything is a text that fits."""

    def parameter(self, name: str) -> Json:
        return {"ProcessingInstanceCount": 1, "MaxJobs": 1, "ModelApprovalStatus": "Approved"}.get(
            name, "ml.m5.large" if "Type" in name else "s3://b/k"
        )

    def execution(self, name: str) -> str:
        return name

    def experiment(self, name: str) -> str:
        return name

    def property(self, step: str, path: Json) -> str:  # noqa: ARG002 - a scope's signature
        return "s3://b/k"

    def property_file(self, step: str, name: str) -> Json:  # noqa: ARG002 - a scope's signature
        return {"xgb": {"eta": 1}}

    def s3_json(self, uri: str) -> Json:
        return {"uri": uri}


@st.composite
def broken_requests(draw: st.DrawFn) -> tuple[Step, Json]:
    step = draw(st.sampled_from(PLAIN_STEPS))
    request = copy.deepcopy(evaluate(step.arguments, Texts()))
    holder, key = draw(st.sampled_from([*places(request)]))
    if draw(st.booleans()):
        holder[key] = draw(json_values)
    else:
        del holder[key]
    return step, request


def botocore_refuses(step: Step, request: Json) -> bool:
    operation = STEP_TYPES[step.type].operation
    assert operation is not None
    shape = MODEL.operation_model(operation.name).input_shape
    named = {operation.name_key: "name", **request} if operation.name_key else request
    return bool(ParamValidator().validate(named, shape).has_errors())


@settings(max_examples=50)
@given(broken_requests())
def test_what_botocore_refuses_is_a_fault(broken: tuple[Step, Json]) -> None:
    step, request = broken
    definition = definition_of(
        {
            "Name": "S",
            "Type": step.type,
            "Arguments": request,
            **{key: "x" for key, needed in STEP_TYPES[step.type].keys.items() if needed},
        }
    )

    assert bool(faults(definition)) or not botocore_refuses(step, request)


@settings(max_examples=30)
@given(mutations(st.sampled_from(SDK_DEFINITIONS).map(sdk_definition)))
def test_any_broken_definition_is_checked_without_a_traceback(definition: Json) -> None:
    assert all(fault.isprintable() for fault in faults(definition))


# The command line.


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "include.nacre", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_good_files_are_named_and_the_status_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["check", str(FIXTURES / "abalone.json"), str(FIXTURES / "control.json")])

    assert (status, capsys.readouterr().out) == (
        0,
        (
            f"{FIXTURES}/abalone.json: OK, 7 steps, 6 parameters\n"
            f"{FIXTURES}/control.json: OK, 8 steps, 6 parameters\n"
        ),
    )


HOSTILE = {
    "binary": bytes(range(256)),
    "empty": b"",
    "half": b'{"Version": "2020-12-01", "Steps": [',
    "nested": b"[" * 1_000_000,
    "utf16": '{"Version": 1}'.encode("utf-16"),
    "surrogate": b'{"Version": "\\ud800", "Steps": []}',
    "terminal": b'{"Version": "\\u001b[31m", "Steps": []}',
    "digits": b'{"Version": ' + b"9" * 10_000 + b"}",
    "twice": b'{"Version": "2020-12-01", "Steps": [], "Steps": []}',
    "large": b" " * (17 << 20),
}


def test_hostile_files_are_told_apart_without_a_traceback(tmp_path: Path) -> None:
    for name, content in HOSTILE.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()

    done = run("check", *(tmp_path / name for name in (*HOSTILE, "folder", "missing")))

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.replace(f"{tmp_path}/", "") == (
        "binary: the definition: not UTF-8 text: byte 128 is wrong\n"
        "empty: line 1, column 1: not JSON: Expecting value\n"
        "half: line 1, column 37: not JSON: Expecting value\n"
        "nested: the definition: nested more than 100 levels deep\n"
        "utf16: the definition: not UTF-8 text: byte 0 is wrong\n"
        'surrogate: Version: unknown version "\\ud800" — Write "2020-12-01".\n'
        'terminal: Version: unknown version "\\u001b[31m" — Write "2020-12-01".\n'
        "digits: the definition: not JSON: Exceeds the limit (4300 digits) for integer string "
        "conversion: value has 10000 digits; use sys.set_int_max_str_digits() to increase the "
        "limit\n"
        "twice: Steps: the key stands in its object more than once\n"
        "large: the definition: larger than 16 MiB\n"
        "folder: the definition: cannot be read: Is a directory\n"
        "missing: the definition: cannot be read: No such file or directory\n"
        "\n"
        "12 faults in 12 of 12 files\n"
    )


@pytest.mark.parametrize("arguments", [[], ["check"], ["chekc", "x"], ["check", "--all"]])
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2


def test_the_plan_of_a_broken_file_is_its_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.json").write_text('{"Steps": []}')

    status = main(["plan", str(tmp_path / "bad.json")])

    assert (status, capsys.readouterr().out) == (
        1,
        f'{tmp_path}/bad.json: the definition: the required key "Version" is missing\n',
    )


def test_a_good_file_is_planned(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["plan", str(FIXTURES / "abalone.json")])

    assert (status, capsys.readouterr().out.partition("\n")[0]) == (0, "abalone: 7 tasks")
