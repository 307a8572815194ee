"""Starting some steps of a pipeline alone, with an earlier execution as their source."""

from typing import Any

import pytest

from include.nacre.local.pipelines.records import execution_of
from tests.unit.local.memory import InMemory, error_of
from tests.unit.local.pipelines import ARN, PARAMETERS, become, create, definition, run, start, step

JOB = {"ProcessingJob": {"Arn": "arn:aws:sagemaker:us-east-1:123456789012:processing-job/a"}}


@pytest.fixture
def line(sagemaker: InMemory) -> InMemory:
    """The pipeline abalone, whose steps A, B and C follow each other."""
    create(sagemaker, PipelineDefinition=definition(step("A"), step("B", "A"), step("C", "B")))
    return sagemaker


def ended(line: InMemory, *names: str, status: str = "Succeeded") -> str:
    """An execution in which these steps have succeeded."""
    arn = start(line)
    for name in names:
        run(line, arn, name, status="Succeeded", ended=line.clock(), metadata=JOB)
    become(line, arn, status)
    return arn


def selection(*names: str, source: str | None = None) -> dict[str, Any]:
    config: dict[str, Any] = {"SelectedSteps": [{"StepName": name} for name in names]}
    if source:
        config["SourcePipelineExecutionArn"] = source
    return {"SelectiveExecutionConfig": config}


def refused(line: InMemory, *names: str, source: str | None = None, **more: Any) -> tuple[str, str]:
    return error_of(start, line, **selection(*names, source=source), **more)


def test_a_selective_execution_begins_with_what_its_source_has_made(line: InMemory) -> None:
    source = ended(line, "A", "B", "C")
    arn = start(line, **selection("B", source=source))
    answer = line.call("ListPipelineExecutionSteps", PipelineExecutionArn=arn)
    (found,) = answer["PipelineExecutionSteps"]
    assert (
        found["StepName"],
        found["StepStatus"],
        found["Metadata"],
        found["SelectiveExecutionResult"],
    ) == ("A", "Succeeded", JOB, {"SourcePipelineExecutionArn": source})


def test_the_executor_learns_which_steps_alone_run(line: InMemory) -> None:
    row = line.store.by_arn(start(line, **selection("A")))
    assert row is not None
    assert execution_of(row).selected == {"A"}


def test_an_execution_shows_its_selection(line: InMemory) -> None:
    chosen = selection("B", source=ended(line, "A"))
    found = line.call("DescribePipelineExecution", PipelineExecutionArn=start(line, **chosen))
    assert {"SelectiveExecutionConfig": found["SelectiveExecutionConfig"]} == chosen


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("Bee",), 'The pipeline has no step "Bee".'),
        (("A", "A"), "The step 'A' is selected 2 times."),
        (("A", "C"), 'The step "B" is between selected steps'),
        (("B",), 'Selected steps depend on others ("A")'),
    ],
)
def test_steps_that_cannot_run_alone_are_refused(
    line: InMemory, names: tuple[str, ...], words: str
) -> None:
    code, message = refused(line, *names)
    assert (code, words in message) == ("ValidationException", True)


def test_a_source_has_to_have_what_selected_steps_need(line: InMemory) -> None:
    source = ended(line, "A", status="Failed")
    code, message = refused(line, "C", source=source)
    words = f'The step "B" did not run in the source execution {source}'
    assert (code, words in message) == ("ValidationException", True)


def test_a_source_that_does_not_exist_is_not_found(line: InMemory) -> None:
    arn = f"{ARN}abalone/execution/aaaaaaaaaaaa"
    expected = ("ResourceNotFound", f"Pipeline execution '{arn}' does not exist.")
    assert refused(line, "B", source=arn) == expected


def test_a_source_is_an_execution_of_the_same_pipeline(line: InMemory) -> None:
    create(line, "iris")
    source = start(line, "iris")
    code, message = refused(line, "A", source=source)
    words = f"Invalid SourcePipelineExecutionArn: {source} is an execution of another pipeline."
    assert (code, words in message) == ("ValidationException", True)


def test_a_source_that_runs_is_refused(line: InMemory) -> None:
    source = start(line)
    code, message = refused(line, "A", source=source)
    words = f"Invalid SourcePipelineExecutionArn: {source} is Executing."
    assert (code, words in message) == ("ValidationException", True)


def test_faults_of_steps_and_parameters_are_in_one_refusal(sagemaker: InMemory) -> None:
    create(sagemaker, PipelineDefinition=definition(parameters=PARAMETERS))
    _, message = refused(sagemaker, "Bee", PipelineParameters=[{"Name": "Cownt", "Value": "1"}])
    words = ('no step "Bee"', "no parameter 'Cownt'", "'Count' has no default")
    assert [word in message for word in words] == [True] * 3


@pytest.mark.parametrize("count", [0, 51])
def test_a_selection_has_one_to_fifty_steps(line: InMemory, count: int) -> None:
    code, message = refused(line, *("A" for _ in range(count)))
    place = "selectiveExecutionConfig.selectedSteps"
    assert (code, place in message) == ("ValidationException", True)
