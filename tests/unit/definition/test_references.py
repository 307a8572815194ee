"""References must lead to something that exists."""

import pytest

from tests.support.definitions import (
    Json,
    definition_of,
    get,
    report_on,
    sdk_definition,
    step_of,
)


def uses(value: Json, *steps: Json, parameters: Json = ()) -> list[str]:
    """The faults of a definition whose step S has `value` in its arguments."""
    last = step_of("Training", arguments={"x": value})
    place = f"Steps[{len(steps)}].Arguments.x"
    return [
        fault.replace(f"{place} (S)", "x")
        for fault in report_on(definition_of(*steps, last, parameters=parameters))
    ]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (get("Parameters.Q"), 'x: there is no parameter "Q" — Did you mean "QQ"?'),
        (get("Parameters.a b"), 'x: "Parameters.a b" names no parameter — Write Parameters.NAME.'),
        (
            get("Execution.PipelineExecutionID"),
            (
                'x: unknown execution variable "PipelineExecutionID" — Did you mean '
                '"PipelineExecutionId"?'
            ),
        ),
        (
            get("PipelineExperimentConfig.Name"),
            'x: unknown experiment variable "Name" — Did you mean "TrialName"?',
        ),
        (get("Step.T.X"), 'x: unknown reference "Step.T.X" — Did you mean "Steps"?'),
        (get("Steps.T"), 'x: "Steps.T" names a step but none of its properties'),
        (get("Steps."), 'x: "Steps." names no step — Write Steps.NAME.PROPERTY.'),
        (get("Steps.T[0]"), 'x: "Steps.T[0]" has no property name behind the step'),
        (
            get("Steps.T.A..B"),
            (
                "x: the path 'A..B' cannot be read from '..B' on: a path is made of .member, [0] "
                "and "
                "['key']"
            ),
        ),
        (get("Steps.U.ModelName"), 'x: there is no step "U" — Known: C, F, L, P, S, T.'),
        (get("Steps.F.Anything"), 'x: no step can depend on the Fail step "F"'),
        (get(5), "x: must be text, not the number 5"),
        (
            get("ForEach.CurrentItem"),
            "x: ForEach.CurrentItem exists only in a ForEachBody",
        ),
        (
            get("IterationOutput.T.TrainingJobName"),
            "x: IterationOutput exists only in a ForEach step's Selector",
        ),
        (
            get("Steps.P.PropertyFiles.f"),
            "x: a property file can only be read with Std:JsonGet",
        ),
        (
            get("Steps.T.ModelArtifact.S3ModelArtifacts"),
            (
                "x: Steps.T.ModelArtifact.S3ModelArtifacts: a Training step has "
                'no property "ModelArtifact" — Did you mean "ModelArtifacts"?'
            ),
        ),
        (
            get("Steps.T.TrainingJobName.X"),
            ("x: Steps.T.TrainingJobName.X: TrainingJobName is a string, so it has no X"),
        ),
        (
            get("Steps.T.HyperParameters.eta"),
            (
                "x: Steps.T.HyperParameters.eta: HyperParameters is a map — Write "
                "['eta'] instead of .eta."
            ),
        ),
        (
            get("Steps.T.ModelArtifacts['S3ModelArtifacts']"),
            (
                "x: Steps.T.ModelArtifacts['S3ModelArtifacts']: ModelArtifacts "
                "is no map — Write .S3ModelArtifacts instead of ['S3ModelArtifacts']."
            ),
        ),
        (
            get("Steps.P.ProcessingOutputConfig.Outputs['uot'].S3Output.S3Uri"),
            (
                "x: Steps.P.ProcessingOutputConfig.Outputs['uot'].S3Output."
                'S3Uri: the step declares no "uot" in ProcessingOutputConfig.Outputs — Did you '
                "mean "
                '"out"?'
            ),
        ),
        (
            get("Steps.P.ProcessingInputs[0].InputName"),
            (
                "x: Steps.P.ProcessingInputs[0].InputName: the step declares 0 "
                "ProcessingInputs, so none at 0"
            ),
        ),
        (
            get("Steps.L.OutputParameters['scor']"),
            (
                "x: Steps.L.OutputParameters['scor']: the step declares no "
                '"scor" in OutputParameters — Did you mean "score"?'
            ),
        ),
        (
            get("Steps.L.OutputParameters['score'].x"),
            (
                "x: Steps.L.OutputParameters['score'].x: "
                "OutputParameters['score'] is a scalar, so it has no x — A nested value comes back "
                "as "
                "its JSON text."
            ),
        ),
        (
            get("Steps.C.Result"),
            ('x: Steps.C.Result: a Condition step has no property "Result" — Known: Outcome.'),
        ),
    ],
)
def test_a_reference_at_fault(value: Json, fault: str) -> None:
    steps = [
        step_of("Training", "T"),
        step_of("Processing", "P"),
        step_of("Lambda", "L"),
        step_of("Fail", "F"),
        step_of("Condition", "C", arguments={"Conditions": []}),
    ]

    assert uses(value, *steps, parameters=[{"Name": "QQ"}]) == [fault]


