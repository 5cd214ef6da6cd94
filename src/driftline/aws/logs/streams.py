"""Log groups, and the streams in them: one for each job that has written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from driftline.aws.context import Context, Operations
from driftline.aws.logs import groups
from driftline.aws.logs.groups import group_of, stream_of, wrong
from driftline.aws.paging import page
from driftline.service.job_logs import JobLog

_PAGE = 50


def describe_log_groups(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Log groups by name."""
    prefix, pattern = given.get("logGroupNamePrefix", ""), given.get("logGroupNamePattern", "")
    if prefix and pattern:
        raise wrong("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    found = [
        _group(context, group, began)
        for group, began in groups.listing(context)
        if group.startswith(prefix) and pattern.lower() in group.lower()
    ]
    return _page("logGroups", found, given)


def describe_log_streams(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The streams of a group by name, or the newest."""
    group, prefix = group_of(given), given.get("logStreamNamePrefix", "")
    groups.check(context, group)
    by_time = given.get("orderBy") == "LastEventTime"
    if prefix and by_time:
        raise wrong("Cannot order by LastEventTime with a logStreamNamePrefix.")
    logs = [log for log in groups.logs(context, group, prefix) if stream_of(log).startswith(prefix)]
    found = [_stream(context, group, log) for log in logs]
    found.sort(
        key=lambda stream: (stream["lastEventTimestamp"] if by_time else 0, stream["logStreamName"]),
        reverse=given.get("descending", False),
    )
    return _page("logStreams", found, given)


def delete_log_group(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Hide what a group has by now."""
    groups.delete(context, group_of(given))
    return {}


def millis(moment: datetime) -> int:
    """A time as these clients write it.

    >>> from datetime import UTC
    >>> millis(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000
    """
    return int(moment.timestamp() * 1000)


def _page(name: str, found: list[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
    error = wrong("The specified nextToken is invalid.")
    shown, token = page(found, given.get("nextToken"), given.get("limit") or _PAGE, error)
    return {name: list(shown), **({"nextToken": token} if token else {})}


def _group(context: Context, group: str, began: datetime) -> dict[str, Any]:
    arn = _arn(context, group)
    return {
        "logGroupName": group,
        "creationTime": millis(began),
        "metricFilterCount": 0,
        "arn": arn + ":*",
        "logGroupArn": arn,
        "storedBytes": 0,
        "logGroupClass": "STANDARD",
    }


def _stream(context: Context, group: str, log: JobLog) -> dict[str, Any]:
    began = millis(log.started)
    times = dict.fromkeys(("creationTime", "firstEventTimestamp", "lastEventTimestamp", "lastIngestionTime"), began)
    name = stream_of(log)
    arn = f"{_arn(context, group)}:log-stream:{name}"
    return {"logStreamName": name, **times, "arn": arn, "storedBytes": 0}


def _arn(context: Context, group: str) -> str:
    return f"arn:aws:logs:{context.region}:{context.account}:log-group:{group}"


OPERATIONS: Operations = {
    "DescribeLogGroups": describe_log_groups,
    "DescribeLogStreams": describe_log_streams,
    "DeleteLogGroup": delete_log_group,
}
