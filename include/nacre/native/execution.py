"""An execution and its steps: what the service says of them, in words for people."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from include.nacre.native.pace import interval

SUCCEEDED = "Succeeded"
HANDLED = "CompletedWithFailures"
"""The end of an execution in which steps failed, and others ran because of that."""

FAILED = frozenset({"Failed", "Stopped"})
ENDED = FAILED | {SUCCEEDED, HANDLED}
ENDS_IN_WORDS = {
    SUCCEEDED: "succeeded",
    HANDLED: "completed with failures",
    "Failed": "failed",
    "Stopped": "was stopped",
}

JOBS = {
    "ProcessingJob": "Processing",
    "TrainingJob": "Training",
    "TransformJob": "Transform",
}
"""The members of a step's Metadata that name a job with a log, and the type of such a step."""

Answer = dict[str, Any]


def look(sagemaker: Any, arn: str) -> Answer:
    """Return DescribePipelineExecution's answer, with all steps so far as `Steps`.

    The steps are asked after the status, so they have ended where the execution has.
    """
    answer: Answer = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    return {**answer, "Steps": list(list_steps(sagemaker, arn))}


def list_steps(sagemaker: Any, arn: str) -> Iterator[Answer]:
    """Yield the steps that have started, in the order in which they did."""
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    for page in pages:
        yield from page["PipelineExecutionSteps"]


def status(answer: Mapping[str, Any]) -> str:
    """Return an execution's status."""
    return str(answer["PipelineExecutionStatus"])


def states(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the state of each step in words, by its name: `Failed: AlgorithmError: ...`."""
    return {step["StepName"]: in_words(step) for step in answer["Steps"]}


def in_words(step: Mapping[str, Any]) -> str:
    """Return a step's state: `Executing`, `Succeeded, its result from the cache`, `Failed: why`."""
    state = str(step["StepStatus"])
    if step.get("CacheHitResult"):
        state += ", its result from the cache"
    if step.get("SelectiveExecutionResult"):
        state += ", its result from the source execution"
    if (outcome := step.get("Metadata", {}).get("Condition", {}).get("Outcome")) is not None:
        state += f", the conditions are {str(outcome).lower()}"
    if step.get("AttemptCount", 1) > 1:
        state += f", attempt {step['AttemptCount']}"
    return f"{state}: {step['FailureReason']}" if step.get("FailureReason") else state


def failed_steps(answer: Mapping[str, Any]) -> list[Answer]:
    """Return the steps that failed, or were stopped."""
    return [step for step in answer["Steps"] if step["StepStatus"] in FAILED]


class Job(NamedTuple):
    """A step's job, by the name in its ARN: the service writes it there in lower case."""

    step_type: str
    name: str


def job_of(step: Mapping[str, Any]) -> Job | None:
    """Return a step's job that writes a log; None if it has none."""
    metadata = step.get("Metadata", {})
    jobs = (
        Job(step_type, str(metadata[key]["Arn"]).rpartition("/")[2])
        for key, step_type in JOBS.items()
        if metadata.get(key, {}).get("Arn")
    )
    return next(jobs, None)


def reason(answer: Mapping[str, Any]) -> str:
    """Return why an execution did not succeed: its failed steps, each with its reason."""
    steps = [f"step {step['StepName']}: {in_words(step)}" for step in failed_steps(answer)]
    own = answer.get("FailureReason")
    return "; ".join(steps or ([str(own)] if own else []))


def follow(
    sagemaker: Any,
    arn: str,
    tell: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """Wait for an execution's end, telling each change of a step; return `look`'s last answer.

    Raises what botocore raises; its own retries bear throttling.
    """
    told: Mapping[str, str] = {}
    waited = 0.0
    while True:
        answer = look(sagemaker, arn)
        for line in changes(told, told := states(answer)):
            tell(line)
        if status(answer) in ENDED:
            return answer
        rest = interval(waited)
        sleep(rest)
        waited += rest


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> Sequence[str]:
    """Return a line for each state that is new."""
    return [f"{name}: {state}" for name, state in now.items() if before.get(name) != state]
