"""Search: what is found by which text, that nothing in a text is a wildcard, and hostile texts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from driftline.alerting.metrics import MODEL_QUALITY
from driftline.core.window import HOUR, Window
from driftline.resources.alarms import Alarm
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.service import Service
from driftline.storage import baselines, endpoints, executions
from driftline.storage.search import MOST
from driftline.testing import START

EVIL = "<script>alert('x')</script>"
ODD = 'it\'s "low" 🚨'


def add_endpoints(service: Service, *names: str) -> None:
    with service.store.write() as db:
        for name in names:
            options: dict[str, Any] = {"model": ModelDescription(), "capture": CaptureSettings()}
            endpoints.create(db, name, model_path="models/none", now=service.now(), **options)


@pytest.fixture
def run(service: Service) -> str:
    """A world of one thing of each kind; the id of its run."""
    add_endpoints(service, "churn", "upsell")
    service.create_schedule(
        "churn-hourly", endpoint="churn", cron="0 * * * *", baseline=None, attributes={"probability_attribute": "0"}
    )
    with service.store.write() as db:
        baselines.put(db, baselines.Baseline("churn-good-day", "data-quality", b"{}", b"{}", START))
        schedule = service.get_schedule("churn-hourly")
        window = Window(START, START + HOUR)
        added = executions.add(db, schedule, window, tick=window.end, revision=1, report="r", now=START)
    assert added is not None
    dimensions = {"Endpoint": "churn", "MonitoringSchedule": "churn-hourly"}
    for name in ("churn-low", ODD):
        service.put_alarm(Alarm(name, "f2", MODEL_QUALITY, dimensions, "LessThanThreshold", 0.5))
    return added.id


def found(web: TestClient[Any], text: str) -> list[tuple[str, str]]:
    hits = web.get("/search.json", params={"q": text}).json()["hits"]
    return [(hit["kind"], hit["name"]) for hit in hits]


def test_every_kind_is_found_by_a_part_of_its_name(web: TestClient[Any], run: str) -> None:
    assert found(web, "chu") == [
        ("Endpoint", "churn"),
        ("Schedule", "churn-hourly"),
        ("Baseline", "churn-good-day"),
        ("Alarm", "churn-low"),
    ]
    assert found(web, " HOURLY ") == [("Schedule", "churn-hourly")]
    page = web.get("/search", params={"q": "chu"}).text
    assert '<tr data-row><td>Alarm</td><th scope="row"><a href="/alarms/churn-low">' in page
    assert "? </span>" not in page
    assert "Too little data" in page
    assert "model-quality of churn" in page


@pytest.mark.usefixtures("run")
def test_an_odd_name_is_found_and_its_link_is_whole(web: TestClient[Any]) -> None:
    assert found(web, "🚨") == [("Alarm", ODD)]
    page = web.get("/search", params={"q": "🚨"}).text
    assert 'href="/alarms/it%27s%20%22low%22%20%F0%9F%9A%A8"' in page
    assert "it&#39;s &#34;low&#34; 🚨" in page


def test_a_run_is_found_by_the_beginning_of_its_id(web: TestClient[Any], run: str) -> None:
    assert found(web, run[:8]) == [("Run", run)]
    assert found(web, run) == [("Run", run)]
    assert found(web, run[:3]) == []
    assert found(web, run[1:]) == []
    page = web.get("/search", params={"q": run}).text
    assert "of churn-hourly, reads 2026-11-22 10:00–11:00" in page
    assert "Not yet" in page


@pytest.mark.parametrize("text", ["%", "_", "c%n", "c_urn", "\\", "/", "*", "?", "[c]hurn", "''", "\x00", "\ud800"])
@pytest.mark.usefixtures("run")
def test_nothing_in_a_text_is_a_wildcard(web: TestClient[Any], text: str) -> None:
    assert found(web, text.encode("utf-8", "replace").decode()) == []


@pytest.mark.usefixtures("run")
def test_odd_texts_are_shown_as_text(web: TestClient[Any]) -> None:
    for text in (EVIL, "é" * 3000, "\u202eevil", "-" * 500):
        answer = web.get("/search", params={"q": text})
        assert answer.status_code == 200
        assert "<script>" not in answer.text
        assert "Nothing has" in answer.text


def test_no_text_finds_nothing_and_says_how_to_search(web: TestClient[Any]) -> None:
    for path in ("/search", "/search?q=", "/search?q=%20"):
        page = web.get(path).text
        assert "are found by any part of their name" in page or "are looked for" in page
        assert "<table>" not in page


def test_a_kind_is_cut_at_twenty_and_those_that_begin_with_the_text_come_first(
    web: TestClient[Any], service: Service
) -> None:
    add_endpoints(service, *(f"a-{number:02d}-model" for number in range(30)), "model-of-all")
    hits = found(web, "model")
    assert len(hits) == MOST
    assert hits[0] == ("Endpoint", "model-of-all")
    assert "only the first 20 are shown" in web.get("/search?q=model").text
    table = web.get("/search.csv?q=model&table=hits").text.splitlines()
    assert len(table) == 1 + MOST


def test_what_was_deleted_is_not_found(web: TestClient[Any], service: Service) -> None:
    add_endpoints(service, "gone")
    with service.store.write() as db:
        endpoints.delete(db, "gone", now=START)
    assert found(web, "gone") == []


@pytest.mark.usefixtures("run")
def test_the_twin_is_the_page(web: TestClient[Any]) -> None:
    twin = msgspec.json.decode(web.get("/search.json?q=upsell").content)
    assert twin["q"] == "upsell"
    assert twin["cut"] is False
    assert [hit["path"] for hit in twin["hits"]] == ["/endpoints/upsell"]
