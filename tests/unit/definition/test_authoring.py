"""The authoring layer writes what the SDK writes, and reports all of an author's mistakes."""

import copy
import json
import pickle

import pytest

from include.nacre.definition.authoring import (
    EXECUTION_ID,
    PIPELINE_NAME,
    Asset,
    Condition,
    ExperimentConfig,
    Fail,
    Float,
    Integer,
    Join,
    JsonGet,
    Model,
    Processing,
    PropertyFile,
    S3Source,
    String,
    Training,
    and_,
    equals,
    less_than,
    pipeline,
)
from include.nacre.definition.faults import DefinitionError
from include.nacre.definition.reader import read_pipeline
from include.nacre.definition.records import Dependency, Pipeline
from tests.support.definitions import Json, get, sdk_definition
from tests.unit.definition.authored import (
    CONTROL_PARAMETERS,
    abalone,
    good_enough,
    prepare,
)


def test_the_abalone_pipeline_is_what_the_sdk_wrote() -> None:
    assert abalone() == sdk_definition("abalone")


def test_what_is_written_is_read_again_as_the_same_records() -> None:
    written = abalone()
    read = read_pipeline(json.dumps(written), "AbalonePipeline")

    assert (read.steps, read.parameters) == (written.steps, written.parameters)


def test_the_steps_of_the_control_pipeline_are_what_the_sdk_wrote() -> None:
    steps = {step["Name"]: step for step in sdk_definition("control")["Steps"]}

    assert prepare().to_json() == steps["Prepare"]
    assert good_enough().to_json() == steps["GoodEnough"]


def test_parameters_of_all_types_are_what_the_sdk_wrote() -> None:
    written = [parameter.to_json() for parameter in CONTROL_PARAMETERS]

    assert written == sdk_definition("control")["Parameters"]


def training(name: str = "Train", **request: Json) -> Training:
    return Training(name, request)


def arguments_of(request: Json, *parameters: Json) -> Json:
    """What a request becomes in the definition."""
    steps = [training("Train", **request)]
    return pipeline("p", steps=steps, parameters=parameters)["Steps"][0]["Arguments"]


def test_a_parameter_is_a_value() -> None:
    count, data = Integer("Count", 1), String("Data")

    assert arguments_of(
        {"a": count, "b": [data], "c": Join("/", ["s3:/", Join("", [data])]), "d": (1, 2)},
        count,
        data,
    ) == {
        "a": get("Parameters.Count"),
        "b": [get("Parameters.Data")],
        "c": {
            "Std:Join": {
                "On": "/",
                "Values": [
                    "s3:/",
                    {"Std:Join": {"On": "", "Values": [get("Parameters.Data")]}},
                ],
            }
        },
        "d": [1, 2],
    }


def test_any_json_file_in_s3_can_be_read() -> None:
    data = String("Data")
    value = JsonGet(S3Source(Join("/", [data, "results.json"])), "Result[0]")

    assert arguments_of({"a": value}, data)["a"]["Std:JsonGet"]["S3Uri"]["Std:Join"] == {
        "On": "/",
        "Values": [get("Parameters.Data"), "results.json"],
    }


def test_a_request_is_copied_and_the_authors_own_is_left_alone() -> None:
    count = Integer("Count", 1)
    request = {"a": {"b": [count]}}
    step = Training("Train", request)
    request["a"]["b"].append(5)

    assert step.arguments == {"a": {"b": [count.reference]}}


def test_dependencies_are_steps_names_or_ends_of_steps() -> None:
    first = training("First")
    second = Training("Second", {}, depends_on=[first])
    third = Training("Third", {}, depends_on=["First", Dependency("Second", "Any")])
    definition = pipeline("p", steps=[first, second, third])

    assert [step.get("DependsOn") for step in definition["Steps"]] == [
        None,
        ["First"],
        ["First", {"Step": "Second", "Trigger": "Any"}],
    ]


def test_both_is_written_with_not_and_or() -> None:
    count = Integer("Count", 1)
    both = and_(equals(count, 1), less_than(count, 2))

    assert both.to_json() == {
        "Type": "Not",
        "Condition": {
            "Type": "Or",
            "Conditions": [
                {
                    "Type": "Not",
                    "Condition": {
                        "Type": "Equals",
                        "LeftValue": get("Parameters.Count"),
                        "RightValue": 1,
                    },
                },
                {
                    "Type": "Not",
                    "Condition": {
                        "Type": "LessThan",
                        "LeftValue": get("Parameters.Count"),
                        "RightValue": 2,
                    },
                },
            ],
        },
    }


def test_an_experiment_may_be_named_by_parameters() -> None:
    name = String("Experiment", "e")
    definition = pipeline(
        "p",
        steps=[training()],
        parameters=[name],
        experiment=ExperimentConfig(name, Join("-", ["trial", EXECUTION_ID])),
        metadata={"team": "shells"},
    )

    assert definition["PipelineExperimentConfig"]["ExperimentName"] == get("Parameters.Experiment")
    assert definition["Metadata"] == {"team": "shells"}


