"""Which log groups there are, and the logs of jobs in them. A group that was deleted shows what came later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from driftline.aws.context import Context
from driftline.aws.errors import AwsError
from driftline.aws.sagemaker.executions import execution_of
from driftline.core.errors import ConflictError, InputError, NotFoundError, ServiceError
from driftline.jobs.batch_kinds import log_of
from driftline.jobs.executions import LOG
from driftline.resources.batch_jobs import ENDED, BatchJob
from driftline.resources.executions import FINISHED, Execution
from driftline.sagemaker.definitions import kind_of_monitor
from driftline.sagemaker.executions import LABELLED, analysis_job, beginning_of_id, merge_job
from driftline.sagemaker.names import arn
from driftline.service.job_logs import JobLog

PROCESSING, TRANSFORM = "/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TransformJobs"
_ENDPOINTS = "/aws/sagemaker/Endpoints/"
_DELETED = "deleted-log-group"
_MOST = 10_000
_MOST_RUNS = 1000
"""How many runs a list of streams looks through at most."""


def wrong(message: str) -> AwsError:
    """The error for a parameter whose value cannot be."""
    return AwsError("InvalidParameterException", message)


def group_of(given: dict[str, Any]) -> str:
    """The log group that a request names, by its name or its ARN."""
    named = given.get("logGroupName") or given.get("logGroupIdentifier")
    if named is None:
        raise wrong("Either logGroupName or logGroupIdentifier is required.")
    return str(named).rpartition(":log-group:")[2].removesuffix(":*")


def listing(context: Context) -> list[tuple[str, datetime]]:
    """Every log group and when it began, by name."""
    found = {_ENDPOINTS + endpoint.name: endpoint.created for endpoint in context.service.list_endpoints()}
    for group in (PROCESSING, TRANSFORM):
        began = [job.created for job in _batch_jobs(context, group)]
        began += [run.created for run in context.service.list_runs(limit=_MOST)] if group == PROCESSING else []
        if began:
            found[group] = min(began)
    return [(group, at) for group, at in sorted(found.items()) if _shown(context, group)]


def check(context: Context, group: str) -> None:
    """Raises the service's error for a group that is not there."""
    if not _shown(context, group):
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")


def delete(context: Context, group: str) -> None:
    """Hide what a group has by now: the logs of runs are kept with them."""
    check(context, group)
    document = {"deleted": context.now().isoformat()}
    try:
        context.registry.add(_DELETED, group, document, now=context.now(), tags={})
    except ConflictError:
        context.registry.change(_DELETED, group, now=context.now(), document=document)


def logs(context: Context, group: str, prefix: str = "") -> list[JobLog]:
    """The logs of a group whose streams begin so, by name of job: those with a file.

    With the whole name of a job and a slash they are looked for by that name, also on other nodes.
    """
    job, slash, _ = prefix.partition("/")
    since = _deleted(context, group)
    found = [_log(context, group, job)] if slash else _listed(context, group, prefix)
    return [log for log in found if log is not None and log.path.is_file() and (since is None or log.started > since)]


def log_of_stream(context: Context, group: str, stream: str) -> JobLog:
    """The log that a stream shows."""
    for log in logs(context, group, stream):
        if stream_of(log) == stream:
            return log
    raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")


def stream_of(log: JobLog) -> str:
    """The name of a log's stream: the job, its only machine and when it was asked for."""
    return f"{log.job}/algo-1-{int(log.started.timestamp())}"


def owner_of(context: Context, log: JobLog) -> str:
    """What the log of a monitoring job begins with: its ARN, which our own log of the run cannot know. Nothing of other
    jobs."""
    if beginning_of_id(log.job) is None:
        return ""
    return f"{arn(context.region, context.account, 'processing-job', log.job)}: "


def _log(context: Context, group: str, job: str) -> JobLog | None:
    try:
        return _of_batch_job(context, group, context.service.get_batch_job(job), whole=True)
    except NotFoundError:
        execution = execution_of(context, job) if group == PROCESSING else None
        return None if execution is None else _of_execution(context, job, execution, whole=True)


def _of_batch_job(context: Context, group: str, job: BatchJob, *, whole: bool = False) -> JobLog | None:
    if _group_of_kind(job.kind) != group:
        return None
    path = context.service.job_log(job) if whole else log_of(context.service.layout, job.name)
    return JobLog(job.name, path, job.created, job.status in ENDED)


def _of_execution(context: Context, job: str, execution: Execution, *, whole: bool = False) -> JobLog:
    folder = context.service.layout.data / execution.report
    if whole:
        # Without the store there is still what is here.
        with suppress(ServiceError):
            folder = context.service.report_folder(execution)
    path = folder / LOG
    return JobLog(job, path, execution.created, execution.status in FINISHED)


def _listed(context: Context, group: str, prefix: str) -> list[JobLog | None]:
    found = [_of_batch_job(context, group, job) for job in _batch_jobs(context, group)]
    if group == PROCESSING:
        found += [_of_execution(context, job, execution) for job, execution in _steps(context)]
    logs = [log for log in found if log is not None and log.job.startswith(prefix)]
    return [*sorted(logs, key=lambda log: log.job)]


def _steps(context: Context) -> Iterator[tuple[str, Execution]]:
    """The names of jobs that stand for the steps of runs, of the newest runs."""
    kinds = {schedule.name: kind_of_monitor(schedule.monitor) for schedule in context.service.list_schedules()}
    for run in context.service.list_runs(limit=_MOST_RUNS):
        kind = kinds.get(run.schedule)
        if kind is not None:
            yield analysis_job(kind, run), run
            if kind.type in LABELLED:
                yield merge_job(run), run


def _batch_jobs(context: Context, group: str) -> Iterator[BatchJob]:
    jobs = context.service.list_batch_jobs(limit=_MOST)
    return (job for job in jobs if _group_of_kind(job.kind) == group)


def _group_of_kind(kind: str) -> str:
    return TRANSFORM if kind == "transform" else PROCESSING


def _shown(context: Context, group: str) -> bool:
    newest = _newest(context, group)
    since = _deleted(context, group)
    return newest is not None and (since is None or newest > since)


def _newest(context: Context, group: str) -> datetime | None:
    """When the last thing came of which the group would show a log; None where there is none."""
    if group.startswith(_ENDPOINTS):
        try:
            return context.service.get_endpoint(group.removeprefix(_ENDPOINTS)).created
        except (NotFoundError, InputError):
            return None
    runs = context.service.list_runs(limit=1) if group == PROCESSING else []
    first = next(_batch_jobs(context, group), None)
    return max([run.created for run in runs] + ([first.created] if first else []), default=None)


def _deleted(context: Context, group: str) -> datetime | None:
    try:
        return datetime.fromisoformat(context.registry.get(_DELETED, group).document["deleted"])
    except NotFoundError:
        return None
