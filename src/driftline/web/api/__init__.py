"""The JSON API under ``/api``, one module a noun. Handlers call the service and nothing else."""

from __future__ import annotations

from litestar import Router
from litestar.handlers import HTTPRouteHandler

from driftline.web.api import (
    access,
    alarms,
    baselines,
    batch_jobs,
    endpoints,
    events,
    labels,
    metrics,
    responses,
    retention,
    runs,
    schedules,
)

HANDLERS: tuple[HTTPRouteHandler, ...] = (
    *endpoints.HANDLERS,
    *events.HANDLERS,
    *labels.HANDLERS,
    *baselines.HANDLERS,
    *batch_jobs.HANDLERS,
    *schedules.HANDLERS,
    *runs.HANDLERS,
    *metrics.HANDLERS,
    *alarms.HANDLERS,
    *responses.HANDLERS,
    *retention.HANDLERS,
    *access.HANDLERS,
)


def router() -> Router:
    """The API."""
    return Router("/api", route_handlers=list(HANDLERS))
