"""Which windows are due, and running one out of turn: every way to a new execution."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

import msgspec
from sqlalchemy import Connection

from driftline.core.cron import Cron
from driftline.core.errors import ConflictError, InputError, NotFoundError
from driftline.core.window import Window, format_time, parse_duration
from driftline.resources.executions import Execution, RunCause
from driftline.resources.schedules import Schedule
from driftline.storage import executions
from driftline.storage import schedules as rows
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.storage.leases import UNFINISHED

MOST_TICKS = 1000
"""How many ticks of one schedule are planned in one transaction, and how many a backfill may name."""
_MINUTE = timedelta(minutes=1)


def plan_due(store: Store, layout: Layout, now: datetime) -> int:
    """Give every tick in (last planned, now] of every active schedule its Pending execution; returns how many.

    Each schedule is one transaction that locks it, so that several schedulers neither skip nor double a tick.
    """
    planned = 0
    while True:
        with store.read() as connection:
            names = rows.due(connection, now)
        if not names:
            return planned
        for name in names:
            with store.write() as connection:
                planned += _plan(connection, layout, name, now)


def run_now(
    connection: Connection, layout: Layout, name: str, *, now: datetime, window: Window | None = None
) -> Execution:
    """An execution for the last complete window, or for a given one, without waiting for a tick.

    A window that has run gets its next revision; one that is still waiting or running is returned as it is. Raises
    :class:`InputError` for a window that is empty or has not ended.
    """
    schedule = rows.get(connection, name, lock=True)
    if window is None:
        tick = Cron(schedule.cron).previous(now.replace(second=0, microsecond=0) + _MINUTE)
        if tick is None:
            raise InputError(f"the schedule {name} has had no tick yet", hint="give the window's start and end")
        window = window_of(schedule, tick)
    if window.end > now or window.start == window.end:
        raise InputError(
            "only a window that has ended, and is not empty, can be run",
            evidence=f"{window}, and it is {format_time(now)}",
            hint="give an end that is past",
        )
    return revise(connection, layout, schedule, window, now)


def backfill(
    connection: Connection, layout: Layout, name: str, *, start: datetime, end: datetime, now: datetime
) -> list[Execution]:
    """An execution for every tick in (start, end] whose window has none yet; returns those it added."""
    schedule = rows.get(connection, name, lock=True)
    ticks = list(islice(Cron(schedule.cron).between(start, min(end, now)), MOST_TICKS + 1))
    if len(ticks) > MOST_TICKS:
        raise InputError(
            f"a backfill may have {MOST_TICKS} runs at most",
            evidence=f"{schedule.cron} from {format_time(start)} to {format_time(end)} has more",
            hint="backfill in several parts",
        )
    added = (_first(connection, layout, schedule, tick, now) for tick in ticks)
    return [execution for execution in added if execution is not None]


def revise(
    connection: Connection,
    layout: Layout,
    schedule: Schedule,
    window: Window,
    now: datetime,
    *,
    cause: RunCause = "manual",
) -> Execution:
    """The next revision of a window; one that is still waiting or running is returned as it is."""
    before = executions.latest(connection, schedule.name, window)
    if before is not None and before.status in UNFINISHED:
        return before
    revision = 1 if before is None else before.revision + 1
    added = _add(connection, layout, schedule, window, revision=revision, now=now, cause=cause)
    if added is None:
        raise ConflictError(f"{schedule.name} {window} was started by someone else", hint="look at that run")
    return added


def again(store: Store, layout: Layout, execution: Execution, now: datetime, cause: RunCause) -> list[Execution]:
    """The next revision of a run's window; none when the run is not its newest any longer: another scheduler has seen
    the same."""
    with store.write() as connection:
        schedule = rows.get(connection, execution.schedule, lock=True)
        latest = executions.latest(connection, schedule.name, execution.window)
        if latest is None or latest.id != execution.id:
            return []
        return [revise(connection, layout, schedule, execution.window, now, cause=cause)]


def window_of(schedule: Schedule, tick: datetime) -> Window:
    """What the run of a tick reads. Where an irregular cron leaves offsets no room, that is an empty window: the run
    says so, and the ticks after it are not held up."""
    full = Cron(schedule.cron).window(tick)
    start, end = full.start + parse_duration(schedule.start_offset), full.end + parse_duration(schedule.end_offset)
    return Window(min(start, end), end)


def _plan(connection: Connection, layout: Layout, name: str, now: datetime) -> int:
    try:
        schedule = rows.get(connection, name, lock=True)
    except NotFoundError:
        return 0
    if schedule.state != "active" or schedule.next_tick is None or schedule.next_tick > now:
        return 0  # another scheduler was here, or it was paused
    cron = Cron(schedule.cron)
    ticks = _ticks(schedule, cron, now)
    added = sum(_due(connection, layout, schedule, tick, now) for tick in ticks)
    last = ticks[-1] if ticks else now
    rows.save(connection, msgspec.structs.replace(schedule, last_tick=last, next_tick=cron.next(last)))
    return added


def _ticks(schedule: Schedule, cron: Cron, now: datetime) -> list[datetime]:
    """The ticks to plan: those since the last one planned, or only the latest of them."""
    if cron.once:
        return [] if schedule.next_tick is None else [schedule.next_tick]
    if schedule.catch_up == "latest":
        latest = cron.previous(now.replace(second=0, microsecond=0) + _MINUTE)
        return [] if latest is None or latest <= schedule.last_tick else [latest]
    return list(islice(cron.between(schedule.last_tick, now), MOST_TICKS))


def _due(connection: Connection, layout: Layout, schedule: Schedule, tick: datetime, now: datetime) -> bool:
    """A tick whose window was run by hand before the tick is run again: labels may have arrived in between."""
    window = window_of(schedule, tick)
    before = executions.latest(connection, schedule.name, window)
    if before is not None and before.created >= tick:
        return False
    revision = 1 if before is None else before.revision + 1
    return _add(connection, layout, schedule, window, revision=revision, now=now) is not None


def _first(
    connection: Connection, layout: Layout, schedule: Schedule, tick: datetime, now: datetime
) -> Execution | None:
    window = window_of(schedule, tick)
    if executions.latest(connection, schedule.name, window) is not None:
        return None
    return _add(connection, layout, schedule, window, revision=1, now=now, cause="backfill")


def _add(
    connection: Connection,
    layout: Layout,
    schedule: Schedule,
    window: Window,
    *,
    revision: int,
    now: datetime,
    cause: RunCause = "tick",
) -> Execution | None:
    regular = _tick_of(schedule, window)
    tick = window.end if regular is None else regular
    # Hourly runs have the hour's folder to themselves; whatever would share it gets a folder of its own inside.
    details = [f"{tick:%M}"] if regular is not None and tick.minute else []
    if regular is None:
        details.append(f"{window.start:%Y%m%dT%H%M%S}-{window.end:%Y%m%dT%H%M%S}")
    if revision > 1:
        details.append(f"revision-{revision}")
    report = layout.report(schedule.endpoint, schedule.name, tick, "-".join(details))
    return executions.add(
        connection,
        schedule,
        window,
        tick=tick,
        revision=revision,
        report=layout.relative(report),
        now=now,
        cause=cause,
    )


def _tick_of(schedule: Schedule, window: Window) -> datetime | None:
    """The tick whose window this is; None for a window that the schedule itself never reads."""
    tick = window.end - parse_duration(schedule.end_offset)
    if Cron(schedule.cron).once:
        return tick if window_of(schedule, tick) == window else None
    minute = tick.replace(second=0, microsecond=0)
    is_tick = minute == tick and Cron(schedule.cron).previous(minute + _MINUTE) == tick
    return tick if is_tick and window_of(schedule, tick) == window else None
