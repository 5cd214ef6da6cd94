"""Monitoring schedules."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from driftline.aws.context import Context, Operations
from driftline.aws.errors import validation
from driftline.aws.sagemaker import belongings
from driftline.aws.sagemaker.definitions import check_endpoint
from driftline.aws.sagemaker.executions import summaries
from driftline.aws.sagemaker.listing import Entry, page
from driftline.aws.sagemaker.remembered import tags_of
from driftline.aws.sagemaker.watched import KIND, Watched, defined, watched
from driftline.core.errors import ConflictError, DriftlineError, NotFoundError
from driftline.sagemaker.belongings import Belongings
from driftline.sagemaker.definitions import Definition, with_defaults
from driftline.sagemaker.names import arn
from driftline.sagemaker.schedules import attributes, timing

_CONFIG = "MonitoringScheduleConfig"


def create(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """CreateMonitoringSchedule."""
    name, config = given["MonitoringScheduleName"], given[_CONFIG]
    _check_free(context, name)
    definition, _ = defined(context, config)
    check_endpoint(context, definition)
    found = belongings.gathered(context, name, definition)
    when = timing(config, definition, context.now())
    endpoint = _endpoint(context, name, definition)
    try:
        options = _options(context, name, definition, found) | when
        context.service.create_schedule(name, endpoint=endpoint, monitor=definition.kind.monitor, **options)
    except DriftlineError:
        _clear(context, name, definition)
        raise
    document = {_CONFIG: config}
    context.registry.add(KIND, name, document, now=context.now(), tags=tags_of(given))
    return {"MonitoringScheduleArn": _arn(context, name)}


def describe(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DescribeMonitoringSchedule; without a last execution until there is one."""
    found = _watched(context, given)
    recent = summaries(context, {"MonitoringScheduleName": found.schedule.name}, limit=1)
    last = {"LastMonitoringExecutionSummary": recent[0]} if recent else {}
    row = _row(context, found)
    row.pop("MonitoringJobDefinitionName", None)  # which the configuration tells
    return row | {_CONFIG: _config(found)} | last


