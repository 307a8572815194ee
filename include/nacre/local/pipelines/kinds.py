"""What the executor has to know of each step type that creates something: one table.

The operation and the member that names what it creates stand in `definition.steptypes`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.nacre.definition.steptypes import STEP_TYPES
from include.nacre.local.jobs.spec import Kind as JobKind


@dataclass(frozen=True)
class Kind:
    """`metadata` is the member of a step's metadata that tells its ARN.

    `job` is the kind of job that it runs; None for what is there as soon as it is created, which
    the store keeps under the kind `thing`.
    """

    step_type: str
    metadata: str
    job: JobKind | None = None
    thing: str = ""

    @property
    def stored(self) -> str:
        """The kind of the store's rows."""
        return self.job or self.thing

    @property
    def resource(self) -> str:
        """What the API's operations call it: `ProcessingJob`."""
        operation = STEP_TYPES[self.step_type].operation
        return operation.name.removeprefix("Create") if operation else self.step_type

    @property
    def name_key(self) -> str:
        """The member that names one in Create, Describe and Stop."""
        return f"{self.resource}Name"

    @property
    def arn_key(self) -> str:
        """The member of an answer that holds its ARN."""
        return f"{self.resource}Arn"

    def status(self, answer: Mapping[str, Any]) -> str:
        """Return the status in a Describe answer; what has none is complete."""
        return str(answer[f"{self.resource}Status"]) if self.job else "Completed"


KINDS: Mapping[str, Kind] = {
    kind.step_type: kind
    for kind in (
        Kind("Processing", "ProcessingJob", "processing"),
        Kind("Training", "TrainingJob", "training"),
        Kind("Transform", "TransformJob", "transform"),
        Kind("Model", "Model", thing="model"),
        Kind("RegisterModel", "RegisterModel", thing="model-package"),
    )
}


def reason_of(answer: Mapping[str, Any]) -> str:
    """Return why a job failed, in the service's words and its own."""
    said = (answer.get("FailureReason"), answer.get("ExitMessage"))
    return ". ".join(str(part).rstrip(". ") for part in said if part)
