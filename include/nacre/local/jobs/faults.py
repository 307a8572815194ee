"""How a job ends before its time, and the FailureReason that says so."""

# The service's words for a job whose machine was lost, and for one that got none.
INTERNAL_ERROR = "InternalServerError: We encountered an internal error. Please try again."
CAPACITY_ERROR = (
    "CapacityError: Unable to provision requested ML compute capacity."
    " Please retry using a different ML instance type."
)
MAX_REASON = 1024
MAX_EXIT_MESSAGE_BYTES = 1024


class JobFault(Exception):  # noqa: N818 - a job's end, which the caller records
    """The job fails: `str` is its FailureReason, which begins with who is to blame."""


class Interrupted(Exception):  # noqa: N818 - not an end at all
    """The job's spot instance was taken away."""


class Stopped(Exception):  # noqa: N818 - an end that was asked for, not an error
    """The job was asked to stop before it had started."""


def client_error(text: str) -> JobFault:
    """The request or its data is at fault."""
    return JobFault(f"ClientError: {text}")


def algorithm_error(text: str) -> JobFault:
    """What the job ran is at fault."""
    return JobFault(f"AlgorithmError: {text}")


def limited(reason: str, suffix: str = "") -> str:
    """A reason of at most 1024 characters that keeps its suffix."""
    return reason[: MAX_REASON - len(suffix)] + suffix
