"""Why is there no data? Each place where it may be lost, lost there once, and the page says so."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from driftline.jobs.scheduler import Scheduler
from driftline.pipeline import run_model_quality
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.resources.retention import Retention
from driftline.service import Service
from driftline.storage import capture_counts, endpoints
from driftline.storage.capture_counts import CaptureCounts
from driftline.testing import START, FakeClock, prediction_batch, quality_captures, write_captures, write_labels

EVIL = "<script>alert('x')</script>"
HOUR = timedelta(hours=1)


@pytest.fixture
def churn(service: Service) -> Service:
    """A service with an endpoint that nobody has asked anything."""
    with service.store.write() as db:
        settings = {"model": ModelDescription(), "capture": CaptureSettings(), "now": service.now()}
        endpoints.create(db, "churn", model_path="models/none", **settings)
    service.layout.captures("churn").mkdir(parents=True)
    return service


def count(service: Service, **counts: int) -> None:
    with service.store.write() as db:
        capture_counts.add(db, "churn", START, CaptureCounts(**counts))


def captured(service: Service, *, labels: bool = True, ids: str = "{}") -> None:
    """300 predictions of the hour that begins at START, and their labels."""
    batch = prediction_batch(300, 3)
    write_captures(service.layout.captures("churn") / "AllTraffic", quality_captures(batch))
    count(service, captured=300)
    if labels:
        names = [ids.format(name) for name in batch.column("id").to_pylist()]
        truth = dict(zip(names, batch.column("label").to_pylist(), strict=True))
        write_labels(service.layout.labels("churn"), truth)


def judge(service: Service, clock: FakeClock, **attributes: str) -> None:
    attributes = attributes or {"probability_attribute": "0"}
    service.create_schedule("hourly", endpoint="churn", cron="0 * * * *", baseline=None, attributes=attributes)
    clock.set(START + HOUR + timedelta(minutes=1))
    scheduler = Scheduler(service.store, service.layout, clock, run_model_quality)
    try:
        assert scheduler.tick().ran == 1
    finally:
        scheduler.close()


def look(web: TestClient[Any], query: str = "") -> tuple[str, dict[str, dict[str, Any]]]:
    """The sentence on top, and the answers by their questions."""
    page = web.get(f"/endpoints/churn/data{query}")
    assert page.status_code == 200
    assert EVIL not in page.text
    view = web.get(f"/endpoints/churn/data.json{query}").json()
    found = view["finding"]
    return f"{found['before']}{found['when'] or ''}{found['after']}", {
        answer["question"]: answer for answer in view["checklist"]
    }


def states(answers: dict[str, dict[str, Any]]) -> str:
    """The answers' first letters, in order."""
    return "".join(answer["state"][0] for answer in answers.values())


def test_an_endpoint_that_nobody_asked(web: TestClient[Any], churn: Service) -> None:
    said, answers = look(web)
    assert said == "No request of churn was ever captured."
    assert states(answers) == "nuynuun"
    assert answers["Did requests arrive?"]["todo"] == "driftline invoke churn < row.csv"
    assert "captures/churn" in answers["Are there capture files?"]["evidence"]
    assert answers["Is there a schedule?"]["todo"] == "driftline schedule create NAME --endpoint churn"
    page = web.get("/endpoints/churn/data").text
    assert page.count("✕</span> no</span>") == 3
    assert page.count("?</span> cannot tell</span>") == 3
    assert page.count("<tr data-row") == 48


def test_data_that_arrives_and_is_judged(web: TestClient[Any], churn: Service, clock: FakeClock) -> None:
    captured(churn)
    judge(churn, clock)
    said, answers = look(web)
    assert said == "Data arrives and was judged: n = 300 in the last run."
    assert states(answers) == "y" * 9
    files = answers["Are there capture files?"]["evidence"]
    assert files.startswith("1 file in 1 hour, ")
    assert "300 records" in files
    assert answers["Could the last run read them?"]["evidence"] == "300 rows of 300 records, 0 refused"
    same = answers["Do labels and predictions have the same ids?"]["evidence"]
    assert same == "300 of 300 predictions had a label, of 300 labels that were read"
    assert answers["Did rows come through every step of the last run?"]["evidence"].endswith("analyse 300")
    assert answers["Does the schedule hourly go on?"]["when"] == "2026-11-22T12:00:00Z"
    page = web.get("/endpoints/churn/data").text
    assert "n = 300" in page
    assert 'href="/endpoints/churn/data?hour=2026-11-22T10:00Z"' in page
    rows = web.get("/endpoints/churn/data.json").json()["hours"]
    [hour] = [row for row in rows if row["captured"]]
    assert (hour["hour"], hour["captured"], hour["labels"], len(hour["runs"])) == ("2026-11-22T10:00:00Z", 300, 1, 1)
    assert web.get("/endpoints/churn/data.csv?table=hours").text.startswith("hour,captured,sampled_out")


