"""What an alarm watches and when it is one, in words. Pure."""

from __future__ import annotations

from driftline.resources.alarms import Alarm

_BELOW_ABOVE = {
    "LessThanThreshold": "is below",
    "LessThanOrEqualToThreshold": "is at or below",
    "GreaterThanThreshold": "is above",
    "GreaterThanOrEqualToThreshold": "is at or above",
    "LessThanLowerThreshold": "is below",
    "GreaterThanUpperThreshold": "is above",
    "LessThanLowerOrGreaterThanUpperThreshold": "is outside",
}
_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def condition(alarm: Alarm) -> str:
    """When an alarm is one.

    >>> condition(Alarm("low", "f2", "ns", {}, "LessThanThreshold", 0.6, datapoints_to_alarm=2, evaluation_periods=3))
    'f2 is below 0.6 in 2 of the last 3 periods of 1 hour'
    >>> condition(Alarm("both", rule="ALARM(a) AND ALARM(b)"))
    'ALARM(a) AND ALARM(b)'
    """
    if alarm.rule is not None:
        return alarm.rule
    subject = alarm.metric if alarm.statistic == "Average" else f"{alarm.statistic} of {alarm.metric}"
    periods = f"{alarm.datapoints_to_alarm} of the last {alarm.evaluation_periods} periods"
    if alarm.evaluation_periods == 1:
        periods = "the last period"
    return f"{subject} {_BELOW_ABOVE[alarm.operator]} {limit(alarm)} in {periods} of {duration(alarm.period)}"


def limit(alarm: Alarm) -> str:
    """What a value is compared with.

    >>> limit(Alarm("low", threshold=0.6))
    '0.6'
    """
    if alarm.band is None:
        return f"{alarm.threshold or 0.0:g}"
    season = " of the same hour of the day" if alarm.band.season == "hour" else ""
    return f"its band (width {alarm.band.width:g}, from the last {alarm.band.history} datapoints{season})"


def duration(seconds: int) -> str:
    """A period in words.

    >>> duration(3600), duration(7200), duration(90)
    ('1 hour', '2 hours', '90 seconds')
    """
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    number = seconds // size
    return f"{number} {unit}{'' if number == 1 else 's'}"


def watched(alarm: Alarm) -> str:
    """What an alarm watches: endpoint, schedule and further dimensions; of one over others, those.

    >>> watched(Alarm("low", "f2", "ns", {"Endpoint": "churn", "MonitoringSchedule": "hourly", "Facet": "plan"}))
    'churn / hourly / Facet plan'
    """
    if alarm.rule is not None:
        return "other alarms"
    known = [alarm.dimensions[key] for key in ("Endpoint", "MonitoringSchedule") if key in alarm.dimensions]
    further = [f"{key} {value}" for key, value in alarm.dimensions.items() if key not in _RUN]
    return " / ".join([*known, *further]) or alarm.namespace


_RUN = ("Endpoint", "MonitoringSchedule")
