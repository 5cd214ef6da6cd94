"""Captures that come from elsewhere: what became of events that were sent and of files that were imported."""

from __future__ import annotations

import msgspec


class EventReceipt(msgspec.Struct, frozen=True):
    """How many events were taken, how many exchanges they completed, and how many of them were known already.

    An event that is neither waits for its other side.
    """

    accepted: int
    paired: int = 0
    repeated: int = 0


class ImportReceipt(msgspec.Struct, frozen=True):
    """What became of the lines of an import.

    ``records`` were stored in ``files`` new files; ``repeated`` were there before, from an earlier import of the same
    content; ``refused`` could not be used, and ``samples`` shows up to three of them with their line and the reason.
    """

    records: int = 0
    files: int = 0
    repeated: int = 0
    refused: int = 0
    samples: tuple[str, ...] = ()
