"""Whether a service can do its work, part by part."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Check(msgspec.Struct, frozen=True):
    """One part that was looked at. One that is ``ok`` and has a hint works, and needs somebody's eye.

    Nothing here names a path, an address or anything else that is only the operator's business.
    """

    name: str
    ok: bool
    message: str
    hint: str = ""


class Readiness(msgspec.Struct, frozen=True):
    """Whether everything works that must, and each part's state."""

    ready: bool
    checks: tuple[Check, ...]
    degraded_since: datetime | None = None
    """Since when the database is away: endpoints are served and captured as they were known, and nothing else works."""
