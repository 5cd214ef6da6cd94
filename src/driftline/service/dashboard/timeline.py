"""The windows of a schedule as a line: judged, failed, waiting, overdue, without a run, and those to come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

import msgspec

from driftline.core.cron import Cron
from driftline.core.errors import InputError
from driftline.core.window import format_time
from driftline.jobs.overdue import LATE
from driftline.jobs.planning import window_of
from driftline.resources.executions import ExecutionStatus
from driftline.resources.schedules import Schedule
from driftline.service import Service
from driftline.storage import schedules, timeline
from driftline.storage.timeline import RunMark

State = Literal["ok", "violated", "unknown", "failed", "stopped", "running", "waiting", "overdue", "planned", "none"]
MOST_WINDOWS, MOST_PLANNED, MOST_MARKS = 400, 6, 1200
_EVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_WEEK, _DAILY, _MANY = timedelta(days=7), timedelta(hours=12), 60
_ENDED: dict[ExecutionStatus, State] = {"Failed": "failed", "Stopped": "stopped", "Pending": "waiting"}


class Slot(msgspec.Struct, frozen=True):
    """A window of a schedule and what came of it; ``run`` is its latest revision's id, None where there is no run."""

    tick: datetime
    window_start: datetime
    window_end: datetime
    state: State
    run: str | None = None
    revision: int = 1


class Timeline(msgspec.Struct, frozen=True):
    """The windows with a tick in [start, end), oldest first; ``older`` and ``newer`` are the ends of the lines before
    and after, None where there is none."""

    start: datetime
    end: datetime
    slots: tuple[Slot, ...]
    older: datetime | None
    newer: datetime | None


def schedule_timeline(service: Service, name: str, before: datetime | None = None) -> Timeline:
    """The line of windows before a moment; without one, the latest with those to come.

    A line is of seven days, of schedules that run once in twelve hours or less of 60 windows; never of more than 400
    windows. A moment to come is none. Raises :class:`NotFoundError` for a schedule that does not exist,
    :class:`InputError` for a moment before 1971.
    """
    now = service.now()
    before = None if before is not None and before > now else before
    if before is not None and before < _EVER + timedelta(days=365):
        raise InputError("nothing ran so long ago", evidence=format_time(before), hint="name a later moment")
    with service.store.read() as db:
        schedule = schedules.get(db, name)
        cron, end = Cron(schedule.cron), before or now + timedelta(microseconds=1)
        start = _start(cron, end)
        found = timeline.marks(db, name, since=start, until=end, limit=MOST_MARKS)
        earlier = timeline.marks(db, name, since=_EVER, until=start, limit=1)
    slots = _slots(schedule, cron, found, start, end, now)
    planned = [] if before else _planned(schedule, cron, now)
    newer = None if before is None or end > now else min(end + (end - start), now + timedelta(microseconds=1))
    return Timeline(start, end, (*slots, *planned), start if earlier else None, newer)


def state_of(status: ExecutionStatus, verdict: str | None, *, overdue: bool) -> State:
    """How a run stands.

    >>> state_of("Completed", "UNKNOWN", overdue=False), state_of("InProgress", None, overdue=True)
    ('unknown', 'overdue')
    """
    if status in ("Pending", "InProgress"):
        return "overdue" if overdue else "waiting" if status == "Pending" else "running"
    return _ENDED.get(status) or ("ok" if verdict == "OK" else "violated" if verdict == "VIOLATED" else "unknown")


def _start(cron: Cron, end: datetime) -> datetime:
    """Where a line begins that ends at a moment."""
    last = cron.previous(end)
    before = None if last is None else cron.previous(last)
    if last is None or before is None:
        return end - _WEEK
    between = last - before
    if between > _DAILY:
        return max(end - _MANY * between, _EVER)
    return max(end - _WEEK, end - MOST_WINDOWS * between)


def _slots(
    schedule: Schedule, cron: Cron, found: Iterable[RunMark], start: datetime, end: datetime, now: datetime
) -> list[Slot]:
    latest: dict[tuple[datetime, datetime], RunMark] = {}
    for mark in found:
        latest.setdefault((mark.window_start, mark.window_end), mark)
    judged = [_slot(mark, now) for mark in latest.values()]
    ran = {slot.tick for slot in judged}
    first = max(start, schedule.created)
    ticks = islice(cron.between(first, min(end, now)), MOST_WINDOWS) if first < min(end, now) else ()
    missed = [_without_run(schedule, tick, now) for tick in ticks if tick not in ran and tick < end]
    return sorted([*judged, *missed], key=lambda slot: (slot.tick, slot.window_start))


def _slot(mark: RunMark, now: datetime) -> Slot:
    late = mark.revision == 1 and mark.tick < now - LATE
    state = state_of(mark.status, mark.verdict, overdue=late)
    return Slot(mark.tick, mark.window_start, mark.window_end, state, mark.id, mark.revision)


def _without_run(schedule: Schedule, tick: datetime, now: datetime) -> Slot:
    """A tick that has no run: overdue where it is still to be planned, else it fell in a pause or was left out."""
    due = schedule.state == "active" and schedule.next_tick is not None and tick >= schedule.next_tick
    state: State = "none" if not due else "overdue" if tick < now - LATE else "waiting"
    window = window_of(schedule, tick)
    return Slot(tick, window.start, window.end, state)


def _planned(schedule: Schedule, cron: Cron, now: datetime) -> list[Slot]:
    if schedule.state != "active" or schedule.next_tick is None:
        return []
    ticks = islice(cron.between(now, now + timedelta(days=400)), MOST_PLANNED)
    windows = [(tick, window_of(schedule, tick)) for tick in ticks]
    return [Slot(tick, window.start, window.end, "planned") for tick, window in windows]
