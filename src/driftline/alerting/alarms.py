"""Alarms: a threshold on a metric, judged over the last periods in which the metric was due. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC
from typing import Any, get_args

import msgspec

from driftline.alerting.targets import check_target
from driftline.core.errors import InputError
from driftline.core.window import format_time
from driftline.resources.alarms import Alarm, AlarmState, Datapoint, MissingData, Operator, Statistic
from driftline.resources.metrics import Point
from driftline.storage.types import EPOCH, MICROSECOND

_BREACHES: dict[str, Callable[[float, float], bool]] = {
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
}


class Evaluation(msgspec.Struct, frozen=True):
    """The state an alarm should be in, why, and the datapoints that say so, oldest first."""

    state: AlarmState
    reason: str
    datapoints: tuple[Datapoint, ...] = ()


def check_alarm(alarm: Alarm) -> Alarm:
    """The alarm itself when it can be evaluated; :class:`InputError` naming the field that is wrong."""
    _require(0 < len(alarm.name) <= 255 and alarm.name.isprintable(), alarm, "name", "1 to 255 printable characters")
    _require(bool(alarm.metric), alarm, "metric", "the name of a metric")
    _require(bool(alarm.namespace), alarm, "namespace", "the namespace of the metric")
    for field, kind in (("statistic", Statistic), ("operator", Operator), ("treat_missing", MissingData)):
        _require(getattr(alarm, field) in get_args(kind), alarm, field, "one of " + ", ".join(get_args(kind)))
    _require(alarm.period >= 1, alarm, "period", "1 second or more")
    _require(alarm.evaluation_periods >= 1, alarm, "evaluation_periods", "1 or more")
    within = 1 <= alarm.datapoints_to_alarm <= alarm.evaluation_periods
    _require(within, alarm, "datapoints_to_alarm", f"from 1 to evaluation_periods ({alarm.evaluation_periods})")
    _require(math.isfinite(alarm.threshold), alarm, "threshold", "a finite number")
    for target in (*alarm.alarm_actions, *alarm.ok_actions, *alarm.insufficient_data_actions):
        check_target(target)
    return alarm


def evaluate(alarm: Alarm, points: Iterable[Point], current: AlarmState) -> Evaluation:
    """Judge an alarm on the points of its series, given the state it is in.

    M breaching datapoints of the last N make ALARM, one that does not breach makes OK. Missing ones count as the
    alarm says: ``breaching`` and ``notBreaching`` as such; ``ignore`` keeps the state when there is nothing else to
    go by; ``missing`` then makes INSUFFICIENT_DATA, or ALARM when every value that is there breaches and the missing
    ones could make up M. With too few datapoints so far, all breaching, the state stays.

    >>> from datetime import datetime
    >>> alarm = Alarm("low", "f2", "ns", {}, "LessThanOrEqualToThreshold", 0.625)
    >>> at = datetime(2026, 11, 22, 18, tzinfo=UTC)
    >>> evaluate(alarm, [Point(at, 0.41, 0.41, 0.41, 0.41, 1.0)], "OK").reason
    'f2 was 0.41 at 18:00, LessThanOrEqualToThreshold 0.625 (1 of 1 datapoints)'
    """
    datapoints = _datapoints(alarm, points)
    return Evaluation(_state(alarm, datapoints, current), _reason(alarm, datapoints), datapoints)


def _datapoints(alarm: Alarm, points: Iterable[Point]) -> tuple[Datapoint, ...]:
    periods: dict[int, list[Point]] = {}
    for point in points:
        number = (point.time - EPOCH) // MICROSECOND // (alarm.period * 1_000_000)
        periods.setdefault(number, []).append(point)
    return tuple(_datapoint(alarm, periods[number]) for number in sorted(periods)[-alarm.evaluation_periods :])


def _datapoint(alarm: Alarm, points: list[Point]) -> Datapoint:
    value = _aggregate(alarm.statistic, [point for point in points if point.value is not None])
    if value is None:
        breaching = alarm.treat_missing == "breaching"
    else:
        breaching = _BREACHES[alarm.operator](value, alarm.threshold)
    return Datapoint(max(point.time for point in points), value, breaching)


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
    if len(datapoints) - breaching - blank > 0:
        return "OK"
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
    relation = f"{alarm.operator} {alarm.threshold:g}" if breaching else f"not {alarm.operator} {alarm.threshold:g}"
    if all(point.value is None for point in shown):
        relation = f"treated as {alarm.treat_missing}"
    tally = f"({len(breaching)} of {len(datapoints)} datapoints)"
    return f"{alarm.metric} was {', '.join(said)}{more}, {relation} {tally}"


def _shown(point: Datapoint) -> str:
    return "missing" if point.value is None else f"{point.value:.6g}"


def describe(datapoint: Datapoint) -> dict[str, Any]:
    """A datapoint as plain data for the history and for messages."""
    return {"time": format_time(datapoint.time), "value": datapoint.value, "breaching": datapoint.breaching}


def _require(holds: bool, alarm: Alarm, field: str, wanted: str) -> None:
    if not holds:
        raise InputError(
            f"alarm {alarm.name[:80]!r}: {field} must be {wanted}", evidence=f"{field} is {getattr(alarm, field)!r}"
        )