# Assets.


def test_an_assets_address_holds_the_digest_of_its_content() -> None:
    asset = Asset("run.py", b"print(1)\n")

    assert asset.uri("s3://bucket/shells/") == (
        "s3://bucket/shells/code/"
        "cc42155088fca5730758db72b2a5bca33112a941dfaa2d43098ec422ce4ea213/run.py"
    )


def test_a_pipeline_knows_the_files_that_its_steps_need() -> None:
    asset = Asset("run.py", b"print(1)\n")
    uri = asset.uri("s3://bucket")
    made = pipeline("p", steps=[training("Train", code=uri)], assets={uri: asset})

    assert made.assets == {uri: asset}


# Mistakes.


def test_all_mistakes_of_an_author_come_in_one_error() -> None:
    process = Processing(
        "Prepare",
        {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "train"}]}},
        property_files=[PropertyFile("Report", "reports", "report.json")],
    )
    train = Training(
        "Train",
        {
            "a": process.output("trian"),
            "b": process.ProcessingJob,
            "c": process.json("Reprot", "mse"),
            "d": Integer("Forgotten", 1),
            "e": {1, 2},
        },
        depends_on=["Perpare"],
    )

    with pytest.raises(DefinitionError) as caught:
        pipeline("the abalone", steps=[process, train, Model("Train", {})])

    assert [str(fault) for fault in caught.value.faults] == [
        (
            'Steps[0].PropertyFiles[0].OutputName (Prepare): the job has no output "reports" — '
            "Known: "
            "train."
        ),
        (
            "Steps[1].Arguments.a (Train): Steps.Prepare.ProcessingOutputConfig.Outputs['trian']."
            'S3Output.S3Uri: the step declares no "trian" in ProcessingOutputConfig.Outputs — Did '
            "you "
            'mean "train"?'
        ),
        (
            "Steps[1].Arguments.b (Train): Steps.Prepare.ProcessingJob: a Processing step has no "
            'property "ProcessingJob" — Did you mean "ProcessingJobArn"?'
        ),
        (
            'Steps[1].Arguments.c (Train): the step "Prepare" declares no property file "Reprot" — '
            "Did "
            'you mean "Report"?'
        ),
        'Steps[1].Arguments.d (Train): there is no parameter "Forgotten"',
        "Steps[1].Arguments.e (Train): set is no kind of JSON value",
        'Steps[1].DependsOn[0] (Train): there is no step "Perpare" — Did you mean "Prepare"?',
        'Steps[2].Name (Train): a step "Train" exists already, at Steps[1].Name',
        (
            "the pipeline's name: 'the abalone' is no pipeline name — Use 1 to 82 letters, digits "
            "and "
            "hyphens; no hyphen at either end."
        ),
    ]


@pytest.mark.parametrize(
    "value", [String("Data"), training(), EXECUTION_ID, training().TrainingJobArn]
)
def test_a_reference_in_an_f_string_is_refused(value: Json) -> None:
    with pytest.raises(TypeError, match=r"has a value only when the pipeline runs.*Join"):
        f"s3://bucket/{value}"


def test_a_comparison_by_python_itself_is_no_condition() -> None:
    mse = prepare().json("Suggested", "mse")

    with pytest.raises(TypeError, match="the conditions of 'C' may not contain False"):
        Condition("C", [mse == 6.0])


def test_a_misspelt_method_of_a_step_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="a Processing step has no attribute 'ouput'"):
        prepare().ouput("train")


# The pipeline is its definition.


def test_a_pipeline_cannot_be_changed() -> None:
    made = abalone()
    attempts = [
        lambda: made.update({}),
        lambda: made.pop("Steps"),
        lambda: made.__setitem__("Steps", []),
        lambda: made.__delitem__("Steps"),
        lambda: made.clear(),
    ]

    for attempt in attempts:
        with pytest.raises(TypeError, match="read-only"):
            attempt()
    with pytest.raises(AttributeError):
        made.name = "other"  # type: ignore[misc]  # that is the point


def test_a_pipeline_survives_copying_and_pickling() -> None:
    made = abalone()

    for copied in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):  # noqa: S301 - our own
        assert isinstance(copied, Pipeline)
        assert (copied, copied.name, copied.steps) == (made, made.name, made.steps)


def test_a_step_survives_copying_and_pickling() -> None:
    step = prepare()

    assert copy.deepcopy(step) == step == pickle.loads(pickle.dumps(step))  # noqa: S301 - our own


def test_all_parameter_classes_take_their_own_type_as_default() -> None:
    wrong = [Integer("A", 1.5), Float("B", "1")]  # type: ignore[arg-type]  # that is the point

    with pytest.raises(DefinitionError) as caught:
        pipeline("p", steps=[Fail("F", PIPELINE_NAME)], parameters=wrong)

    assert [fault.place for fault in caught.value.faults] == [
        "Parameters[0].DefaultValue",
        "Parameters[1].DefaultValue",
    ]
