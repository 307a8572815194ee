"""Each fault of a definition is reported with its place, what is wrong and what to do."""

import json

import pytest

from include.nacre.definition.faults import DefinitionError, Fault
from include.nacre.definition.reader import read_pipeline
from tests.support.definitions import Json, definition_of, report_on, step_of

ARN = {"Arn": "arn:a"}
FILE = {"PropertyFileName": "f", "OutputName": "out", "FilePath": "f.json"}
STRING = {"Name": "P", "Type": "String"}


# The file as a whole.


def test_text_that_is_no_json_is_reported_with_line_and_column() -> None:
    assert report_on('{"Version":\n oops}') == ["line 2, column 2: not JSON: Expecting value"]


def test_a_byte_order_mark_is_no_fault() -> None:
    assert report_on("\ufeff" + json.dumps(definition_of(step_of("Fail")))) == []


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 200 + "]" * 200])
def test_endless_nesting_is_a_fault(text: str) -> None:
    assert [fault.rpartition(": ")[2] for fault in report_on(text)] == [
        "nested more than 100 levels deep"
    ]


def test_a_number_of_thousands_of_digits_is_a_fault() -> None:
    assert report_on('{"a": ' + "9" * 5000 + "}")[0].startswith("the definition: not JSON")


def test_a_number_of_more_than_64_bits_is_a_fault() -> None:
    assert report_on('{"a": ' + "9" * 20 + "}") == ["a: is a whole number of more than 64 bits"]


@pytest.mark.parametrize("value", [[], "text", 5, None])
def test_a_definition_must_be_an_object(value: Json) -> None:
    assert "the definition: must be an object" in report_on(json.dumps(value))[0]


def test_the_required_keys_are_required() -> None:
    assert report_on({}) == [
        'the definition: the required key "Version" is missing',
        'the definition: the required key "Steps" is missing',
    ]


def test_another_version_is_refused() -> None:
    assert report_on({**definition_of(), "Version": "2021-01-01"}) == [
        'Version: unknown version "2021-01-01" — Write "2020-12-01".'
    ]


def test_an_unknown_key_is_refused_with_the_likeliest_one() -> None:
    assert report_on({**definition_of(), "Paramaters": []}) == [
        'the definition: unknown key "Paramaters" — Did you mean "Parameters"?'
    ]


def test_a_key_that_stands_twice_is_a_fault() -> None:
    text = '{"Version": "2020-12-01", "Steps": [], "Metadata": {"a": "1", "a": "2"}}'

    assert report_on(text) == ["Metadata.a: the key stands in its object more than once"]


def test_not_a_number_is_no_json() -> None:
    text = '{"Version": "2020-12-01", "Steps": [], "Metadata": {"a": NaN}}'

    assert report_on(text) == [
        "Metadata.a: nan is no JSON number",
        "Metadata.a: must be text, not the number NaN",
    ]


def test_a_definition_longer_than_the_service_takes_is_a_fault() -> None:
    definition = definition_of(step_of("Training", arguments={"x": "y" * 1_048_576}))

    assert report_on(definition) == ["the definition: longer than 1,048,576 characters"]


def test_control_characters_are_shown_escaped() -> None:
    assert report_on({**definition_of(), "\x1b[31m\u202e": 1}) == [
        (
            r'the definition: unknown key "\u001b[31m\u202e" — Known: Metadata, MlflowConfig, '
            "Parameters, PipelineExperimentConfig, Steps, Version."
        )
    ]


def test_metadata_holds_texts_only() -> None:
    assert report_on(definition_of(Metadata={"a b": "x", "c": 1, "d": "e" * 1025})) == [
        "Metadata.c: must be text, not the number 1",
        "Metadata.d: 1025 characters, but at most 1024 are allowed",
        'Metadata["a b"]: a key has 1 to 128 letters, digits, hyphens and underscores',
    ]


# Parameters.


