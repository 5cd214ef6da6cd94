"""The last days of the metrics that speak for schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from driftline.service.dashboard.watched_metric import Watched, chosen, series_of, watched_metric
from driftline.storage import recent_points
from driftline.storage.last_runs import Found, LastSpoken
from driftline.storage.recent_points import Key, Places
from driftline.storage.schedules import batch_endpoints

_ONE_SERIES = ("model-quality", "data-quality")
"""Monitors whose metrics have no dimensions of their own."""


class Trend(msgspec.Struct, frozen=True):
    """A metric's last days."""

    schedule: str
    metric: str
    label: str
    violated: bool
    threshold: float | None
    points: Places


def trends_of(
    db: Connection, schedules: Sequence[LastSpoken], found: Mapping[str, Found], since: datetime
) -> dict[str, Trend]:
    """The trends of schedules since a time, by schedule; ``found`` are their latest runs by id."""
    metrics = {one.name: _watched(one, found) for one in schedules}
    keys = _keys(db, schedules, metrics)
    return {
        one.name: _trend(db, one.name, metrics[one.name], keys[one.name], since)
        for one in schedules
        if one.name in keys
    }


def _watched(schedule: LastSpoken, found: Mapping[str, Found]) -> Watched:
    """The metric that speaks for a schedule's latest run."""
    run = found.get(schedule.run or "")
    return watched_metric(schedule.monitor, schedule.problem_type, () if run is None else run.violations)


def _keys(db: Connection, schedules: Sequence[LastSpoken], metrics: Mapping[str, Watched]) -> dict[str, Key]:
    """The series of every schedule's metric; none where the latest run published no such."""
    keys: dict[str, Key] = {}
    others = [one for one in schedules if one.monitor not in _ONE_SERIES and one.run is not None]
    names = sorted({metrics[one.name].name for one in others})
    known = recent_points.published_as(db, [one.run or "" for one in others], names) if others else {}
    batches = batch_endpoints(db)
    for one in schedules:
        metric = metrics[one.name]
        if one.monitor in _ONE_SERIES:
            keys[one.name] = series_of(one, metric.name, of_batches=one.name in batches)
        elif key := chosen(known.get((one.run or "", metric.name), []), metric):
            keys[one.name] = key
    return keys


def _trend(db: Connection, schedule: str, metric: Watched, key: Key, since: datetime) -> Trend:
    """The points of a metric from a time on."""
    points = recent_points.points_since(db, key, since)
    return Trend(schedule, metric.name, metric.label, metric.violated, metric.threshold, points)
