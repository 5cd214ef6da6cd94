"""Predictions that the service does not make: events that find each other, imports that happen once."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from driftline import InputError, NotFoundError, Service
from driftline.core.records import CaptureRecord, decode_capture, decode_label, encode_line, label
from driftline.serving.pairing import WAIT_SECONDS
from driftline.testing import START, FakeClock
from driftline.web.app import application

KIND = "org.kubeflow.serving.inference."


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def service(data: Path, clock: FakeClock) -> Iterator[Service]:
    with Service(data, clock=clock) as service:
        service.register_endpoint("churn")
        yield service


def headers(name: str, side: str) -> dict[str, str]:
    return {
        "CE-Id": name,
        "CE-Type": KIND + side,
        "CE-Source": "http://localhost:9081/",
        "CE-Specversion": "1.0",
        "CE-Inferenceservicename": "churn",
        "Content-Type": "application/json",
    }


def put(service: Service, name: str, side: str) -> Any:
    return service.put_events("churn", json.dumps([side, name]).encode(), headers(name, side))


def records(data: Path) -> list[CaptureRecord]:
    files = sorted((data / "captures").rglob("*.jsonl"))
    return [decode_capture(line) for file in files for line in file.read_bytes().splitlines()]


def sides(record: CaptureRecord) -> tuple[str | None, str | None]:
    found = record.capture_data.endpoint_input, record.capture_data.endpoint_output
    return found[0].data if found[0] else None, found[1].data if found[1] else None


@pytest.mark.parametrize("order", [("request", "response"), ("response", "request")])
def test_a_request_and_its_response_become_one_record_in_any_order(
    service: Service, data: Path, order: tuple[str, str]
) -> None:
    first = put(service, "o-1", order[0])
    assert (first.accepted, first.paired, first.repeated) == (1, 0, 0)
    assert records(data) == []
    assert put(service, "o-1", order[0]).repeated == 1
    assert put(service, "o-1", order[1]).paired == 1
    for side in order:
        assert put(service, "o-1", side).repeated == 1
    [record] = records(data)
    assert record.join_key == "o-1"
    assert sides(record) == ('["request","o-1"]'.replace(",", ", "), '["response","o-1"]'.replace(",", ", "))


def test_two_services_on_one_folder_find_the_pairs_of_each_other(
    service: Service, data: Path, clock: FakeClock
) -> None:
    events = [(f"o-{n}", side) for n in range(60) for side in ("request", "response", "response")]
    random.Random(7).shuffle(events)
    with Service(data, clock=clock) as other:
        halves = (service, events[::2]), (other, events[1::2])
        workers = [threading.Thread(target=lambda h=half: [put(h[0], *event) for event in h[1]]) for half in halves]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    found = records(data)
    assert sorted(record.join_key for record in found) == sorted({name for name, _ in events})
    assert len({record.event_metadata.event_id for record in found}) == 60


def test_an_event_waits_while_the_service_is_killed(service: Service, data: Path) -> None:
    code = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from test_elsewhere import FakeClock, Service, put
service = Service(sys.argv[2], clock=FakeClock())
put(service, "o-1", "request")
os.kill(os.getpid(), signal.SIGKILL)
"""
    here = str(Path(__file__).parent)
    ran = subprocess.run([sys.executable, "-c", code, here, str(data)], capture_output=True, text=True, env=os.environ)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    assert put(service, "o-1", "response").paired == 1
    assert len(records(data)) == 1


def test_who_waits_too_long_is_let_go(service: Service, data: Path, clock: FakeClock) -> None:
    put(service, "lone-response", "response")
    put(service, "lone-request", "request")
    for side in ("request", "response"):
        put(service, "pair", side)
    clock.advance(timedelta(seconds=WAIT_SECONDS - 1))
    assert [(count.captured, count.dropped) for count in service.keep_events()] == [(1, 0)]
    clock.advance(timedelta(seconds=2))
    assert [(count.captured, count.dropped) for count in service.keep_events()] == [(1, 1)]
    assert service.keep_events() == []
    lone = next(record for record in records(data) if record.join_key == "lone-response")
    assert sides(lone) == (None, '["response", "lone-response"]')
    assert put(service, "lone-request", "response").paired == 0


def test_capture_settings_hold_for_events(service: Service, data: Path) -> None:
    service.configure_capture("churn", {"percent": 40, "input": False})
    for n, side in itertools.product(range(50), ("request", "response")):
        put(service, f"o-{n}", side)
    [count] = service.keep_events()
    assert 5 < count.captured == len(records(data)) < 35
    assert (count.captured + count.sampled_out, count.dropped) == (50, 0)
    assert all(sides(record)[0] is None for record in records(data))


@pytest.mark.parametrize("order", [("request", "response"), ("response", "request")])
def test_sensitive_values_do_not_even_wait_in_clear(service: Service, data: Path, order: tuple[str, str]) -> None:
    rules = [
        {"side": "input", "column": "ssn", "action": "hash"},
        {"side": "output", "column": "ssn", "action": "drop"},
    ]
    service.configure_capture("churn", {"sensitive": rules})
    for name in ("o-1", "o-2"):
        for side in order:
            service.put_events("churn", b'{"ssn": "s3cret-75", "age": 3}', headers(name, side))
            waiting = b"".join(file.read_bytes() for file in data.glob("events.db*"))
            assert b"s3cret" not in waiting
    one, two = map(sides, records(data))
    assert one == two
    assert json.loads(one[0] or "").keys() == {"ssn", "age"}
    assert json.loads(one[1] or "") == {"age": 3}


