"""What differs between the kinds of what tasks start on SageMaker: one table.

Names are those of the service's API (botocore's service model of SageMaker). Operators, waiting,
links and failure reports read this table; nothing else in `dag` knows a kind by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from include.nacre.native import execution
from include.nacre.native.pull import execution_id

FAILED = execution.FAILED | {execution.HANDLED}
"""Ends that are no success. `Stopped` is one; `CompletedWithFailures` is, unless accepted."""
ENDING = frozenset({"Stopping", "Deleting", "DeleteFailed"})
"""On the way to an end that is no success. A job in this state is not adopted, but waited for."""


@dataclass(frozen=True)
class Kind:
    """One kind of what a task starts. `resource` names its API operations: CreateTrainingJob."""

    step_type: str
    """The type of the step that creates it; the kind's own name in triggers and in XCom."""
    resource: str
    noun: str
    page: str
    """Its pages in the AWS console, below `sagemaker/home#/`."""
    local_page: str
    """Its pages on the local SageMaker, below `/console/`."""
    status_key: str | None = None
    """None: it has no status, what exists is complete."""
    successes: frozenset[str] = frozenset({"Completed"})
    """The statuses that a task waits for."""
    timed_by: str | None = None
    """The first word of its StartTime and EndTime members."""
    end_key: str | None = None
    """The member that says when it ended, where it has none of that name."""
    exists_codes: frozenset[str] = frozenset({"ResourceInUse"})
    """Error codes by which a create call may say that the name is taken."""
    log_group: str | None = None
    name_limit: int = 63
    stoppable: bool = True
    listable: bool = True
    """Whether its List call can filter by the time of the last change."""
    pages_before_filter: bool = False
    """Whether its List call, told a page's size, makes pages of all there ever was and then leaves
    out what StatusEquals does not want: pages without end, most of them empty."""
    billable_key: str | None = None
    idempotency_key: str | None = None
    """The member of the create call that makes it idempotent where a name does not."""
    group_key: str | None = None
    """The member that names its group; what is in a group has no name, only an ARN."""
    creation: str = "Create"
    named_by: str = "Name"
    has_steps: bool = False
    """Whether it goes on step by step, and they are worth telling."""

    @property
    def name_key(self) -> str:
        """The member that names one of this kind in Create, Describe, List and Stop."""
        return f"{self.resource}{self.named_by}"

    @property
    def arn_key(self) -> str:
        return f"{self.resource}Arn"

    @property
    def summaries_key(self) -> str:
        """The member of the List response that holds what was found."""
        return f"{self.resource}Summaries"

    def called(self, name: str) -> str:
        """Return what a log calls one: its name, of an execution the id in its ARN."""
        return f"execution {execution_id(name)}" if self.has_steps else name

    def operation(self, verb: str) -> str:
        """Return an operation's name: `operation("Describe")`."""
        word = self.creation if verb == "Create" else verb
        return f"{word}{self.resource}{'s' if verb == 'List' else ''}"

    def create_request(self, body: Mapping[str, Any], name: str, token: str) -> dict[str, Any]:
        """Return the create call's request: the step's, with our name or token in it.

        A name in the step's request is only a prefix of names, so it is left out here.
        """
        request = {key: value for key, value in body.items() if key != self.name_key}
        if self.idempotency_key:
            request[self.idempotency_key] = token
        if not (self.group_key and request.get(self.group_key)):
            request[self.name_key] = name
        return request

    def status(self, answer: Mapping[str, Any]) -> str:
        """Return the status in a Describe response or in a List summary."""
        return "Completed" if self.status_key is None else str(answer[self.status_key])

    def succeeded(self, status: str) -> bool:
        """Say whether a status is an end that a task waits for."""
        return status in self.successes

    def ended(self, status: str) -> bool:
        """Say whether one with this status will not change any more."""
        return self.succeeded(status) or status in FAILED

    def failed(self, answer: Mapping[str, Any]) -> bool:
        """Say whether one has ended by itself, and not well: nobody has stopped it."""
        status, detail = self.status(answer), self.detail(answer)
        if status == "Stopped":  # by the service, if its time was over
            return detail != status if detail else self.over_time(answer)
        return self.ended(status) and not self.succeeded(status)

    def runs(self, status: str) -> bool:
        """Say whether one with this status goes on unless it is stopped."""
        return not self.ended(status) and status not in ENDING

    def usable(self, status: str) -> bool:
        """Say whether one with this status can still be, or is, a task's result."""
        return self.succeeded(status) or self.runs(status)

    def accepting(self, status: str) -> Self:
        """Return the kind for a task that takes one more status for a success."""
        return replace(self, successes=self.successes | {status})

    def detail(self, answer: Mapping[str, Any]) -> str:
        """Return the finer status that training jobs have, or ""."""
        return str(answer.get("SecondaryStatus", ""))

    def over_time(self, answer: Mapping[str, Any]) -> bool:
        """Say whether a stopped job ran for as long as it may: of a processing job no status says
        that the service has stopped it for this, and no person.
        """
        limit = (answer.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds")
        times = self.times(answer)
        if limit is None or not {"started", "ended"} <= times.keys():
            return False
        ran: float = (times["ended"] - times["started"]).total_seconds()
        return self.status(answer) == "Stopped" and ran >= limit

    def reason(self, answer: Mapping[str, Any]) -> str:
        """Return what the service says about a failure, or ""."""
        said = (answer.get("FailureReason"), answer.get("ExitMessage"))
        return ". ".join(str(part).rstrip(". ") for part in said if part)

    def times(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Return when it was created, started and ended, as far as the answer says."""
        keys = {"created": "CreationTime"}
        if self.timed_by:
            keys |= {"started": f"{self.timed_by}StartTime", "ended": f"{self.timed_by}EndTime"}
        if self.end_key and self.ended(self.status(answer)):
            keys["ended"] = self.end_key
        return {name: answer[key] for name, key in keys.items() if answer.get(key) is not None}


PROCESSING = Kind(
    step_type="Processing",
    resource="ProcessingJob",
    noun="processing job",
    page="processing-jobs",
    local_page="processing-jobs",
    status_key="ProcessingJobStatus",
    timed_by="Processing",
    log_group="/aws/sagemaker/ProcessingJobs",
)
TRAINING = Kind(
    step_type="Training",
    resource="TrainingJob",
    noun="training job",
    page="jobs",
    local_page="training-jobs",
    status_key="TrainingJobStatus",
    timed_by="Training",
    log_group="/aws/sagemaker/TrainingJobs",
    pages_before_filter=True,
    billable_key="BillableTimeInSeconds",
)
TRANSFORM = Kind(
    step_type="Transform",
    resource="TransformJob",
    noun="transform job",
    page="transform-jobs",
    local_page="transform-jobs",
    status_key="TransformJobStatus",
    timed_by="Transform",
    log_group="/aws/sagemaker/TransformJobs",
)
MODEL = Kind(
    step_type="Model",
    resource="Model",
    noun="model",
    page="models",
    local_page="models",
    # CreateModel has no code of its own for a name that is taken; a Describe tells it from
    # other faults of the request.
    exists_codes=frozenset({"ValidationException"}),
    stoppable=False,
    listable=False,
)
MODEL_PACKAGE = Kind(
    step_type="RegisterModel",
    resource="ModelPackage",
    noun="model package",
    page="model-packages",
    local_page="model-packages",
    status_key="ModelPackageStatus",
    exists_codes=frozenset({"ConflictException"}),
    stoppable=False,
    listable=False,
    idempotency_key="ClientToken",
    group_key="ModelPackageGroupName",
)

EXECUTION = Kind(
    step_type="Pipeline",
    resource="PipelineExecution",
    noun="pipeline execution",
    page="studio-landing",
    local_page="pipeline-executions",
    status_key="PipelineExecutionStatus",
    successes=frozenset({execution.SUCCEEDED}),
    end_key="LastModifiedTime",
    # What its token has started already, the service answers with; it has no name to be taken.
    exists_codes=frozenset(),
    listable=False,
    idempotency_key="ClientRequestToken",
    group_key="PipelineName",
    creation="Start",
    named_by="Arn",
    has_steps=True,
)
"""A whole pipeline that the service executes."""

STEP_KINDS: Mapping[str, Kind] = {
    kind.step_type: kind for kind in (PROCESSING, TRAINING, TRANSFORM, MODEL, MODEL_PACKAGE)
}
"""By the step type that creates them."""

KINDS: Mapping[str, Kind] = {**STEP_KINDS, EXECUTION.step_type: EXECUTION}
