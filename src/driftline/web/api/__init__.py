"""The JSON API under ``/api``, one module a noun. Handlers call the service and nothing else."""

from __future__ import annotations

from litestar import Router
from litestar.handlers import HTTPRouteHandler

from driftline.web.api import alarms, baselines, endpoints, labels, metrics, runs, schedules

HANDLERS: tuple[HTTPRouteHandler, ...] = (
    *endpoints.HANDLERS,
    *labels.HANDLERS,
    *baselines.HANDLERS,
    *schedules.HANDLERS,
    *runs.HANDLERS,
    *metrics.HANDLERS,
    *alarms.HANDLERS,
)


def router() -> Router:
    """The API."""
    return Router("/api", route_handlers=list(HANDLERS))
