"""The JSON API: what it says it has, what it refuses and how."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from litestar.testing import TestClient

from driftline.service import Service
from driftline.testing import FakeClock
from driftline.web.api import HANDLERS

CONSTRAINTS = {
    "version": 0.0,
    "binary_classification_constraints": {"f2": {"threshold": 0.6, "comparison_operator": "LessThanThreshold"}},
}
ALARM = {"metric": "f2", "operator": "LessThanThreshold", "threshold": 0.6, "endpoint": "churn", "schedule": "hourly"}
SCHEDULE = {
    "name": "hourly",
    "endpoint": "churn",
    "cron": "0 * * * *",
    "attributes": {"probability_attribute": "0"},
}


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, over: Callable[[Service], TestClient[Any]], model: bytes
) -> Iterator[TestClient[Any]]:
    """An application with one endpoint, for tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("world") / "data"
    with Service(folder, clock=FakeClock()) as service, over(service) as client:
        deployed = client.put("/api/endpoints/churn?filename=model.json", content=model)
        assert deployed.status_code == 200, deployed.text
        assert client.put("/api/baselines/good", json={"constraints": CONSTRAINTS}).status_code == 200
        assert client.post("/api/schedules", json=SCHEDULE | {"baseline": "good"}).status_code == 201
        assert client.put("/api/alarms/low", json=ALARM).status_code == 200
        yield client


