"""One endpoint's monitors, each with the metric that speaks for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from driftline.core.documents import Violation
from driftline.reporting.statistics import read_statistics
from driftline.service.dashboard.monitor_states import MonitorState, monitor_states
from driftline.service.dashboard.thresholds import threshold_of
from driftline.service.dashboard.trends import Trend, trends_of
from driftline.storage import executions
from driftline.storage.last_runs import Found, LastSpoken


class Figure(msgspec.Struct, frozen=True):
    """A number with its interval and the rows it rests on; None is what is not known."""

    label: str
    value: float
    lower: float | None = None
    upper: float | None = None
    rows: int | None = None
    threshold: float | None = None
    violated: bool = False


class Panel(msgspec.Struct, frozen=True):
    """A monitor: its state, the number that speaks for it, that number's last days, and the names of its schedules."""

    monitor: str
    state: MonitorState
    window_start: datetime | None
    window_end: datetime | None
    figure: Figure | None
    trend: Trend | None
    schedules: tuple[str, ...]


def panels_of(
    db: Connection,
    schedules: Sequence[LastSpoken],
    late: Collection[str],
    runs: Mapping[str, Sequence[Found]],
    since: datetime,
) -> list[Panel]:
    """The panels of the four monitors; ``runs`` are the latest runs by schedule, ``since`` is when trends begin."""
    by_name = {one.name: one for one in schedules}
    states = monitor_states(schedules, late)
    shown = [by_name[state.schedule] for state in states if state.schedule]
    newest = {one.name: next(iter(runs.get(one.name, ())), None) for one in shown}
    trends = trends_of(db, shown, {run.id: run for run in newest.values() if run is not None}, since)
    trends |= {name: _limited(db, one) for name, one in trends.items() if by_name[name].monitor == "model-quality"}
    return [_panel(db, state, newest.get(state.schedule), trends.get(state.schedule), schedules) for state in states]


def _limited(db: Connection, trend: Trend) -> Trend:
    """A trend with the threshold of its baseline, where its metric is not violated."""
    if trend.threshold is not None:
        return trend
    return msgspec.structs.replace(trend, threshold=threshold_of(db, trend.schedule, trend.metric))


def _panel(
    db: Connection, state: MonitorState, run: Found | None, trend: Trend | None, schedules: Sequence[LastSpoken]
) -> Panel:
    names = tuple(one.name for one in schedules if one.monitor == state.monitor)
    start, end = (None, None) if run is None else (run.window_start, run.window_end)
    return Panel(state.monitor, state, start, end, _figure(db, state.monitor, run, trend), trend, names)


def _figure(db: Connection, monitor: str, run: Found | None, trend: Trend | None) -> Figure | None:
    if run is None or trend is None:
        return None
    if trend.violated:
        return next((_of_violation(trend, one) for one in run.violations if one.threshold == trend.threshold), None)
    return _measured(db, run, trend) if monitor == "model-quality" else _last(run, trend)


def _of_violation(trend: Trend, found: Violation) -> Figure | None:
    if found.value is None:
        return None
    interval = found.confidence_interval
    lower, upper = (None, None) if interval is None else (interval.lower, interval.upper)
    return Figure(trend.label, found.value, lower, upper, found.item_count, found.threshold, violated=True)


def _measured(db: Connection, run: Found, trend: Trend) -> Figure | None:
    """A metric of model quality with its interval, from the statistics of this one run."""
    statistics = read_statistics(executions.get(db, run.id).statistics)
    entry = statistics.metrics.get(trend.metric)
    if entry is None or entry.value is None:
        return None
    return Figure(trend.label, entry.value, entry.lower, entry.upper, statistics.rows, trend.threshold)


def _last(run: Found, trend: Trend) -> Figure | None:
    """The point that the run published."""
    value = next((value for time, value in reversed(trend.points) if time == run.tick), None)
    rows = run.counts.get("judged", run.counts.get("rows"))
    return None if value is None else Figure(trend.label, value, rows=rows)
