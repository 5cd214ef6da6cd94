"""A request of an AWS client, whole, and who is behind it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from contextvars import ContextVar

import msgspec

from driftline.aws.errors import AwsError
from driftline.aws.protocol.scalars import unreadable
from driftline.service.door import Visitor
from driftline.serving.asgi import Receive, Scope, read_body

MOST_BYTES = 4 << 20
"""The largest body of an operation, packed or not."""
_CHARSET = re.compile(rb"charset\s*=\s*\"?([^\s;\"]*)", re.IGNORECASE)
_CHARSETS = frozenset({b"utf-8", b"utf8", b"us-ascii"})


class Request(msgspec.Struct, frozen=True):
    """What came over the wire. ``path`` and ``query`` are as the client wrote them; names of headers are small."""

    method: str
    path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: bytes) -> bytes:
        """The first header of a name; empty where there is none."""
        return next((value for known, value in self.headers if known == name), b"")


Authorise = Callable[[Request], Visitor]
"""Verifies a request's signature: whoever signed it, or :class:`AwsError`."""
signed_as: ContextVar[str] = ContextVar("signed_as", default="")
"""The role that the signature of the request at work was verified for; empty where signatures are not looked at."""


async def read_request(scope: Scope, receive: Receive, limit: int = MOST_BYTES) -> Request:
    """The whole request; raises as :func:`driftline.serving.asgi.read_body` does."""
    headers = list(scope["headers"])
    body = await read_body(receive, dict(headers), limit)
    path = scope.get("raw_path") or scope["path"].encode()
    return Request(scope["method"], path, scope["query_string"], headers, body)


def content_of(request: Request) -> bytes:
    """The body, unpacked. Raises ``SerializationException`` for one that is packed or written in another way."""
    charset = _CHARSET.search(request.header(b"content-type"))
    if charset is not None and charset[1].lower() not in _CHARSETS:
        raise unreadable(f"the body is to be UTF-8, not {charset[1].decode('latin-1')[:40]}")
    packing = request.header(b"content-encoding").strip().lower()
    if packing in (b"", b"identity"):
        return request.body
    if packing != b"gzip":
        raise unreadable(f"the body may be packed with gzip, not with {packing.decode('latin-1')[:40]}")
    return _unpacked(request.body)


def _unpacked(body: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        content = unpacking.decompress(body, MOST_BYTES + 1)
    except zlib.error as error:
        raise unreadable(f"the body is not gzip: {error}") from None
    if len(content) > MOST_BYTES:
        raise AwsError("RequestEntityTooLargeException", f"the body is larger than {MOST_BYTES:,} bytes", 413)
    if not unpacking.eof:
        raise unreadable("the body is not gzip: it ends too early")
    return content
