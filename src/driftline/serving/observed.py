"""An exchange that passes by: its two bodies are gathered without holding either of them up."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from driftline.core.errors import InputError
from driftline.core.records import check_id
from driftline.serving.asgi import text_of
from driftline.serving.capture_records import Exchange, event_id

AWS_ID, OWN_ID = b"x-amzn-sagemaker-inference-id", b"x-inference-id"
ATTRIBUTES = b"x-amzn-sagemaker-custom-attributes"
MOST_BYTES = 6 << 20
_PACKED = {b"gzip", b"x-gzip", b"deflate"}
RawHeaders = Iterable[tuple[bytes, bytes]]


class Body:
    """The chunks of one body, kept up to a number of bytes and forgotten beyond it."""

    __slots__ = ("_chunks", "_left", "too_large", "whole")

    def __init__(self, limit: int) -> None:
        self._chunks: list[bytes] = []
        self._left = limit
        self.whole = self.too_large = False

    def add(self, chunk: bytes, *, more: bool) -> None:
        """The next chunk; ``more`` tells that it is not the last."""
        self._left -= len(chunk)
        if self._left < 0:
            self.too_large = True
            self._chunks.clear()
        elif chunk:
            self._chunks.append(bytes(chunk))
        self.whole = not more

    def data(self) -> bytes:
        """The body so far."""
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)


class Observed:
    """One exchange while it happens. ``limit`` is the most bytes that are kept of either body."""

    __slots__ = ("_answer_headers", "_headers", "_limit", "answered", "asked", "inference_id", "status")

    def __init__(self, headers: RawHeaders, limit: int) -> None:
        self._headers, self._limit = dict(headers), limit
        self._answer_headers: dict[bytes, bytes] = {}
        self.asked, self.answered = Body(limit), Body(limit)
        self.status = 0
        self.inference_id = inference_id_of(self._headers)

    def answer_begins(self, status: int, headers: RawHeaders) -> None:
        """The answer's status and headers, names in lower case."""
        self.status, self._answer_headers = status, dict(headers)

    @property
    def good(self) -> bool:
        """Whether the answer is one of a model: an error is no prediction, and its record would say nothing."""
        return 200 <= self.status < 300

    def exchange(self) -> Exchange | None:
        """What is to be captured; None when a body is too large or is not complete."""
        if not (self.asked.whole and self.answered.whole) or self.asked.too_large or self.answered.too_large:
            return None
        attributes = self._headers.get(ATTRIBUTES)
        return Exchange(
            _unpacked(self.asked.data(), self._headers, self._limit),
            text_of(self._headers.get(b"content-type", b"")),
            _unpacked(self.answered.data(), self._answer_headers, self._limit),
            text_of(self._answer_headers.get(b"content-type", b"")),
            self.inference_id,
            None if attributes is None else text_of(attributes),
        )


def inference_id_of(headers: dict[bytes, bytes]) -> str:
    """The id that the caller gave, or a new one where there is none or none that can be stored."""
    given = headers.get(AWS_ID, headers.get(OWN_ID))
    if given is None:
        return event_id()
    try:
        return check_id(text_of(given))
    except InputError:
        return event_id()


def _unpacked(body: bytes, headers: dict[bytes, bytes], limit: int) -> bytes:
    """A body that was compressed for its way, as it was before; as it is when that cannot be found out."""
    if headers.get(b"content-encoding", b"").strip().lower() not in _PACKED:
        return body
    # 47 reads the header of gzip or of zlib; a limit on the output, so that a small body cannot become a huge one.
    unpacking = zlib.decompressobj(47)
    try:
        plain = unpacking.decompress(body, limit)
    except zlib.error:
        return body
    return plain if unpacking.eof else body
