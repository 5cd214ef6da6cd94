"""The pages: what they show, that nothing in them can run, and their JSON twins."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from litestar.testing import TestClient

from driftline.jobs.scheduler import Scheduler
from driftline.pipeline import run_model_quality
from driftline.resources.alarms import Alarm
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.resources.metrics import Series
from driftline.service import Service
from driftline.storage import alarms, endpoints
from driftline.testing import (
    START,
    FakeClock,
    capture,
    prediction_batch,
    quality_captures,
    write_captures,
    write_labels,
)

EVIL = "<script>alert('x')</script>"


def add_endpoint(service: Service, name: str, **model: Any) -> None:
    options = {"model": ModelDescription(**model), "capture": CaptureSettings()}
    with service.store.write() as db:
        endpoints.create(db, name, model_path="models/none", now=service.now(), **options)


def judge(service: Service, clock: FakeClock, endpoint: str = "churn") -> dict[str, Any]:
    """A run of the hour that begins at START; its id."""
    service.create_schedule(
        "hourly", endpoint=endpoint, cron="0 * * * *", baseline=None, attributes={"probability_attribute": "0"}
    )
    clock.set(START + timedelta(hours=1, minutes=1))
    scheduler = Scheduler(service.store, service.layout, clock, run_model_quality)
    try:
        assert scheduler.tick().ran == 1
    finally:
        scheduler.close()
    [run] = service.list_runs()
    return {"id": run.id, "status": run.status, "verdict": run.verdict}


def test_an_empty_service_says_how_to_begin(web: TestClient[Any]) -> None:
    page = web.get("/").text
    assert "Nothing is deployed yet" in page
    assert "driftline deploy NAME --model model.json" in page
    assert "driftline demo" in page
    assert 'href="/new"' in page


def test_the_run_page_and_its_twin(web: TestClient[Any], service: Service, clock: FakeClock) -> None:
    add_endpoint(service, "churn")
    batch = prediction_batch(300, 3)
    write_captures(service.layout.captures("churn") / "AllTraffic", quality_captures(batch))
    truth = zip(batch.column("id").to_pylist(), batch.column("label").to_pylist(), strict=True)
    write_labels(service.layout.labels("churn"), dict(truth))
    run = judge(service, clock)
    page = web.get(f"/runs/{run['id']}").text
    assert "Reads 2026-11-22 10:00–11:00 UTC, scheduled for 2026-11-22 11:00." in page
    assert "Metrics of 300 predictions with labels" in page
    assert re.search(r"metric=f2\">f2</a></th>\s*<td class=\"number\">\s*0\.\d{4}</td>", page)
    assert "revision" not in page
    twin = web.get(f"/runs/{run['id']}.json")
    assert twin.headers["content-type"].startswith("application/json")
    assert twin.json()["run"] == web.get(f"/api/runs/{run['id']}").json()
    assert f'href="/runs/{run["id"]}.json"' in page
    assert f'href="/runs/{run["id"]}"' in web.get("/").text


def test_a_run_without_rows_shows_the_checklist_and_no_empty_table(
    web: TestClient[Any], service: Service, clock: FakeClock
) -> None:
    add_endpoint(service, "churn")
    service.layout.captures("churn").mkdir()
    run = judge(service, clock)
    assert run["verdict"] == "UNKNOWN"
    page = web.get(f"/runs/{run['id']}").text
    assert re.search(r"<h1>.*UNKNOWN.*\?</span> Unknown", page, re.DOTALL)
    assert "captures looked for in" in page
    assert "undefined" not in page


def test_html_in_what_was_captured_is_text(web: TestClient[Any], service: Service, clock: FakeClock) -> None:
    add_endpoint(service, "churn", runtime=EVIL, format=EVIL)
    bad = [
        capture(EVIL, EVIL, inference_id=EVIL, request=EVIL),
        capture("0.5", "second", inference_id=f"{EVIL}2"),
        capture(f"0.5,{EVIL}", "third", content_type=EVIL),
    ]
    write_captures(service.layout.captures("churn") / "AllTraffic", bad)
    write_labels(service.layout.labels("churn"), {EVIL: EVIL, f"{EVIL}2": EVIL})
    run = judge(service, clock)
    page = web.get(f"/runs/{run['id']}").text
    assert "Refused records" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "<script>" not in web.get("/").text


def test_html_in_names_is_text(web: TestClient[Any], service: Service) -> None:
    """No name with HTML in it is accepted; should one get into the store, it is still only text."""
    add_endpoint(service, EVIL)
    alarm = Alarm(EVIL, EVIL, EVIL, {EVIL: EVIL}, "LessThanThreshold", 0.5)
    with service.store.write() as db:
        alarms.put(db, EVIL, Series("n", "f2", {}), alarm, service.now())
    page = web.get("/").text
    assert page.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;") >= 2
    assert "<script>" not in page


def test_an_error_that_repeats_html_is_json(web: TestClient[Any]) -> None:
    for path in ("/runs/<script>", "/static/<script>", "/<script>"):
        answer = web.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("path", ["/", "/static/style.css", "/static/page.js", "/static/charts.css"])
def test_nothing_foreign_can_be_loaded(web: TestClient[Any], path: str) -> None:
    answer = web.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"https?://", answer.text)
    assert "style=" not in answer.text
    assert not re.search("<script(?! src=./static/)", answer.text)
