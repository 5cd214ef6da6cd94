"""Looking at alarms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from driftline.alerting import rules
from driftline.aws.cloudwatch.alarms import disabled
from driftline.aws.cloudwatch.documents import described
from driftline.aws.cloudwatch.names import bad_token, refused, series_of
from driftline.aws.context import Context, Operations
from driftline.aws.paging import page
from driftline.resources.alarms import AlarmStatus

_PAGE = 50
_Wanted = Callable[[AlarmStatus], bool]
_METRIC, _COMPOSITE = "MetricAlarm", "CompositeAlarm"


def describe_alarms(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Alarms by name; without types those on metrics alone."""
    if given.get("AlarmNames") and "AlarmNamePrefix" in given:
        raise refused("AlarmNames and AlarmNamePrefix cannot be given together.")
    statuses = context.service.list_alarms()
    wanted = _filters(given, statuses)
    found = [status for status in statuses if all(test(status) for test in wanted)]
    documents = _documents(context, found)
    if "ActionPrefix" in given:
        documents = [document for document in documents if _acts(document, given["ActionPrefix"])]
    shown, token = page(documents, given.get("NextToken"), given.get("MaxRecords") or _PAGE, bad_token())
    return {
        "MetricAlarms": [document for document in shown if "AlarmRule" not in document],
        "CompositeAlarms": [document for document in shown if "AlarmRule" in document],
        **({"NextToken": token} if token else {}),
    }


def _filters(given: dict[str, Any], statuses: list[AlarmStatus]) -> list[_Wanted]:
    related = "ChildrenOfAlarmName" in given or "ParentsOfAlarmName" in given
    types = given.get("AlarmTypes") or ([_METRIC, _COMPOSITE] if related else [_METRIC])
    wanted: list[_Wanted] = [lambda status: _type(status) in types]
    if given.get("AlarmNames"):
        names = set(given["AlarmNames"])
        wanted.append(lambda status: status.name in names)
    if "AlarmNamePrefix" in given:
        wanted.append(lambda status: status.name.startswith(given["AlarmNamePrefix"]))
    if "StateValue" in given:
        wanted.append(lambda status: status.state == given["StateValue"])
    if "ChildrenOfAlarmName" in given:
        children = {
            name for status in statuses if status.name == given["ChildrenOfAlarmName"] for name in _named(status)
        }
        wanted.append(lambda status: status.name in children)
    if "ParentsOfAlarmName" in given:
        wanted.append(lambda status: given["ParentsOfAlarmName"] in _named(status))
    return wanted


def _type(status: AlarmStatus) -> str:
    return _METRIC if status.definition.rule is None else _COMPOSITE


def _named(status: AlarmStatus) -> tuple[str, ...]:
    rule = status.definition.rule
    return () if rule is None else rules.names(rules.parse(rule))


def _acts(document: dict[str, Any], prefix: str) -> bool:
    lists = (document[field] for field in ("AlarmActions", "OKActions", "InsufficientDataActions"))
    return any(action.startswith(prefix) for actions in lists for action in actions)


def describe_alarms_for_metric(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The alarms on one metric, of a statistic and period where they are asked for."""
    series = series_of(given)
    asked = {"Statistic": "statistic", "Period": "period"}
    wanted = {own: given[field] for field, own in asked.items() if field in given}
    found = [
        status
        for status in context.service.list_alarms()
        if status.definition.rule is None
        and status.definition.series == series
        and all(getattr(status.definition, own) == value for own, value in wanted.items())
    ]
    return {"MetricAlarms": _documents(context, found)}


def _documents(context: Context, statuses: list[AlarmStatus]) -> list[dict[str, Any]]:
    silent = disabled(context)
    return [described(context, status, enabled=status.name not in silent) for status in statuses]


OPERATIONS: Operations = {
    "DescribeAlarms": describe_alarms,
    "DescribeAlarmsForMetric": describe_alarms_for_metric,
}
