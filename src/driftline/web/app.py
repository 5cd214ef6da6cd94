"""The ASGI application: invocations in front, and behind them the API and the pages."""

from __future__ import annotations

from litestar import Litestar, MediaType, get
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from driftline.core.errors import DriftlineError
from driftline.service import Service
from driftline.web import errors, pages
from driftline.web.api import router


@get("/healthz", include_in_schema=False)
async def healthz() -> dict[str, str]:
    """That this process answers."""
    return {"status": "ok"}


def application(service: Service) -> Litestar:
    """The API and the pages over a service."""

    def provided() -> Service:
        return service

    return Litestar(
        route_handlers=[router(), pages.home, pages.run_page, pages.static, healthz],
        dependencies={"service": Provide(provided, sync_to_thread=False)},
        exception_handlers={
            DriftlineError: errors.ours,
            HTTPException: errors.http,
            Exception: errors.unexpected,
        },
        openapi_config=OpenAPIConfig(
            title="driftline",
            version="1",
            path="/schema",
            render_plugins=[JsonRenderPlugin(path="/", media_type=MediaType.JSON)],
        ),
        signature_namespace={"Service": Service},
        logging_config=None,
    )
