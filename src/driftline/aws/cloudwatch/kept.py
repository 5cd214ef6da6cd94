"""What clients say of alarms that has no counterpart here: descriptions, units, ARNs of actions; and when."""

from __future__ import annotations

from typing import Any

from driftline.aws.context import Context
from driftline.core.errors import ConflictError, NotFoundError
from driftline.resources.registered import Registered
from driftline.storage.types import EPOCH

ALARM, CHANGES = "alarm", "alarm-changes"
_MOST_CHANGES = 100


def keep(context: Context, name: str, document: dict[str, Any], tags: dict[str, str]) -> None:
    """Keep what an alarm was asked for with; ``tags`` only where it is new. An earlier alarm's are forgotten."""
    try:
        context.registry.add(ALARM, name, document, now=context.now(), tags=tags)
    except ConflictError:
        context.registry.change(ALARM, name, now=context.now(), document=document)


def entry(context: Context, name: str) -> Registered:
    """What is kept of an alarm, an empty document for one that was not made by these clients."""
    try:
        return context.registry.get(ALARM, name)
    except NotFoundError:
        return Registered(ALARM, name, {}, EPOCH, EPOCH)


def set_tags(context: Context, name: str, tags: dict[str, str]) -> None:
    """Replace the tags of an alarm."""
    try:
        context.registry.change(ALARM, name, now=context.now(), tags=tags)
    except NotFoundError:
        context.registry.add(ALARM, name, {}, now=context.now(), tags=tags)


def forget(context: Context, name: str) -> None:
    """Forget an alarm's document and tags; its history stays."""
    try:
        context.registry.remove(ALARM, name)
    except NotFoundError:
        return


def note(context: Context, name: str, kind: str, document: dict[str, Any]) -> None:
    """Keep for the history that an alarm's definition was the object of a ``Create``, ``Update`` or ``Delete``."""
    change = {"time": context.now().isoformat(), "type": kind, "alarm": document}
    try:
        before = context.registry.get(CHANGES, name).document["changes"]
        context.registry.change(
            CHANGES, name, now=context.now(), document={"changes": [*before, change][-_MOST_CHANGES:]}
        )
    except NotFoundError:
        context.registry.add(CHANGES, name, {"changes": [change]}, now=context.now(), tags={})


def changes(context: Context, name: str | None) -> list[tuple[str, dict[str, Any]]]:
    """(alarm, change) of one alarm, or of all; oldest first for each."""
    try:
        entries = context.registry.listing(CHANGES) if name is None else [context.registry.get(CHANGES, name)]
    except NotFoundError:
        return []
    return [(found.name, change) for found in entries for change in found.document["changes"]]
