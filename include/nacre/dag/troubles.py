"""Telling the service's troubles apart, by their codes, and saying them to a person.

A code decides, never the wording of a message. What passes by itself (throttling, an endpoint
that is away, an internal error) must not fail a task that only waits; what the service refuses
will be refused again, so trying again makes no sense.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from include.nacre.definition.retrying import SERVICE_FAULT, THROTTLING, exception_of_code


class Trouble(Enum):
    """What a failed call means for the one who called."""

    PASSING = "try again later"
    EXPIRED = "the credentials have run out: ask the connection for new ones"
    MISSING = "what was asked about does not exist"
    REFUSED = "the request is wrong, and will be refused again"
    DENIED = "there are no credentials, or they do not permit this"
    OTHER = "something else"


# The codes of AWS services for throttling, as botocore's own retry rules know them; SageMaker
# answers ThrottlingException, S3 SlowDown.
THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
AWAY = frozenset(
    {"InternalError", "InternalFailure", "InternalServerError", "RequestTimeout"}
    | {"ServiceUnavailable", "ServiceUnavailableException"}
)
# By a clock that is wrong, too: what is signed holds for minutes.
_UNTIMELY = ("InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed")
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", *_UNTIMELY})
MISSING = frozenset(
    {"404", "NoSuchBucket", "NoSuchKey", "NotFound", "ResourceNotFound"}
    | {"ResourceNotFoundException"}
)
REFUSED = frozenset({"InvalidParameterException", "ValidationError", "ValidationException"})
DENIED = frozenset(
    {"403", "AccessDenied", "AccessDeniedException", "IncompleteSignature", "InvalidAccessKeyId"}
    | {"InvalidClientTokenId", "MissingAuthenticationToken", "OptInRequired"}
    | {"SignatureDoesNotMatch", "UnauthorizedOperation", "UnrecognizedClientException"}
)

_BY_CODE = (
    (THROTTLED | AWAY, Trouble.PASSING),
    (EXPIRED, Trouble.EXPIRED),
    (MISSING, Trouble.MISSING),
    (REFUSED, Trouble.REFUSED),
    (DENIED, Trouble.DENIED),
)
SERVER_ERRORS = 500


def trouble_of_code(code: str, http_status: int) -> Trouble:
    """Classify an answer of the service."""
    for codes, trouble in _BY_CODE:
        if code in codes:
            return trouble
    return Trouble.PASSING if http_status >= SERVER_ERRORS else Trouble.OTHER


@dataclass(frozen=True)
class Said:
    """What a failed call said: the operation, an error code, a message."""

    trouble: Trouble
    operation: str
    code: str
    message: str

    @property
    def exception(self) -> str | None:
        """The exception type that a step's RetryPolicies know this by, if they can name it."""
        if known := exception_of_code(self.code):
            return known
        if self.code in THROTTLED:
            return THROTTLING
        return SERVICE_FAULT if self.trouble is Trouble.PASSING else None

    def __str__(self) -> str:
        return f"{self.operation} failed with {self.code}: {self.message}".rstrip(". ") + "."


def understood(error: Exception) -> Said:
    """Return what an exception of botocore says."""
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        return _of_answer(error.response, error.operation_name)
    message = " ".join(str(error).split())
    return Said(_of_client(error), "The call to AWS", type(error).__name__, message)


def _of_answer(answer: Mapping[str, Any], operation: str) -> Said:
    fault, meta = answer.get("Error", {}), answer.get("ResponseMetadata", {})
    code, status = str(fault.get("Code", "Unknown")), int(meta.get("HTTPStatusCode", 0))
    return Said(trouble_of_code(code, status), operation, code, str(fault.get("Message", "")))


def _of_client(error: Exception) -> Trouble:
    """Classify what botocore found before, or instead of, an answer of the service."""
    from botocore import exceptions as botocore

    unanswered = (botocore.HTTPClientError, botocore.ConnectionError)
    if isinstance(error, unanswered) and not isinstance(error, botocore.SSLError):
        return Trouble.PASSING
    if isinstance(error, botocore.ParamValidationError):
        return Trouble.REFUSED
    without_rights = (
        botocore.NoCredentialsError,
        botocore.PartialCredentialsError,
        botocore.CredentialRetrievalError,
        botocore.TokenRetrievalError,
        botocore.UnauthorizedSSOTokenError,
    )
    return Trouble.DENIED if isinstance(error, without_rights) else Trouble.OTHER


def advice(said: Said, connection: str | None) -> str:
    """Return what the reader of a task's log can do next."""
    return _ADVICE_BY_CODE.get(said.code, _ADVICE[said.trouble]).format(
        connection=connection, operation=said.operation
    )


_ADVICE = {
    Trouble.PASSING: "The service did not answer, or asked for fewer calls. Look whether it runs "
    "at the endpoint of connection {connection!r} (on this machine: make local), then clear the "
    "task.",
    Trouble.EXPIRED: "Renew the credentials of connection {connection!r}, then clear the task.",
    Trouble.MISSING: "Correct the step, or create what it names, then clear the task.",
    Trouble.REFUSED: "Correct the step's request (the task's Rendered Templates show what was "
    "sent), then clear the task.",
    Trouble.DENIED: "Give the identity of connection {connection!r} credentials that may call "
    "{operation}; for jobs and models also iam:PassRole on the step's role. Then clear the task.",
    Trouble.OTHER: "Clear the task when the cause is mended.",
}
_ADVICE_BY_CODE = {
    **dict.fromkeys(
        _UNTIMELY,
        "Look whether this machine's clock is right: the service takes what was signed within "
        "minutes of its own time. If it is, renew the credentials of connection {connection!r}. "
        "Then clear the task.",
    ),
    "NoCredentialsError": "Connection {connection!r} has no credentials: give it a login and "
    "password, a role or a profile, then clear the task.",
    "NoRegionError": "Connection {connection!r} has no region: set region_name in its extra, then "
    "clear the task.",
    "ResourceLimitExceeded": "The account's quota is used up: wait, give the steps an Airflow pool "
    "of the quota's size, or ask AWS for more. Then clear the task.",
    "NoSuchBucket": "Create the bucket, or correct the address in the step, then clear the task.",
}


def in_full(said: Said, connection: str | None) -> str:
    """Return one message for the task's log: what was said, and what to do next."""
    return f"{said} {advice(said, connection)}"