def test_requests_that_stopped(web: TestClient[Any], churn: Service, clock: FakeClock) -> None:
    captured(churn)
    clock.set(START + 5 * HOUR)
    said, answers = look(web)
    assert said == "Requests stopped at 2026-11-22T11:00:00Z: no capture since."
    assert answers["Did requests arrive?"]["when"] == "2026-11-22T10:00:00Z"
    said, answers = look(web, "?hour=2026-11-22T12:30Z")
    assert answers["Did requests arrive?"]["evidence"] == "none was counted; the last came in the hour of "
    assert said.startswith("Did requests arrive? No: none was counted; the last came in the hour of 2026-11-22T10")
    clock.set(START + 400 * HOUR)
    assert look(web)[0] == "Requests stopped at 2026-11-22T11:00:00Z: no capture since."


def test_requests_that_are_not_captured(web: TestClient[Any], churn: Service) -> None:
    count(churn, sampled_out=70)
    said, answers = look(web)
    assert said == "Were they captured? No: 0 of 70, at 100 %."
    churn.configure_capture("churn", {"percent": 0})
    said, answers = look(web)
    assert said == "Were they captured? No: capture is off."
    assert answers["Were they captured?"]["todo"] == "driftline endpoint capture churn --percent 100"


def test_requests_that_were_dropped_or_withheld(web: TestClient[Any], churn: Service) -> None:
    count(churn, captured=5, withheld=2)
    _, answers = look(web)
    assert "of 2 a side was withheld" in answers["Were they captured?"]["evidence"]
    count(churn, dropped=3)
    assert look(web)[0] == "Were they captured? No: 5 of 8, at 100 %; 3 could not be written."


def test_files_that_are_gone_and_files_that_nobody_counted(web: TestClient[Any], churn: Service) -> None:
    count(churn, captured=5)
    said, answers = look(web)
    assert said.startswith("Are there capture files? No: no file in the hours' folders under captures/churn")
    assert answers["Are there capture files?"]["todo"] == "they were moved or deleted"
    write_captures(churn.layout.captures("churn"), quality_captures(prediction_batch(3, 3)))
    with churn.store.write() as db:
        db.exec_driver_sql("DELETE FROM capture_counts")
    _, answers = look(web)
    assert answers["Did requests arrive?"]["state"] == "unknown"


def test_what_retention_took(web: TestClient[Any], churn: Service, clock: FakeClock) -> None:
    count(churn, captured=5)
    clock.set(START + 50 * HOUR)
    churn.set_retention("churn", Retention(captures="P1D"))
    said, answers = look(web, "?hour=2026-11-22T10:00Z")
    why = "they are kept for P1D, so deleted before 2026-11-23T12:00:00Z."
    assert said == f"Are captures of that time still kept? No: {why}"
    assert answers["Are captures of that time still kept?"]["todo"].startswith("driftline retention set churn")
    assert look(web)[1]["Are captures of that time still kept?"]["evidence"] == "they are kept for P1D"


def test_labels_that_did_not_come(web: TestClient[Any], churn: Service, clock: FakeClock) -> None:
    captured(churn, labels=False)
    judge(churn, clock)
    said, answers = look(web)
    assert said.startswith("The last run could not judge: no label for any of 300 predictions")
    assert answers["Did labels come?"]["todo"] == "driftline labels put churn labels.csv"
    assert answers["Did rows come through every step of the last run?"]["state"] == "no"
    page = web.get("/endpoints/churn/data").text
    assert "<dt>labels looked for in</dt>" in page, "the run's own checklist"


def test_labels_of_other_ids(web: TestClient[Any], churn: Service, clock: FakeClock) -> None:
    captured(churn, ids="x{}")
    judge(churn, clock)
    said, answers = look(web)
    assert said.startswith("The last run could not judge: no label's event id equals")
    same = answers["Do labels and predictions have the same ids?"]
    assert (same["state"], same["link"][:6]) == ("no", "/runs/")
    assert same["evidence"] == "0 of 300 predictions had a label, of 300 labels that were read"


