"""Whether a service can do its work, part by part."""

from __future__ import annotations

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
