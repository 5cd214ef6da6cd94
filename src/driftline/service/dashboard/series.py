"""One metric over time: its points, what they rest on, what they are held against, and what happened meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import get_args

import msgspec
from sqlalchemy import Connection

from driftline.alerting.metrics import namespace_of, own_dimensions
from driftline.core.errors import InputError
from driftline.core.verdict import Verdict
from driftline.core.window import Window
from driftline.reporting.statistics import Entry
from driftline.resources.alarms import Statistic
from driftline.resources.metrics import Point, Series
from driftline.resources.schedules import Schedule
from driftline.service import Service
from driftline.service.dashboard.main_metrics import MAIN_METRICS
from driftline.service.dashboard.series_guides import Guides, Happening, guides, happenings
from driftline.service.dashboard.series_values import NOTHING, SegmentValue, segments_in, value_in
from driftline.storage import executions, metrics, schedules, timeline
from driftline.storage.timeline import Judged, Together

MOST_POINTS, MOST_READ, MOST_CHOICES = 500, 200, 600
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)
_PERIODS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 168, 336, 744)
_HOUR = 3600


class Measure(msgspec.Struct, frozen=True):
    """A point of a series: its value (None is a gap) with its interval, and the run that it rests on.

    ``rows`` are those judged; of a period of several runs they are added up, ``verdict`` is the worst of them, and
    ``runs`` how many there were. ``run`` is the id of the only one.
    """

    time: datetime
    value: float | None
    lower: float | None = None
    upper: float | None = None
    rows: int | None = None
    verdict: Verdict | None = None
    run: str | None = None
    runs: int = 1
    window_start: datetime | None = None
    window_end: datetime | None = None


class SegmentChoice(msgspec.Struct, frozen=True):
    """A segment that can be chosen, by its column and its value."""

    column: str
    segment: str


class SeriesOverTime(msgspec.Struct, frozen=True):
    """A series in a window. ``period`` is 0 for a point a run, else the seconds that a point stands for."""

    schedule: Schedule
    series: Series
    window: Window
    statistic: Statistic
    period: int
    points: tuple[Measure, ...]
    guides: Guides
    happenings: tuple[Happening, ...]
    choices: tuple[Series, ...]
    segments: tuple[SegmentChoice, ...]
    segment: SegmentChoice | None
    intervals: bool


class Asked(msgspec.Struct, frozen=True):
    """Which series, where: without a ``metric`` the schedule's main one; ``dimensions`` are those beside its own."""

    schedule: str
    metric: str = ""
    namespace: str = ""
    dimensions: dict[str, str] = {}
    statistic: str = "Average"
    segment: SegmentChoice | None = None


def series_over_time(service: Service, asked: Asked, window: Window) -> SeriesOverTime:
    """A metric of a schedule in a window, of at most about 500 points.

    Raises :class:`NotFoundError` for a schedule and :class:`InputError` for a statistic that does not exist.
    """
    if asked.statistic not in STATISTICS:
        raise InputError(f"{asked.statistic[:40]!r} is not a statistic", hint=f"use {', '.join(STATISTICS)}")
    with service.store.read() as db:
        schedule = schedules.get(db, asked.schedule)
        newest = _newest(db, schedule.name)
        choices = tuple(_choices(db, newest))
        series = _series(schedule, asked, choices)
        ranked = segments_in(timeline.statistics_of(db, newest[:1]).get(newest[0], b"{}")) if newest else []
        segments = tuple(SegmentChoice(one.column, one.segment) for one in ranked)
        found = _Reading(db, schedule, series, window, asked)
        period, points, exact = found.points()
        return SeriesOverTime(
            schedule,
            series,
            window,
            found.statistic,
            period,
            tuple(points),
            guides(db, schedule, series) if asked.segment is None or found.ranking == series.name else Guides(),
            tuple(happenings(db, schedule, window)),
            choices,
            segments,
            asked.segment,
            exact,
        )


def _newest(connection: Connection, schedule: str) -> list[str]:
    """The ids of the newest runs that have ended and found something."""
    found = executions.listing(connection, schedule=schedule, limit=10)
    return [run.id for run in found if run.status in ("Completed", "CompletedWithViolations")]


def _choices(connection: Connection, newest: Sequence[str]) -> list[Series]:
    """What the newest run that told anything told; its main metrics first, deviations last."""
    for run in newest:
        told = metrics.of_run(connection, run, limit=MOST_CHOICES)
        if told:
            place = {name: rank for rank, name in enumerate(MAIN_METRICS)}
            return sorted(told, key=lambda one: (one.name.endswith("_std"), place.get(one.name, len(place))))
    return []


