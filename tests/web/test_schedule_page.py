"""The page of a schedule: its line of windows, its runs, and what its buttons do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from driftline.core.verdict import Verdict
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.service import Service
from driftline.storage import endpoints, schedules
from driftline.testing import START, FakeClock

HTML = {"accept": "text/html"}


def states(web: TestClient[Any], query: str = "") -> list[str]:
    return [slot["state"] for slot in web.get(f"/schedules/hourly.json{query}").json()["slots"]]


def test_every_window_has_its_state(web: TestClient[Any], ran: Any, clock: FakeClock) -> None:
    clock.set(START + timedelta(hours=8, minutes=1))
    ran(0)
    ran(1, verdict=Verdict.VIOLATED)
    ran(2, verdict=Verdict.UNKNOWN)
    ran(3, verdict=Verdict.UNKNOWN, status="Failed")
    ran(4, verdict=Verdict.OK, revision=1)
    ran(4, verdict=Verdict.VIOLATED, revision=2)
    ran(5, waiting=True)
    ran(7, waiting=True)
    # The tick of the seventh hour has no run, though the schedule has not yet planned it.
    assert states(web) == [
        "ok",
        "violated",
        "unknown",
        "failed",
        "violated",
        "overdue",
        "overdue",
        "waiting",
        *["planned"] * 6,
    ]
    page = web.get("/schedules/hourly").text
    for glyph in "✓✕?!◔…○":
        assert f">{glyph}</text>" in page
    assert "every hour on the hour" in page


def test_ticks_of_a_pause_have_no_run(web: TestClient[Any], service: Service, ran: Any, clock: FakeClock) -> None:
    ran(0)
    service.pause_schedule("hourly")
    clock.set(START + timedelta(hours=3, minutes=1))
    assert states(web) == ["ok", "none", "none"]
    assert "Paused" in web.get("/schedules/hourly").text


def test_a_line_is_a_week_and_leads_to_the_ones_beside_it(web: TestClient[Any], ran: Any, clock: FakeClock) -> None:
    clock.set(START + timedelta(days=20))
    for hour in (0, 24 * 10, 24 * 19):
        ran(hour)
    twin = web.get("/schedules/hourly.json").json()
    assert sum(slot["run"] is not None for slot in twin["slots"]) == 1
    assert twin["newer"] == ""
    older = web.get(twin["older"].replace("hourly?", "hourly.json?")).json()
    assert [run["window_start"] for run in older["runs"]] == ["2026-12-02T10:00:00Z"]
    assert older["newer"] == "/schedules/hourly"
    page = web.get(twin["older"]).text
    assert 'rel="prev"' in page
    assert 'rel="next"' in page


def test_a_new_schedule_says_when_it_begins(web: TestClient[Any], ran: Any) -> None:
    assert ran.name == "hourly"
    page = web.get("/schedules/hourly").text
    assert "None of these windows has been run" in page
    assert "planned" in page


def test_runs_are_shown_fifty_a_page(web: TestClient[Any], ran: Any, clock: FakeClock) -> None:
    clock.set(START + timedelta(hours=60))
    for hour in range(52):
        ran(hour)
    first, second = (web.get(f"/schedules/hourly.json?page={page}").json() for page in (1, 2))
    assert (len(first["runs"]), first["more"]) == (50, True)
    assert (len(second["runs"]), second["more"]) == (2, False)
    assert first["runs"][0]["window_start"] > second["runs"][0]["window_start"]
    assert "older runs" in web.get("/schedules/hourly").text
    for odd in ("0", "-1", "x", "99999999999"):
        assert web.get(f"/schedules/hourly?page={odd}").status_code == 200


def test_the_buttons_do_what_they_say(web: TestClient[Any], service: Service, ran: Any, clock: FakeClock) -> None:
    assert ran.name == "hourly"
    clock.set(START + timedelta(hours=4))
    run = web.post("/schedules/hourly/run", follow_redirects=False).headers["location"].removeprefix("/runs/")
    assert service.get_run(run).window_end == START + timedelta(hours=4)
    web.post("/schedules/hourly/pause")
    assert service.get_schedule("hourly").state == "paused"
    web.post("/schedules/hourly/resume")
    assert service.get_schedule("hourly").state == "active"
    times = {"start": f"{START:%Y-%m-%dT%H:%M}", "end": f"{START + timedelta(hours=2):%Y-%m-%dT%H:%M}"}
    answer = web.post("/schedules/hourly/backfill", data=times, follow_redirects=False)
    assert answer.status_code == 303
    assert sum(one.cause == "backfill" for one in service.list_runs(schedule="hourly")) == 2


def test_times_of_a_form_are_the_readers(web: TestClient[Any], service: Service, ran: Any, clock: FakeClock) -> None:
    assert ran.name == "hourly"
    clock.set(START + timedelta(hours=4))
    web.cookies.set("driftline_zone", "Europe/Berlin")
    # 11:00 to 12:00 in Berlin is 10:00 to 11:00 in UTC.
    web.post("/schedules/hourly/backfill", data={"start": "2026-11-22T11:00", "end": "2026-11-22T12:00"})
    assert [f"{one.tick:%H:%M}" for one in service.list_runs(schedule="hourly")] == ["11:00"]


@pytest.mark.parametrize(("start", "end"), [("", ""), ("soon", "2026-11-22"), ("2000-01-01", "2026-11-22")])
def test_a_backfill_that_cannot_be_is_explained(web: TestClient[Any], ran: Any, start: str, end: str) -> None:
    assert ran.name == "hourly"
    answer = web.post("/schedules/hourly/backfill", data={"start": start, "end": end}, headers=HTML)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "<details open>" in answer.text
    assert f'value="{start}"' in answer.text


def test_a_schedule_is_deleted_only_after_it_was_asked(web: TestClient[Any], service: Service, ran: Any) -> None:
    ran(0)
    asked = web.get("/schedules/hourly/delete", headers=HTML)
    assert "Delete hourly and its runs" in asked.text
    assert service.get_schedule("hourly")
    answer = web.post("/schedules/hourly/delete", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/endpoints/churn")
    assert service.list_schedules() == []


def test_readers_see_no_buttons_and_may_not_press_them(guarded: Any) -> None:
    with guarded.service.store.write() as db:
        endpoints.create(
            db, "e", model_path="", model=ModelDescription(), capture=CaptureSettings(), now=guarded.service.now()
        )
    guarded.service.create_schedule("s", endpoint="e", cron="0 * * * *", attributes={"probability_attribute": "0"})
    assert "Run now" in guarded.ask("GET", "/schedules/s", "operator").text
    assert "<button>" not in guarded.ask("GET", "/schedules/s", "reader").text
    assert "<button>Delete" not in guarded.ask("GET", "/schedules/s/delete", "reader").text
    for act in ("run", "pause", "resume", "backfill", "delete"):
        assert guarded.ask("POST", f"/schedules/s/{act}", "reader").status_code == 403
    for act in ("again", "accept", "silence"):
        assert guarded.ask("POST", f"/runs/r/{act}", "writer").status_code == 403
    assert guarded.ask("POST", "/schedules/s/pause", "operator").status_code == 303
    [entry, *_] = guarded.service.list_audit(target="schedules/s")
    assert entry.action == "schedule_pause"


def test_an_unknown_schedule_is_not_found(web: TestClient[Any]) -> None:
    for path in ("/schedules/none", "/schedules/none/delete"):
        assert web.get(path).status_code == 404
    assert web.post("/schedules/none/run").status_code == 404


@pytest.mark.parametrize(
    ("before", "status"),
    [("soon", 400), ("0001-01-01", 400), ("9999-12-31T23:59:59Z", 200), ("2026-11-22T10:30:00Z", 200), ("", 200)],
)
def test_a_line_may_end_at_any_moment(web: TestClient[Any], ran: Any, before: str, status: int) -> None:
    ran(0)
    assert web.get(f"/schedules/hourly?before={before}").status_code == status


@pytest.mark.parametrize("cron", ["*/1 * * * *", "0 0 29 2 *", "cron(0 0 1 1 ? 2027)", "NOW"])
def test_any_rhythm_has_a_line(web: TestClient[Any], service: Service, clock: FakeClock, cron: str, ran: Any) -> None:
    assert ran.name == "hourly"
    with service.store.write() as db:
        row = msgspec.structs.replace(schedules.get(db, "hourly"), cron=cron)
        schedules.save(db, row)
    clock.set(START + timedelta(days=2))
    twin = web.get("/schedules/hourly.json")
    assert twin.status_code == 200
    assert len(twin.json()["slots"]) <= 410
