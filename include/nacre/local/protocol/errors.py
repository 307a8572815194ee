"""The errors of the service. Each travels as `{"__type": code, "message": text}`."""


class ApiError(Exception):
    """A call that the service refuses: the code and the text that the client will see."""

    code = "InternalFailure"
    status = 400


class ValidationError(ApiError):
    """The request is well formed, but cannot be."""

    code = "ValidationException"


class SerializationError(ApiError):
    """The body is no JSON, or a value has another type than its member."""

    code = "SerializationException"


class UnknownOperationError(ApiError):
    """An operation that this service does not have."""

    code = "UnknownOperationException"


class ResourceInUseError(ApiError):
    """The name is taken."""

    code = "ResourceInUse"


class ResourceLimitExceededError(ApiError):
    """An account's quota is used up."""

    code = "ResourceLimitExceeded"


class ResourceNotFoundError(ApiError):
    """There is no such pipeline, version, execution or callback; jobs and models say otherwise."""

    code = "ResourceNotFound"


class ConflictError(ApiError):
    """The call contradicts what is there."""

    code = "ConflictException"


class LogsNotFoundError(ApiError):
    """CloudWatch Logs' word for a group or stream that does not exist."""

    code = "ResourceNotFoundException"


class LogsInvalidParameterError(ApiError):
    """CloudWatch Logs' word for a parameter that cannot be."""

    code = "InvalidParameterException"


class ThrottlingError(ApiError):
    """Too many calls; only said on request, see `faults`."""

    code = "ThrottlingException"


class InternalFailureError(ApiError):
    """The service has a fault of its own; only said on request."""

    code = "InternalFailure"
    status = 500


class ServiceUnavailableError(ApiError):
    """The service is away for the moment; only said on request."""

    code = "ServiceUnavailable"
    status = 503
