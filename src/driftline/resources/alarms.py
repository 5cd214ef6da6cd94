"""Alarms: what is watched, the state it is in, every change of it, and who was told."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from driftline.resources.metrics import Series
from driftline.resources.mutes import Acknowledgement

Statistic = Literal["Average", "Sum", "Minimum", "Maximum", "SampleCount"]
Operator = Literal[
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "GreaterThanOrEqualToThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
]
MissingData = Literal["missing", "ignore", "breaching", "notBreaching"]
AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
DeliveryStatus = Literal["pending", "sent", "failed", "muted"]
Season = Literal["none", "hour"]
COMPOSITE = "driftline/composite"
"""The namespace under which alarms over other alarms are kept: they watch no metric."""


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a metric's own past lets expect: median ± ``width`` times the scaled median absolute deviation.

    ``history`` is the number of datapoints looked back on before the one that is judged; with ``season`` ``hour`` only
    those of the same hour of the day (UTC) count. With fewer than ``least`` of them there is no band,
    and the alarm has too little data, whatever it does about missing values.
    """

    width: float = 4.0
    history: int = 100
    least: int = 20
    season: Season = "none"


class Alarm(msgspec.Struct, frozen=True):
    """M (``datapoints_to_alarm``) of the last N (``evaluation_periods``) datapoints breach a threshold or a ``band``.

    ``period`` is in seconds. A datapoint is a period, aligned to the epoch, in which the metric was due: it has a
    value, or the mark of a missing one. Silence between runs is no datapoint, so an hourly metric may be watched
    with a period of ten minutes. The actions are targets: ``log``, http(s) URLs, ``command:NAME`` and ``call:NAME`` of
    the file ``actions.toml``, or URLs of apprise.

    With a ``rule`` the alarm is one over other alarms' states, such as ``ALARM(a) AND NOT OK(b)``; it watches no
    metric, and of the other fields only the actions matter.
    """

    name: str
    metric: str = ""
    namespace: str = COMPOSITE
    dimensions: dict[str, str] = {}
    operator: Operator = "LessThanLowerOrGreaterThanUpperThreshold"
    threshold: float | None = None
    statistic: Statistic = "Average"
    period: int = 3600
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 1
    treat_missing: MissingData = "missing"
    alarm_actions: tuple[str, ...] = ()
    ok_actions: tuple[str, ...] = ()
    insufficient_data_actions: tuple[str, ...] = ()
    band: Band | None = None
    rule: str | None = None

    @property
    def series(self) -> Series:
        """The metric it watches."""
        return Series(self.namespace, self.metric, self.dimensions)

    def actions(self, state: AlarmState) -> tuple[str, ...]:
        """The targets to be told when this state is entered."""
        if state == "ALARM":
            return self.alarm_actions
        return self.ok_actions if state == "OK" else self.insufficient_data_actions


class NewAlarm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alarm to create or change, on a metric of one schedule or, with ``dimensions``, of any series.

    ``period`` is in seconds. Without a ``namespace`` it is that of the schedule's monitor. A ``metric`` needs an
    ``operator`` with a ``threshold``, or a ``band``; a ``rule`` over other alarms needs neither.
    """

    metric: str = ""
    operator: Operator = "LessThanLowerOrGreaterThanUpperThreshold"
    threshold: float | None = None
    endpoint: str | None = None
    schedule: str | None = None
    namespace: str | None = None
    dimensions: dict[str, str] | None = None
    statistic: Statistic = "Average"
    period: int = 3600
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 1
    treat_missing: MissingData = "missing"
    alarm_actions: tuple[str, ...] = ()
    ok_actions: tuple[str, ...] = ()
    insufficient_data_actions: tuple[str, ...] = ()
    band: Band | None = None
    rule: str | None = None

    def named(self, name: str) -> Alarm:
        """The alarm of this name. Where no namespace was given it is empty: that of the schedule's monitor."""
        given = {field: getattr(self, field) for field in Alarm.__struct_fields__ if field not in _NOT_COPIED}
        dimensions = self.dimensions
        if dimensions is None:
            pairs = {"Endpoint": self.endpoint, "MonitoringSchedule": self.schedule}
            dimensions = {key: value for key, value in pairs.items() if value is not None}
        kept = COMPOSITE if self.rule is not None else ""
        return Alarm(name=name, namespace=self.namespace or kept, dimensions=dimensions, **given)


_NOT_COPIED = ("name", "namespace", "dimensions")


class Datapoint(msgspec.Struct, frozen=True):
    """A period's statistic (None: missing) with the time of its newest point and whether it counts as breaching.

    ``lower`` and ``upper`` are the limits of the band it was judged by, where there was one.
    """

    time: datetime
    value: float | None
    breaching: bool
    lower: float | None = None
    upper: float | None = None


class AlarmStatus(msgspec.Struct, frozen=True):
    """An alarm with the state it is in, since when and why, and who has taken note of that."""

    name: str
    definition: Alarm
    state: AlarmState
    state_since: datetime
    reason: str
    acknowledged: Acknowledgement | None = None


class Transition(msgspec.Struct, frozen=True):
    """One change of state, with the datapoints it rests on and the run that caused it."""

    id: str
    alarm: str
    from_state: AlarmState
    to_state: AlarmState
    time: datetime
    reason: str
    datapoints: tuple[Datapoint, ...] = ()
    run: str | None = None


class Notification(msgspec.Struct, frozen=True):
    """Who was told of a change, and with what outcome; the target is shown without its secrets.

    ``attempts`` counts the tries begun. ``created`` and ``sent`` are real times, whatever clock the schedules follow.
    ``outcome`` is what a command or a call answered, shortened.
    """

    id: str
    target: str
    status: DeliveryStatus
    attempts: int
    last_error: str | None
    created: datetime
    sent: datetime | None
    outcome: str | None = None
