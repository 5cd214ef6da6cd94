"""Tags of whatever has an ARN."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from driftline.aws.context import Context, Operations
from driftline.aws.errors import validation
from driftline.aws.sagemaker.remembered import tags_of
from driftline.core.errors import NotFoundError
from driftline.resources.registered import Registered
from driftline.sagemaker.names import parts

_MOST = 50
_SCHEDULE = "monitoring-schedule"


def listing(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """ListTags: all at once, as there are never more than a page of them."""
    return {"Tags": _shown(_entry(context, given["ResourceArn"]).tags)}


def add(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """AddTags; a key that is there gets the new value."""
    entry = _entry(context, given["ResourceArn"])
    tags = entry.tags | tags_of(given)
    if len(tags) > _MOST:
        raise validation(f"{entry.name} would have {len(tags)} tags; there may be {_MOST}")
    _save(context, entry, tags)
    return {"Tags": _shown(tags)}


def delete(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DeleteTags; keys that are not there are no error."""
    entry = _entry(context, given["ResourceArn"])
    _save(context, entry, {key: value for key, value in entry.tags.items() if key not in given["TagKeys"]})
    return {}


def _entry(context: Context, resource: str) -> Registered:
    """What an ARN names, where some kinds are spelled in small letters; a schedule that no AWS client made has no
    tags yet."""
    kind, name = parts(resource)
    with suppress(NotFoundError):
        return context.registry.get(kind, name)
    for entry in context.registry.listing(kind):
        if name == entry.name.lower():
            return entry
    if kind != _SCHEDULE:
        raise NotFoundError(f"there is no {kind} {name}", hint="describe it to see its ARN")
    schedule = context.service.get_schedule(name)
    return context.registry.add(kind, schedule.name, {}, now=context.now(), tags={})


def _save(context: Context, entry: Registered, tags: dict[str, str]) -> None:
    context.registry.change(entry.kind, entry.name, now=context.now(), tags=tags)


def _shown(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


OPERATIONS: Operations = {"ListTags": listing, "AddTags": add, "DeleteTags": delete}