def test_records_that_cannot_be_read(web: TestClient[Any], churn: Service, clock: FakeClock) -> None:
    captured(churn)
    [file] = churn.layout.captures("churn").rglob("*.jsonl")
    file.write_text(f"{EVIL}\n" * 3)
    judge(churn, clock)
    said, answers = look(web)
    assert said.startswith("The last run could not judge: ")
    read = answers["Could the last run read them?"]
    assert read["state"] in ("no", "unknown")
    page = web.get("/endpoints/churn/data?hour=2026-11-22T10:00Z").text
    assert "Records it refused" in page
    assert page.count("&lt;script&gt;") >= 3
    assert EVIL not in page


def test_a_schedule_that_does_not_go_on(web: TestClient[Any], churn: Service, clock: FakeClock) -> None:
    captured(churn)
    churn.create_schedule("hourly", endpoint="churn", cron="0 * * * *", attributes={"probability_attribute": "0"})
    clock.set(START + HOUR + timedelta(minutes=20))
    said, answers = look(web)
    assert said == "Does the schedule hourly go on? No: overdue: 1 window; the oldest was due at 2026-11-22T11:00:00Z."
    assert answers["Could the last run read them?"]["todo"] == "driftline schedule run hourly"
    churn.pause_schedule("hourly")
    assert look(web)[0] == "Does the schedule hourly go on? No: it is paused."


def test_an_hour_shows_some_of_its_records_cut(web: TestClient[Any], churn: Service) -> None:
    folder = churn.layout.captures("churn") / "AllTraffic" / "2026/11/22/10"
    folder.mkdir(parents=True)
    lines = [json.dumps({"n": place, "x": EVIL + "y" * 5000}) for place in range(9)]
    (folder / "00.jsonl").write_text("\n".join(lines))
    view = web.get("/endpoints/churn/data.json?hour=2026-11-22T10:00Z").json()
    assert [record[:7] for record in view["records"]] == [f'{{"n": {place}' for place in range(5)]
    assert all(len(record) == 601 for record in view["records"])
    page = web.get("/endpoints/churn/data?hour=2026-11-22T10:00Z").text
    assert "00.jsonl" in page
    assert EVIL not in page
    assert 'rel="prev" href="/endpoints/churn/data?hour=2026-11-22T09:00Z"' in page
    assert "No capture file of this hour can be shown" in web.get("/endpoints/churn/data?hour=2026-11-22T09:00").text
    assert web.get("/endpoints/churn/data.json").json()["records"] == []


def test_a_link_out_of_the_captures_is_not_shown(web: TestClient[Any], churn: Service, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret\n")
    folder = churn.layout.captures("churn") / "2026/11/22/10"
    folder.mkdir(parents=True)
    (folder / "00.jsonl").symlink_to(secret)
    assert "the secret" not in web.get("/endpoints/churn/data?hour=2026-11-22T10:00Z").text


def test_a_folder_of_very_many_files_costs_little(web: TestClient[Any], churn: Service) -> None:
    folder = churn.layout.captures("churn") / "AllTraffic" / "2026/11/22/10"
    folder.mkdir(parents=True)
    (folder / "0.jsonl").write_text("{}\n")
    for place in range(1, 5000):
        (folder / f"{place}.jsonl").hardlink_to(folder / "0.jsonl")
    began = time.process_time()
    _, answers = look(web)
    assert time.process_time() - began < 2
    said = answers["Are there capture files?"]["evidence"]
    assert said.startswith("more than 1,000 files")
    assert "at least 500 records" in said


@pytest.mark.parametrize("hour", ["x", "0001-01-01", "9999-12-31T23:00Z", "2026-13-01", EVIL, "1" * 9000])
def test_what_is_no_hour_is_refused(web: TestClient[Any], churn: Service, hour: str) -> None:
    assert web.get("/endpoints/churn/data", params={"hour": hour}).status_code == 400


def test_far_hours_are_empty(web: TestClient[Any], churn: Service) -> None:
    for hour in ("1990-01-01", "8999-12-31T23:59Z"):
        assert web.get("/endpoints/churn/data", params={"hour": hour}).status_code == 200
    assert web.get("/endpoints/none/data").status_code == 404
    assert web.get("/endpoints/..%2f/data").status_code == 404
