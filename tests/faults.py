"""A TCP proxy that spoils what passes through it: the faults that a network, a store or its keys have in real life.

    with FaultProxy("127.0.0.1", 9000) as proxy:
        proxy.fault = "refuse"   # until it is set to something else; None lets everything pass
        proxy.fail("lost", 2)    # the next two exchanges only

It is a server of its own thread; every exchange (a request and its answer, on a connection that may be kept for more)
meets the fault that is set when its head arrives.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from typing import Any, Literal, NamedTuple, Self, get_args

Fault = Literal[
    "refuse",  # nobody listens at the port, and what was connected is reset
    "reset",  # a request's head arrives, then the connection is reset; the server never hears of it
    "slow",  # bytes trickle, both ways: ``rate`` a second
    "hang",  # the request is taken and nothing is said
    "unavailable",  # 503 SlowDown
    "expired",  # 400 ExpiredToken: keys that were good once
    "denied",  # 403 InvalidAccessKeyId: keys that nobody knows
    "half",  # the first half of the request's body reaches the server, then its end; the client's side is reset
    "corrupt",  # the last byte of the request's body is another one when it reaches the server
    "lost",  # the server does what was asked, but its answer never arrives: the connection is reset instead
    "torn",  # the first half of the answer's body arrives, then the connection is reset
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
_ANSWERS = {
    "unavailable": ("503 Service Unavailable", "SlowDown", "Please reduce your request rate."),
    "expired": ("400 Bad Request", "ExpiredToken", "The provided token has expired."),
    "denied": ("403 Forbidden", "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist."),
}
_PIECE = 64 << 10
_RESET = struct.pack("ii", 1, 0)


class _Head(NamedTuple):
    """The head of a request or an answer, and how many bytes its body has; None where only its end says so."""

    raw: bytes
    length: int | None
    chunked: bool

    @property
    def method(self) -> bytes:
        return self.raw.partition(b" ")[0]


class FaultProxy:
    """A proxy in front of a server of ``host`` and ``port``, at a port of its own as long as the ``with`` lasts.

    ``http=False`` is for servers of other protocols: only ``refuse``, ``reset``, ``slow`` and ``hang`` are for them,
    and a fault meets every piece of bytes that a client sends. ``seen`` counts ``connections``, ``requests``, the
    faults met by their names, and the bytes let through ``up`` to the server and ``down`` to clients. ``log`` has the
    first lines of the requests, ``heads`` all of their lines.
    """

    def __init__(self, host: str, port: int, *, http: bool = True, rate: int = 20_000) -> None:
        self.rate = rate
        self.seen: Counter[str] = Counter()
        self.log: list[str] = []
        self.heads: list[str] = []
        self._there, self._http = (host, port), http
        self._fault: Fault | None = None
        self._times: int | None = None
        self._cut_at: int | None = None
        self._connected: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        # Bound and never listening: the port stays ours while connections to it are refused.
        self._held = _socket(0)
        self.port: int = self._held.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._held.close()

    @property
    def fault(self) -> Fault | None:
        """What exchanges meet from now on."""
        return self._fault

    @fault.setter
    def fault(self, fault: Fault | None) -> None:
        self._do(self._turn(fault, None))

    def fail(self, fault: Fault, times: int = 1) -> None:
        """The next exchanges meet a fault, and those after them none."""
        assert fault != "refuse", "connections are refused until they are not; their number cannot be seen"
        self._do(self._turn(fault, times))

    def after(self, size: int | None) -> None:
        """``half`` and ``torn`` let this many bytes of a body pass, instead of a half of it."""
        self._cut_at = size

    def cut(self) -> None:
        """Reset every connection that there is, whatever is going on."""
        self._do(self._cut())

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _turn(self, fault: Fault | None, times: int | None) -> None:
        assert fault is None or fault in FAULTS, fault
        before, self._fault, self._times = self._fault, fault, times
        if "refuse" in (before, fault) or before == "hang":
            await self._cut()
        if fault == "refuse":
            self._stop_listening()
        elif self._server is None:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, sock=_socket(self.port), limit=1 << 20)

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _close(self) -> None:
        self._stop_listening()
        await self._cut()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _cut(self) -> None:
        for writer in list(self._connected):
            _reset(writer)

    def _met(self) -> Fault | None:
        """The fault that an exchange meets which begins now."""
        fault = self._fault
        if self._times is not None and fault is not None:
            self._times -= 1
            if self._times <= 0:
                self._fault = self._times = None
        if fault is not None:
            self.seen[fault] += 1
        return fault

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.seen["connections"] += 1
        self._connected.add(writer)
        there: asyncio.StreamWriter | None = None
        try:
            source, there = await asyncio.open_connection(*self._there, limit=1 << 20)
            self._connected.add(there)
            if self._http:
                while await self._exchange((reader, writer), (source, there)):
                    pass
            else:
                await self._relayed((reader, writer), (source, there))
        except (OSError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            pass  # the proxy ends
        finally:
            for end in filter(None, (writer, there)):
                self._connected.discard(end)
                end.close()

    async def _exchange(self, client: _Ends, server: _Ends) -> bool:
        """One request and its answer; whether another may follow on the connection."""
        request = await _head(client[0])
        if request is None:
            return False
        self.seen["requests"] += 1
        self.heads.append(request.raw.decode("latin-1"))
        self.log.append(self.heads[-1].partition("\r\n")[0])
        fault = self._met()
        if fault in _ANSWERS:
            await self._answer(fault, request, client)
            return False
        if fault == "hang":
            await asyncio.Event().wait()
        if fault == "reset":
            return _reset(client[1])
        if not await self._ask(fault, request, client, server):
            await _ended(server)
            return _reset(client[1])
        return await self._told(fault, request, client, server)

    async def _ask(self, fault: Fault | None, request: _Head, client: _Ends, server: _Ends) -> bool:
        """Hand a request on; whether all of it."""
        await self._send(server[1], request.raw, "up", fault)
        if b"expect: 100-continue" in request.raw.lower():
            client[1].write(b"HTTP/1.1 100 Continue\r\n\r\n")
        cut = self._half(request.length or 0) if fault == "half" else None
        await self._pass(_body(client[0], request._replace(length=request.length or 0)), server[1], "up", fault, cut)
        return cut is None

    async def _told(self, fault: Fault | None, request: _Head, client: _Ends, server: _Ends) -> bool:
        answer = await _head(server[0])
        while answer is not None and b" 100 " in answer.raw[:16]:
            answer = await _head(server[0])
        if answer is None or fault == "lost":
            return _reset(client[1])
        await self._send(client[1], answer.raw, "down", fault)
        if request.method == b"HEAD" or answer.raw[9:12] in (b"204", b"304"):
            return True
        cut = self._half(answer.length or 2) if fault == "torn" else None
        await self._pass(_body(server[0], answer), client[1], "down", fault, cut)
        return _reset(client[1]) if fault == "torn" else answer.chunked or answer.length is not None

    async def _answer(self, fault: str, request: _Head, client: _Ends) -> None:
        status, code, message = _ANSWERS[fault]
        for _ in range(0, request.length or 0, _PIECE):
            await client[0].read(_PIECE)
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
        body = b"" if request.method == b"HEAD" else text.encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
        client[1].write(f"{head}Connection: close\r\n\r\n".encode() + body)
        await client[1].drain()

    def _half(self, length: int) -> int:
        return length // 2 if self._cut_at is None else min(self._cut_at, length)

    async def _pass(
        self, pieces: AsyncIterator[bytes], target: asyncio.StreamWriter, way: str, fault: str | None, cut: int | None
    ) -> None:
        """A body, or as many bytes of it as ``cut`` says."""
        held = b""  # the last piece is known when another does not follow
        async for piece in pieces:
            await self._send(target, held, way, fault)
            held = piece if cut is None else piece[:cut]
            cut = None if cut is None else cut - len(held)
            if cut == 0:
                break
        if fault == "corrupt" and way == "up" and held:
            held = held[:-1] + bytes([held[-1] ^ 1])
        await self._send(target, held, way, fault)

    async def _send(self, target: asyncio.StreamWriter, data: bytes, way: str, fault: str | None) -> None:
        slow = fault == "slow"
        step = max(1, self.rate // 50) if slow else max(1, len(data))
        for start in range(0, len(data), step):
            target.write(data[start : start + step])
            await target.drain()
            self.seen[way] += len(data[start : start + step])
            if slow:
                await asyncio.sleep(1 / 50)

    async def _relayed(self, client: _Ends, server: _Ends) -> None:
        """Bytes both ways, whatever they mean."""

        async def down() -> None:
            while data := await server[0].read(_PIECE):
                await self._send(client[1], data, "down", self._fault)
            client[1].close()

        answers = asyncio.ensure_future(down())
        try:
            while data := await client[0].read(_PIECE):
                self.seen["requests"] += 1
                fault = self._met()
                if fault == "hang":
                    await asyncio.Event().wait()
                if fault == "reset":
                    _reset(client[1])
                    return
                await self._send(server[1], data, "up", fault)
        finally:
            answers.cancel()


_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _head(reader: asyncio.StreamReader) -> _Head | None:
    """The head that comes next; None at the end of the connection."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        raw = await reader.readuntil(b"\r\n\r\n")
        lines = (line.partition(b":") for line in raw.lower().split(b"\r\n")[1:])
        fields = {name: value.strip() for name, _, value in lines}
        length = fields.get(b"content-length")
        return _Head(raw, None if length is None else int(length), fields.get(b"transfer-encoding") == b"chunked")
    return None


async def _body(reader: asyncio.StreamReader, head: _Head) -> AsyncIterator[bytes]:
    """The bytes of a body as they are on the wire."""
    if head.chunked:
        size = 1
        while size:
            line = await reader.readuntil(b"\r\n")
            size = int(line.partition(b";")[0], 16)
            yield line + await reader.readexactly(size + 2)
        return
    left = head.length
    while left is None or left > 0:
        piece = await reader.read(_PIECE if left is None else min(left, _PIECE))
        if not piece and left is not None:
            raise asyncio.IncompleteReadError(piece, left)
        if not piece:
            return
        left = None if left is None else left - len(piece)
        yield piece


async def _ended(server: _Ends) -> None:
    """Let a server see the end of a request, and do what it does then."""
    server[1].write_eof()
    with suppress(asyncio.TimeoutError, OSError):
        await asyncio.wait_for(server[0].read(), 1)


def _reset(writer: asyncio.StreamWriter) -> bool:
    """End a connection with a TCP reset; nothing may follow on it."""
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
    return False


def _socket(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made