@pytest.mark.parametrize(
    ("parameter", "fault"),
    [
        (5, "Parameters[0]: must be an object, not the number 5"),
        ({"Type": "String"}, 'Parameters[0]: the required key "Name" is missing'),
        (
            {"Name": "a b"},
            (
                'Parameters[0].Name: bad name "a b" — Use 1 to 256 letters, digits, hyphens and '
                "underscores."
            ),
        ),
        (
            {"Name": "P", "Type": "Int"},
            'Parameters[0].Type: unknown value "Int" — Did you mean "Integer"?',
        ),
        (
            {"Name": "P", "Type": "Integer", "DefaultValue": "3"},
            (
                "Parameters[0].DefaultValue: the default must have the type Integer, not be the "
                "text "
                '"3"'
            ),
        ),
        (
            {"Name": "P", "Type": "Integer", "DefaultValue": True},
            "Parameters[0].DefaultValue: the default must have the type Integer, not be true",
        ),
        (
            {"Name": "P", "DefaultValue": None},
            "Parameters[0].DefaultValue: the default must have the type String, not be null",
        ),
        (
            {"Name": "P", "DefaultValue": "dve", "EnumValues": ["dev", "prod"]},
            (
                'Parameters[0].DefaultValue: the default "dve" is not among the EnumValues — Did '
                "you "
                'mean "dev"?'
            ),
        ),
        (
            {"Name": "P", "EnumValues": [str(n) for n in range(17)]},
            "Parameters[0].EnumValues: 17 entries, but at most 16 are allowed",
        ),
        ({"Name": "P", "EnumValues": []}, "Parameters[0].EnumValues: must not be empty"),
        (
            {"Name": "P", "Type": "Integer", "EnumValues": ["1"]},
            'Parameters[0].EnumValues: only String parameters have EnumValues, not "Integer"',
        ),
    ],
)
def test_a_parameter_at_fault(parameter: Json, fault: str) -> None:
    assert report_on(definition_of(parameters=[parameter])) == [fault]


def test_a_parameter_name_stands_once() -> None:
    assert report_on(definition_of(parameters=[STRING, STRING])) == [
        'Parameters[1].Name: a parameter "P" exists already, at Parameters[0].Name'
    ]


def test_no_run_can_be_given_more_than_200_values() -> None:
    parameters = [{"Name": f"P{n}"} for n in range(201)]

    assert report_on(definition_of(parameters=parameters)) == [
        "Parameters: 201 parameters have no default, but a run can be given at most 200 values"
    ]


