"""``/api/schedules``."""

from __future__ import annotations

import msgspec
from litestar import delete, get, patch, post
from litestar.params import JSONBody

from driftline.core.errors import InputError
from driftline.core.window import Window, parse_time
from driftline.resources.executions import Backfill, Execution, OverdueWindow, RunWindow
from driftline.resources.schedules import NewSchedule, Schedule, ScheduleChange
from driftline.web.api.signature import Given, Name


@get("/schedules", sync_to_thread=True)
def list_schedules(service: Given) -> list[Schedule]:
    """Every schedule."""
    return service.list_schedules()


@post("/schedules", sync_to_thread=True)
def create_schedule(service: Given, data: JSONBody[NewSchedule]) -> Schedule:
    """Create a schedule; its first tick is the next one of its cron expression."""
    return service.create_schedule(**msgspec.structs.asdict(data))


@get("/schedules/{name:str}", sync_to_thread=True)
def get_schedule(service: Given, name: Name) -> Schedule:
    """One schedule."""
    return service.get_schedule(name)


@patch("/schedules/{name:str}", sync_to_thread=True)
def update_schedule(service: Given, name: Name, data: JSONBody[ScheduleChange]) -> Schedule:
    """Change a schedule; what is left out stays."""
    return service.update_schedule(name, **data.changes())


@post("/schedules/{name:str}/backfill", sync_to_thread=True)
def backfill_schedule(service: Given, name: Name, data: JSONBody[Backfill]) -> list[Execution]:
    """Run every tick in (start, end] whose window has no run yet; those that were added."""
    return service.backfill_schedule(name, parse_time(data.start), parse_time(data.end))


@get("/overdue", sync_to_thread=True)
def list_overdue(service: Given) -> list[OverdueWindow]:
    """The windows that should have been judged by now, and why they are not."""
    return service.list_overdue()


@delete("/schedules/{name:str}", sync_to_thread=True)
def delete_schedule(service: Given, name: Name) -> None:
    """Delete a schedule with its runs; report files stay."""
    service.delete_schedule(name)


@post("/schedules/{name:str}/pause", sync_to_thread=True)
def pause_schedule(service: Given, name: Name) -> Schedule:
    """Let no further tick become due."""
    return service.pause_schedule(name)


@post("/schedules/{name:str}/resume", sync_to_thread=True)
def resume_schedule(service: Given, name: Name) -> Schedule:
    """Go on from now."""
    return service.resume_schedule(name)


@post("/schedules/{name:str}/run", sync_to_thread=True)
def run_schedule(service: Given, name: Name, data: JSONBody[RunWindow | None] = None) -> Execution:
    """Run now: the last complete window, or the one given."""
    return service.run_schedule(name, _window(data or RunWindow()))


def _window(asked: RunWindow) -> Window | None:
    if asked.start is None and asked.end is None:
        return None
    if asked.start is None or asked.end is None:
        raise InputError("a window needs a start and an end", hint="give both, or neither for the last window")
    return Window(parse_time(asked.start), parse_time(asked.end))


HANDLERS = (
    list_schedules,
    create_schedule,
    get_schedule,
    update_schedule,
    backfill_schedule,
    list_overdue,
    delete_schedule,
    pause_schedule,
    resume_schedule,
    run_schedule,
)
