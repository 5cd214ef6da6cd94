"""``/api/runs``."""

from __future__ import annotations

from typing import Annotated

from litestar import get, post
from litestar.params import QueryParameter

from driftline.resources.executions import Execution
from driftline.web.api.signature import Given, Maybe, Name


@get("/runs", sync_to_thread=True)
def list_runs(
    service: Given,
    schedule: Maybe = None,
    endpoint: Maybe = None,
    limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    offset: Annotated[int, QueryParameter(ge=0)] = 0,
) -> list[Execution]:
    """Runs, newest first, without their statistics, rejects and traces."""
    return service.list_runs(schedule=schedule, endpoint=endpoint, limit=limit, offset=offset)


@get("/runs/{run_id:str}", sync_to_thread=True)
def get_run(service: Given, run_id: Name) -> Execution:
    """One run, whole."""
    return service.get_run(run_id)


@post("/runs/{run_id:str}/stop", status_code=200, sync_to_thread=True)
def stop_run(service: Given, run_id: Name) -> Execution:
    """Stop a run that has not finished."""
    return service.stop_run(run_id)


HANDLERS = (list_runs, get_run, stop_run)
