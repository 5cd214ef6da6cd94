"""What can go wrong between a request and its answer, beyond the errors of the core."""

from __future__ import annotations

from driftline.core.errors import DriftlineError, InputError


class UnavailableError(DriftlineError):
    """The endpoint exists but cannot answer now: its model did not load, or the endpoint list could not be read."""

    code = "endpoint_unavailable"
    http_status = 503


class PredictionError(DriftlineError):
    """The model failed on this request's rows."""

    code = "prediction_failed"
    http_status = 424


class MethodError(InputError):
    """The path exists, but not for this HTTP method."""

    code = "method_not_allowed"
    http_status = 405


class MediaTypeError(InputError):
    """The body is of a content type that no parser reads."""

    code = "unsupported_media_type"
    http_status = 415


class UpstreamError(DriftlineError):
    """The server behind a proxy endpoint cannot be reached, or broke its answer off."""

    code = "upstream_failed"
    http_status = 502


class UpstreamTimeoutError(UpstreamError):
    """The server behind a proxy endpoint did not answer in time."""

    code = "upstream_timeout"
    http_status = 504
