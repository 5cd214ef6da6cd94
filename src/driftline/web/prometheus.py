"""``GET /metrics``: what Prometheus reads."""

from __future__ import annotations

from litestar import Response, get

from driftline.web.api.signature import Given, Raw


@get("/metrics", sync_to_thread=True, include_in_schema=False)
def metrics(service: Given, request: Raw) -> Response[bytes]:
    """The state of the service for Prometheus; the same from every web process."""
    content, kind = service.prometheus(request.headers.get("accept", ""))
    # Set as a header: the framework's media types have no room for a version.
    return Response(content, headers={"Content-Type": kind})
