"""The proxy of the tests itself: every fault does what its name says, and none what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.faults import FaultProxy


class Kept(BaseHTTPRequestHandler):
    """Keeps what is put, and gives it back."""

    protocol_version = "HTTP/1.1"
    kept: bytes = b""
    begun = 0

    def do_PUT(self) -> None:
        type(self).begun += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) == int(self.headers["Content-Length"]):
            type(self).kept = body
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(self.kept)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is told."""


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    Kept.kept, Kept.begun = b"", 0

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """A client that goes is what is tested."""

    with Server(("127.0.0.1", 0), Kept) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        with FaultProxy("127.0.0.1", server.server_port) as made:
            yield made
        server.shutdown()
        thread.join(5)


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.url, timeout=2) as made:
        yield made


def test_without_a_fault_everything_passes(proxy: FaultProxy, client: httpx.Client) -> None:
    body = bytes(range(256)) * 1000
    assert client.put("/a", content=body).status_code == 200
    assert client.get("/a").content == body
    assert proxy.seen["connections"] == 1
    assert proxy.seen["requests"] == 2
    assert proxy.log == ["PUT /a HTTP/1.1", "GET /a HTTP/1.1"]


def test_connections_are_refused_and_taken_again_at_the_same_port(proxy: FaultProxy, client: httpx.Client) -> None:
    client.put("/a", content=b"1")
    proxy.fault = "refuse"
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            client.get("/a")
    with httpx.Client(base_url=proxy.url) as another, pytest.raises(httpx.ConnectError, match="refused"):
        another.get("/a")
    proxy.fault = None
    assert client.get("/a").content == b"1"


@pytest.mark.parametrize(("fault", "begun", "kept"), [("reset", 0, b""), ("half", 1, b""), ("lost", 1, b"12345678")])
def test_a_write_that_breaks_off(proxy: FaultProxy, client: httpx.Client, fault: Any, begun: int, kept: bytes) -> None:
    proxy.fail(fault)
    with pytest.raises(httpx.TransportError):
        client.put("/a", content=b"12345678")
    assert (Kept.begun, Kept.kept, proxy.seen[fault], proxy.fault) == (begun, kept, 1, None)
    client.put("/a", content=b"again")
    assert Kept.kept == b"again"


def test_a_read_that_breaks_off(proxy: FaultProxy, client: httpx.Client) -> None:
    client.put("/a", content=b"12345678")
    proxy.fault = "torn"
    proxy.after(3)
    got = b""
    with pytest.raises(httpx.ReadError), client.stream("GET", "/a") as answer:  # noqa: PT012
        for piece in answer.iter_raw():
            got += piece
    assert got == b"123"


def test_bytes_that_change_on_the_way(proxy: FaultProxy, client: httpx.Client) -> None:
    proxy.fault = "corrupt"
    client.put("/a", content=b"12")
    assert Kept.kept == b"13"


def test_answers_of_a_store_that_does_not_want(proxy: FaultProxy, client: httpx.Client) -> None:
    for fault, status, code in (("unavailable", 503, "SlowDown"), ("expired", 400, "ExpiredToken")):
        proxy.fail(fault, 2)  # type: ignore[arg-type]
        answer = client.put("/a", content=b"1" * 100_000)
        assert (answer.status_code, code in answer.text) == (status, True)
        assert (client.head("/a").status_code, Kept.begun) == (status, 0)


def test_a_server_that_says_nothing_ends_when_the_fault_does(proxy: FaultProxy, client: httpx.Client) -> None:
    proxy.fault = "hang"
    with pytest.raises(httpx.ReadTimeout):
        client.get("/a", timeout=0.1)
    proxy.fault = None
    assert client.get("/a").status_code == 200


def test_bytes_trickle(proxy: FaultProxy, client: httpx.Client) -> None:
    client.put("/a", content=bytes(10_000))
    proxy.fault = "slow"
    with pytest.raises(httpx.ReadTimeout):
        client.get("/a", timeout=0.001)
    proxy.rate = 100_000
    assert client.get("/a").elapsed.total_seconds() > 0.08


def test_other_protocols_are_relayed(proxy: FaultProxy) -> None:
    with FaultProxy("127.0.0.1", proxy.port, http=False) as raw, httpx.Client(base_url=raw.url, timeout=2) as client:
        client.put("/a", content=b"1")
        assert client.get("/a").content == b"1"
        raw.fault = "reset"
        with pytest.raises(httpx.TransportError):
            client.get("/a")
        raw.fault = None
        assert client.get("/a").content == b"1"
