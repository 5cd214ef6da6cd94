"""Bodies of uploads: what is in them without the framing of some clients, compared with their checksums."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import AsyncIterator

from driftline.aws.errors import AwsError

_MOST_LINE = 8192


async def checked(pieces: AsyncIterator[bytes], sha256: str) -> AsyncIterator[bytes]:
    """The pieces of a body whose hash was told in 64 hexadecimal digits.

    The last piece is given only when the hash is right, so that whoever stores the body never takes a wrong one.
    """
    digest, held = hashlib.sha256(), b""
    async for piece in pieces:
        digest.update(piece)
        if held:
            yield held
        held = piece
    if digest.hexdigest() != sha256.lower():
        raise AwsError("XAmzContentSHA256Mismatch", "the body is not what x-amz-content-sha256 tells", 400)
    if held:
        yield held


async def unframed(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What is in a body in ``aws-chunked`` framing. A CRC32 at its end is compared before the last piece is given."""
    source, held, crc = _Buffered(pieces), b"", 0
    while size := _size(await source.line()):
        left = size
        while left:
            piece = await source.some(left)
            left -= len(piece)
            crc = zlib.crc32(piece, crc)
            if held:
                yield held
            held = piece
        if await source.line():
            raise _broken("a chunk is longer than it says")
    while line := await source.line():
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"x-amz-checksum-crc32" and value.strip() != base64.b64encode(crc.to_bytes(4)):
            raise AwsError("BadDigest", "the body is not what its checksum x-amz-checksum-crc32 tells", 400)
    if held:
        yield held


def _size(line: bytes) -> int:
    """The length of a chunk, in bytes."""
    text = line.partition(b";")[0].strip()
    try:
        if len(text) > 12:
            raise ValueError(text)
        return int(text, 16)
    except ValueError:
        raise _broken("the length of a chunk cannot be read") from None


def _broken(what: str) -> AwsError:
    return AwsError("IncompleteBody", f"the body is not in the framing aws-chunked: {what}", 400)


class _Buffered:
    """Pieces of bytes, read by line or by length. A body may end without the empty line that closes its trailer."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    async def line(self) -> bytes:
        while b"\n" not in self._left:
            if len(self._left) > _MOST_LINE:
                raise _broken("a line is too long")
            if not await self._more():
                line, self._left = self._left, b""
                return line.rstrip(b"\r")
        line, _, self._left = self._left.partition(b"\n")
        return line.rstrip(b"\r")

    async def some(self, most: int) -> bytes:
        """Up to ``most`` bytes, at least one."""
        if not self._left and not await self._more():
            raise _broken("it ends within a chunk")
        piece, self._left = self._left[:most], self._left[most:]
        return piece

    async def _more(self) -> bool:
        async for piece in self._pieces:
            if piece:
                self._left += piece
                return True
        return False
