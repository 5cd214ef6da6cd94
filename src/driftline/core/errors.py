"""The error tree. Every error says what happened, shows the evidence and ends with what to do next."""

from __future__ import annotations

from datetime import datetime


class DriftlineError(Exception):
    """Base of every error driftline raises on purpose.

    ``what`` is one sentence; ``evidence`` is where it was seen (file, line, record, value); ``hint`` is the next step.

    >>> print(InputError("no column 'label'", evidence="file scores.csv has: id, score", hint="pass --label NAME"))
    no column 'label'
      seen: file scores.csv has: id, score
      to do: pass --label NAME
    """

    code = "error"
    http_status = 500

    def __init__(self, what: str, *, evidence: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.evidence = evidence
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.what]
        if self.evidence:
            lines.append(f"  seen: {self.evidence}")
        if self.hint:
            lines.append(f"  to do: {self.hint}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, str]:
        """The error as the JSON object the API answers with."""
        return {"code": self.code, "message": self.what, "evidence": self.evidence, "hint": self.hint}


class InputError(DriftlineError):
    """The caller's data, file or option is wrong."""

    code = "invalid_input"
    http_status = 400


class ModelError(InputError):
    """A model artifact cannot be used, or a model refused an input."""

    code = "model_error"


class NotFoundError(DriftlineError):
    """The thing that was named does not exist."""

    code = "not_found"
    http_status = 404


class ConflictError(DriftlineError):
    """The request contradicts what exists."""

    code = "conflict"
    http_status = 409


class AccessError(DriftlineError):
    """Nobody is known behind the request: no token, or one that is not valid."""

    code = "unauthenticated"
    http_status = 401


class ForbiddenError(DriftlineError):
    """Whoever asks is known and may not do this."""

    code = "forbidden"
    http_status = 403


class BusyError(DriftlineError):
    """Too many requests for now, or too many that failed; later they are answered again."""

    code = "busy"
    http_status = 429


class TooLargeError(InputError):
    """The input is larger than a stated limit."""

    code = "too_large"
    http_status = 413


class SetupError(DriftlineError):
    """The machine does not give what is needed: a port, a folder, a permission, a library."""

    code = "environment"


class AwayError(SetupError):
    """The database cannot be reached now; nothing says that it will not be again. ``since`` is when, where known."""

    code = "away"
    http_status = 503

    def __init__(self, what: str, *, evidence: str = "", hint: str = "", since: datetime | None = None) -> None:
        super().__init__(what, evidence=evidence, hint=hint)
        self.since = since


class ServiceError(DriftlineError):
    """A service could not be reached, or answered something unexpected."""

    code = "service"
    http_status = 502


class UnreachableError(ServiceError):
    """A service cannot be reached now; nothing says that it will not be again."""

    code = "unreachable"
    http_status = 503
