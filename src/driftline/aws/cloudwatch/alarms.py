"""Making alarms, deleting them, setting their states and whether they act."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from driftline.aws.cloudwatch import definitions, kept
from driftline.aws.cloudwatch.names import refused
from driftline.aws.context import Context, Operations
from driftline.aws.errors import AwsError
from driftline.core.errors import ConflictError, DriftlineError, NotFoundError
from driftline.resources.alarms import Alarm
from driftline.resources.mutes import NewMute
from driftline.sagemaker.alarms import metric_alarm, told

_MOST_DELETED = 100
_SILENT = timedelta(days=36_500)
AUTHOR = "DisableAlarmActions"
"""Whose the mutes are that stand for disabled actions."""


def put_metric_alarm(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Create or change an alarm on a metric."""
    return _put(context, given, metric_alarm(given))


def put_composite_alarm(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Create or change an alarm over other alarms."""
    if "ActionsSuppressor" in given:
        raise refused("ActionsSuppressor is not supported: mute the alarm instead.")
    alarm = Alarm(
        given["AlarmName"],
        rule=given["AlarmRule"],
        alarm_actions=told(given, "AlarmActions"),
        ok_actions=told(given, "OKActions"),
        insufficient_data_actions=told(given, "InsufficientDataActions"),
    )
    return _put(context, given, alarm)


def _put(context: Context, given: dict[str, Any], alarm: Alarm) -> dict[str, Any]:
    new = not _exists(context, alarm.name)
    if new:
        kept.forget(context, alarm.name)
    if given.get("ActionsEnabled", True):
        context.service.put_alarm(alarm)
        _enable(context, alarm.name)
    else:
        _put_silently(context, alarm, new=new)
    document = definitions.without_secrets({key: value for key, value in given.items() if key != "Tags"})
    tags = {tag["Key"]: tag["Value"] for tag in given.get("Tags", [])}
    kept.keep(context, alarm.name, document, tags)
    kept.note(context, alarm.name, "Create" if new else "Update", document)
    return {}


def _put_silently(context: Context, alarm: Alarm, *, new: bool) -> None:
    """Put an alarm that is not to act. Putting one judges it, and only one that exists can be muted."""
    spoke = alarm.name not in disabled(context)
    if new:
        context.service.put_alarm(definitions.without_actions(alarm))
    _disable(context, alarm.name)
    try:
        context.service.put_alarm(alarm)
    except DriftlineError:
        if new:
            context.service.delete_alarm(alarm.name)
        if spoke:
            _enable(context, alarm.name)
        raise


def _exists(context: Context, name: str) -> bool:
    try:
        context.service.get_alarm(name)
    except NotFoundError:
        return False
    return True


def delete_alarms(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Delete alarms; names that are not there are passed over. Rules go before the alarms they name."""
    names = list(dict.fromkeys(given["AlarmNames"]))
    if len(names) > _MOST_DELETED:
        raise refused(f"At most {_MOST_DELETED} alarms can be deleted at once.")
    statuses = context.service.list_alarms()
    rules = {status.name for status in statuses if status.definition.rule is not None}
    known = {status.name for status in statuses}
    waiting = sorted((name for name in names if name in known), key=lambda name: name not in rules)
    while waiting:
        left = [name for name in waiting if not _deleted(context, name)]
        if len(left) == len(waiting):
            raise AwsError("ValidationError", f"The rules of other alarms name {', '.join(left)}: delete those first.")
        waiting = left
    return {}


def _deleted(context: Context, name: str) -> bool:
    try:
        context.service.delete_alarm(name)
    except ConflictError:
        return False
    _enable(context, name)
    kept.note(context, name, "Delete", kept.entry(context, name).document)
    kept.forget(context, name)
    return True


def set_alarm_state(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Put an alarm in a state until it is judged again."""
    try:
        json.loads(given.get("StateReasonData") or "{}")
    except ValueError:
        raise AwsError("InvalidFormat", "StateReasonData is not JSON.") from None
    context.service.set_alarm_state(given["AlarmName"], given["StateValue"], given["StateReason"])
    return {}


def enable_alarm_actions(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Let alarms tell again; what one that is still in ALARM held back is told once."""
    for name in given["AlarmNames"]:
        _enable(context, name)
    return {}


def disable_alarm_actions(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Mute alarms until they are enabled; names that are not there are passed over."""
    for name in given["AlarmNames"]:
        if _exists(context, name):
            _disable(context, name)
    return {}


def _enable(context: Context, name: str) -> None:
    for identity in disabled(context).get(name, []):
        context.service.end_mute(identity)


def _disable(context: Context, name: str) -> None:
    if name not in disabled(context):
        end = context.now() + _SILENT
        context.service.mute_alarms(NewMute("actions are disabled", alarm=name, end=end, author=AUTHOR))


def disabled(context: Context) -> dict[str, list[str]]:
    """The mutes that stand for disabled actions, by alarm."""
    found: dict[str, list[str]] = {}
    for mute in context.service.list_mutes(limit=100_000):
        if mute.author == AUTHOR and mute.alarm is not None:
            found.setdefault(mute.alarm, []).append(mute.id)
    return found


OPERATIONS: Operations = {
    "PutMetricAlarm": put_metric_alarm,
    "PutCompositeAlarm": put_composite_alarm,
    "DeleteAlarms": delete_alarms,
    "SetAlarmState": set_alarm_state,
    "EnableAlarmActions": enable_alarm_actions,
    "DisableAlarmActions": disable_alarm_actions,
}
