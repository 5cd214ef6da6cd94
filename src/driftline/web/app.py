"""The ASGI application: invocations in front, and behind them the API and the pages."""

from __future__ import annotations

from litestar import Litestar, get
from litestar.di import Provide
from litestar.exceptions import HTTPException

from driftline.core.errors import DriftlineError
from driftline.service import Service
from driftline.web import errors, pages
from driftline.web.api import router
from driftline.web.openapi import openapi


@get("/healthz")
async def healthz() -> dict[str, str]:
    """Tell that this process answers: ``{"status": "ok"}``."""
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
        openapi_config=openapi(),
        signature_namespace={"Service": Service},
        logging_config=None,
    )
