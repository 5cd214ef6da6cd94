"""Every error as the same JSON object: code, message, evidence, hint."""

from __future__ import annotations

import logging
from typing import Any

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from driftline.core.errors import DriftlineError

_log = logging.getLogger(__name__)


def ours(request: Request[Any, Any, Any], error: DriftlineError) -> Response[dict[str, str]]:
    """One of driftline's own errors."""
    return Response(error.as_dict(), status_code=error.http_status, media_type=MediaType.JSON)


def http(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, str]]:
    """What the framework refused: an unknown path, a method, a field of the wrong type."""
    extra = error.extra if isinstance(error.extra, list) else []
    evidence = "; ".join(
        f"{item.get('key', '')}: {item.get('message', '')}" for item in extra if isinstance(item, dict)
    )
    body = {
        "code": f"http_{error.status_code}",
        "message": error.detail or "the request was refused",
        "evidence": evidence or f"{request.method} {request.url.path}",
        "hint": "the API is described at /schema",
    }
    return Response(body, status_code=error.status_code, media_type=MediaType.JSON)


def unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, str]]:
    """A defect. The trace goes to the log, not to the caller."""
    _log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
    body = {"code": "internal", "message": "the server failed", "evidence": type(error).__name__, "hint": "see its log"}
    return Response(body, status_code=500, media_type=MediaType.JSON)
