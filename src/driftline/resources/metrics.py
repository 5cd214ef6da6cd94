"""Metrics: series of points that runs publish and alarms watch."""

from __future__ import annotations

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


class StatisticSet(msgspec.Struct, frozen=True):
    """A metric of many samples: their sum, smallest, largest and number."""

    total: float
    minimum: float
    maximum: float
    count: float


class Dimensioned(msgspec.Struct, frozen=True):
    """A metric of a run that has dimensions of its own, such as a feature's name; ``value`` None is a missing one."""

    name: str
    dimensions: dict[str, str]
    value: float | StatisticSet | None
