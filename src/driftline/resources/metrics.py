"""Metrics: series of points that runs publish and alarms watch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

import msgspec


class Series(msgspec.Struct, frozen=True):
    """What a point belongs to: a namespace, a metric name and the values of its dimensions."""

    namespace: str
    name: str
    dimensions: dict[str, str] = {}


class Point(msgspec.Struct, frozen=True):
    """One point. ``value`` None means that a value was expected and is missing.

    The statistic set describes ``count`` samples: their sum, smallest and largest. A plain value is one sample.
    """

    time: datetime
    value: float | None
    sum: float | None
    minimum: float | None
    maximum: float | None
    count: float
    run: str | None = None


class StatisticSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric of many samples: their sum, smallest, largest and number."""

    total: float
    minimum: float
    maximum: float
    count: float


class NewPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A point from outside: a ``value``, ``statistics`` of many samples, or neither for the mark of a missing value.

    Without a ``time`` it is of now; without a ``namespace`` it goes to that of the monitor of the schedule that its
    dimensions name.
    """

    name: str
    value: float | None = None
    statistics: StatisticSet | None = None
    dimensions: dict[str, str] = {}
    namespace: str = ""
    time: datetime | None = None


class NewPoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points from outside, of any series."""

    points: tuple[NewPoint, ...]


class Dimensioned(msgspec.Struct, frozen=True):
    """A metric of a run that has dimensions of its own, such as a feature's name; ``value`` None is a missing one."""

    name: str
    dimensions: dict[str, str]
    value: float | StatisticSet | None


def point(time: datetime, value: float | None, run: str | None = None) -> Point:
    """A point of one sample; None and numbers that are not finite are stored as missing.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 22, tzinfo=UTC)
    >>> point(now, 0.5).count, point(now, float("nan")).value
    (1.0, None)
    """
    if value is None or not math.isfinite(value):
        return Point(time, None, None, None, None, 0.0, run)
    return Point(time, value, value, value, value, 1.0, run)


def statistic_set(
    time: datetime, *, total: float, minimum: float, maximum: float, count: float, run: str | None = None
) -> Point:
    """A point of ``count`` samples (more than 0); its value is their mean."""
    if not (count > 0 and math.isfinite(total) and math.isfinite(minimum) and math.isfinite(maximum)):
        return point(time, None, run)
    return Point(time, total / count, total, minimum, maximum, count, run)


def counted(values: Sequence[float], counts: Sequence[float]) -> StatisticSet:
    """The statistic set of values that each came so many times; there must be one at least.

    >>> counted([1.0, 4.0], [2.0, 1.0])
    StatisticSet(total=6.0, minimum=1.0, maximum=4.0, count=3.0)
    """
    total = math.fsum(value * count for value, count in zip(values, counts, strict=True))
    return StatisticSet(total, min(values), max(values), math.fsum(counts))
