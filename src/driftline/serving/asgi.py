"""The few ASGI shapes that the invocation path needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar

import msgspec

from driftline.core.errors import AwayError, DriftlineError, InputError, TooLargeError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


Away = Callable[[], AwayError | None]
"""Why the database is not asked now; None while it answers."""
_Found = TypeVar("_Found")
_LOOK_SECONDS = 0.1


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


async def read_body(receive: Receive, headers: dict[bytes, bytes], limit: int) -> bytes:
    """The whole body of a request.

    Raises :class:`TooLargeError` beyond ``limit`` bytes, :class:`ClientGoneError` when the client went away.
    """
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length[:19]) > limit:
        raise _too_large(limit)
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGoneError
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return _checked(body, limit)
    chunks, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise _too_large(limit)
    return b"".join(chunks)


def _checked(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> InputError:
    return TooLargeError(f"the body is larger than {limit:,} bytes", hint="send the rows in several requests")


def text_of(header: bytes) -> str:
    """A header's value: UTF-8 as clients send it, Latin-1 as the standard has it."""
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")


async def unless_away(task: asyncio.Task[_Found], away: Away) -> _Found:
    """What a task finds out that asks the database; raises why not, as soon as the database is held to be away.

    The task goes on, for others who wait for it; so it does when a client that waited goes away.
    """
    while not task.done():
        if (why := away()) is not None:
            raise AwayError(why.what, evidence=why.evidence, hint=why.hint, since=why.since)
        await asyncio.wait({task}, timeout=_LOOK_SECONDS)
    return task.result()


async def respond(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Sends a complete response."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def respond_error(send: Send, error: DriftlineError) -> None:
    """Sends an error as the JSON object of :meth:`DriftlineError.as_dict`."""
    body = msgspec.json.encode(error.as_dict())
    headers: Headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if error.http_status == 405:
        headers.append((b"allow", b"POST"))
    if error.http_status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="driftline"'))
    if error.http_status == 429:
        headers.append((b"retry-after", b"60"))
    if error.http_status == 413:
        # The rest of the body is not wanted, and a connection cannot be used again before it was read.
        headers.append((b"connection", b"close"))
    await respond(send, error.http_status, headers, body)
