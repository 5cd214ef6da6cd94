"""Job definitions of the four types of monitoring, remembered by name."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from driftline.aws.context import Context, Operations
from driftline.aws.errors import validation
from driftline.aws.sagemaker.listing import Entry, page
from driftline.aws.sagemaker.remembered import tags_of
from driftline.core.errors import ConflictError, InputError, NotFoundError
from driftline.sagemaker.belongings import results_of, written_to
from driftline.sagemaker.definitions import KINDS, Definition, Kind, read_definition, with_defaults
from driftline.sagemaker.names import arn
from driftline.sagemaker.schedules import schedule_kind

_RESOURCES = {"constraints": "ConstraintsResource", "statistics": "StatisticsResource"}
SCHEDULE, PROCESSING = "monitoring-schedule", "processing-job"


def create(kind: Kind, context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Create…JobDefinition."""
    name = given["JobDefinitionName"]
    check_endpoint(context, read_definition(kind, given))
    document = _resolved(kind, context, {key: value for key, value in given.items() if key != "Tags"})
    context.registry.add(kind.registered, name, document, now=context.now(), tags=tags_of(given))
    return {"JobDefinitionArn": arn(context.region, context.account, kind.registered, name)}


def _resolved(kind: Kind, context: Context, document: dict[str, Any]) -> dict[str, Any]:
    """A definition that names the job of its baseline, with the files that this job writes: so it is told again."""
    part = f"{kind.type}BaselineConfig"
    config = document.get(part) or {}
    job = config.get("BaseliningJobName")
    if job is None:
        return document
    with suppress(NotFoundError, InputError):
        results = results_of(job, context.registry.get(PROCESSING, job).document)
        files = {_RESOURCES[name]: {"S3Uri": uri} for name, uri in written_to(results, kind).items()}
        if kind.type != "DataQuality":  # the others' definitions name no statistics
            files.pop("StatisticsResource", None)
        return document | {part: files | config}
    return document


def describe(kind: Kind, context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Describe…JobDefinition."""
    entry = context.registry.get(kind.registered, given["JobDefinitionName"])
    return with_defaults(entry.document) | {
        "JobDefinitionArn": arn(context.region, context.account, kind.registered, entry.name),
        "CreationTime": entry.created,
    }


def delete(kind: Kind, context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Delete…JobDefinition; refused while a schedule goes by it."""
    name = given["JobDefinitionName"]
    context.registry.get(kind.registered, name)
    users = [entry.name for entry in context.registry.listing(SCHEDULE) if _goes_by(entry.document, kind, name)]
    if users:
        hint = "delete those schedules first"
        raise ConflictError(f"the job definition {name} is in use", evidence=", ".join(users)[:200], hint=hint)
    context.registry.remove(kind.registered, name)
    return {}


def listing(kind: Kind, context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """List…JobDefinitions."""
    found = []
    for entry in context.registry.listing(kind.registered):
        row = {
            "MonitoringJobDefinitionName": entry.name,
            "MonitoringJobDefinitionArn": arn(context.region, context.account, kind.registered, entry.name),
            "CreationTime": entry.created,
            "EndpointName": read_definition(kind, entry.document).endpoint or "",
        }
        if given.get("EndpointName") in (None, row["EndpointName"]):
            found.append(Entry(entry.name, entry.created, entry.updated, "", row))
    return page(found, given, "JobDefinitionSummaries")


def check_endpoint(context: Context, definition: Definition) -> None:
    """Raises the service's error for a definition whose endpoint is not there."""
    if definition.endpoint is None:
        return
    try:
        context.service.get_endpoint(definition.endpoint)
    except NotFoundError:
        raise validation(f'Could not find endpoint "{definition.endpoint}".') from None


def _goes_by(document: dict[str, Any], kind: Kind, name: str) -> bool:
    config = document.get("MonitoringScheduleConfig") or {}
    return config.get("MonitoringJobDefinitionName") == name and schedule_kind(config) == kind


def _operations() -> Operations:
    found: Operations = {}
    for kind in KINDS.values():
        found[f"Create{kind.type}JobDefinition"] = partial(create, kind)
        found[f"Describe{kind.type}JobDefinition"] = partial(describe, kind)
        found[f"Delete{kind.type}JobDefinition"] = partial(delete, kind)
        found[f"List{kind.type}JobDefinitions"] = partial(listing, kind)
    return found


OPERATIONS: Operations = _operations()
