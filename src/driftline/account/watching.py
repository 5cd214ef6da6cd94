"""Alarms of an account, as they become here. Pure."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from driftline.account.items import Item
from driftline.core.errors import DriftlineError
from driftline.resources.alarms import Alarm
from driftline.sagemaker.alarms import metric_alarm, told

_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
_NAMED = re.compile(r"""\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*["']?([^"')]+?)["']?\s*\)""")


def alarm_item(given: dict[str, Any], schedules: set[str]) -> Item:
    """What an alarm on a metric becomes; ``schedules`` are those that are made here."""
    name = given["AlarmName"]
    try:
        alarm = metric_alarm(_without_empty(given))
    except DriftlineError as error:
        return Item("alarm", name, error.what)
    schedule = alarm.dimensions.get("MonitoringSchedule", "")
    if schedule not in schedules:
        return Item("alarm", name, f"the schedule {schedule} whose metric it watches is not made here")
    limit = "its band" if alarm.threshold is None else f"{alarm.threshold:g}"
    says = f"{alarm.metric} of {schedule}, {alarm.operator} {limit}"
    return Item("alarm", name, says, _quiet(given, alarm), _differences(given), needs=(("schedule", schedule),))


def composite_item(given: dict[str, Any], alarms: set[str]) -> Item:
    """What an alarm over other alarms becomes; ``alarms`` are those that are made here."""
    name, rule = given["AlarmName"], given["AlarmRule"]
    named = _NAMED.findall(rule)
    missing = sorted({one for one in named if one not in alarms})
    if missing or not named:
        return Item("alarm", name, f"its rule names what is not made here: {', '.join(missing)[:200] or rule[:200]}")
    if given.get("ActionsSuppressor"):
        return Item("alarm", name, "an alarm that suppresses its actions has no counterpart; mute the alarm instead")
    alarm = Alarm(name, rule=rule, alarm_actions=told(given, "AlarmActions"), ok_actions=told(given, "OKActions"))
    needs = tuple(("alarm", one) for one in named)
    return Item("alarm", name, rule, _quiet(given, alarm), _differences(given), needs=needs)


def _without_empty(given: dict[str, Any]) -> dict[str, Any]:
    """A description as a request: descriptions hold empty lists where requests hold nothing."""
    return {key: value for key, value in given.items() if value != []}


def _quiet(given: dict[str, Any], alarm: Alarm) -> Alarm:
    if given.get("ActionsEnabled", True):
        return alarm
    return msgspec.structs.replace(alarm, alarm_actions=(), ok_actions=(), insufficient_data_actions=())


def _differences(given: dict[str, Any]) -> tuple[str, ...]:
    arns = [action for field in _ACTIONS for action in given.get(field) or () if action.startswith("arn:")]
    kinds = sorted({action.split(":")[2] for action in arns})
    if not kinds:
        return ()
    return (f"its actions of {', '.join(kinds)} are left out: name whom to tell with driftline alarm put",)
