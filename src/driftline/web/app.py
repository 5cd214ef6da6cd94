"""The ASGI application: the gate and the invocations in front, and behind them the API and the pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, cast

from litestar import Litestar, Response, Router, get
from litestar.di import Provide
from litestar.exceptions import HTTPException

from driftline.core.errors import DriftlineError
from driftline.resources.health import Readiness
from driftline.service import Service
from driftline.service.door import Door
from driftline.serving.asgi import App
from driftline.web import errors, prometheus
from driftline.web.access import Gate, visitor
from driftline.web.access_pages import Entrance, handlers
from driftline.web.api import router
from driftline.web.audit import Audited, Auditor
from driftline.web.openapi import INVOCATIONS, openapi
from driftline.web.pages import PAGES
from driftline.web.twins import Twins

_READY_SECONDS = 1.0


@get("/healthz")
async def healthz() -> dict[str, str]:
    """Tell that this process answers: ``{"status": "ok"}``."""
    return {"status": "ok"}


class Application:
    """The API and the pages over a service, whose changes are written to the audit log.

    ``captures_lost`` says whether this process lost captures lately, ``scheduler_elsewhere`` that this node has no
    scheduler. It is an ASGI application; :meth:`guarded` puts
    the gate before one.
    """

    def __init__(
        self,
        service: Service,
        captures_lost: Callable[[], bool] = lambda: False,
        *,
        scheduler_elsewhere: bool = False,
    ) -> None:
        self._door = Door(service.store)
        self.auditor = Auditor(self._door)
        self._entrance = Entrance(self._door, self.auditor)
        extra = [_readyz(service, captures_lost, scheduler_elsewhere), *handlers(self._entrance)]
        self.framework = application(service, extra)
        self.auditor.know([*actions(self.framework), ("POST", INVOCATIONS, "invoke")])
        self.asgi: App = Audited(cast(App, self.framework), self.auditor, visitor.get)

    def guarded(self, app: App) -> Gate:
        """An application, open only to those with a token."""
        self._entrance.gate = Gate(app, self._door, self.auditor)
        return self._entrance.gate

    def doubt(self) -> None:
        """Tokens or sessions have changed: the gate, if there is one, asks the store again."""
        if self._entrance.gate is not None:
            self._entrance.gate.doubt()


def _readyz(service: Service, captures_lost: Callable[[], bool], scheduler_elsewhere: bool) -> Any:
    """The handler of ``/readyz``; whoever asks without end gets an answer that is up to a second old."""
    kept: list[tuple[float, Readiness]] = []

    @get("/readyz", sync_to_thread=True)
    def readyz() -> Response[Readiness]:
        """Tell whether everything works that must: 200 or 503, and each part's state."""
        if not kept or time.monotonic() - kept[0][0] > _READY_SECONDS:
            lost = captures_lost()
            now = service.readiness(captures_lost=lost, scheduler_elsewhere=scheduler_elsewhere)
            kept[:] = [(time.monotonic(), now)]
        found = kept[0][1]
        return Response(found, status_code=200 if found.ready else 503)

    return readyz


def actions(app: Litestar) -> list[tuple[str, str, str]]:
    """Every (method, path, handler name) of an application, for the audit log."""
    return [
        (method, route.path_format, found[0].handler_name)
        for route in app.routes
        for method, found in getattr(route, "route_handler_map", {}).items()
    ]


def application(service: Service, extra: Iterable[Any] = ()) -> Litestar:
    """The API and the pages over a service, with ``extra`` handlers."""

    def provided() -> Service:
        return service

    app = Litestar(
        # Pages too are a router: what is registered alone is registered again with the next handler of its path, and a
        # handler that runs in a thread would then give a coroutine that nobody awaits.
        route_handlers=[router(), Router("/", route_handlers=PAGES), prometheus.metrics, healthz, *extra],
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
    # Before the routes are looked up, which know the paths of pages alone.
    app.asgi_handler = cast(Any, Twins(cast(App, app.asgi_handler)))
    return app
