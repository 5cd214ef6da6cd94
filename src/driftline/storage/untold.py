"""What a process could not tell the database before it ended, in a file, for the next process of its folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TypeVar
from uuid import uuid4

import msgspec

from driftline.core.errors import SetupError
from driftline.storage.files import write_atomic
from driftline.storage.layout import Layout

_log = logging.getLogger(__name__)
_Kind = TypeVar("_Kind")


def keep(layout: Layout, untold: object) -> None:
    """Write it down. On a full disk it is lost, and that is said."""
    try:
        write_atomic(layout.untold / f"{uuid4().hex}.json", msgspec.json.encode(untold))
    except SetupError as error:
        _log.error("what the database was not told is lost: %s", error)


def take(layout: Layout, kind: type[_Kind]) -> Iterator[_Kind]:
    """What was written down, each by one process only, and gone from the disk before it is given: counts that are
    added twice would be wrong, and nobody would see it."""
    for path in sorted(layout.untold.glob("*.json")):
        ours = path.with_suffix(f".{uuid4().hex}.taken")
        try:
            path.rename(ours)
            found = msgspec.json.decode(ours.read_bytes(), type=kind)
            ours.unlink()
        except FileNotFoundError:
            continue  # another process was quicker
        except (OSError, msgspec.MsgspecError) as error:
            _log.error("what an earlier process did not tell the database cannot be read: %s: %s", path, error)
            continue
        yield found
