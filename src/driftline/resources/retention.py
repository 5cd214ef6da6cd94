"""Retention: how long what an endpoint gathers is kept, and what a clean-up took away."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

RetentionKind = Literal["captures", "originals", "labels", "merged", "reports", "executions", "metrics"]


class Retention(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How long each kind of data of an endpoint is kept, as ISO 8601 durations such as ``P30D``.

    What is left out stays as it is, at first for ever; ``forever`` keeps a kind again. ``merged`` is what was measured
    of each hour, which is made again from captures and labels when it is needed. ``originals`` are capture files that
    were compacted: their records stay, in the compacted file of their hour, for as long as ``captures`` says.
    """

    captures: str | None = None
    originals: str | None = None
    labels: str | None = None
    merged: str | None = None
    reports: str | None = None
    executions: str | None = None
    metrics: str | None = None


class Removed(msgspec.Struct, frozen=True):
    """What a clean-up took away of one kind.

    ``before`` is where it stopped, ``held`` whether that is earlier than asked for, because a run, a schedule or an
    alarm still needs what follows. ``rows`` are rows of the store; ``skipped`` names what it did not touch, such as
    symbolic links. ``endpoint`` is None for model files that no endpoint uses.
    """

    endpoint: str | None
    kind: str
    before: datetime
    held: bool = False
    files: int = 0
    bytes: int = 0
    rows: int = 0
    skipped: tuple[str, ...] = ()


class RetentionReport(msgspec.Struct, frozen=True):
    """What a clean-up took away, or with ``dry_run`` would have."""

    dry_run: bool
    removed: tuple[Removed, ...]

    @property
    def files(self) -> int:
        """All files taken away."""
        return sum(one.files for one in self.removed)

    @property
    def bytes(self) -> int:
        """The bytes of all files taken away."""
        return sum(one.bytes for one in self.removed)
