"""Where captures of batch transforms are, and where their records are made."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from driftline.resources.baseline_jobs import TableFormat


class TransformSource(msgspec.Struct, frozen=True):
    """Where a schedule's captures come from: a capture's destination, how its files are read, and which side.

    ``data`` is the data folder, to which buckets may belong.
    """

    uri: str
    format: TableFormat
    side: Literal["input", "output"]
    data: str

    @property
    def folder(self) -> Path:
        """The folder of what is kept of these captures: of records in ``captures/AllTraffic/yyyy/mm/dd/hh/``."""
        named = hashlib.blake2b(msgspec.json.encode([self.uri, self.format, self.side]), digest_size=12).hexdigest()
        return Path(self.data) / "cache" / "transform" / named