def test_an_event_that_cannot_be_hidden_leaves_its_side_out(service: Service, data: Path) -> None:
    service.configure_capture("churn", {"sensitive": [{"side": "input", "column": "ssn", "action": "mask"}]})
    for side in ("request", "response"):
        service.put_events("churn", b"{s3cret", headers("o-1", side))
    [record] = records(data)
    assert sides(record) == (None, "{s3cret"), "there is no rule for the output"
    assert [(count.captured, count.withheld) for count in service.keep_events()] == [(1, 1)]


def test_the_api_answers_200_and_refuses_in_our_words(service: Service, data: Path) -> None:
    with TestClient(application(service)) as web:
        path = "/api/endpoints/churn/events"
        for side in ("request", "response"):
            answer = web.post(path, content=b"[1]", headers=headers("o-1", side))
            assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
        document = {"id": "o-2", "type": KIND + "request", "source": "/", "specversion": "1.0", "data": [1]}
        batch = [document, document | {"type": KIND + "response"}]
        kind = {"Content-Type": "application/cloudevents-batch+json"}
        assert web.post(path, content=json.dumps(batch).encode(), headers=kind).json()["paired"] == 1
        bad = web.post(path, content=b"{}", headers={"Content-Type": "application/json"})
        assert (bad.status_code, bad.json()["code"]) == (400, "invalid_input")
        assert "KServe" in bad.json()["hint"]
        assert web.post("/api/endpoints/none/events", content=b"", headers=headers("o", "request")).status_code == 404
        assert (
            web.put("/api/endpoints/far/registration", json={"upstream": "http://169.254.169.254/"}).status_code == 400
        )
        far = web.put("/api/endpoints/far/registration", json={"upstream": "http://127.0.0.1:9/", "percent": 5}).json()
        assert (far["upstream"], far["model_path"], far["capture"]["percent"]) == ("http://127.0.0.1:9/", "", 5)
    assert len(records(data)) == 2


def test_an_endpoint_may_change_its_kind(service: Service) -> None:
    assert service.get_endpoint("churn").kind == "external"
    service.configure_capture("churn", {"percent": 7})
    proxied = service.register_endpoint("churn", upstream="http://127.0.0.1:9/p")
    assert (proxied.kind, proxied.capture.percent) == ("proxy", 7)
    [config] = service.served()
    assert (config.model, config.upstream) == (None, "http://127.0.0.1:9/p")
    assert service.register_endpoint("churn").kind == "external"
    with pytest.raises(InputError, match="not a name"):
        service.register_endpoint("../x")


def line(name: str, moment: str | None = "2026-11-20T09:59:59Z") -> bytes:
    time = {} if moment is None else {"inferenceTime": moment}
    document = {
        "captureData": {"endpointOutput": {"data": "0.5", "encoding": "CSV", "mode": "OUTPUT"}},
        "eventMetadata": {"eventId": name, **time},
        "eventVersion": "0",
    }
    return json.dumps(document).encode()


def test_captures_go_into_the_hour_of_their_inference_and_only_once(service: Service, data: Path) -> None:
    body = b"\n".join([line("a"), line("b", "2026-11-20T10:00:00.5+00:00"), b"", line("c", None), b"{", line("d")])
    receipt = service.import_captures("churn", body, variant="blue")
    assert (receipt.records, receipt.files, receipt.repeated, receipt.refused) == (3, 2, 0, 2)
    assert receipt.samples == ("line 4: the record has no inferenceTime", receipt.samples[1])
    again = service.import_captures("churn", body, variant="blue")
    assert (again.records, again.files, again.repeated) == (0, 0, 3)
    folders = {path.parent.relative_to(data / "captures").as_posix() for path in data.rglob("*.jsonl")}
    assert folders == {"churn/blue/2026/11/20/09", "churn/blue/2026/11/20/10"}
    assert sorted(record.join_key for record in records(data)) == ["a", "b", "d"]
    with pytest.raises(NotFoundError):
        service.import_captures("none", body)
    with pytest.raises(InputError, match="variant"):
        service.import_captures("churn", body, variant="../up")


def test_labels_go_into_the_hour_they_were_collected_in(service: Service, data: Path) -> None:
    number = b'{"groundTruthData": {"data": 1}, "eventMetadata": {"eventId": "b"}}'
    body = encode_line(label("a", "1")) + number + b"\n{}\n"
    receipt = service.import_labels("churn", body, collected=(START - timedelta(days=1)).isoformat())
    assert (receipt.records, receipt.files, receipt.refused) == (2, 1, 1)
    [file] = (data / "labels").rglob("*.jsonl")
    assert file.parent.relative_to(data / "labels").as_posix() == f"churn/{START - timedelta(days=1):%Y/%m/%d/%H}"
    assert [decode_label(line).ground_truth_data.data for line in file.read_bytes().splitlines()] == ["1", "1"]
    with pytest.raises(InputError, match="not a time"):
        service.import_labels("churn", body, collected="yesterday")
