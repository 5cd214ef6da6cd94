"""The errors that AWS clients are answered with."""

from __future__ import annotations

from driftline.core.errors import ConflictError, DriftlineError, NotFoundError


class AwsError(Exception):
    """An error of the service: its code as clients know it, a message, and the status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def validation(message: str) -> AwsError:
    """The error for a request that asks for what cannot be."""
    return AwsError("ValidationException", message)


_NOT_FOUND = {
    "sagemaker": "ResourceNotFound",
    "sagemaker-runtime": "ValidationError",
    "cloudwatch": "ResourceNotFound",
    "logs": "ResourceNotFoundException",
    "iam": "NoSuchEntity",
    "kms": "NotFoundException",
}
_INVALID = {
    "sagemaker-runtime": "ValidationError",
    "cloudwatch": "ValidationError",
    "logs": "InvalidParameterException",
    "sts": "ValidationError",
    "iam": "ValidationError",
}
_CONFLICT = {"sagemaker": "ResourceInUse", "kms": "AlreadyExistsException"}


def sentence(*parts: str) -> str:
    """What happened, what was seen and what to do in one line; parts may be empty.

    >>> sentence("there is no model a", "", "list them")
    'there is no model a. list them'
    """
    return ". ".join(part for part in parts if part)


def translated(service: str, error: DriftlineError) -> AwsError:
    """Our error as the service would call it: in one line what happened, what was seen and what to do."""
    message = sentence(error.what, error.evidence, error.hint)
    if isinstance(error, NotFoundError):
        return AwsError(_NOT_FOUND.get(service, "ResourceNotFoundException"), message, 404 if service == "iam" else 400)
    if isinstance(error, ConflictError):
        return AwsError(_CONFLICT.get(service, "ConflictException"), message)
    if error.http_status >= 500:
        return AwsError("InternalFailure", message, 500)
    return AwsError(
        _INVALID.get(service, "ValidationException"),
        message,
        error.http_status if service == "sagemaker-runtime" else 400,
    )
