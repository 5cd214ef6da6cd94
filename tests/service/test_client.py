"""The client: the service's errors raised again, and what it says when there is no service."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from driftline.client import Client
from driftline.core.errors import ConflictError, InputError, NotFoundError, ServiceError


class Stub(BaseHTTPRequestHandler):
    """Answers everything with ``answer``, and keeps what was asked."""

    answer: ClassVar[tuple[int, bytes]] = (200, b"{}")
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Stub.asked.append(self.path)
        status, body = Stub.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def client() -> Iterator[Client]:
    server = HTTPServer(("127.0.0.1", 0), Stub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with Client(f"http://127.0.0.1:{server.server_port}/") as client:
        yield client
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("code", "kind"), [("not_found", NotFoundError), ("conflict", ConflictError), ("invalid_input", InputError)]
)
def test_errors_of_the_service_are_raised_again(client: Client, code: str, kind: type[Exception]) -> None:
    error = {"code": code, "message": "it is so", "evidence": "seen here", "hint": "do this"}
    Stub.answer = (400, json.dumps(error).encode())
    with pytest.raises(kind, match="it is so") as caught:
        client.show("endpoints", "x")
    assert str(caught.value) == "it is so\n  seen: seen here\n  to do: do this"


@pytest.mark.parametrize("answer", [(500, b"<html>no</html>"), (200, b"<html>no</html>"), (502, b"{}"), (200, b"3")])
def test_what_is_no_driftline_is_told_apart(client: Client, answer: tuple[int, bytes]) -> None:
    Stub.answer = answer
    with pytest.raises(ServiceError, match="answer") as caught:
        client.list_all("endpoints")
    assert "driftline service" in caught.value.hint


def test_names_cannot_leave_their_place_in_the_path(client: Client) -> None:
    Stub.answer = (200, b"{}")
    client.show("endpoints", "../alarms/x?y=#z")
    assert Stub.asked[-1] == "/api/endpoints/..%2Falarms%2Fx%3Fy%3D%23z"


def test_a_run_that_does_not_end_is_told(client: Client) -> None:
    Stub.answer = (200, b'{"status": "InProgress"}')
    with pytest.raises(ServiceError, match="is still InProgress after 0 s"):
        client.wait_for_run("r", timeout=0)


def test_without_a_service_the_hint_says_how_to_start_one() -> None:
    with Client("http://127.0.0.1:9") as client:
        assert not client.healthy()
        with pytest.raises(ServiceError, match="no driftline service answers at") as caught:
            client.list_all("runs")
    assert "driftline serve" in caught.value.hint


@pytest.mark.parametrize("url", ["http://[", "http://host:port", "nonsense", "ftp://host"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises((InputError, ServiceError)), Client(url) as client:
        client.list_all("runs")


def test_numbers_that_json_cannot_hold_are_refused(client: Client) -> None:
    with pytest.raises(InputError, match="cannot be written as JSON"):
        client.put("alarms", "a", {"threshold": float("nan")})


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_URL", "http://example.test:1/")
    with Client() as client:
        assert client.url == "http://example.test:1"