def _series(schedule: Schedule, asked: Asked, choices: Sequence[Series]) -> Series:
    if not asked.metric:
        return choices[0] if choices else Series(namespace_of(schedule), "", {})
    own = own_dimensions(schedule)
    return Series(asked.namespace or namespace_of(schedule), asked.metric, asked.dimensions | own)


class _Reading:
    """The points of one series, read in the way that their number asks for."""

    def __init__(
        self, connection: Connection, schedule: Schedule, series: Series, window: Window, asked: Asked
    ) -> None:
        self._db, self._schedule, self._series, self._window = connection, schedule, series, window
        self.statistic: Statistic = next(one for one in STATISTICS if one == asked.statistic)
        self._segment = asked.segment
        self.ranking = ""

    def points(self) -> tuple[int, list[Measure], bool]:
        """The period, the points, and whether their intervals were looked for."""
        if not self._series.name and self._segment is None:
            return 0, [], False
        if self._segment is not None:
            return 0, self._of_segment(self._segment), True
        since, until = self._window.start, self._window.end
        plain = metrics.query(self._db, self._series, since=since, until=until, limit=MOST_POINTS + 1)
        if len(plain) > MOST_POINTS:
            return self._by_period()
        return 0, self._each(plain), len(plain) <= MOST_READ

    def _each(self, plain: Sequence[Point]) -> list[Measure]:
        runs = [one.run for one in plain if one.run is not None]
        judged = timeline.judged(self._db, runs)
        # What a run found in whole is heavy: it is read only where few points are to be drawn, and never of columns,
        # whose metrics have no intervals.
        few = len(plain) <= MOST_READ and self.statistic == "Average" and self._schedule.monitor != "data-quality"
        wanted = runs if few else []
        documents = timeline.statistics_of(self._db, wanted)
        return [self._measure(one, judged.get(one.run or ""), documents.get(one.run or "")) for one in plain]

    def _measure(self, one: Point, run: Judged | None, document: bytes | None) -> Measure:
        value = _value(one, self.statistic)
        entry = NOTHING if document is None or value is None else value_in(document, self._series)
        if run is None:
            return Measure(one.time, value)
        return _judged(one.time, value, entry, run)

    def _by_period(self) -> tuple[int, list[Measure], bool]:
        seconds = (self._window.end - self._window.start).total_seconds()
        least = seconds / (MOST_POINTS - 100) / _HOUR
        period = next((hours for hours in _PERIODS if hours >= least), _PERIODS[-1]) * _HOUR
        since, until = self._window.start, self._window.end
        sets = metrics.by_period(self._db, self._series, period=period, since=since, until=until)
        runs = timeline.together(self._db, self._schedule.name, since=since, until=until, period=period)
        return period, [self._together(one, runs.get(one.time)) for one in sets], False

    def _together(self, one: Point, runs: Together | None) -> Measure:
        value = _value(one, self.statistic)
        if runs is None:
            return Measure(one.time, value, runs=int(one.count))
        return Measure(one.time, value, rows=runs.rows, verdict=runs.verdict, runs=runs.runs)

    def _of_segment(self, segment: SegmentChoice) -> list[Measure]:
        """The metric that segments are ranked by, of one segment; it is published nowhere but in the runs."""
        since, until = self._window.start, self._window.end
        ended = timeline.ended(self._db, self._schedule.name, since=since, until=until, limit=MOST_READ)
        documents = timeline.statistics_of(self._db, [run.id for run in ended])
        found = []
        for run in reversed(ended):
            one = _segment(segments_in(documents.get(run.id, b"{}")), segment)
            if one is not None:
                self.ranking = one.metric
                entry = Entry(one.value, lower=one.lower, upper=one.upper)
                found.append(msgspec.structs.replace(_judged(run.tick, one.value, entry, run), rows=one.rows))
        return found


def _judged(time: datetime, value: float | None, entry: Entry, run: Judged) -> Measure:
    return Measure(
        time,
        value,
        entry.lower,
        entry.upper,
        run.item_count,
        run.verdict,
        run.id,
        window_start=run.window_start,
        window_end=run.window_end,
    )


def _value(one: Point, statistic: Statistic) -> float | None:
    if statistic == "SampleCount":
        return one.count
    values = {"Average": one.value, "Sum": one.sum, "Minimum": one.minimum, "Maximum": one.maximum}
    return values[statistic]


def _segment(found: Sequence[SegmentValue], wanted: SegmentChoice) -> SegmentValue | None:
    return next((one for one in found if (one.column, one.segment) == (wanted.column, wanted.segment)), None)


def default_window(now: datetime, length: timedelta) -> Window:
    """The last so much time, with the tick of this very moment."""
    end = now + timedelta(seconds=1)
    return Window(end - length, end)
