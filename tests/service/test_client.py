"""The client: the service's errors raised again, and what it says when there is no service."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from driftline import (
    Alarm,
    AlarmStatus,
    Client,
    ConflictError,
    Execution,
    InputError,
    NewAlarm,
    NotFoundError,
    Point,
    ServiceError,
    Verdict,
)
from driftline.core.window import HOUR
from driftline.testing import START

ALARM = AlarmStatus("low", Alarm("low", "f2", "ns", {}, "LessThanThreshold", 0.6), "OK", START, "it is so")
RUN = Execution("r", "hourly", "churn", START, START + HOUR, 1, START + HOUR, "InProgress", "reports/x", START)


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
        client.get_endpoint("x")
    assert str(caught.value) == "it is so\n  seen: seen here\n  to do: do this"


@pytest.mark.parametrize("answer", [(500, b"<html>no</html>"), (200, b"<html>no</html>"), (502, b"{}"), (200, b"3")])
def test_what_is_no_driftline_is_told_apart(client: Client, answer: tuple[int, bytes]) -> None:
    Stub.answer = answer
    with pytest.raises(ServiceError, match="answer") as caught:
        client.list_endpoints()
    assert "driftline service" in caught.value.hint


def test_names_cannot_leave_their_place_in_the_path(client: Client) -> None:
    Stub.answer = (200, msgspec.json.encode(ALARM))
    client.get_alarm("../endpoints/x?y=#z")
    assert Stub.asked[-1] == "/api/alarms/..%2Fendpoints%2Fx%3Fy%3D%23z"


def test_answers_have_types(client: Client) -> None:
    reason = {"code": "no_labels", "message": "none", "checklist": [["labels looked for in", "here"]]}
    document = msgspec.to_builtins(RUN) | {"verdict": "UNKNOWN", "status": "Completed", "reasons": [reason]}
    Stub.answer = (200, json.dumps(document).encode())
    run = client.get_run("r")
    assert run.verdict is Verdict.UNKNOWN
    assert run.window_end == START + HOUR
    assert str(run.window) == "2026-11-22 10:00–11:00 UTC"
    assert run.reasons[0].checklist == (("labels looked for in", "here"),)


def test_fields_of_a_newer_service_are_ignored(client: Client) -> None:
    document = msgspec.to_builtins(ALARM) | {"colour": "red"}
    document["definition"] |= {"severity": 3}
    Stub.answer = (200, json.dumps([document]).encode())
    assert client.list_alarms() == [ALARM]


@pytest.mark.parametrize("change", [{"state": None}, {"state": "PURPLE"}, {"state_since": "soon"}, {"definition": {}}])
def test_a_field_that_is_missing_or_wrong_is_named(client: Client, change: dict[str, object]) -> None:
    document = {key: value for key, value in (msgspec.to_builtins(ALARM) | change).items() if value is not None}
    Stub.answer = (200, json.dumps(document).encode())
    with pytest.raises(ServiceError, match="answer to GET /api/alarms/low is not the expected document") as caught:
        client.get_alarm("low")
    assert next(iter(change)) in caught.value.evidence or "metric" in caught.value.evidence
    assert "older version" in caught.value.hint


def test_instants_reach_the_service_with_their_zone(client: Client) -> None:
    Stub.answer = (200, b"[]")
    points: list[Point] = client.metric_points("f2", schedule="s", endpoint="e", start=START, end=START + HOUR)
    assert points == []
    query = parse_qs(urlsplit(Stub.asked[-1]).query)
    assert (query["start"], query["end"]) == (["2026-11-22T10:00:00+00:00"], ["2026-11-22T11:00:00+00:00"])
    assert "namespace" not in query


def test_a_run_that_does_not_end_is_told(client: Client) -> None:
    Stub.answer = (200, msgspec.json.encode(RUN))
    with pytest.raises(ServiceError, match="is still InProgress after 0 s"):
        client.wait_for_run("r", timeout=0)


def test_without_a_service_the_hint_says_how_to_start_one() -> None:
    with Client("http://127.0.0.1:9") as client:
        assert not client.healthy()
        with pytest.raises(ServiceError, match="no driftline service answers at") as caught:
            client.list_runs()
    assert "driftline serve" in caught.value.hint


@pytest.mark.parametrize("url", ["http://[", "http://host:port", "nonsense", "ftp://host"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises((InputError, ServiceError)), Client(url) as client:
        client.list_runs()


def test_numbers_that_json_cannot_hold_are_refused(client: Client) -> None:
    with pytest.raises(InputError, match="cannot be written as JSON"):
        client.put_alarm("a", NewAlarm("f2", "LessThanThreshold", float("nan")))


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_URL", "http://example.test:1/")
    with Client() as client:
        assert client.url == "http://example.test:1"
