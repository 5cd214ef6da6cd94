"""Whether a store holds what it was given: its mark of the content is compared with our own sum."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from driftline.core.errors import SetupError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

PART = 8 << 20
"""Bytes of a part of an upload; what is smaller is sent at once."""
_SUM = re.compile(r"[0-9a-f]{32}(-\d+)?")


class Sums:
    """The MD5 of a content's parts, from which S3's mark (ETag) of an object is made.

    >>> sums = Sums()
    >>> list(sums.passing([b"hello"])), sums.etag
    ([b'hello'], '5d41402abc4b2a76b9719d911017c592')
    """

    def __init__(self) -> None:
        self.size = 0
        self._parts: list[bytes] = []

    def passing(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """The parts, as they are summed."""
        for part in parts:
            self._parts.append(hashlib.md5(part, usedforsecurity=False).digest())
            self.size += len(part)
            yield part

    @property
    def etag(self) -> str:
        """The mark of an object of these parts: of one part its MD5, of several the MD5 of these and their number."""
        if len(self._parts) < 2:
            return (self._parts or [hashlib.md5(b"", usedforsecurity=False).digest()])[0].hex()
        return f"{hashlib.md5(b''.join(self._parts), usedforsecurity=False).hexdigest()}-{len(self._parts)}"


def is_sum(etag: str | None) -> bool:
    """Whether a mark looks like one made of MD5s; those of Azure, and of some encrypted objects, do not."""
    return etag is not None and _SUM.fullmatch(etag) is not None


def plain(etag: str | None) -> str | None:
    """A mark without its quotes."""
    return None if etag is None else etag.strip('"')


def parts_of(source: BinaryIO, size: int) -> Iterator[bytes]:
    """The first bytes of a file in parts; :class:`SetupError` where it has become shorter meanwhile."""
    source.seek(0)
    left = size
    while left:
        part = source.read(min(PART, left))
        if not part:
            hint = "let nobody shorten files that are being stored"
            raise SetupError(f"{source.name} is shorter than it was", evidence=f"{left} bytes are gone", hint=hint)
        left -= len(part)
        yield part


def stored_parts(store: ObjectStore, key: str, size: int) -> Iterator[bytes]:
    """A stored object, in parts."""
    import obstore

    for start in range(0, size, PART):
        found: Any = obstore.get_range(store, key, start=start, end=min(start + PART, size))
        yield bytes(found)
