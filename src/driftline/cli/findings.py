"""What ``driftline doctor`` found."""

from __future__ import annotations

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    state: Literal["ok", "warning", "wrong"]
    what: str
    hint: str = ""