@pytest.mark.parametrize(
    "path",
    [
        "TrainingJobSummaries[49].TrainingJobName",
        "BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value",
        "TrainingJobDefinitions['first'].AlgorithmSpecification.TrainingImage",
    ],
)
def test_what_the_service_adds_to_a_describe_response_can_be_referred_to(path: str) -> None:
    assert uses(get(f"Steps.T.{path}"), step_of("Tuning", "T")) == []


def test_a_path_may_descend_into_the_text_of_a_job_document() -> None:
    assert uses(get("Steps.J.JobConfigDocument.Data[0].Uri"), step_of("Job", "J")) == []


# Functions.


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (
            {"Std:Jion": {"On": "", "Values": []}},
            'x: unknown function "Std:Jion" — Did you mean "Std:Join"?',
        ),
        (
            {"Std:Join": {"On": "", "Values": []}, "Other": 1},
            'x: a function must be the only key of its object — Keys: ["Std:Join", "Other"]',
        ),
        (
            {"Get": "Parameters.P", "Default": 1},
            'x: a function must be the only key of its object — Keys: ["Get", "Default"]',
        ),
        ({"Std:Join": []}, "x.Std:Join: must be an object, not a list"),
        ({"Std:Join": {"On": ""}}, 'x.Std:Join: the required key "Values" is missing'),
        (
            {"Std:Join": {"On": 1, "Values": []}},
            "x.Std:Join.On: must be text, not the number 1",
        ),
        (
            {"Std:Join": {"On": "", "Values": ["a", None]}},
            "x.Std:Join.Values[1]: must be a scalar or an expression, not null",
        ),
        (
            {"Std:Join": {"On": "", "Values": [["a"]]}},
            "x.Std:Join.Values[0]: must be a scalar or an expression, not a list",
        ),
        (
            {"Std:JsonGet": {"PropertyFile": get("Steps.P.PropertyFiles.g"), "Path": "a"}},
            'x: the step "P" declares no property file "g" — Known: f.',
        ),
        (
            {"Std:JsonGet": {"PropertyFile": get("Steps.T.PropertyFiles.f"), "Path": "a"}},
            'x: the Training step "T" has no property files; only Processing steps do',
        ),
        (
            {"Std:JsonGet": {"PropertyFile": "f", "Path": "a"}},
            (
                'x.Std:JsonGet.PropertyFile: names no property file: "f" — Write {"Get": '
                '"Steps.STEP.PropertyFiles.NAME"}.'
            ),
        ),
        (
            {"Std:JsonGet": {"PropertyFile": get("Steps.P.PropertyFiles.f"), "Path": "a[*].b"}},
            (
                "x.Std:JsonGet.Path: the path 'a[*].b' cannot be read from '[*].b' on: a path is "
                "made "
                "of .member, [0] and ['key']"
            ),
        ),
        (
            {
                "Std:JsonGet": {
                    "PropertyFile": get("Steps.P.PropertyFiles.f"),
                    "Path": get("Execution.PipelineName"),
                }
            },
            (
                "x.Std:JsonGet.Path: the path must be a literal — The service resolves no "
                "reference "
                "in it."
            ),
        ),
        (
            {"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "a"}},
            "x.Std:JsonGet.S3Uri: the address of the file must be a Std:Join",
        ),
        (
            {
                "Std:JsonGet": {
                    "S3Uri": {
                        "Std:Join": {
                            "On": "",
                            "Values": [{"Std:Join": {"On": "", "Values": []}}],
                        }
                    },
                    "Path": "a",
                }
            },
            (
                "x.Std:JsonGet.S3Uri: the address of the file may be joined of literals, "
                "parameters, "
                "execution variables and step properties only"
            ),
        ),
    ],
)
def test_a_function_at_fault(value: Json, fault: str) -> None:
    found = uses(value, step_of("Processing", "P"), step_of("Training", "T"))

    assert [item.replace("Steps[2].Arguments.", "").replace(" (S)", "") for item in found] == [
        fault
    ]


