"""The alert of each monitoring schedule."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from driftline.aws.context import Context, Operations
from driftline.aws.sagemaker.listing import Entry, cut, page
from driftline.aws.sagemaker.watched import KIND, Watched, watched
from driftline.core.errors import NotFoundError
from driftline.sagemaker.alerts import NAME, AlertRule, Change, changes
from driftline.sagemaker.names import arn

_RULE = "MonitoringAlert"
_RUNS = 1000
"""How many executions an alert looks back at."""


def listing(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """ListMonitoringAlerts."""
    found = _watched(context, given["MonitoringScheduleName"])
    rule, history = _rule(found), _history(context, found)
    row = {
        "MonitoringAlertName": NAME,
        "CreationTime": found.schedule.created,
        "LastModifiedTime": _modified(found),
        "AlertStatus": history[-1].status if history else "OK",
        "DatapointsToAlert": rule.datapoints,
        "EvaluationPeriod": rule.period,
        "Actions": {"ModelDashboardIndicator": {"Enabled": True}},
    }
    return cut([row], given, "MonitoringAlertSummaries")


def update(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """UpdateMonitoringAlert."""
    found = _watched(context, given["MonitoringScheduleName"])
    name = found.schedule.name
    if given["MonitoringAlertName"] != NAME:
        what = f"the schedule {name} has no alert {given['MonitoringAlertName'][:63]}"
        raise NotFoundError(what, hint=f"its alert is called {NAME}")
    rule = {key: given[key] for key in ("DatapointsToAlert", "EvaluationPeriod")}
    document = {} if found.entry is None else found.entry.document
    if found.entry is None:
        context.registry.add(KIND, name, document | {_RULE: rule}, now=context.now(), tags={})
    else:
        context.registry.change(KIND, name, now=context.now(), document=document | {_RULE: rule})
    return {
        "MonitoringScheduleArn": arn(context.region, context.account, KIND, name),
        "MonitoringAlertName": NAME,
    }


def history(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """ListMonitoringAlertHistory; of every schedule where none is named."""
    name = given.get("MonitoringScheduleName")
    schedules = context.service.list_schedules() if name is None else [context.service.get_schedule(name)]
    if given.get("MonitoringAlertName") not in (None, NAME):
        return {"MonitoringAlertHistory": []}
    entries = [_entry(one.name, change) for one in schedules for change in _history(context, watched(context, one))]
    return page(entries, given, "MonitoringAlertHistory")


def _entry(schedule: str, change: Change) -> Entry:
    row = {
        "MonitoringScheduleName": schedule,
        "MonitoringAlertName": NAME,
        "CreationTime": change.time,
        "AlertStatus": change.status,
    }
    return Entry(schedule, change.time, change.time, change.status, row)


def _watched(context: Context, name: str) -> Watched:
    return watched(context, context.service.get_schedule(name))


def _rule(found: Watched) -> AlertRule:
    given = {} if found.entry is None else found.entry.document.get(_RULE) or {}
    return AlertRule(given.get("DatapointsToAlert", 1), given.get("EvaluationPeriod", 1))


def _modified(found: Watched) -> datetime:
    return found.schedule.created if found.entry is None else found.entry.updated


def _history(context: Context, found: Watched) -> list[Change]:
    return changes(context.service.list_runs(schedule=found.schedule.name, limit=_RUNS), _rule(found))


OPERATIONS: Operations = {
    "ListMonitoringAlerts": listing,
    "UpdateMonitoringAlert": update,
    "ListMonitoringAlertHistory": history,
}
