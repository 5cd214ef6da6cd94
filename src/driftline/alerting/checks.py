"""What an alarm must be like to work. Pure."""

from __future__ import annotations

import math
from typing import Any, get_args

from driftline.alerting import rules
from driftline.alerting.alarms import THRESHOLD_OPERATORS
from driftline.alerting.targets import check_target
from driftline.core.errors import InputError
from driftline.resources.alarms import Alarm, Band, MissingData, Operator, Season, Statistic

MOST_PERIODS = 10_000


def check_alarm(alarm: Alarm) -> Alarm:
    """The alarm itself when it can be evaluated; :class:`InputError` naming the field that is wrong."""
    _require(0 < len(alarm.name) <= 255 and alarm.name.isprintable(), alarm, "name", "1 to 255 printable characters")
    if alarm.rule is None:
        _check_metric(alarm)
    else:
        _require(not alarm.metric and alarm.threshold is None, alarm, "metric", "left out with a rule, with its limits")
        _require(alarm.band is None, alarm, "band", "left out with a rule")
        rules.parse(alarm.rule)
    for target in (*alarm.alarm_actions, *alarm.ok_actions, *alarm.insufficient_data_actions):
        check_target(target)
    return alarm


def _check_metric(alarm: Alarm) -> None:
    _require(bool(alarm.metric), alarm, "metric", "the name of a metric")
    _require(bool(alarm.namespace), alarm, "namespace", "the namespace of the metric")
    for field, kind in (("statistic", Statistic), ("operator", Operator), ("treat_missing", MissingData)):
        _require(getattr(alarm, field) in get_args(kind), alarm, field, "one of " + ", ".join(get_args(kind)))
    _require(alarm.period >= 1, alarm, "period", "1 second or more")
    _require(1 <= alarm.evaluation_periods <= MOST_PERIODS, alarm, "evaluation_periods", f"1 to {MOST_PERIODS}")
    within = 1 <= alarm.datapoints_to_alarm <= alarm.evaluation_periods
    _require(within, alarm, "datapoints_to_alarm", f"from 1 to evaluation_periods ({alarm.evaluation_periods})")
    if alarm.band is not None:
        _require(alarm.threshold is None, alarm, "threshold", "left out with a band")
        _require(alarm.operator not in THRESHOLD_OPERATORS, alarm, "operator", "one for a band, such as " + _BAND)
        _check_band(alarm, alarm.band)
        return
    finite = alarm.threshold is not None and math.isfinite(alarm.threshold)
    _require(finite, alarm, "threshold", "a finite number (or give a band)")
    _require(alarm.operator in THRESHOLD_OPERATORS, alarm, "operator", "one of " + ", ".join(THRESHOLD_OPERATORS))


_BAND = "LessThanLowerOrGreaterThanUpperThreshold"


def _check_band(alarm: Alarm, band: Band) -> None:
    good = math.isfinite(band.width) and band.width > 0
    _require(good, alarm, "band", "of a width above 0")
    _require(2 <= band.least <= band.history <= MOST_PERIODS, alarm, "band", f"2 <= least <= history <= {MOST_PERIODS}")
    _require(band.season in get_args(Season), alarm, "band", "of a season of " + " or ".join(get_args(Season)))


def _require(holds: bool, alarm: Alarm, field: str, wanted: str) -> None:
    if not holds:
        value: Any = getattr(alarm, field)
        raise InputError(f"alarm {alarm.name[:80]!r}: {field} must be {wanted}", evidence=f"{field} is {value!r}")
