"""Every error as the same JSON object: code, message, evidence, hint; to a browser, which asks for HTML, as a page."""

from __future__ import annotations

import logging
from typing import Any, cast

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from driftline.core.errors import DriftlineError
from driftline.serving.asgi import Scope
from driftline.web.pages import rendering
from driftline.web.twins import form_of

_log = logging.getLogger(__name__)


def ours(request: Request[Any, Any, Any], error: DriftlineError) -> Response[Any]:
    """One of driftline's own errors."""
    return _told(request, error.as_dict(), error.http_status)


def http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
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
    return _told(request, body, error.status_code)


def unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A defect. The trace goes to the log, not to the caller."""
    _log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
    body = {"code": "internal", "message": "the server failed", "evidence": type(error).__name__, "hint": "see its log"}
    return _told(request, body, 500)


def _told(request: Request[Any, Any, Any], body: dict[str, str], status: int) -> Response[Any]:
    page = not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")
    if page and form_of(cast(Scope, request.scope)) == "html":
        return rendering.page("error.html", status=status, error=body, status_code=status)
    return Response(body, status_code=status, media_type=MediaType.JSON)