# Steps.


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (5, "Steps[0]: must be an object, not the number 5"),
        ({"Type": "Fail"}, 'Steps[0]: the required key "Name" is missing'),
        (
            {"Name": "S", "Type": "Training", "Arguments": []},
            "Steps[0].Arguments (S): must be an object, not a list",
        ),
        (
            {"Name": "S", "Type": "Training"},
            'Steps[0] (S): the required key "Arguments" is missing',
        ),
        (
            step_of("Training", "a.b"),
            (
                'Steps[0].Name (a.b): bad name "a.b" — Use 1 to 64 letters, digits, hyphens and '
                "underscores."
            ),
        ),
        (
            step_of("Trainning"),
            'Steps[0].Type (S): unknown step type "Trainning" — Did you mean "Training"?',
        ),
        (
            step_of("BedrockModelImport"),
            (
                'Steps[0].Type (S): unknown step type "BedrockModelImport" — Its form is not '
                "published. Run the pipeline natively, on SageMaker itself."
            ),
        ),
        (
            step_of("NotebookJobStep"),
            (
                'Steps[0].Type (S): unknown step type "NotebookJobStep" — In a definition it is '
                "written as Training."
            ),
        ),
        (
            step_of("Training", DependOn=[]),
            'Steps[0] (S): unknown key "DependOn" — Did you mean "DependsOn"?',
        ),
        (
            step_of("Training", DisplayName="x" * 257),
            "Steps[0].DisplayName (S): 257 characters, but at most 256 are allowed",
        ),
        (
            step_of("Model", CacheConfig={"Enabled": True}),
            "Steps[0].CacheConfig (S): the result of a Model step cannot be cached",
        ),
        (
            step_of("Training", CacheConfig={"Enabled": "yes", "ExpireAfter": "P30D"}),
            'Steps[0].CacheConfig.Enabled (S): must be true or false, not the text "yes"',
        ),
        (
            step_of("Training", CacheConfig={"Enabled": True, "ExpireAfter": "30 days"}),
            (
                'Steps[0].CacheConfig.ExpireAfter (S): "30 days" is no duration — Write P30D for '
                "30 "
                "days, PT4H for 4 hours."
            ),
        ),
        (
            step_of("Fail", RetryPolicies=[]),
            "Steps[0].RetryPolicies (S): a Fail step cannot be retried",
        ),
        (
            step_of("Lambda", FunctionArn=None),
            "Steps[0].FunctionArn (S): is required, and must not be null",
        ),
        (
            step_of("Lambda", OutputParameters=[{"OutputName": "a", "OutputType": "Text"}]),
            (
                'Steps[0].OutputParameters[0].OutputType (S): unknown value "Text" — Known: '
                "Boolean, "
                "Float, Integer, String."
            ),
        ),
        (
            step_of("Lambda", OutputParameters=[{"OutputName": "a", "OutputType": "Float"}] * 51),
            "Steps[0].OutputParameters (S): 51 entries, but at most 50 are allowed",
        ),
        (
            step_of("Fail", arguments={"ErrorMessage": 5}),
            "Steps[0].Arguments.ErrorMessage (S): must be text, not the number 5",
        ),
        (
            step_of("AutoML", arguments={"AutoMLJobConfig": {"Mode": "AUTO"}}),
            (
                "Steps[0].Arguments.AutoMLJobConfig.Mode (S): a pipeline runs AutoML in the mode "
                'ENSEMBLING only, not "AUTO"'
            ),
        ),
        (
            step_of("EMR", arguments={"ClusterConfig": {"Instances": {}}}),
            "Steps[0].Arguments (S): needs either ClusterId or ClusterConfig, and has both",
        ),
        (
            step_of("EMRServerless", arguments={"ApplicationId": ""}),
            (
                "Steps[0].Arguments (S): needs either ApplicationId or ApplicationConfig, and has "
                "neither"
            ),
        ),
        (
            step_of("ClarifyCheck", CheckType="MODEL_BIAS"),
            'Steps[0].CheckType (S): MODEL_BIAS needs the key "ModelName" on the step',
        ),
        (
            step_of("QualityCheck", CheckType="DATA_BIAS"),
            (
                'Steps[0].CheckType (S): unknown value "DATA_BIAS" — Known: DATA_QUALITY, '
                "MODEL_QUALITY."
            ),
        ),
        (
            step_of("QualityCheck", SkipCheck="true"),
            'Steps[0].SkipCheck (S): must be true, false or a reference, not the text "true"',
        ),
        (
            step_of("Lambda", FunctionArn=5),
            "Steps[0].FunctionArn (S): must be text, not the number 5",
        ),
        (
            step_of("QualityCheck", ModelPackageGroupName={"a": 1}),
            "Steps[0].ModelPackageGroupName (S): must be text, not an object",
        ),
        (
            step_of("EMR", arguments={"ClusterId": {"Ref": "x"}}),
            "Steps[0].Arguments.ClusterId (S): must be text, not an object",
        ),
        (
            step_of("Lineage", arguments={"Contexts": "c"}),
            'Steps[0].Arguments.Contexts (S): must be a list, not the text "c"',
        ),
        (
            step_of("Cleanup", arguments={"Resources": {"S3": [{"StepName": "S", "S3Uris": [1]}]}}),
            "Steps[0].Arguments.Resources.S3[0].S3Uris[0] (S): must be text, not the number 1",
        ),
        (
            step_of("Processing", PropertyFiles=[FILE, FILE]),
            'Steps[0].PropertyFiles[0].PropertyFileName (S): the name "f" is used 2 times',
        ),
        (
            step_of("Job", arguments={"JobConfigDocument": 5}),
            "Steps[0].Arguments.JobConfigDocument (S): must be text, not the number 5",
        ),
        (
            step_of("Cleanup", arguments={"Resources": {"S3": [{"StepName": "X"}]}}),
            'Steps[0].Arguments.Resources.S3[0].StepName (S): there is no step "X" — Known: S.',
        ),
        (
            step_of("Lineage", arguments={"Artifacts": [{"ArtifactName": "a"}] * 2})
            | {"Name": "L"},
            'Steps[0].Arguments.Artifacts[0].ArtifactName (L): the name "a" is used 2 times',
        ),
        (
            step_of(
                "Lineage",
                arguments={
                    "Associations": [{"Source": {"Name": "a"}, "Destination": {"Arn": "b"}}]
                },
            ),
            (
                "Steps[0].Arguments.Associations[0].Source (S): an end of an association is either "
                "an "
                "Arn, or a Name and a Type"
            ),
        ),
    ],
)
def test_a_step_at_fault(step: Json, fault: str) -> None:
    assert report_on(definition_of(step))[:1] == [fault]


def test_a_step_name_stands_once_branches_and_bodies_included() -> None:
    fork = {"Conditions": [], "IfSteps": [step_of("Model", "A")], "ElseSteps": []}
    loop = {"IterableItems": [1], "ForEachBody": [step_of("Model", "A")]}
    steps = [
        step_of("Model", "A"),
        step_of("Condition", "C", arguments=fork),
        step_of("ForEach", "F", arguments=loop),
    ]

    assert report_on(definition_of(*steps)) == [
        'Steps[1].Arguments.IfSteps[0].Name (A): a step "A" exists already, at Steps[0].Name',
        'Steps[2].Arguments.ForEachBody[0].Name (A): a step "A" exists already, at Steps[0].Name',
    ]


