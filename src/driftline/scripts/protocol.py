"""What this process and that of a script say to each other: frames of MessagePack over two pipes."""

from __future__ import annotations

import struct

import msgspec

HEADER = struct.Struct("<4sQ")
MAGIC = b"rows"
PLACE = struct.Struct("<q")
"""Where a script is, in a file that both processes have: the number of its record in the batch, or one of these two."""
LOADING, BETWEEN = -2, -1
TEXT, INTEGER, NUMBER, TRUTH = range(4)
MOST_COLUMNS = 10_000


class Task(msgspec.Struct, frozen=True):
    """A batch to work on: capture records or lines; None once asks for the handler after a run."""

    items: list[bytes] | None
    lines: bool = False


class Failure(msgspec.Struct, frozen=True):
    """Why a script broke: at which item of the batch (None: at none), and the traceback in its own file."""

    what: str
    item: int | None = None
    hint: str = ""
    trace: str = ""
    code: str = "script"


class Part(msgspec.Struct, frozen=True, array_like=True):
    """The values of one key that are of one kind, None in all other rows."""

    name: str
    kind: int
    values: list[str | int | float | bool | None]


class Answer(msgspec.Struct, frozen=True):
    """What a batch became. ``refused`` are items that are no capture record, with the reason."""

    parts: list[Part] = []
    rows: int = 0
    dropped: int = 0
    refused: list[tuple[int, str]] = []
    failure: Failure | None = None


def frame(document: Task | Answer) -> bytes:
    """A document after a mark and its length."""
    body = msgspec.msgpack.encode(document)
    return HEADER.pack(MAGIC, len(body)) + body
