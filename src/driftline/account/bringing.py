"""A plan, carried out: what is there already is left alone, and a failure does not stop the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from driftline.account.items import Item
from driftline.account.targets import Target
from driftline.core.errors import AccessError, DriftlineError

Outcome = Literal["planned", "made", "exists", "failed", "no counterpart"]


class Brought(msgspec.Struct, frozen=True):
    """What became of an item. ``says`` is what it is here, or why it is not."""

    kind: str
    name: str
    outcome: Outcome
    says: str
    differs: tuple[str, ...] = ()


def planned(items: Sequence[Item]) -> list[Brought]:
    """What would become of items where nothing is yet."""
    return [_told(item, "no counterpart" if item.made is None else "planned") for item in items]


def bring(items: Sequence[Item], target: Target) -> list[Brought]:
    """Make the items of a plan in a service, in their order. Raises :class:`AccessError` where nobody may."""
    found: list[Brought] = []
    failed: set[tuple[str, str]] = set()
    for item in items:
        outcome = _brought(item, target, failed)
        if outcome.outcome == "failed":
            failed.add((item.kind, item.name))
        found.append(outcome)
    return found


def _brought(item: Item, target: Target, failed: set[tuple[str, str]]) -> Brought:
    if item.made is None:
        return _told(item, "no counterpart")
    lacking = [f"{kind} {name}" for kind, name in item.needs if (kind, name) in failed]
    try:
        # What belongs to a schedule that is there was brought with it, or is as somebody here wanted it.
        if target.has(item.kind, item.name) or (item.owner is not None and target.has("schedule", item.owner)):
            return _told(item, "exists")
        if lacking:
            return _told(item, "failed", f"it needs {', '.join(lacking)}")
        target.make(item.name, item.made)
    except AccessError:
        raise  # whoever is not known is not known for the next item either
    except DriftlineError as error:
        return _told(item, "failed", ". ".join(part for part in (error.what, error.evidence, error.hint) if part))
    return _told(item, "made")


def _told(item: Item, outcome: Outcome, says: str = "") -> Brought:
    differs = () if outcome in ("exists", "failed") else item.differs
    return Brought(item.kind, item.name, outcome, says or item.says, differs)
