"""Expressions: which steps they refer to, their values, and that they never pass for text."""

from dataclasses import dataclass, field

import pytest

from include.nacre.definition.expressions import (
    EvaluationError,
    ExecutionVariable,
    Expression,
    ForEachItem,
    IterationOutput,
    Join,
    JsonGet,
    ParameterRef,
    PropertyFileSource,
    S3Source,
    Scalar,
    StepProperty,
    evaluate,
    expressions_in,
    steps_of,
)
from include.nacre.definition.paths import Member, Path, format_path
from include.nacre.definition.reader import read_pipeline
from tests.support.definitions import Json, definition_of, get, sdk_definition, step_of


@dataclass
class Values:
    """A scope of plain values."""

    parameters: dict[str, Scalar] = field(default_factory=dict)
    properties: dict[str, Json] = field(default_factory=dict)
    files: dict[str, Json] = field(default_factory=dict)

    def parameter(self, name: str) -> Scalar:
        return self.parameters[name]

    def execution(self, name: str) -> str:
        return f"<{name}>"

    def experiment(self, name: str) -> str:
        return f"<{name}>"

    def property(self, step: str, path: Path) -> Json:
        return self.properties[f"{step}.{format_path(path)}"]

    def property_file(self, step: str, name: str) -> Json:
        return self.files[f"{step}/{name}"]

    def s3_json(self, uri: str) -> Json:
        return self.files[uri]


COUNT, RATE, FLAG = ParameterRef("Count"), ParameterRef("Rate"), ParameterRef("Flag")
SCOPE = Values(
    parameters={"Count": 3, "Rate": 0.8, "Flag": True, "Whole": 6.0},
    properties={"Train.ModelArtifacts.S3ModelArtifacts": "s3://b/m", "Train.Tags": ["a"]},
    files={
        "Eval/Report": {"mse": {"value": 4.9}},
        "s3://b/m/results.json": {"Result": [1, 2]},
    },
)
MODEL = StepProperty("Train", (Member("ModelArtifacts"), Member("S3ModelArtifacts")))
MSE = JsonGet(PropertyFileSource("Eval", "Report"), "mse.value")


def test_a_reference_keeps_its_type() -> None:
    value = {"count": COUNT, "list": [RATE, FLAG, {"deep": MODEL}], "plain": None}

    assert evaluate(value, SCOPE) == {
        "count": 3,
        "list": [0.8, True, {"deep": "s3://b/m"}],
        "plain": None,
    }


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["s3:/", "b", ExecutionVariable("PipelineExecutionId")], "s3://b/<PipelineExecutionId>"),
        ([COUNT, RATE, FLAG, ParameterRef("Whole"), 1e-07], "3/0.8/True/6.0/1e-07"),
        ([Join("-", ["a", MSE]), MODEL], "a-4.9/s3://b/m"),
        ([], ""),
    ],
)
def test_a_join_writes_values_as_the_sdks_local_executor_does(values: Json, text: str) -> None:
    assert evaluate(Join("/", values), SCOPE) == text


def test_a_list_has_no_text_to_join() -> None:
    with pytest.raises(EvaluationError, match=r"Steps\.Train\.Tags is list, which has no text"):
        evaluate(Join("", [StepProperty("Train", (Member("Tags"),))]), SCOPE)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (MSE, 4.9),
        (JsonGet(PropertyFileSource("Eval", "Report"), "$.mse"), {"value": 4.9}),
        (JsonGet(S3Source(Join("/", [MODEL, "results.json"])), "Result[1]"), 2),
    ],
)
def test_a_json_get_reads_what_the_file_has(expression: Expression, value: Json) -> None:
    assert evaluate(expression, SCOPE) == value


def test_a_json_get_that_finds_nothing_says_which_and_what_there_is() -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(JsonGet(PropertyFileSource("Eval", "Report"), "mse.vlaue"), SCOPE)

    assert str(caught.value) == (
        "'mse.vlaue' of the property file 'Report' of step 'Eval': mse has no 'vlaue' "
        "(it has: value)"
    )


@pytest.mark.parametrize(
    "expression", [ForEachItem(), IterationOutput("Body", (Member("ModelName"),))]
)
def test_a_loops_own_values_exist_in_the_loop_only(expression: Expression) -> None:
    with pytest.raises(EvaluationError, match="only inside its ForEach step"):
        evaluate(expression, SCOPE)


def test_steps_are_found_in_joins_and_in_both_forms_of_json_get() -> None:
    value = {
        "a": [Join("", [Join("", [StepProperty("A", (Member("X"),))])])],
        "b": JsonGet(PropertyFileSource("B", "f"), "x"),
        "c": JsonGet(S3Source(Join("", [StepProperty("C", (Member("X"),)), COUNT])), "x"),
        "d": "Steps.D.ModelName",
    }

    assert steps_of(value) == {"A", "B", "C"}


def test_every_expression_of_a_definition_is_read() -> None:
    pipeline = read_pipeline(sdk_definition("control"), "control")
    prepare = next(step for step in pipeline.steps if step.name == "Prepare")

    found = [item for item in expressions_in(prepare.arguments) if isinstance(item, ParameterRef)]

    assert [item.name for item in found] == [
        "MaxJobs",
        "AucFloor",
        "Prefix",
        "Prefix",
        "Environment",
    ]


@pytest.mark.parametrize(
    "target",
    [
        "Parameters.My_Data-2",
        "Execution.PipelineName",
        "PipelineExperimentConfig.TrialName",
        "Steps.A-CreateModel.ModelName",
        "Steps.A-CreateModel.Containers[0].Environment['a b.c']",
    ],
)
def test_a_reference_is_written_back(target: str) -> None:
    steps = [step_of("Model", "A-CreateModel"), step_of("Training", arguments={"x": get(target)})]
    definition = definition_of(*steps, parameters=[{"Name": "My_Data-2"}])

    assert read_pipeline(definition, "any").steps[1].arguments["x"].target == target


# Never text.


@pytest.mark.parametrize(
    "make_text",
    [
        lambda it: f"s3://bucket/{it}",
        lambda it: "s3://bucket/%s" % it,  # noqa: UP031 - one of the ways to make text
        lambda it: "s3://bucket/{}".format(it),  # noqa: UP032 - one of the ways to make text
        lambda it: "s3://bucket/" + it,
        lambda it: it + "/data",
        str,
    ],
)
@pytest.mark.parametrize("expression", [COUNT, MODEL, MSE, Join("", ["a"])])
def test_an_expression_cannot_become_part_of_a_string(make_text, expression) -> None:  # noqa: ANN001
    with pytest.raises(TypeError, match="has a value only when the pipeline runs"):
        make_text(expression)


def test_a_property_is_extended_as_it_is_written_in_the_definition() -> None:
    assert StepProperty("A", ()).Outputs["train"].List[0].S3Uri.target == (
        "Steps.A.Outputs['train'].List[0].S3Uri"
    )


def test_a_property_is_no_list_to_walk_over() -> None:
    with pytest.raises(TypeError, match="not iterable"):
        list(MODEL)


def test_a_property_has_no_attributes_in_small_letters() -> None:
    assert not hasattr(MODEL, "resolve")
