"""Windows that should have been judged by now and are not: said as UNKNOWN, never left silent."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from driftline.core.window import Window, format_time
from driftline.jobs.planning import window_of
from driftline.jobs.waiting import awaited
from driftline.resources.executions import Execution, ExecutionStatus, OverdueWindow
from driftline.resources.schedules import Schedule
from driftline.storage import executions, nodes, schedules

UNFINISHED: tuple[ExecutionStatus, ...] = ("Pending", "InProgress")
LATE = timedelta(minutes=5)
"""A window whose run has not ended this long after its tick is overdue."""


def overdue(connection: Connection, now: datetime) -> list[OverdueWindow]:
    """Every overdue window, longest first: its tick was never planned, or its run waits (for what is told), or goes
    on."""
    every = nodes.listing(connection)
    waiting = [
        _unfinished(execution, awaited(every, execution.window))
        for status in UNFINISHED
        for execution in executions.listing(connection, status=status, until=now - LATE, limit=1000)
        # A window that is judged anew has been judged before.
        if execution.created < now - LATE and execution.revision == 1
    ]
    unplanned = [_unplanned(one) for one in schedules.late(connection, now - LATE)]
    return sorted([*waiting, *unplanned], key=lambda one: one.due)


def _unfinished(execution: Execution, awaited: str) -> OverdueWindow:
    what = "its run has not begun" if execution.status == "Pending" else "its run has not ended"
    if execution.status == "Pending" and (execution.message or awaited):
        what += f" ({execution.message or awaited})"
    return _described(execution.schedule, execution.endpoint, execution.window, execution.tick, what, execution.id)


def _unplanned(schedule: Schedule) -> OverdueWindow:
    tick = schedule.next_tick or schedule.created
    what = "no scheduler has taken up its tick"
    return _described(schedule.name, schedule.endpoint, window_of(schedule, tick), tick, what, None)


def _described(
    schedule: str, endpoint: str, window: Window, due: datetime, what: str, run: str | None
) -> OverdueWindow:
    message = f"{window} was due at {format_time(due)} and {what}"
    return OverdueWindow(schedule, endpoint, window.start, window.end, due, message, run)
