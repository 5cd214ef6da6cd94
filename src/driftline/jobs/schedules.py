"""The rules of schedules: what may be created, and what can change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec
from sqlalchemy import Connection

from driftline.alerting.metrics import NAMESPACES
from driftline.core.cron import Cron
from driftline.core.errors import InputError, NotFoundError
from driftline.core.window import parse_duration
from driftline.jobs.analyses import analysis_of
from driftline.jobs.attributes import data_attributes, output_attributes
from driftline.jobs.planning import window_of
from driftline.jobs.transform_schedules import transform_of
from driftline.monitors.quality.recipes import PROBLEM_TYPES
from driftline.resources.schedules import CatchUp, Schedule
from driftline.storage import baselines
from driftline.storage import schedules as rows
from driftline.storage.layout import check_name

MONITORS = tuple(NAMESPACES)
CHANGEABLE = frozenset(
    {"endpoint", "cron", "start_offset", "end_offset", "baseline", "problem_type", "attributes"}
    | {"catch_up", "time_limit", "memory_limit", "rejudge_step"}
)
LEAST_MEMORY = 256 << 20


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
        next_tick=_first_tick(cron, now),
        catch_up=catch_up,
        time_limit=time_limit,
        memory_limit=memory_limit,
        rejudge_step=rejudge_step,
    )
    _check(schedule)
    if schedule.next_tick is None:
        raise InputError(f"{cron!r} has no tick left", hint="choose a cron expression that lies in the future")
    _check_baseline(connection, schedule)
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
        schedule = msgspec.structs.replace(schedule, last_tick=now, next_tick=_first_tick(schedule.cron, now))
    _check(schedule)
    if "baseline" in changes:
        _check_baseline(connection, schedule)
    rows.save(connection, schedule)
    return schedule


def pause_schedule(connection: Connection, name: str) -> Schedule:
    """Let no further tick become due; runs already planned still run. Pausing twice changes nothing."""
    schedule = msgspec.structs.replace(rows.get(connection, name, lock=True), state="paused")
    rows.save(connection, schedule)
    return schedule


def resume_schedule(connection: Connection, name: str, *, now: datetime) -> Schedule:
    """Go on from now; the ticks of the pause are not made up for (:func:`backfill` does that). That of the expression
    ``NOW`` is now."""
    schedule = rows.get(connection, name, lock=True)
    if schedule.state == "active":
        return schedule
    following = _first_tick(schedule.cron, now)
    schedule = msgspec.structs.replace(schedule, state="active", last_tick=now, next_tick=following)
    rows.save(connection, schedule)
    return schedule


def delete_schedule(connection: Connection, name: str) -> None:
    """Delete a schedule and its executions at once; a run under way is discarded when it ends. Reports stay."""
    if not rows.remove(connection, name):
        raise NotFoundError(f"there is no schedule {name}", hint="list the schedules to see their names")


def _first_tick(cron: str, now: datetime) -> datetime | None:
    """That of ``NOW`` is now, whenever it is given."""
    given = Cron(cron)
    return now if given.once else given.next(now)


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
    transform_of(Path(), schedule.attributes, schedule.monitor)
    program = data_attributes(schedule.attributes).program
    if schedule.monitor == "model-quality" and program is None:
        output_attributes(schedule.attributes).check(schedule.problem_type)
    if schedule.monitor == "bias" and program is None:
        output_attributes(schedule.attributes)


def _check_baseline(connection: Connection, schedule: Schedule) -> None:
    monitor = None if schedule.baseline is None else baselines.get(connection, schedule.baseline).monitor
    if monitor not in (None, schedule.monitor):
        raise InputError(
            f"the baseline {schedule.baseline} is of {monitor}, the schedule of {schedule.monitor}",
            hint=f"make a baseline with `driftline baseline {schedule.monitor}`, or choose --monitor {monitor}",
        )
    analysis_of(connection, schedule)


def _one_of(what: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise InputError(f"{value!r} is not a {what}", hint="use " + " or ".join(known))
