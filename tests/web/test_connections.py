"""Limits of a connection: the size of a head, the time a request takes to arrive, how many are worked on."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from driftline.web import connections
from driftline.web.connections import Connection, end_slow

Serve = Callable[[Any], Any]


class Slow:
    """Reads the body, says that it did, and answers when it is let go."""

    def __init__(self) -> None:
        self.go, self.came = threading.Event(), threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        message = await receive()
        while message.get("more_body"):
            self.came.set()
            message = await receive()
        self.came.set()
        if message["type"] == "http.request":
            await asyncio.to_thread(self.go.wait)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def slow(serve: Serve) -> Iterator[tuple[Slow, str, Any]]:
    app = Slow()
    with serve(app) as (url, server):
        yield app, url, server
        app.go.set()


def connected(url: str) -> socket.socket:
    place = urlsplit(url)
    return socket.create_connection((place.hostname, place.port), timeout=20)


def whole(connection: socket.socket) -> bytes:
    """Everything that comes until the other side closes."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("size", [40_000, 70_000, 300_000])
@pytest.mark.parametrize("pieces", [1, 7])
def test_a_head_has_a_size(slow: tuple[Slow, str, Any], size: int, pieces: int) -> None:
    app, url, _ = slow
    app.go.set()
    head = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + b"x-a: " + b"y" * size + b"\r\n\r\n"
    step = len(head) // pieces + 1
    with connected(url) as connection:
        try:
            for at in range(0, len(head), step):
                connection.sendall(head[at : at + step])
            answer = whole(connection)
        except ConnectionError:
            assert size > 65_536
            return
    assert answer.startswith(b"HTTP/1.1 200" if size < 65_536 else b"HTTP/1.1 431"), answer[:80]
    if size > 65_536:
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "too_large"


def test_a_body_is_no_head(slow: tuple[Slow, str, Any]) -> None:
    app, url, _ = slow
    app.go.set()
    with httpx.Client(base_url=url, trust_env=False) as client:
        for size in (10, 200_000, 3_000_000, 10):
            assert client.post("/", content=bytes(size)).status_code == 200


def test_what_is_no_http_is_400(slow: tuple[Slow, str, Any]) -> None:
    with connected(slow[1]) as connection:
        connection.sendall(b"hello there\r\n\r\n")
        assert whole(connection).startswith(b"HTTP/1.1 400")


def test_one_request_too_many_is_told_to_come_back(
    slow: tuple[Slow, str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, url, _ = slow
    monkeypatch.setattr(Connection, "most_requests", 1)
    answers: list[httpx.Response] = []
    first = threading.Thread(target=lambda: answers.append(httpx.get(url, trust_env=False)))
    first.start()
    assert app.came.wait(20)
    refused = httpx.get(url, trust_env=False)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["code"] == "busy"
    assert "--workers" in refused.json()["hint"]
    app.go.set()
    first.join()
    assert answers[0].status_code == 200


def is_over(connection: socket.socket) -> bool:
    """Whether the other side has ended it; with bytes that nobody read that is a reset."""
    try:
        return connection.recv(10) == b""
    except ConnectionResetError:
        return True


def ended(server: Any, *moments: float) -> int:
    """How many connections are closed when the server looks at these moments."""
    return sum(end_slow(server.server_state.connections, moment) for moment in moments)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nhost:"], ids=["nothing", "half a head"])
def test_a_head_that_does_not_end_ends_the_connection(slow: tuple[Slow, str, Any], sent: bytes) -> None:
    _, url, server = slow
    with connected(url) as connection:
        connection.sendall(sent)
        while not server.server_state.connections:
            pass
        assert ended(server, 0.0, connections.HEAD_SECONDS - 1) == 0
        assert ended(server, connections.HEAD_SECONDS + 1) == 1
        assert is_over(connection)


def test_a_body_that_stops_ends_the_connection(slow: tuple[Slow, str, Any]) -> None:
    app, url, server = slow
    with connected(url) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 500000\r\n\r\n" + bytes(100))
        assert app.came.wait(20)
        assert ended(server, 0.0, connections.BODY_SECONDS - 1) == 0
        assert ended(server, connections.BODY_SECONDS + 1) == 1
        assert is_over(connection)


def test_a_body_that_goes_on_may_take_long(slow: tuple[Slow, str, Any]) -> None:
    app, url, server = slow
    size = int(connections.LEAST_RATE * connections.BODY_SECONDS * 2)
    with connected(url) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\nx" % (2 * size)
        )
        assert app.came.wait(20)
        [protocol] = server.server_state.connections
        assert ended(server, 0.0) == 0
        connection.sendall(bytes(size))
        while protocol._came < size:
            pass
        assert ended(server, connections.BODY_SECONDS + 1) == 0
        connection.sendall(bytes(size - 1))
        while protocol._came < 2 * size:
            pass
        # The answer takes its time, which is no fault of the client's.
        assert ended(server, *(connections.BODY_SECONDS * step for step in range(2, 9))) == 0
        app.go.set()
        assert whole(connection).startswith(b"HTTP/1.1 200")
