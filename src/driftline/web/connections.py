"""Connections with limits: how much a head may hold, how long a request may take to arrive, how many at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from driftline.serving.asgi import Receive, Scope, Send, respond

MOST_HEAD_BYTES = 64 << 10
"""Bytes of a request's line and headers."""
MOST_REQUESTS = 1000
"""Requests that one process works on at a time; the next one is told to come back."""
HEAD_SECONDS = 15.0
"""The time in which a head has to arrive whole."""
BODY_SECONDS, LEAST_RATE = 30.0, 1024.0
"""In every so many seconds a body has to come at so many bytes a second, on average."""
_TOO_LARGE = b'{"code":"too_large","message":"the headers are larger than 64 KiB","evidence":"","hint":"send fewer"}'
_BUSY = msgspec.json.encode(
    {
        "code": "busy",
        "message": "the service works on as many requests as it can",
        "evidence": f"{MOST_REQUESTS} in one process",
        "hint": "send it again in a second, or start more web processes: driftline serve --workers N",
    }
)


async def busy(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells the client to come back."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(_BUSY)),
        (b"retry-after", b"1"),
        (b"connection", b"close"),
    ]
    await respond(send, 503, headers, _BUSY)


class Connection(HttpToolsProtocol):
    """One connection of a client, held to the limits above. :func:`end_slow` has to be called now and then."""

    most_requests = MOST_REQUESTS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._came = self._head_from = 0
        self._in_head = True
        self._large = False
        # When the request under way began to arrive, as the looks of ``end_slow`` see it, and what had come by then.
        self._seen: tuple[object, float, int] = (None, 0.0, 0)

    def data_received(self, data: bytes) -> None:
        """Count what comes; a head that does not end is refused."""
        self._came += len(data)
        super().data_received(data)
        if self._in_head and self._came - self._head_from > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse_head()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is whole; where it is not too large, and there is room, the request is answered."""
        self._in_head = False
        if self._came - self._head_from > MOST_HEAD_BYTES and self._head() > MOST_HEAD_BYTES:
            self._large = True
            raise ValueError("the head is too large")
        self._head_from = self._came
        if len(self.tasks) < self.most_requests:
            super().on_headers_complete()
            return
        app, self.app = self.app, busy
        try:
            super().on_headers_complete()
        finally:
            self.app = app

    def on_message_complete(self) -> None:
        """What comes now belongs to the next request."""
        self._head_from = self._came
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Tell what is wrong with a request that cannot be read."""
        if self._large:
            self._refuse_head()
        elif not self.transport.is_closing():
            super().send_400_response(msg)

    def slow(self, now: float) -> bool:
        """Whether the request under way takes longer to arrive than it may."""
        reading = self.cycle is not None and not self.cycle.response_complete and self.cycle.more_body
        waits = self.cycle is None or (self.cycle.response_complete and self._in_head)
        if not reading and not waits:
            self._seen = (None, now, self._came)
            return False
        what: object = self.cycle if reading else "head"
        if self._seen[0] is not what:
            self._seen = (what, now, self._came)
            return False
        lasted = now - self._seen[1]
        if not reading:
            return lasted > HEAD_SECONDS
        if lasted <= BODY_SECONDS:
            return False
        if self._came - self._seen[2] >= lasted * LEAST_RATE:
            self._seen = (what, now, self._came)
            return False
        # What has come and was not taken yet means that the client waits for us.
        return not self.cycle.body

    def _head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _refuse_head(self) -> None:
        answer = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
        self.transport.write(answer + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(_TOO_LARGE) + _TOO_LARGE)
        self.transport.close()


def end_slow(connections: set[Any], now: float | None = None) -> int:
    """Close the connections whose request does not arrive in time; how many there were."""
    moment = asyncio.get_running_loop().time() if now is None else now
    late = [one for one in connections if isinstance(one, Connection) and one.slow(moment)]
    for connection in late:
        connection.transport.close()
    return len(late)