def error_of(answer: Any, status: int) -> dict[str, str]:
    """The error in an answer, whose shape never varies."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    found = answer.json()
    assert set(found) == {"code", "message", "evidence", "hint"}
    assert all(isinstance(value, str) for value in found.values())
    assert found["code"]
    assert found["message"]
    assert "Traceback" not in answer.text
    return dict(found)


def test_the_schema_is_json_and_lists_every_route(world: TestClient[Any]) -> None:
    answer = world.get("/schema")
    assert answer.headers["content-type"].startswith("application/json")
    paths = answer.json()["paths"]
    described = {(path, method) for path, methods in paths.items() for method in methods}
    expected = set()
    for handler in HANDLERS:
        for path in handler.paths:
            plain = "/api" + path.replace(":str}", "}").replace(":int}", "}")
            expected |= {(plain, method.lower()) for method in handler.http_methods}
    assert expected <= described
    assert len(expected) >= 27
    assert all(paths[path][method].get("summary") for path, method in expected)


def test_the_schema_tells_of_the_path_in_front_of_the_api(world: TestClient[Any]) -> None:
    paths = world.get("/schema").json()["paths"]
    invoke = paths["/endpoints/{name}/invocations"]["post"]
    assert {"text/csv", "application/json"} == set(invoke["requestBody"]["content"])
    assert {"text/csv", "application/json"} == set(invoke["responses"]["200"]["content"])
    asked = {parameter["name"]: parameter["in"] for parameter in invoke["parameters"]}
    assert asked["name"] == "path"
    assert (asked["X-Inference-Id"], asked["X-Amzn-SageMaker-Inference-Id"]) == ("header", "header")
    assert "X-Inference-Event-Id" in invoke["responses"]["200"]["headers"]
    assert {"400", "404", "405", "413", "415", "424", "503"} < set(invoke["responses"])
    health = paths["/healthz"]["get"]
    assert set(health["responses"]["200"]["content"]) == {"application/json"}
    assert "this process answers" in health["description"]


def test_the_schema_tells_of_bodies_that_are_no_json(world: TestClient[Any]) -> None:
    paths = world.get("/schema").json()["paths"]
    model = paths["/api/endpoints/{name}"]["put"]["requestBody"]
    labels = paths["/api/endpoints/{name}/labels"]["post"]["requestBody"]
    assert set(model["content"]) == {"application/octet-stream"}
    assert set(labels["content"]) == {"application/jsonlines", "text/csv"}


def test_what_is_there_can_be_listed_and_read(world: TestClient[Any]) -> None:
    for noun, name in (("endpoints", "churn"), ("baselines", "good"), ("schedules", "hourly"), ("alarms", "low")):
        assert [row["name"] for row in world.get(f"/api/{noun}").json()] == [name]
        assert world.get(f"/api/{noun}/{name}").json()["name"] == name
    assert world.get("/api/runs").json() == []
    assert world.get("/api/metrics").json() == []
    assert world.get("/api/endpoints/churn/captures").json() == []
    assert world.get("/api/alarms/low/history").json() == []
    assert world.get("/api/alarms/low").json()["state"] == "INSUFFICIENT_DATA"
    assert world.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "path",
    [
        "/api/endpoints/nobody",
        "/api/endpoints/nobody/captures",
        "/api/baselines/nothing",
        "/api/schedules/never",
        "/api/alarms/none",
        "/api/runs/0123",
        "/runs/0123",
        "/runs/0123.json",
        "/api/nowhere",
        "/nowhere",
        "/static/other.css",
        "/static/..%2F..%2Fapi.py",
        "/api/endpoints/..%2F..%2Fetc%2Fpasswd",
        "/runs/..%2F..%2Fetc%2Fpasswd",
        "/api/endpoints/%00",
    ],
)
def test_what_is_not_there_is_404(world: TestClient[Any], path: str) -> None:
    error_of(world.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("PUT", "/api/alarms/a", ALARM | {"operator": "Below"}, "operator"),
        ("PUT", "/api/alarms/a", ALARM | {"threshold": "low"}, "threshold"),
        ("PUT", "/api/alarms/a", ALARM | {"surprise": 1}, "surprise"),
        ("PUT", "/api/alarms/a", ALARM | {"period": 0}, "period"),
        ("PUT", "/api/alarms/a", ALARM | {"datapoints_to_alarm": 5}, "datapoints"),
        ("PUT", "/api/alarms/a", ALARM | {"alarm_actions": ["ftp://host/x"]}, "http"),
        ("PUT", "/api/alarms/a", {"metric": "f2"}, "threshold"),
        ("PUT", "/api/alarms/a", [], "array"),
        ("POST", "/api/schedules", SCHEDULE | {"cron": "soon"}, "soon"),
        ("POST", "/api/schedules", SCHEDULE | {"name": "../up"}, "../up"),
        ("POST", "/api/schedules", SCHEDULE | {"name": "x", "end_offset": "PT1H"}, "PT1H"),
        ("POST", "/api/schedules", SCHEDULE | {"name": "x", "start_offset": "an hour"}, "an hour"),
        ("POST", "/api/schedules", SCHEDULE | {"name": "x", "problem_type": "Poetry"}, "Poetry"),
        ("POST", "/api/schedules", SCHEDULE | {"name": "x", "attributes": {}}, "prediction"),
        ("POST", "/api/schedules", SCHEDULE | {"name": "x", "surprise": True}, "surprise"),
        ("POST", "/api/schedules/hourly/run", {"start": "2026-11-22T08:00:00Z"}, "end"),
        ("POST", "/api/schedules/hourly/run", {"start": "x", "end": "y"}, "'x'"),
        (
            "POST",
            "/api/schedules/hourly/run",
            {"start": "2026-11-22T09:00Z", "end": "2026-11-22T08:00Z"},
            "ends before",
        ),
        ("POST", "/api/schedules/hourly/run", {"start": "2026-11-22T09:00Z", "end": "2030-11-22T08:00Z"}, "ended"),
        ("PUT", "/api/baselines/b", {"constraints": {}}, "constraints"),
        ("PUT", "/api/baselines/b", {"constraints": "strict"}, "constraints"),
        ("PUT", "/api/baselines/..", {"constraints": CONSTRAINTS}, ""),
        ("PATCH", "/api/endpoints/churn/capture", {"percent": 100.5}, "100.5"),
        ("PATCH", "/api/endpoints/churn/capture", {"percent": "all"}, "percent"),
        ("PATCH", "/api/endpoints/churn/capture", {"precent": 5}, "precent"),
    ],
)
def test_bad_bodies_are_refused(world: TestClient[Any], method: str, path: str, body: Any, said: str) -> None:
    answer = world.request(method, path, json=body)
    found = error_of(answer, 404 if path.endswith("..") else 400)
    assert said in found["message"] + found["evidence"]


@pytest.mark.parametrize("body", [b"", b"{", b'{"metric": "f2"', b"\xff\xfe", b"null", b"1e999", b'"' + b"[" * 100_000])
def test_what_is_no_json_is_refused(world: TestClient[Any], body: bytes) -> None:
    error_of(world.put("/api/alarms/a", content=body, headers={"Content-Type": "application/json"}), 400)


@pytest.mark.parametrize(
    "query",
    [
        "/api/runs?limit=many",
        "/api/runs?limit=0",
        "/api/runs?limit=1001",
        "/api/runs?offset=-1",
        "/api/metrics/f2",
        "/api/metrics/f2?schedule=s&endpoint=e&start=yesterday",
        "/api/endpoints/churn/captures?start=2026-11-23&end=2026-11-22",
    ],
)
def test_bad_queries_are_refused(world: TestClient[Any], query: str) -> None:
    error_of(world.get(query), 400)


def test_a_method_that_is_not_there_is_405(world: TestClient[Any]) -> None:
    error_of(world.post("/healthz"), 405)
    error_of(world.delete("/api/runs"), 405)


def test_huge_bodies_are_refused(world: TestClient[Any]) -> None:
    error_of(world.put("/api/alarms/a", content=b" " * (11 << 20)), 413)


def test_a_name_that_is_taken_is_a_conflict(world: TestClient[Any]) -> None:
    error_of(world.post("/api/schedules", json=SCHEDULE), 409)


@pytest.mark.parametrize("name", ["-x", "x-", "a.b", "a_b", "x" * 64, "é", "<b>", "a b"])
def test_names_that_could_not_be_folders_are_refused(world: TestClient[Any], name: str) -> None:
    error_of(world.put(f"/api/endpoints/{name}", content=b"{}"), 400)


@pytest.mark.parametrize("body", [b"", b"hello", b'{"learner": {}}', b"\x80\x04}.", b"\x1f\x8b" + bytes(50)])
def test_what_is_no_model_is_refused_and_leaves_nothing(web: TestClient[Any], service: Service, body: bytes) -> None:
    found = error_of(web.put("/api/endpoints/x?filename=../../evil.json", content=body), 400)
    assert str(service.layout.data) not in json.dumps(found)
    assert web.get("/api/endpoints").json() == []
    assert not [path for path in service.layout.data.parent.rglob("*") if "evil" in path.name]
    assert not [path for path in (service.layout.data / "models").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "query", ["capture_percent=101", "capture_percent=nan", "capture_percent=x", "capture_input=7"]
)
def test_bad_capture_settings_change_nothing(world: TestClient[Any], model: bytes, query: str) -> None:
    before = world.get("/api/endpoints/churn").json()
    error_of(world.put(f"/api/endpoints/churn?{query}", content=model), 400)
    assert world.get("/api/endpoints/churn").json() == before


@pytest.mark.parametrize(
    ("query", "body", "said"),
    [
        ("format=jsonl", b"{}\n", "line 1"),
        ("format=jsonl", b"not json", "line 1"),
        ("format=csv", b"who,what\n1,2\n", "who"),
        ("format=csv", b"id,label\n1,0\n,1\n", "line 3"),
        ("format=xml", b"<a/>", "format: Invalid enum value 'xml'"),
        ("format=csv&id_column=nope", b"id,label\n1,0\n", "nope"),
    ],
)
def test_bad_labels_are_refused_with_their_line(world: TestClient[Any], query: str, body: bytes, said: str) -> None:
    found = error_of(world.post(f"/api/endpoints/churn/labels?{query}", content=body), 400)
    assert said in found["message"] + found["evidence"]


def test_labels_of_an_unknown_endpoint_are_refused(world: TestClient[Any]) -> None:
    error_of(world.post("/api/endpoints/nobody/labels?format=csv", content=b"id,label\n1,0\n"), 404)


def test_labels_are_received(world: TestClient[Any]) -> None:
    answer = world.post("/api/endpoints/churn/labels?format=csv", content=b"id,label\na,0\nb,\n")
    assert answer.status_code == 201
    assert (answer.json()["accepted"], answer.json()["without_label"]) == (1, 1)


@pytest.mark.parametrize("field", ["alarm_actions", "ok_actions", "insufficient_data_actions"])
def test_addresses_of_web_hooks_are_masked(web: TestClient[Any], caplog: pytest.LogCaptureFixture, field: str) -> None:
    secret = "https://user:hunter2@hooks.example.com/services/T0/hush?token=hush"
    answers = [web.put("/api/alarms/low", json=ALARM | {field: [secret, "log"]})]
    answers += [web.get(path) for path in ("/api/alarms/low", "/api/alarms", "/api/alarms/low/deliveries", "/")]
    assert {answer.status_code for answer in answers} == {200}
    shown = "".join(answer.text for answer in answers) + caplog.text
    assert "hush" not in shown
    assert "hunter2" not in shown
    assert answers[1].json()["definition"][field] == ["https://hooks.example.com/…", "log"]


def test_a_refused_web_hook_is_not_repeated(web: TestClient[Any]) -> None:
    answer = web.put("/api/alarms/low", json=ALARM | {"alarm_actions": ["slick://hush-token"]})
    assert "hush" not in json.dumps(error_of(answer, 400))


def test_schedules_pause_resume_and_go(web: TestClient[Any], service: Service, clock: FakeClock, model: bytes) -> None:
    web.put("/api/endpoints/churn?filename=m.json", content=model)
    created = web.post("/api/schedules", json=SCHEDULE).json()
    assert created["next_tick"] == "2026-11-22T11:00:00Z"
    assert web.post("/api/schedules/hourly/pause").json()["state"] == "paused"
    clock.advance(timedelta(hours=3))
    assert web.post("/api/schedules/hourly/resume").json()["next_tick"] == "2026-11-22T14:00:00Z"
    asked = web.post("/api/schedules/hourly/run").json()
    assert (asked["status"], asked["window_end"]) == ("Pending", "2026-11-22T13:00:00Z")
    assert web.get(f"/api/runs/{asked['id']}").json() == asked
    assert web.delete("/api/endpoints/churn").status_code == 204
    assert web.get("/api/schedules/hourly").json()["state"] == "paused"
    assert web.delete("/api/schedules/hourly").status_code == 204
    error_of(web.get("/api/schedules/hourly"), 404)
    error_of(web.delete("/api/schedules/hourly"), 404)
    error_of(web.delete("/api/endpoints/churn"), 404)
    error_of(web.delete("/api/alarms/low"), 404)


def test_a_defect_is_told_without_its_trace(
    web: TestClient[Any], service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("a private detail")

    monkeypatch.setattr(service, "list_endpoints", broken)
    answer = web.get("/api/endpoints")
    assert error_of(answer, 500)["code"] == "internal"
    assert "private" not in answer.text
