"""What happened to alarms: their states and their definitions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from driftline.aws.cloudwatch import kept
from driftline.aws.cloudwatch.documents import reason_data
from driftline.aws.cloudwatch.names import bad_token
from driftline.aws.context import Context, Operations
from driftline.aws.paging import page
from driftline.resources.alarms import Alarm, Transition

_PAGE = 100
_MOST = 10_000
_DONE = {"Create": ("created", "createdAlarm"), "Update": ("updated", "updatedAlarm")}
_DONE |= {"Delete": ("deleted", "deletedAlarm")}


def describe_alarm_history(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Changes of state and of definitions, newest first unless asked otherwise."""
    name = given.get("AlarmName")
    items = [*_states(context, name), *_configurations(context, name)]
    items = [item for item in items if _wanted(item, given)]
    items.sort(key=lambda item: item["Timestamp"], reverse=given.get("ScanBy") != "TimestampAscending")
    shown, token = page(items, given.get("NextToken"), given.get("MaxRecords") or _PAGE, bad_token())
    return {"AlarmHistoryItems": list(shown), **({"NextToken": token} if token else {})}


def _wanted(item: dict[str, Any], given: dict[str, Any]) -> bool:
    types = given.get("AlarmTypes") or ["MetricAlarm"] + (["CompositeAlarm"] if "AlarmName" in given else [])
    time = item["Timestamp"]
    return (
        item["AlarmType"] in types
        and given.get("HistoryItemType", item["HistoryItemType"]) == item["HistoryItemType"]
        and given.get("StartDate", time) <= time <= given.get("EndDate", time)
    )


def _states(context: Context, name: str | None) -> Iterable[dict[str, Any]]:
    known = {status.name: status.definition for status in context.service.list_alarms()}
    before: dict[str, Transition] = {}
    # Oldest first, because what is told of the old state is in the change before.
    for transition in reversed(context.service.alarm_history(name, limit=_MOST)):
        yield _state(transition, before.get(transition.alarm), known.get(transition.alarm))
        before[transition.alarm] = transition


def _state(transition: Transition, before: Transition | None, alarm: Alarm | None) -> dict[str, Any]:
    new: dict[str, Any] = {"stateValue": transition.to_state, "stateReason": transition.reason}
    if transition.datapoints:
        new["stateReasonData"] = reason_data(alarm, transition)
    old = {"stateValue": transition.from_state, "stateReason": "" if before is None else before.reason}
    return {
        **_head(transition.alarm, _type(alarm is not None and alarm.rule is not None), transition.time),
        "HistoryItemType": "StateUpdate",
        "HistorySummary": f"Alarm updated from {transition.from_state} to {transition.to_state}",
        "HistoryData": json.dumps({"version": "1.0", "oldState": old, "newState": new}),
    }


def _configurations(context: Context, name: str | None) -> Iterable[dict[str, Any]]:
    for alarm, change in kept.changes(context, name):
        done, field = _DONE[change["type"]]
        data = {"version": "1.0", "type": change["type"], field: change["alarm"]}
        yield {
            **_head(alarm, _type("AlarmRule" in change["alarm"]), datetime.fromisoformat(change["time"])),
            "HistoryItemType": "ConfigurationUpdate",
            "HistorySummary": f'Alarm "{alarm}" {done}',
            "HistoryData": json.dumps(data),
        }


def _head(name: str, kind: str, time: datetime) -> dict[str, Any]:
    return {"AlarmName": name, "AlarmType": kind, "Timestamp": time}


def _type(composite: bool) -> str:
    return "CompositeAlarm" if composite else "MetricAlarm"


OPERATIONS: Operations = {"DescribeAlarmHistory": describe_alarm_history}
