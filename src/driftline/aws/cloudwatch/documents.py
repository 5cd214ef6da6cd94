"""Alarms as CloudWatch's clients read them."""

from __future__ import annotations

import json
from typing import Any

from driftline.alerting.targets import mask
from driftline.aws.cloudwatch import kept
from driftline.aws.cloudwatch.definitions import ACTIONS
from driftline.aws.cloudwatch.names import alarm_arn, dimension_list
from driftline.aws.context import Context
from driftline.resources.alarms import Alarm, AlarmStatus, Datapoint, Transition
from driftline.resources.registered import Registered
from driftline.sagemaker.alarms import namespace_of

_STAMP = "%Y-%m-%dT%H:%M:%S.%f+0000"


def described(context: Context, status: AlarmStatus, *, enabled: bool) -> dict[str, Any]:
    """An alarm with its state; what this service has no word for is as clients gave it."""
    entry = kept.entry(context, status.name)
    alarm = status.definition
    document = {
        "AlarmName": status.name,
        "AlarmArn": alarm_arn(context, status.name),
        "AlarmConfigurationUpdatedTimestamp": entry.updated if entry.document else status.state_since,
        "ActionsEnabled": enabled,
        **_actions(alarm, entry),
        "StateValue": status.state,
        "StateReason": status.reason,
        "StateUpdatedTimestamp": status.state_since,
        "StateTransitionedTimestamp": status.state_since,
    }
    if "AlarmDescription" in entry.document:
        document["AlarmDescription"] = entry.document["AlarmDescription"]
    if alarm.rule is not None:
        return document | {"AlarmRule": alarm.rule}
    last = context.service.alarm_history(status.name, limit=1)
    if last and last[0].datapoints:
        document["StateReasonData"] = json.dumps(reason_data(alarm, last[0]))
    return document | _metric(alarm, entry)


def _actions(alarm: Alarm, entry: Registered) -> dict[str, list[str]]:
    """What can be told comes from the alarm as it is now, without secrets; ARNs as they were given."""
    given = {field: entry.document.get(field, []) for field in ACTIONS}
    arns = {field: [action for action in actions if action.startswith("arn:")] for field, actions in given.items()}
    return {field: [*arns[field], *map(mask, getattr(alarm, own))] for field, own in ACTIONS.items()}


def _metric(alarm: Alarm, entry: Registered) -> dict[str, Any]:
    document: dict[str, Any] = {
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
        "ComparisonOperator": alarm.operator,
        "TreatMissingData": alarm.treat_missing,
    }
    asked = entry.document.get("Namespace", "")
    metric = {
        "Namespace": asked if namespace_of(asked) == alarm.namespace else alarm.namespace,
        "MetricName": alarm.metric,
        "Dimensions": dimension_list(alarm.dimensions),
    }
    if alarm.band is not None:
        return document | {"Metrics": _band(alarm, metric), "ThresholdMetricId": "band"}
    unit = {"Unit": entry.document["Unit"]} if "Unit" in entry.document else {}
    own = {"Statistic": alarm.statistic, "Period": alarm.period, "Threshold": alarm.threshold}
    return document | metric | own | unit


def _band(alarm: Alarm, metric: dict[str, Any]) -> list[dict[str, Any]]:
    width = alarm.band.width if alarm.band else 0.0
    return [
        {
            "Id": "value",
            "MetricStat": {"Metric": metric, "Period": alarm.period, "Stat": alarm.statistic},
            "ReturnData": True,
        },
        {"Id": "band", "Expression": f"ANOMALY_DETECTION_BAND(value, {width:g})", "ReturnData": True},
    ]


def reason_data(alarm: Alarm | None, transition: Transition) -> dict[str, Any]:
    """Why a state was entered: the datapoints it rests on, oldest first."""
    judged: dict[str, Any] = {}
    if alarm is not None and alarm.rule is None:
        judged = {"statistic": alarm.statistic, "period": alarm.period, "threshold": alarm.threshold}
    return {
        "version": "1.0",
        "queryDate": transition.time.strftime(_STAMP),
        **judged,
        "recentDatapoints": [point.value for point in transition.datapoints if point.value is not None],
        "evaluatedDatapoints": [_evaluated(point) for point in transition.datapoints],
    }


def _evaluated(point: Datapoint) -> dict[str, Any]:
    value = {} if point.value is None else {"value": point.value}
    return {"timestamp": point.time.strftime(_STAMP), **value}