def test_a_processing_job_has_at_most_ten_inputs_and_ten_outputs_each_with_its_own_name() -> None:
    arguments = {
        "ProcessingInputs": [{"InputName": f"i{n}"} for n in range(11)],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": f"o{n // 2}"} for n in range(11)]},
    }

    assert report_on(
        definition_of(step_of("Processing", arguments=arguments, PropertyFiles=[]))
    ) == [
        "Steps[0].Arguments.ProcessingInputs (S): 11 entries, but at most 10 are allowed",
        (
            "Steps[0].Arguments.ProcessingOutputConfig.Outputs (S): 11 entries, but at most 10 are "
            "allowed"
        ),
        *(
            f"Steps[0].Arguments.ProcessingOutputConfig.Outputs[{n}].OutputName (S): the name "
            f'"o{n // 2}" is used 2 times'
            for n in range(10)
        ),
    ]


def test_a_property_file_lies_in_an_output_of_its_job() -> None:
    file = {"PropertyFileName": "f", "OutputName": "uot", "FilePath": "f.json"}

    assert report_on(definition_of(step_of("Processing", PropertyFiles=[file]))) == [
        (
            'Steps[0].PropertyFiles[0].OutputName (S): the job has no output "uot" — Did you mean '
            '"out"?'
        )
    ]


# Retry policies.


@pytest.mark.parametrize(
    ("policy", "place", "what"),
    [
        (
            {"MaxAttempts": 1, "ExpireAfterMin": 1},
            "",
            "has both MaxAttempts and ExpireAfterMin — The service takes only one of them.",
        ),
        ({"MaxAttempts": 21}, ".MaxAttempts", "21 is not between 0 and 20"),
        ({"ExpireAfterMin": 14_401}, ".ExpireAfterMin", "14401 is not between 0 and 14,400"),
        ({"IntervalSeconds": 43_201}, ".IntervalSeconds", "43201 is not between 0 and 43,200"),
        (
            {"IntervalSeconds": 1.5},
            ".IntervalSeconds",
            "must be a whole number, not the number 1.5",
        ),
        ({"BackoffRate": -1}, ".BackoffRate", "-1 is negative"),
        ({"BackoffRate": "2"}, ".BackoffRate", 'must be a number, not the text "2"'),
        (
            {"ExceptionType": ["Step.THROTLING"]},
            ".ExceptionType[0]",
            'unknown value "Step.THROTLING" — Did you mean "Step.THROTTLING"?',
        ),
        (
            {"ExceptionType": "Step.THROTTLING"},
            ".ExceptionType",
            'must be a list, not the text "Step.THROTTLING"',
        ),
    ],
)
def test_a_retry_policy_at_fault(policy: Json, place: str, what: str) -> None:
    policies = [{"ExceptionType": ["Step.THROTTLING"], **policy}]

    assert report_on(definition_of(step_of("Training", RetryPolicies=policies))) == [
        f"Steps[0].RetryPolicies[0]{place} (S): {what}"
    ]


def test_a_step_without_a_job_is_retried_for_step_errors_only() -> None:
    policies = [{"ExceptionType": ["SageMaker.CAPACITY_ERROR"]}]

    assert report_on(definition_of(step_of("Model", RetryPolicies=policies))) == [
        (
            "Steps[0].RetryPolicies[0] (S): a Model step runs no job, so "
            '"SageMaker.CAPACITY_ERROR" never happens to it — Only Step.SERVICE_FAULT and '
            "Step.THROTTLING fit."
        )
    ]


# The report.


def test_all_faults_come_in_one_report_in_the_order_of_the_file() -> None:
    steps = [step_of("Training", f"T{n}", DependsOn=["Nowhere"]) for n in range(11)]
    definition = definition_of(*steps, parameters=[{"Name": "P", "Type": "Int"}])

    with pytest.raises(DefinitionError) as caught:
        read_pipeline(definition, "wide")

    assert [fault.place for fault in caught.value.faults] == [
        "Parameters[0].Type",
        *(f"Steps[{n}].DependsOn[0]" for n in range(11)),
    ]


def test_an_error_counts_its_faults_and_gives_each_a_line_or_two() -> None:
    faults = [
        Fault("Steps[1].Type", 'unknown step type "X"', step="S"),
        Fault("Steps[0].Type", 'unknown step type "Y"', "Write Z."),
    ]

    assert str(DefinitionError("abalone", faults)) == (
        "the definition of pipeline 'abalone' has 2 faults:\n"
        '  1. Steps[0].Type: unknown step type "Y"\n'
        "     Write Z.\n"
        '  2. Steps[1].Type (S): unknown step type "X"'
    )
