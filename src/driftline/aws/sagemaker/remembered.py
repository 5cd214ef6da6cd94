"""Models, endpoints and their configurations by name, with the errors that the service has for these kinds."""

from __future__ import annotations

from typing import Any

from driftline.aws.context import Context
from driftline.aws.errors import AwsError, validation
from driftline.aws.sagemaker.listing import Entry, page
from driftline.core.errors import ConflictError, NotFoundError
from driftline.resources.registered import Registered
from driftline.sagemaker.names import arn


def add(context: Context, kind: str, name: str, document: dict[str, Any], tags: dict[str, str]) -> Registered:
    """Remember a new name; the service calls one that is taken a validation error."""
    try:
        return context.registry.add(kind, name, document, now=context.now(), tags=tags)
    except ConflictError:
        named = arn(context.region, context.account, kind, name)
        raise validation(f'Cannot create already existing {_spoken(kind)} "{named}".') from None


def find(context: Context, kind: str, name: str) -> Registered:
    """What is remembered of a name."""
    try:
        return context.registry.get(kind, name)
    except NotFoundError:
        raise missing(context, kind, name) from None


def forget(context: Context, kind: str, name: str) -> None:
    """Forget a name."""
    try:
        context.registry.remove(kind, name)
    except NotFoundError:
        raise missing(context, kind, name) from None


def listed(context: Context, kind: str, given: dict[str, Any], prefix: str) -> dict[str, Any]:
    """A page of the names of a kind, in summaries whose members begin so."""
    entries = []
    for entry in context.registry.listing(kind):
        named = {f"{prefix}Name": entry.name, f"{prefix}Arn": arn(context.region, context.account, kind, entry.name)}
        summary = named | {"CreationTime": entry.created}
        entries.append(Entry(entry.name, entry.created, entry.created, "", summary))
    return page(entries, given, f"{prefix}s")


def missing(context: Context, kind: str, name: str) -> AwsError:
    """The error for a name that is not there: of these kinds a validation error."""
    return validation(f'Could not find {_spoken(kind)} "{arn(context.region, context.account, kind, name)}".')


def tags_of(given: dict[str, Any]) -> dict[str, str]:
    """The tags of a request."""
    return {tag["Key"]: tag["Value"] for tag in given.get("Tags") or ()}


def _spoken(kind: str) -> str:
    return kind.replace("endpoint-config", "endpoint configuration")