def test_an_authors_own_map_with_a_key_get_is_no_reference() -> None:
    assert uses({"Get": "whatever", "Put": "x"}) == []


def test_the_experiment_can_refer_to_no_step() -> None:
    config = {"ExperimentName": get("Steps.T.TrainingJobName"), "TrialName": {"a": 5}}
    definition = definition_of(step_of("Training", "T"), PipelineExperimentConfig=config)

    assert report_on(definition) == [
        "PipelineExperimentConfig.ExperimentName: no step has run when this value is needed",
        "PipelineExperimentConfig.TrialName: must be text, not an object",
    ]


def test_an_experiment_is_not_named_after_itself() -> None:
    trial = {"Std:Join": {"On": "-", "Values": [get("PipelineExperimentConfig.TrialName"), "x"]}}
    config = {"ExperimentName": get("PipelineExperimentConfig.TrialName"), "TrialName": trial}
    found = report_on(definition_of(step_of("Fail"), PipelineExperimentConfig=config))

    places = ("ExperimentName", "TrialName.Std:Join.Values[0]")
    assert found == [
        f"PipelineExperimentConfig.{place}: an experiment cannot be named after itself"
        for place in places
    ]


def test_ten_faults_come_in_one_report() -> None:
    definition = sdk_definition("abalone")
    process, train, evaluate, fork = definition["Steps"]
    process["Arguments"]["ProcessingInputs"][0]["S3Input"]["S3Uri"] = get("Parameters.InputDta")
    process["RetryPolicies"] = [
        {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 3, "ExpireAfterMin": 5}
    ]
    train["DependsOn"] = ["AbaloneProces"]
    train["Arguments"]["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = get(
        "Steps.AbaloneProcess.ProcessingOutputConfig.Outputs['trian'].S3Output.S3Uri"
    )
    evaluate["Name"] = "Abalone Eval"
    evaluate["PropertyFiles"][0]["OutputName"] = "evaluations"
    fork["Arguments"]["Conditions"][0]["Type"] = "LessOrEqual"
    fork["Arguments"]["IfSteps"][1]["Type"] = "Models"
    fork["Arguments"]["IfSteps"][2]["Name"] = "AbaloneTrain"
    definition["Parameters"][0]["DefaultValue"] = "one"

    assert [fault.split(" ")[0].rstrip(":") for fault in report_on(definition)] == [
        "Parameters[0].DefaultValue",
        "Steps[0].Arguments.ProcessingInputs[0].S3Input.S3Uri",
        "Steps[0].RetryPolicies[0]",
        "Steps[1].Arguments.InputDataConfig[0].DataSource.S3DataSource.S3Uri",
        "Steps[1].DependsOn[0]",
        "Steps[2].Name",
        "Steps[2].PropertyFiles[0].OutputName",
        "Steps[3].Arguments.Conditions[0].Type",
        # The renamed step is missed where it was referred to, too.
        (
            "Steps[3].Arguments.IfSteps[0].Arguments.ModelMetrics.ModelQuality.Statistics.S3Uri"
            ".Std:Join.Values[0]"
        ),
        "Steps[3].Arguments.IfSteps[1].Type",
        "Steps[3].Arguments.IfSteps[2].Name",
    ]
