"""The rules of schedules: what may be created, which windows are due, and running one out of turn."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, get_args

import msgspec
from sqlalchemy import Connection

from driftline.core.cron import Cron
from driftline.core.errors import ConflictError, InputError, NotFoundError
from driftline.core.window import Window, format_time, parse_duration
from driftline.jobs.attributes import output_attributes
from driftline.monitors.quality.recipes import PROBLEM_TYPES
from driftline.resources.executions import Execution, RunCause
from driftline.resources.schedules import CatchUp, Schedule
from driftline.storage import baselines, executions
from driftline.storage import schedules as rows
from driftline.storage.database import Store
from driftline.storage.executions import UNFINISHED
from driftline.storage.layout import Layout, check_name

MONITORS = ("model-quality",)
MOST_TICKS = 1000
"""How many ticks of one schedule are planned in one transaction, and how many a backfill may name."""
CHANGEABLE = frozenset(
    {"cron", "start_offset", "end_offset", "baseline", "problem_type", "attributes"}
    | {"catch_up", "time_limit", "memory_limit", "rejudge_step"}
)
LEAST_MEMORY = 256 << 20
_MINUTE = timedelta(minutes=1)


def create_schedule(
    connection: Connection,
    *,
    name: str,
    endpoint: str,
    cron: str,
    problem_type: str,
    now: datetime,
    baseline: str | None = None,
    attributes: dict[str, Any] | None = None,
    start_offset: str = "PT0S",
    end_offset: str = "PT0S",
    monitor: str = "model-quality",
    catch_up: CatchUp = "all",
    time_limit: float = 1800.0,
    memory_limit: int = 2 << 30,
    rejudge_step: float = 0.05,
) -> Schedule:
    """Add an active schedule whose first tick is the first one after now; that of the cron expression ``NOW`` is now.

    Raises :class:`InputError` for what cannot run, :class:`NotFoundError` for a baseline that does not exist and
    :class:`ConflictError` for a name that is taken. ``attributes`` are those of
    :func:`~driftline.jobs.attributes.output_attributes`; other keys are kept.
    """
    schedule = Schedule(
        name=check_name(name, "schedule"),
        endpoint=check_name(endpoint, "endpoint"),
        monitor=monitor,
        cron=cron,
        start_offset=start_offset,
        end_offset=end_offset,
        baseline=baseline,
        problem_type=problem_type,
        attributes=dict(attributes or {}),
        state="active",
        created=now,
        last_tick=now,
        next_tick=now if Cron(cron).once else Cron(cron).next(now),
        catch_up=catch_up,
        time_limit=time_limit,
        memory_limit=memory_limit,
        rejudge_step=rejudge_step,
    )
    _check(schedule)
    if schedule.next_tick is None:
        raise InputError(f"{cron!r} has no tick left", hint="choose a cron expression that lies in the future")
    if baseline is not None:
        baselines.get(connection, baseline)
    rows.add(connection, schedule)
    return schedule


def update_schedule(connection: Connection, name: str, *, now: datetime, **changes: Any) -> Schedule:
    """Change what :data:`CHANGEABLE` names; ticks to come follow the change.

    Ticks that were due under the old definition should be planned first (the scheduler does so within a second).
    """
    if not changes.keys() <= CHANGEABLE:
        raise TypeError(f"only {', '.join(sorted(CHANGEABLE))} can change")
    schedule = msgspec.structs.replace(rows.get(connection, name, lock=True), **changes)
    if "cron" in changes:
        schedule = msgspec.structs.replace(schedule, last_tick=now, next_tick=Cron(schedule.cron).next(now))
    _check(schedule)
    if schedule.baseline is not None and "baseline" in changes:
        baselines.get(connection, schedule.baseline)
    rows.save(connection, schedule)
    return schedule


def pause_schedule(connection: Connection, name: str) -> Schedule:
    """Let no further tick become due; runs already planned still run. Pausing twice changes nothing."""
    schedule = msgspec.structs.replace(rows.get(connection, name, lock=True), state="paused")
    rows.save(connection, schedule)
    return schedule


def resume_schedule(connection: Connection, name: str, *, now: datetime) -> Schedule:
    """Go on from now; the ticks of the pause are not made up for (:func:`backfill` does that)."""
    schedule = rows.get(connection, name, lock=True)
    if schedule.state == "active":
        return schedule
    following = Cron(schedule.cron).next(now)
    schedule = msgspec.structs.replace(schedule, state="active", last_tick=now, next_tick=following)
    rows.save(connection, schedule)
    return schedule


def delete_schedule(connection: Connection, name: str) -> None:
    """Delete a schedule and its executions at once; a run under way is discarded when it ends. Reports stay."""
    if not rows.remove(connection, name):
        raise NotFoundError(f"there is no schedule {name}", hint="list the schedules to see their names")


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


def _check(schedule: Schedule) -> None:
    _one_of("monitor", schedule.monitor, MONITORS)
    _one_of("problem type", schedule.problem_type, PROBLEM_TYPES)
    _one_of("catch-up policy", schedule.catch_up, get_args(CatchUp))
    if not (schedule.time_limit > 0 and schedule.memory_limit >= LEAST_MEMORY and 0 <= schedule.rejudge_step <= 1):
        raise InputError(
            "a limit of the schedule is out of range",
            evidence=f"{schedule.time_limit} s, {schedule.memory_limit} bytes, step {schedule.rejudge_step}",
            hint="give a time above 0 s, at least 256 MiB of memory (268435456 bytes), and a step from 0 to 1",
        )
    if parse_duration(schedule.end_offset) > timedelta():
        raise InputError(
            f"the end offset {schedule.end_offset} reads the future",
            hint="an end offset is zero or negative, such as -PT1H",
        )
    if schedule.next_tick is not None:
        window = window_of(schedule, schedule.next_tick)
        if window.start == window.end:
            raise InputError(f"with these offsets the window {window} is empty", hint="make the start offset earlier")
    output_attributes(schedule.attributes).check(schedule.problem_type)


def _one_of(what: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise InputError(f"{value!r} is not a {what}", hint="use " + " or ".join(known))


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


def window_of(schedule: Schedule, tick: datetime) -> Window:
    """What the run of a tick reads. Where an irregular cron leaves offsets no room, that is an empty window: the run
    says so, and the ticks after it are not held up."""
    full = Cron(schedule.cron).window(tick)
    start, end = full.start + parse_duration(schedule.start_offset), full.end + parse_duration(schedule.end_offset)
    return Window(min(start, end), end)


def _tick_of(schedule: Schedule, window: Window) -> datetime | None:
    """The tick whose window this is; None for a window that the schedule itself never reads."""
    tick = window.end - parse_duration(schedule.end_offset)
    minute = tick.replace(second=0, microsecond=0)
    is_tick = minute == tick and Cron(schedule.cron).previous(minute + _MINUTE) == tick
    return tick if is_tick and window_of(schedule, tick) == window else None
