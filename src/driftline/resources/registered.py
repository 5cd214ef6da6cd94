"""What a name of another system stands for here: the document it was made with, and its tags."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Registered(msgspec.Struct, frozen=True):
    """A resource that another system's clients named. ``document`` is what they asked for, as they asked.

    ``kind`` is a word such as ``endpoint-config``; a name is unique among its kind.
    """

    kind: str
    name: str
    document: dict[str, Any]
    created: datetime
    updated: datetime
    tags: dict[str, str] = {}
