"""The form of a compacted file: its name, its columns, and the originals that it holds.

It stands in the folder of its hour beside the originals. Its rows are their lines, in the order of their names. Each
has ``file``, ``number`` (the line's in its file), ``place`` (its number among the lines that are not blank, NULL for
one that is), ``line`` (its bytes with the line end), and the fields that readers ask for, as DuckDB reads them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import msgspec
import pyarrow as pa

from driftline.core.errors import InputError

FORMAT = 1
ORIGINALS = b"driftline.originals"
"""Where the footer's metadata names the originals."""
FIELDS = {
    "output": 'captureData.endpointOutput."data"',
    "output_encoding": 'captureData.endpointOutput."encoding"',
    "input": 'captureData.endpointInput."data"',
    "input_encoding": 'captureData.endpointInput."encoding"',
    "event_id": "eventMetadata.eventId",
    "inference_id": "eventMetadata.inferenceId",
    "moment": "moment_of(eventMetadata.inferenceTime)",
}
"""The columns of what is read of a record, and what they are of it; ``moment`` is its time in UTC."""
SCHEMA = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("place", pa.int64()),
        pa.field("line", pa.binary(), nullable=False),
        *(pa.field(name, pa.timestamp("us") if name == "moment" else pa.string()) for name in FIELDS),
    ]
)
_NAME = re.compile(r"compacted-[0-9a-f]{32}\.parquet")


class Original(msgspec.Struct, frozen=True, array_like=True):
    """A file that was compacted: its name, its bytes, its lines that are not blank, and whether the last of them is a
    half one."""

    name: str
    size: int
    records: int
    half: bool = False


class _Footer(msgspec.Struct, frozen=True):
    format: int
    originals: tuple[Original, ...]


def is_compacted(name: str) -> bool:
    """Whether a file's name is that of a compacted file.

    >>> is_compacted("compacted-00112233445566778899aabbccddeeff.parquet"), is_compacted("compacted.parquet")
    (True, False)
    """
    return _NAME.fullmatch(name) is not None


def name_of(originals: Iterable[Original]) -> str:
    """The name of the compacted file of these originals: the same whoever makes it."""
    told = msgspec.json.encode([FORMAT, sorted((one.name, one.size) for one in originals)])
    return f"compacted-{hashlib.blake2b(told, digest_size=16).hexdigest()}.parquet"


def footer_of(originals: Iterable[Original]) -> dict[bytes, bytes]:
    """The metadata of a footer that names these originals."""
    return {ORIGINALS: msgspec.json.encode(_Footer(FORMAT, tuple(originals)))}


def originals_of(path: str | Path) -> tuple[Original, ...]:
    """The originals that a compacted file holds, by name. Raises :class:`InputError` where it is none or broken."""
    try:
        status = Path(path).stat()
        return _originals(str(path), status.st_mtime_ns, status.st_size)
    except (OSError, pa.ArrowInvalid, msgspec.DecodeError, KeyError) as error:
        raise InputError(
            f"the compacted captures {path} cannot be read",
            evidence=f"{type(error).__name__}: {error}"[:300],
            hint="remove that file if its originals still stand beside it; else bring it back from a copy",
        ) from None


@lru_cache(maxsize=1024)
def _originals(path: str, changed: int, size: int) -> tuple[Original, ...]:
    from pyarrow.parquet import read_metadata

    footer = msgspec.json.decode(read_metadata(path).metadata[ORIGINALS], type=_Footer)
    if footer.format != FORMAT:
        raise InputError(
            f"the compacted captures {path} are of a newer form",
            evidence=f"format {footer.format}; this version reads {FORMAT}",
            hint="read them with the version of driftline that wrote them, or a newer one",
        )
    return footer.originals
