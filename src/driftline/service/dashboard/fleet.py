"""The state of every endpoint: what the home page shows, however many endpoints and runs there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from driftline.jobs.overdue import overdue
from driftline.resources.executions import OverdueWindow
from driftline.service import Service
from driftline.service.dashboard.monitor_states import MONITORS, RANKS, MonitorState, monitor_states, worst_of
from driftline.service.dashboard.trends import Trend, trends_of
from driftline.storage import endpoints, last_runs
from driftline.storage.capture_counts import CaptureCounts
from driftline.storage.last_runs import Found, LastSpoken
from driftline.storage.open_alarms import AlarmLine, open_alarms
from driftline.storage.traffic import traffic_since

PAGE = 50
MOST_TOLD = 10
"""How many alarms and overdue windows are told; the page of alarms has them all."""
SPARKLINE = timedelta(days=7)
_DAY = timedelta(hours=24)


class Coverage(msgspec.Struct, frozen=True):
    """How many of a run's ``predictions`` had a label, and how many were judged."""

    run: str
    matched: int
    predictions: int
    judged: int


class EndpointLine(msgspec.Struct, frozen=True):
    """An endpoint's line on the home page; ``monitors`` are in the order of :data:`MONITORS`."""

    endpoint: str
    state: str
    monitors: tuple[MonitorState, ...]
    requests: int
    dropped: int
    coverage: Coverage | None
    trend: Trend | None
    last_run: str | None
    last_tick: datetime | None
    next_tick: datetime | None


class Fleet(msgspec.Struct, frozen=True):
    """What the home page shows; ``found`` is how many endpoints fit what was asked for."""

    now: datetime
    since: datetime
    totals: Mapping[str, int]
    endpoints: list[EndpointLine]
    found: int
    page: int
    pages: int
    state: str
    query: str
    alarms: list[AlarmLine]
    open_alarms: int
    overdue: list[OverdueWindow]
    windows_overdue: int


class _Owned(msgspec.Struct, frozen=True):
    """An endpoint with its schedules and what they add up to."""

    name: str
    state: str
    monitors: tuple[MonitorState, ...]
    schedules: list[LastSpoken]


def fleet(service: Service, *, state: str = "", query: str = "", page: int = 1) -> Fleet:
    """Look at every endpoint, the worst first, and closer at those of one page.

    ``state`` is one of :data:`RANKS`, ``query`` a part of the name; an empty one asks for all. A page that there is
    none of is the nearest.
    """
    now = service.now()
    with service.store.read() as db:
        late = overdue(db, now)
        every = _owned(db, {one.schedule for one in late})
        fitting = [one for one in every if state in ("", one.state) and query.casefold() in one.name.casefold()]
        fitting.sort(key=lambda one: (RANKS.index(one.state), one.name))
        pages = max(1, -(-len(fitting) // PAGE))
        page = min(max(page, 1), pages)
        lines = _lines(db, fitting[(page - 1) * PAGE : page * PAGE], now)
        alarms, number = open_alarms(db, MOST_TOLD)
    counted = Counter(one.state for one in every)
    totals = {name: counted[name] for name in RANKS if counted[name]}
    told = late[:MOST_TOLD]
    return Fleet(
        now, now - SPARKLINE, totals, lines, len(fitting), page, pages, state, query, alarms, number, told, len(late)
    )


def _owned(db: Connection, late: set[str]) -> list[_Owned]:
    by_endpoint: dict[str, list[LastSpoken]] = {}
    for one in last_runs.last_spoken(db):
        by_endpoint.setdefault(one.endpoint, []).append(one)
    found = []
    for name in endpoints.names(db):
        schedules = by_endpoint.get(name, [])
        monitors = monitor_states(schedules, late)
        found.append(_Owned(name, worst_of(one.state for one in monitors), monitors, schedules))
    return found


def _lines(db: Connection, shown: Sequence[_Owned], now: datetime) -> list[EndpointLine]:
    worst = {one.name: _worst_schedule(one) for one in shown}
    covered = {one.name: run for one in shown if (run := one.monitors[MONITORS.index("model-quality")].run)}
    asked = {*covered.values(), *(one.run for one in worst.values() if one is not None and one.run)}
    found = last_runs.found(db, sorted(asked))
    trends = trends_of(db, [one for one in worst.values() if one is not None], found, now - SPARKLINE)
    traffic = traffic_since(db, [one.name for one in shown], now - _DAY)
    return [
        _line(
            one,
            traffic.get(one.name, CaptureCounts()),
            coverage_of(found.get(covered.get(one.name, ""))),
            None if (schedule := worst[one.name]) is None else trends.get(schedule.name),
        )
        for one in shown
    ]


def _line(one: _Owned, counts: CaptureCounts, coverage: Coverage | None, trend: Trend | None) -> EndpointLine:
    ended = [(each.tick, each.run) for each in one.schedules if each.tick is not None]
    last_tick, last_run = max(ended, default=(None, None), key=lambda pair: pair[0])
    due = [each.next_tick for each in one.schedules if each.next_tick is not None and each.state == "active"]
    requests = counts.captured + counts.sampled_out + counts.dropped
    return EndpointLine(
        one.name,
        one.state,
        one.monitors,
        requests,
        counts.dropped,
        coverage,
        trend,
        last_run,
        last_tick,
        min(due, default=None),
    )


def coverage_of(run: Found | None) -> Coverage | None:
    """The label coverage of a run; None where it read no prediction."""
    predictions = 0 if run is None else run.counts.get("predictions", 0)
    if run is None or not predictions:
        return None
    return Coverage(run.id, run.counts.get("matched", 0), predictions, run.counts.get("judged", 0))


def _worst_schedule(one: _Owned) -> LastSpoken | None:
    """The schedule whose metric is drawn: that of the worst monitor, of equals model quality and else the first."""
    states = [cell for cell in one.monitors if cell.run is not None]
    if not states:
        return None
    worst = min(states, key=lambda cell: (RANKS.index(cell.state), cell.monitor != "model-quality"))
    return next(each for each in one.schedules if each.name == worst.schedule)
