"""Executions of monitoring schedules, and the processing jobs that stand for their steps."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from driftline.aws.context import Context, Operations
from driftline.aws.sagemaker.listing import Entry, page
from driftline.aws.sagemaker.watched import KIND, Watched, watched
from driftline.core.errors import NotFoundError
from driftline.resources.executions import Execution
from driftline.sagemaker.executions import (
    LABELLED,
    analysis_job,
    beginning_of_id,
    ending,
    is_merge,
    shown_job,
)
from driftline.sagemaker.names import arn
from driftline.sagemaker.steps import Step, described

_MOST = 10_000
"""How many executions a list looks through at most, the newest ones."""


def listing(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """ListMonitoringExecutions."""
    after, before = given.get("ScheduledTimeAfter"), given.get("ScheduledTimeBefore")
    entries = [
        _entry(row)
        for row in summaries(context, given)
        if (after is None or row["ScheduledTime"] > after) and (before is None or row["ScheduledTime"] < before)
    ]
    return page(entries, given, "MonitoringExecutionSummaries", keys={"ScheduledTime": _scheduled})


def _entry(row: dict[str, Any]) -> Entry:
    times = row["CreationTime"], row["LastModifiedTime"]
    return Entry(row["MonitoringScheduleName"], *times, row["MonitoringExecutionStatus"], row)


def _scheduled(entry: Entry) -> tuple[datetime, datetime]:
    """By the hour they are of; the revisions of an hour as they were made."""
    return entry.summary["ScheduledTime"], entry.created


def summaries(context: Context, given: dict[str, Any], *, limit: int = _MOST) -> list[dict[str, Any]]:
    """The executions that a request's names and statuses allow, newest first."""
    named = {"schedule": given.get("MonitoringScheduleName"), "endpoint": given.get("EndpointName")}
    if named["schedule"] is not None:
        context.service.get_schedule(named["schedule"])
    look_up = lru_cache(maxsize=None)(partial(_of_schedule, context))
    found = []
    for execution in context.service.list_runs(limit=limit, **named):
        about = look_up(execution.schedule)
        if about is not None:
            found.append(_summary(context, execution, about))
    for condition, column in _CONDITIONS.items():
        if given.get(condition):
            found = [row for row in found if row.get(column) == given[condition]]
    return found


_CONDITIONS = {
    "MonitoringJobDefinitionName": "MonitoringJobDefinitionName",
    "MonitoringTypeEquals": "MonitoringType",
}


def execution_of(context: Context, job_name: str) -> Execution | None:
    """The execution whose step is a processing job of this name; None when there is none."""
    beginning = beginning_of_id(job_name)
    return None if beginning is None else _known(context, job_name, context.service.find_run(beginning))


def describe_job(context: Context, job_name: str) -> dict[str, Any] | None:
    """What DescribeProcessingJob tells of a step; None for a job that is none."""
    execution = execution_of(context, job_name)
    about = None if execution is None else _of_schedule(context, execution.schedule)
    if execution is None or about is None:
        return None
    captures, variant = _captures(context, execution, about)
    step = Step(job_name, execution, about.definition, about.document, captures, variant)
    return described(step) | {
        "ProcessingJobArn": arn(context.region, context.account, "processing-job", job_name),
        "MonitoringScheduleArn": arn(context.region, context.account, KIND, execution.schedule),
    }


def stop_job(context: Context, job_name: str) -> bool:
    """Stop the run whose step has this name; False when there is none. :class:`ConflictError` when it has ended."""
    execution = execution_of(context, job_name)
    if execution is None:
        return False
    context.service.stop_run(execution.id)
    return True


def _known(context: Context, job_name: str, execution: Execution | None) -> Execution | None:
    """The execution, if its step is called so in every letter."""
    about = None if execution is None else _of_schedule(context, execution.schedule)
    if execution is None or about is None:
        return None
    if is_merge(job_name):
        return execution if about.definition.kind.type in LABELLED else None
    return execution if analysis_job(about.definition.kind, execution) == job_name else None


def _of_schedule(context: Context, name: str) -> Watched | None:
    """None of a schedule that was deleted meanwhile."""
    try:
        return watched(context, context.service.get_schedule(name))
    except NotFoundError:
        return None


def _captures(context: Context, execution: Execution, about: Watched) -> tuple[str, str]:
    """Where the captures of an execution are, as an address with its variant in it, and the variant."""
    if about.definition.batch:
        side = "output" if about.definition.kind.type in LABELLED else "input"
        return f"{about.definition.source['DataCapturedDestinationS3Uri'].rstrip('/')}/{side}", "AllTraffic"
    try:
        endpoint = context.service.get_endpoint(execution.endpoint)
    except NotFoundError:
        return "", "AllTraffic"
    destination = getattr(endpoint.capture, "destination", "")
    folder = f"{destination.rstrip('/')}/{endpoint.name}/{endpoint.variant}" if destination else ""
    return folder, endpoint.variant


def _summary(context: Context, execution: Execution, about: Watched) -> dict[str, Any]:
    state, job = ending(execution, about.definition), shown_job(execution, about.definition)
    row = {
        "MonitoringScheduleName": execution.schedule,
        "ScheduledTime": execution.tick,
        "CreationTime": execution.created,
        "LastModifiedTime": execution.finished or execution.started or execution.created,
        "MonitoringExecutionStatus": state.status,
        "MonitoringType": about.definition.kind.type,
    }
    named = {
        "ProcessingJobArn": job and arn(context.region, context.account, "processing-job", job),
        "EndpointName": None if about.definition.batch else execution.endpoint,
        "FailureReason": state.reason,
        "MonitoringJobDefinitionName": about.config.get("MonitoringJobDefinitionName"),
    }
    return row | {key: value for key, value in named.items() if value is not None}


OPERATIONS: Operations = {"ListMonitoringExecutions": listing}
