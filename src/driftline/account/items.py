"""What is to be made of an account here, one thing at a time."""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.resources.alarms import Alarm


class NewExternal(msgspec.Struct, frozen=True):
    """An endpoint whose model stays where it is; ``capture`` as capture settings are named."""

    capture: dict[str, Any] = {}


class NewScript(msgspec.Struct, frozen=True):
    """A script that a schedule names."""

    code: bytes


class NewBaseline(msgspec.Struct, frozen=True):
    """The documents of a baseline, as they are in their files."""

    constraints: bytes
    statistics: bytes


class NewSchedule(msgspec.Struct, frozen=True):
    """A schedule by the options of ``create_schedule``; ``paused`` is how it is left."""

    options: dict[str, Any]
    paused: bool = False


Made = NewExternal | NewScript | NewBaseline | NewSchedule | Alarm


class Item(msgspec.Struct, frozen=True):
    """One thing of an account. ``made`` is what it becomes here, None where it has no counterpart.

    ``says`` is what would be made, or why nothing is; ``differs`` what will not be as it was. ``owner`` is the schedule
    that this belongs to, and ``needs`` are the (kind, name) of what has to be there before.
    """

    kind: str
    name: str
    says: str
    made: Made | None = None
    differs: tuple[str, ...] = ()
    owner: str | None = None
    needs: tuple[tuple[str, str], ...] = ()
