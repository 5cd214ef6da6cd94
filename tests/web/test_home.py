"""The home page: every endpoint by its monitors, the worst first, and what is open."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from litestar.testing import TestClient

from driftline.core.documents import Violation
from driftline.core.verdict import Reason, Verdict
from driftline.resources.alarms import Alarm, AlarmState, Transition
from driftline.resources.metrics import Series
from driftline.resources.mutes import Acknowledgement
from driftline.service import Service
from driftline.storage import alarms, capture_counts, executions
from driftline.storage.executions import Outcome
from driftline.testing import START

if TYPE_CHECKING:
    from tests.web.conftest import World

HOUR = timedelta(hours=1)
LOW = Violation(metric_name="f2", constraint_check_type="LessThanThreshold", description="d", value=0.4, threshold=0.6)
OK = Outcome("Completed", Verdict.OK, "fine", counts={"predictions": 300, "matched": 150, "judged": 150})
BAD = Outcome("CompletedWithViolations", Verdict.VIOLATED, "bad", violations=(LOW,), counts={"predictions": 300})
DARK = Outcome("Completed", Verdict.UNKNOWN, "dark", reasons=(Reason("no_labels", "no label"),))
BROKEN = Outcome("Failed", Verdict.UNKNOWN, "broken", reasons=(Reason("failed", "broke"),))


def lines(web: TestClient[Any], query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = web.get(f"/index.json{query}").json()["endpoints"]
    return found


def states(line: dict[str, Any]) -> dict[str, str]:
    return {one["monitor"]: one["state"] for one in line["monitors"]}


@pytest.fixture
def five(world: World) -> World:
    """An endpoint in each state that one can be in, named against the order."""
    for name in ("a-unmonitored", "b-paused", "c-ok", "d-unknown", "e-violated"):
        world.endpoint(name)
    world.run(world.schedule("paused", "b-paused", state="paused"), START, OK)
    world.run(world.schedule("fine", "c-ok"), START, OK)
    world.run(world.schedule("dark", "d-unknown"), START, DARK)
    world.run(world.schedule("bad", "e-violated"), START, BAD)
    return world


def test_the_worst_come_first(web: TestClient[Any], five: World) -> None:
    view = web.get("/index.json").json()
    assert [one["endpoint"][2:] for one in view["endpoints"]] == ["violated", "unknown", "ok", "paused", "unmonitored"]
    assert view["totals"] == {"VIOLATED": 1, "UNKNOWN": 1, "OK": 1, "PAUSED": 1, "NONE": 1}
    page = re.sub(r"<[^>]*>", "", web.get("/").text)
    assert "1 violated, 1 unknown, 1 OK, 1 paused, 1 not monitored" in " ".join(page.split())


def test_a_state_and_a_part_of_the_name_are_asked_for(web: TestClient[Any], five: World) -> None:
    assert [one["endpoint"] for one in lines(web, "?state=UNKNOWN")] == ["d-unknown"]
    assert [one["endpoint"] for one in lines(web, "?q=PAU")] == ["b-paused"]
    assert lines(web, "?state=OK&q=violated") == []
    assert "No endpoint fits this" in web.get("/?q=nothing-such").text
    assert len(lines(web, "?state=nonsense&page=x")) == 5


def test_a_cell_leads_to_the_run_that_it_tells_of(web: TestClient[Any], world: World) -> None:
    world.endpoint()
    run = world.run(world.schedule("bias-hourly", monitor="bias"), START, BAD)
    [line] = lines(web)
    assert states(line) == {"data-quality": "NONE", "model-quality": "NONE", "bias": "VIOLATED", "attribution": "NONE"}
    assert f'<a class="badge VIOLATED" href="/runs/{run}">' in web.get("/").text


def test_the_worst_of_several_schedules_speaks_for_a_monitor(web: TestClient[Any], world: World) -> None:
    world.endpoint()
    world.run(world.schedule("a"), START, OK)
    bad = world.run(world.schedule("b"), START, BAD)
    cell = lines(web)[0]["monitors"][1]
    assert (cell["state"], cell["run"], cell["schedules"]) == ("VIOLATED", bad, 2)


def test_a_run_that_waits_or_was_stopped_does_not_hide_the_last_verdict(
    web: TestClient[Any], world: World, service: Service
) -> None:
    world.endpoint()
    hourly = world.schedule("hourly", next_tick=service.now() + 9 * HOUR)
    bad = world.run(hourly, START - 2 * HOUR, BAD)
    stopped = world.run(hourly, START - HOUR, None)
    with service.store.write() as db:
        executions.stop(db, stopped, START)
    world.run(hourly, START, None)
    assert lines(web)[0]["monitors"][1]["run"] == bad


def test_a_run_that_failed_is_unknown(web: TestClient[Any], world: World) -> None:
    world.endpoint()
    hourly = world.schedule("hourly")
    world.run(hourly, START - HOUR, OK)
    world.run(hourly, START, BROKEN)
    [line] = lines(web)
    assert line["state"] == "UNKNOWN"
    assert line["coverage"] is None


def test_the_newest_revision_of_a_window_counts(web: TestClient[Any], world: World) -> None:
    world.endpoint()
    hourly = world.schedule("hourly")
    world.run(hourly, START, DARK)
    world.run(hourly, START, OK, revision=2)
    [line] = lines(web)
    assert line["state"] == "OK"
    assert (line["coverage"]["matched"], line["coverage"]["predictions"]) == (150, 300)


def test_a_new_schedule_is_not_yet_judged_and_not_fine(web: TestClient[Any], world: World) -> None:
    world.endpoint()
    world.schedule("hourly")
    assert lines(web)[0]["state"] == "WAITING"
    assert "Not yet" in web.get("/").text


def test_an_overdue_window_makes_what_was_fine_unknown(web: TestClient[Any], world: World, service: Service) -> None:
    world.endpoint()
    world.run(world.schedule("hourly", next_tick=service.now() - HOUR), START - HOUR, OK)
    view = web.get("/index.json").json()
    assert view["endpoints"][0]["state"] == "UNKNOWN"
    assert view["windows_overdue"] == 1
    assert "no scheduler has taken it up" in web.get("/").text


def test_traffic_trend_and_times_are_told(web: TestClient[Any], world: World, service: Service) -> None:
    world.endpoint()
    hourly = world.schedule("hourly")
    world.run(hourly, START, BAD)
    space = "aws/sagemaker/Endpoints/model-metrics"
    world.points(hourly, "f2", {START - 2 * HOUR: 0.8, START - HOUR: None, START: 0.4}, space)
    with service.store.write() as db:
        capture_counts.add(db, "churn", START - HOUR, capture_counts.CaptureCounts(70, 20, 10))
        capture_counts.add(db, "churn", START - 30 * HOUR, capture_counts.CaptureCounts(1000))
    [line] = lines(web)
    assert (line["requests"], line["dropped"]) == (100, 10)
    assert line["trend"]["metric"] == "f2"
    assert line["trend"]["threshold"] == 0.6
    assert [value for _, value in line["trend"]["points"]] == [0.8, None, 0.4]
    page = web.get("/").text
    assert "2 values from 0.4000 to 0.8000, the last 0.4000, threshold 0.6000, 1 value missing" in page
    assert 'href="/series?endpoint=churn&amp;schedule=hourly"' in page


def test_open_alarms_stand_on_top_with_who_took_note(web: TestClient[Any], world: World, service: Service) -> None:
    world.endpoint()
    with service.store.write() as db:
        for name, state in (("fine", "OK"), ("quiet", "INSUFFICIENT_DATA"), ("loud", "ALARM")):
            _alarm(db, name, state)
        alarms.acknowledge(db, "loud", Acknowledgement("ada", START, "on it"))
    page = web.get("/").text
    assert page.index("loud") < page.index("quiet")
    assert "/alarms/fine" not in page
    assert "Acknowledged by <bdi>ada</bdi>: on it" in page
    assert web.get("/index.json").json()["open_alarms"] == 2


def _alarm(db: Any, name: str, state: AlarmState) -> None:
    own = {"Endpoint": "churn", "MonitoringSchedule": "hourly"}
    alarms.put(db, name, Series("n", "f2", own), Alarm(name, "f2", "n", own, "LessThanThreshold", 0.5), START)
    alarms.move(db, Transition(name, name, "INSUFFICIENT_DATA", state, START, f"it is {state}"))


def test_endpoints_are_shown_fifty_a_page(web: TestClient[Any], world: World) -> None:
    for number in range(51):
        world.endpoint(f"m{number:02d}")
    first, second, beyond = (web.get(f"/?q=m&page={page}").text for page in (1, 2, 9))
    assert 'rel="next" href="/?q=m&amp;page=2"' in first
    assert 'rel="prev" href="/?q=m"' in second
    assert [one["endpoint"] for one in lines(web, "?page=2")] == ["m50"]
    assert "Page 2 of 2" in beyond


def test_hostile_names_are_text(web: TestClient[Any], world: World) -> None:
    evil = "<script>alert('x')</script>"
    world.endpoint(evil)
    world.run(world.schedule(evil, evil), START, BAD)
    for path in ("/", f"/?q={evil}", "/?export=1"):
        page = web.get(path).text
        assert "<script>" not in page
        assert "&lt;script&gt;" in page


def test_one_file_stands_alone(web: TestClient[Any], five: World) -> None:
    page = web.get("/?export=1").text
    assert ".fleet" in page
    assert "<link" not in page
