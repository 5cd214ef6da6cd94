"""An alarm as Prometheus's alerting rule.

driftline judges the last N periods in which its metric was due; Prometheus sees the newest value at every moment. So
M of N becomes a wait of M - 1 periods where M equals N, and else a count of breaching periods in a range. What cannot
be found again from the newest value (sums, numbers of samples, bands of the metric's own past, alarms over other
alarms) asks for the state of the alarm itself.
"""

from __future__ import annotations

from typing import Any

from driftline.client.exports.text import selector, untemplated
from driftline.resources.alarms import Alarm, AlarmStatus

_SIGNS = {
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": ">=",
}
_OVER_TIME = {"Average": "avg_over_time", "Minimum": "min_over_time", "Maximum": "max_over_time"}


def alarm_rule(status: AlarmStatus) -> dict[str, Any]:
    """The rule of an alarm, under the alarm's own name."""
    alarm = status.definition
    expression, wait = _condition(status.name, alarm)
    return {
        "alert": status.name,
        "expr": expression,
        "for": f"{wait}s",
        "labels": {"severity": "warning", "source": "driftline"},
        "annotations": {
            "summary": untemplated(f"alarm {status.name}: {_relation(alarm)}"),
            "description": untemplated(f"{_periods(alarm)}; it was ") + "{{ $value }}.",
        },
    }


def _condition(name: str, alarm: Alarm) -> tuple[str, int]:
    """When it fires, and how many seconds that must last."""
    labels = _labels(alarm)
    sign = _SIGNS.get(alarm.operator)
    if sign is None or alarm.threshold is None or alarm.statistic not in _OVER_TIME or labels is None:
        return selector("driftline_alarm_state", {"alarm": name, "state": "ALARM"}) + " == 1", 0
    metric = selector("driftline_metric", labels)
    value = metric if alarm.period <= 3600 else f"{_OVER_TIME[alarm.statistic]}({metric}[{alarm.period}s])"
    wanted = alarm.datapoints_to_alarm
    if wanted == alarm.evaluation_periods:
        expression, wait = f"{value} {sign} {alarm.threshold!r}", (wanted - 1) * alarm.period
    else:
        span = f"[{alarm.evaluation_periods * alarm.period}s:{alarm.period}s]"
        expression, wait = f"sum_over_time(({value} {sign} bool {alarm.threshold!r}){span}) >= {wanted}", 0
    if alarm.treat_missing == "breaching":
        expression = f"({expression}) or absent({metric})"
    return expression, wait


def _relation(alarm: Alarm) -> str:
    """What is wrong when it fires, in a few words."""
    if alarm.rule is not None:
        return alarm.rule
    limit = "outside its band" if alarm.threshold is None else f"{_SIGNS.get(alarm.operator, '?')} {alarm.threshold!r}"
    return f"{alarm.metric} {limit}"


def _periods(alarm: Alarm) -> str:
    what = f"{alarm.statistic} of {alarm.metric}" if alarm.rule is None else "the state of other alarms"
    return f"{what} in {alarm.datapoints_to_alarm} of {alarm.evaluation_periods} periods of {alarm.period} s"


def _labels(alarm: Alarm) -> dict[str, str] | None:
    """Where the metric is found; None for one that no schedule publishes."""
    endpoint, schedule = (alarm.dimensions.get(key) for key in ("Endpoint", "MonitoringSchedule"))
    if endpoint is None or schedule is None:
        return None
    return {"endpoint": endpoint, "schedule": schedule, "metric": alarm.metric}
