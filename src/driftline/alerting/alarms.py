"""Alarms: a threshold or a band on a metric, judged over the last periods in which the metric was due. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from driftline.alerting.bands import limits, outside, past_of
from driftline.core.window import format_time
from driftline.resources.alarms import Alarm, AlarmState, Datapoint, Statistic
from driftline.resources.metrics import Point
from driftline.storage.types import EPOCH, MICROSECOND

_BREACHES: dict[str, Callable[[float, float], bool]] = {
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
}


THRESHOLD_OPERATORS = tuple(_BREACHES)
"""The operators that compare with a threshold; the others compare with a band."""


class Evaluation(msgspec.Struct, frozen=True):
    """The state an alarm should be in, why, and the datapoints that say so, oldest first."""

    state: AlarmState
    reason: str
    datapoints: tuple[Datapoint, ...] = ()


def evaluate(alarm: Alarm, points: Iterable[Point], current: AlarmState) -> Evaluation:
    """Judge an alarm on the points of its series, given the state it is in.

    M breaching datapoints of the last N make ALARM, one that does not breach makes OK. Missing ones count as the
    alarm says: ``breaching`` and ``notBreaching`` as such; ``ignore`` keeps the state when there is nothing else to
    go by; ``missing`` then makes INSUFFICIENT_DATA, or ALARM when every value that is there breaches and the missing
    ones could make up M. With too few datapoints so far, all breaching, the state stays. A datapoint before which the
    past is too short for a band says nothing: without another that decides, the data is insufficient.

    >>> from datetime import datetime
    >>> alarm = Alarm("low", "f2", "ns", {}, "LessThanOrEqualToThreshold", 0.625)
    >>> at = datetime(2026, 11, 22, 18, tzinfo=UTC)
    >>> evaluate(alarm, [Point(at, 0.41, 0.41, 0.41, 0.41, 1.0)], "OK").reason
    'f2 was 0.41 at 18:00, LessThanOrEqualToThreshold 0.625 (1 of 1 datapoints)'
    """
    datapoints = _datapoints(alarm, points)
    return Evaluation(_state(alarm, datapoints, current), _reason(alarm, datapoints), datapoints)


def periods_needed(alarm: Alarm) -> int:
    """How many of the last periods an evaluation looks at: those it judges and, for a band, those before."""
    return alarm.evaluation_periods + (alarm.band.history if alarm.band else 0)


def _datapoints(alarm: Alarm, points: Iterable[Point]) -> tuple[Datapoint, ...]:
    periods: dict[int, list[Point]] = {}
    for point in points:
        number = (point.time - EPOCH) // MICROSECOND // (alarm.period * 1_000_000)
        periods.setdefault(number, []).append(point)
    values = [_summary(alarm.statistic, periods[number]) for number in sorted(periods)[-periods_needed(alarm) :]]
    judged = range(max(0, len(values) - alarm.evaluation_periods), len(values))
    return tuple(_datapoint(alarm, values, number) for number in judged)


def _summary(statistic: Statistic, points: list[Point]) -> tuple[datetime, float | None]:
    value = _aggregate(statistic, [point for point in points if point.value is not None])
    return max(point.time for point in points), value


def _datapoint(alarm: Alarm, values: list[tuple[datetime, float | None]], number: int) -> Datapoint:
    time, value = values[number]
    if value is None:
        return Datapoint(time, None, alarm.treat_missing == "breaching")
    if alarm.band is None:
        return Datapoint(time, value, _BREACHES[alarm.operator](value, alarm.threshold or 0.0))
    found = limits(alarm.band, past_of(alarm.band, values[:number], time))
    if found is None:
        return Datapoint(time, value, False)
    return Datapoint(time, value, outside(alarm.operator, value, *found), *found)


def _aggregate(statistic: Statistic, points: list[Point]) -> float | None:
    """The statistic over all samples of a period: an average is weighted by the number of samples of each point."""
    if not points:
        return None
    if statistic == "Minimum":
        return min(point.minimum for point in points if point.minimum is not None)
    if statistic == "Maximum":
        return max(point.maximum for point in points if point.maximum is not None)
    count = math.fsum(point.count for point in points)
    if statistic == "SampleCount":
        return count
    total = math.fsum(point.sum for point in points if point.sum is not None)
    return total if statistic == "Sum" else total / count


def _state(alarm: Alarm, datapoints: tuple[Datapoint, ...], current: AlarmState) -> AlarmState:
    policy = alarm.treat_missing
    breaching = sum(point.breaching for point in datapoints)
    if breaching >= alarm.datapoints_to_alarm:
        return "ALARM"
    # What is missing under "missing" and "ignore" says nothing; under the other two it has been counted already.
    blank = sum(point.value is None for point in datapoints) if policy in ("missing", "ignore") else 0
    unjudged = sum(alarm.band is not None and point.value is not None and point.lower is None for point in datapoints)
    if len(datapoints) - breaching - blank - unjudged > 0:
        return "OK"
    if unjudged:
        return "INSUFFICIENT_DATA"
    if policy == "ignore":
        return current
    if breaching == 0:
        return "INSUFFICIENT_DATA"
    return "ALARM" if breaching + blank >= alarm.datapoints_to_alarm else current


def _reason(alarm: Alarm, datapoints: tuple[Datapoint, ...]) -> str:
    if not datapoints:
        return f"{alarm.metric} has no datapoint yet"
    breaching = [point for point in datapoints if point.breaching]
    shown = breaching or datapoints
    days = {point.time.astimezone(UTC).date() for point in shown}
    form = "%H:%M" if len(days) == 1 else "%Y-%m-%d %H:%M"
    said = [f"{_shown(point)} at {point.time.astimezone(UTC).strftime(form)}" for point in shown[-3:]]
    more = f" and {len(shown) - 3} before" if len(shown) > 3 else ""
    relation = ("" if breaching else "not ") + _relation(alarm, shown[-1])
    if alarm.band is not None and shown[-1].lower is None:
        relation = f"with fewer than {alarm.band.least} datapoints before it, too few for a band"
    if all(point.value is None for point in shown):
        relation = f"treated as {alarm.treat_missing}"
    tally = f"({len(breaching)} of {len(datapoints)} datapoints)"
    return f"{alarm.metric} was {', '.join(said)}{more}, {relation} {tally}"


def _relation(alarm: Alarm, point: Datapoint) -> str:
    if alarm.band is None:
        return f"{alarm.operator} {alarm.threshold or 0.0:g}"
    side = {"LessThanLowerThreshold": "below", "GreaterThanUpperThreshold": "above"}.get(alarm.operator, "outside")
    return f"{side} its band from {point.lower or 0.0:.6g} to {point.upper or 0.0:.6g}"


def _shown(point: Datapoint) -> str:
    return "missing" if point.value is None else f"{point.value:.6g}"


def describe(datapoint: Datapoint) -> dict[str, Any]:
    """A datapoint as plain data for the history and for messages."""
    said = {"time": format_time(datapoint.time), "value": datapoint.value, "breaching": datapoint.breaching}
    return said if datapoint.lower is None else said | {"lower": datapoint.lower, "upper": datapoint.upper}