def listing(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """ListMonitoringSchedules."""
    rows = [_row(context, watched(context, one)) for one in context.service.list_schedules()]
    entries = [
        _entry(row)
        for row in rows
        if all(given.get(condition) in (None, row.get(column)) for condition, column in _CONDITIONS.items())
    ]
    return page(entries, given, "MonitoringScheduleSummaries")


def _entry(row: dict[str, Any]) -> Entry:
    times = row["CreationTime"], row["LastModifiedTime"]
    return Entry(row["MonitoringScheduleName"], *times, row["MonitoringScheduleStatus"], row)


_CONDITIONS = {
    "EndpointName": "EndpointName",
    "MonitoringJobDefinitionName": "MonitoringJobDefinitionName",
    "MonitoringTypeEquals": "MonitoringType",
}


def update(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """UpdateMonitoringSchedule; one that was stopped goes on. All that it points to is read again."""
    found, config = _watched(context, given), given[_CONFIG]
    name = found.schedule.name
    definition, _ = defined(context, config)
    if definition.kind.monitor != found.schedule.monitor:
        raise validation(f"the type of the schedule {name} cannot change: it is {found.definition.kind.type}")
    check_endpoint(context, definition)
    brought = belongings.gathered(context, name, definition)
    changes: dict[str, Any] = timing(config, definition, context.now())
    if changes["cron"] == found.schedule.cron != "NOW":
        del changes["cron"]  # ticks go on as they were
    changes |= _options(context, name, definition, brought)
    changes["endpoint"] = _endpoint(context, name, definition, found.schedule.endpoint)
    context.service.update_schedule(name, **changes)
    context.service.resume_schedule(name)
    if found.definition.batch and not definition.batch:
        belongings.stand_in_removed(context, name)
    belongings.given_up(context, name, baseline=changes["baseline"] is None, scripts=frozenset(brought.scripts))
    _remember(context, found, {_CONFIG: config})
    return {"MonitoringScheduleArn": _arn(context, name)}


def start(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """StartMonitoringSchedule; one of the expression NOW runs once more."""
    found = _watched(context, given)
    context.service.resume_schedule(found.schedule.name)
    _remember(context, found, {})
    return {}


def stop(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """StopMonitoringSchedule; an execution under way goes on."""
    found = _watched(context, given)
    context.service.pause_schedule(found.schedule.name)
    _remember(context, found, {})
    return {}


def delete(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DeleteMonitoringSchedule, with what was kept for it alone."""
    found = _watched(context, given)
    context.service.delete_schedule(found.schedule.name)
    if found.entry is not None:
        context.registry.remove(KIND, found.schedule.name)
    if found.config:  # what no AWS client made has nothing here that is its own
        _clear(context, found.schedule.name, found.definition)
    return {}


def _clear(context: Context, name: str, definition: Definition) -> None:
    belongings.given_up(context, name)
    if definition.batch:
        belongings.stand_in_removed(context, name)


def _endpoint(context: Context, name: str, definition: Definition, current: str | None = None) -> str:
    return belongings.stand_in(context, name, current) if definition.batch else str(definition.endpoint)


def _options(context: Context, name: str, definition: Definition, found: Belongings) -> dict[str, Any]:
    """What both a new and a changed schedule are told; what it brings along is kept first."""
    options: dict[str, Any] = {
        "attributes": attributes(definition, _elsewhere(context, definition)) | found.attributes,
        "baseline": belongings.kept(context, name, found),
        "time_limit": float(definition.seconds),
    }
    return options | ({} if definition.problem_type is None else {"problem_type": definition.problem_type})


def _elsewhere(context: Context, definition: Definition) -> str | None:
    """Where the captures of an endpoint are that this service neither serves nor forwards to."""
    if definition.endpoint is None:
        return None
    endpoint = context.service.get_endpoint(definition.endpoint)
    destination = getattr(endpoint.capture, "destination", "")
    return f"{destination.rstrip('/')}/{endpoint.name}" if endpoint.kind == "external" and destination else None


def _check_free(context: Context, name: str) -> None:
    """Raises :class:`ConflictError` for the name of a schedule; what is remembered of one that was deleted without
    AWS is forgotten."""
    with suppress(NotFoundError):
        context.service.get_schedule(name)
        raise ConflictError(f"the monitoring schedule {name} exists", hint="choose another name, or delete that one")
    with suppress(NotFoundError):
        context.registry.remove(KIND, name)
        belongings.given_up(context, name)


def _watched(context: Context, given: dict[str, Any]) -> Watched:
    return watched(context, context.service.get_schedule(given["MonitoringScheduleName"]))


def _remember(context: Context, found: Watched, changed: dict[str, Any]) -> None:
    if found.entry is not None:
        document = found.entry.document | changed
        context.registry.change(KIND, found.schedule.name, now=context.now(), document=document)
    elif changed:
        context.registry.add(KIND, found.schedule.name, changed, now=context.now(), tags={})


def _row(context: Context, found: Watched) -> dict[str, Any]:
    """What both a description and a list tell of a schedule."""
    schedule, entry, config = found.schedule, found.entry, found.config
    row = {
        "MonitoringScheduleName": schedule.name,
        "MonitoringScheduleArn": _arn(context, schedule.name),
        "CreationTime": schedule.created,
        "LastModifiedTime": schedule.created if entry is None else entry.updated,
        "MonitoringScheduleStatus": "Scheduled" if schedule.state == "active" else "Stopped",
        "MonitoringType": found.definition.kind.type,
    }
    named = {
        "EndpointName": found.definition.endpoint,
        "MonitoringJobDefinitionName": config.get("MonitoringJobDefinitionName"),
    }
    return row | {key: value for key, value in named.items() if value is not None}


def _config(found: Watched) -> dict[str, Any]:
    if not found.config:
        return {
            "ScheduleConfig": {"ScheduleExpression": found.schedule.cron},
            "MonitoringType": found.definition.kind.type,
        }
    config = {"MonitoringType": found.definition.kind.type} | found.config
    if config.get("MonitoringJobDefinition") is not None:
        config["MonitoringJobDefinition"] = with_defaults(config["MonitoringJobDefinition"])
    return config


def _arn(context: Context, name: str) -> str:
    return arn(context.region, context.account, KIND, name)


OPERATIONS: Operations = {
    "CreateMonitoringSchedule": create,
    "DescribeMonitoringSchedule": describe,
    "ListMonitoringSchedules": listing,
    "UpdateMonitoringSchedule": update,
    "StartMonitoringSchedule": start,
    "StopMonitoringSchedule": stop,
    "DeleteMonitoringSchedule": delete,
}
