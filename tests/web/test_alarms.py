"""The pages of alarms: what they show, what their forms do, and who may use them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from litestar.testing import TestClient

from driftline.alerting.metrics import MODEL_QUALITY, dimensions_of
from driftline.core.errors import NotFoundError
from driftline.resources.alarms import Alarm, NewAlarm
from driftline.resources.metrics import Series, point
from driftline.service import Service
from driftline.storage import alarms, metrics
from driftline.testing import START, FakeClock

HOUR = timedelta(hours=1)
EVIL = "<script>alert('x')</script>"
SERIES = Series(MODEL_QUALITY, "f2", dimensions_of("churn", "hourly"))


def publish(service: Service, *values: float | None) -> None:
    with service.store.write() as db:
        metrics.add(db, [(SERIES, point(START + place * HOUR, value, "r1")) for place, value in enumerate(values)])


def put(service: Service, name: str = "low", **changes: Any) -> None:
    given: dict[str, Any] = {"metric": "f2", "operator": "LessThanThreshold", "threshold": 0.6} | changes
    service.put_alarm(NewAlarm(**given, endpoint="churn", schedule="hourly").named(name))


@pytest.fixture
def watched(service: Service) -> Iterator[Service]:
    """A metric that breaches twice, misses once and is fine once, and an alarm on three of the last four."""
    publish(service, 0.9, 0.4, None, 0.3)
    put(service, datapoints_to_alarm=2, evaluation_periods=4, alarm_actions=("https://hooks.test/secret",))
    return service


def test_a_service_without_alarms_says_how_to_make_one(web: TestClient[Any]) -> None:
    page = web.get("/alarms").text
    assert "driftline alarm put" in page
    assert 'href="/new/alarm"' in page


def test_what_alarms_is_first(web: TestClient[Any], watched: Service) -> None:
    put(watched, "a-fine-one", threshold=0.1)
    put(watched, "b-unknown", metric="recall")
    found = web.get("/alarms.json").json()
    assert [line["name"] for line in found["alarms"]] == ["low", "b-unknown", "a-fine-one"]
    assert found["counts"] == {"ALARM": 1, "INSUFFICIENT_DATA": 1, "OK": 1}
    page = web.get("/alarms").text
    assert "f2 is below 0.6 in 2 of the last 4 periods of 1 hour" in page
    assert "/series?endpoint=churn&amp;schedule=hourly&amp;metric=f2" in page
    assert [line["name"] for line in web.get("/alarms.json?state=OK").json()["alarms"]] == ["a-fine-one"]
    assert [line["name"] for line in web.get("/alarms.json?q=RECALL").json()["alarms"]] == ["b-unknown"]
    assert web.get("/alarms.json?q=%25").json()["alarms"] == []
    assert "No alarm is like that" in web.get("/alarms?q=nothing").text
    assert web.get("/alarms?state=BAD").status_code == 400


def test_fifty_a_page(web: TestClient[Any], service: Service) -> None:
    for number in range(53):
        put(service, f"alarm-{number:02}")
    first, second = (web.get(f"/alarms.json?page={page}").json() for page in (1, 2))
    assert (len(first["alarms"]), first["more"]) == (50, True)
    assert ([line["name"] for line in second["alarms"]], second["more"]) == (
        ["alarm-50", "alarm-51", "alarm-52"],
        False,
    )
    assert 'rel="next" href="?q=&amp;state=&amp;page=2"' in web.get("/alarms").text
    assert 'rel="prev"' in web.get("/alarms?page=2").text
    assert web.get("/alarms?page=-5").status_code == web.get("/alarms?page=99999999999").status_code == 200


def test_an_alarm_shows_the_datapoints_it_rests_on(web: TestClient[Any], watched: Service) -> None:
    found = web.get("/alarms/low.json").json()
    assert [(one["value"], one["breaching"]) for one in found["datapoints"]] == [
        (0.9, False),
        (0.4, True),
        (None, False),
        (0.3, True),
    ]
    page = web.get("/alarms/low").text
    assert "<title>2026-11-22 11:00: 0.4000, compared with 0.6: breaching</title>" in page
    assert page.count('class="box breaching"') == 2
    assert page.count('class="box missing"') == page.count('class="box fine"') == 1
    assert "hooks.test/…" in page
    assert "secret" not in page
    assert [change["to_state"] for change in found["history"]] == ["ALARM"]
    assert {sent["target"] for sent in found["deliveries"]} == {"log", "https://hooks.test/…"}
    assert web.get("/alarms/none").status_code == 404


def test_an_alarm_over_others_shows_them(web: TestClient[Any], watched: Service) -> None:
    watched.put_alarm(NewAlarm(rule="ALARM(low)").named("both"))
    page = web.get("/alarms/both").text
    assert "Alarms in the rule" in page
    assert 'href="/alarms/low"' in page
    refused = web.post("/alarms/low/delete")
    assert refused.status_code == 400
    assert "part of other alarms" in refused.text


def test_a_note_is_taken_once(web: TestClient[Any], watched: Service) -> None:
    answer = web.post("/alarms/low/acknowledge", data={"note": "on it"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/alarms/low")
    known = watched.get_alarm("low").acknowledged
    assert known is not None
    assert (known.author, known.note) == ("anonymous", "on it")
    put(watched, "fine", threshold=0.1)
    refused = web.post("/alarms/fine/acknowledge", data={"note": EVIL})
    assert refused.status_code == 400
    assert "nothing to take note of" in refused.text


def test_mutes_begin_and_end(web: TestClient[Any], watched: Service) -> None:
    web.post("/alarms/low/mute", data={"minutes": "30", "reason": "release"})
    web.post("/mutes", data={"minutes": "", "end": "2026-11-23T00:00Z", "reason": "all"})
    by_alarm = {mute.alarm: mute for mute in watched.list_mutes()}
    assert by_alarm["low"].end == START + timedelta(minutes=30)
    assert (by_alarm[None].reason, by_alarm[None].author) == ("all", "anonymous")
    assert "muted until 2026-11-23 00:00" in web.get("/alarms").text
    answer = web.post(f"/mutes/{by_alarm['low'].id}/end", data={"alarm": "low"}, follow_redirects=False)
    assert answer.headers["location"] == "/alarms/low"
    assert [mute.alarm for mute in watched.list_mutes()] == [None]


@pytest.mark.parametrize("path", ["/alarms/low/mute", "/mutes"])
@pytest.mark.parametrize("minutes", ["soon", "-1", "nan", "1e308", ""])
def test_a_mute_that_makes_no_sense_keeps_what_was_typed(
    web: TestClient[Any], watched: Service, path: str, minutes: str
) -> None:
    answer = web.post(path, data={"minutes": minutes, "reason": EVIL})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "&lt;script&gt;alert(&#39;x&#39;)" in answer.text
    assert "<script>" not in answer.text
    assert watched.list_mutes() == []


def test_actions_are_tried(web: TestClient[Any], watched: Service) -> None:
    put(watched, "logged", alarm_actions=("log",))
    page = web.post("/alarms/logged/test", data={"state": "ALARM"}).text
    assert "What came of the test" in page
    assert "<code>log</code>" in page
    assert "tells nobody" in web.post("/alarms/logged/test", data={"state": "OK"}).text


def test_an_alarm_is_deleted_after_a_question(web: TestClient[Any], watched: Service) -> None:
    assert "Delete the alarm" in web.get("/alarms/low/delete").text
    answer = web.post("/alarms/low/delete", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/alarms")
    with pytest.raises(NotFoundError):
        watched.get_alarm("low")


def test_html_in_an_alarm_is_text(web: TestClient[Any], service: Service) -> None:
    evil = "<script>alert(1)<.script>"
    alarm = Alarm(evil, EVIL, EVIL, {"Endpoint": EVIL, EVIL: EVIL}, "LessThanThreshold", 0.5)
    with service.store.write() as db:
        alarms.put(db, evil, Series("n", "f2", {}), alarm, service.now())
    for path in ("/alarms", f"/alarms/{quote(evil)}"):
        page = web.get(path).text
        assert "&lt;script&gt;" in page
        assert "<script>" not in page


def test_another_site_s_page_changes_nothing(web: TestClient[Any], watched: Service) -> None:
    for path in ("/mutes", "/alarms/low/mute", "/alarms/low/acknowledge", "/alarms/low/test", "/alarms/low/delete"):
        answer = web.post(path, data={"minutes": "5"}, headers={"Origin": "https://evil.test"})
        assert answer.status_code == 403
    assert watched.get_alarm("low").acknowledged is None
    assert watched.list_mutes() == []


def test_readers_see_no_forms_and_cannot_send_them(guarded: Any, clock: FakeClock) -> None:
    service: Service = guarded.service
    put(service, "kept")
    page = guarded.ask("GET", "/alarms/kept", "reader").text
    assert "<form" not in page.replace('<form class="search"', "")
    assert "/new/alarm" not in guarded.ask("GET", "/alarms", "reader").text.replace('href="/new"', "")
    assert "<form" in guarded.ask("GET", "/alarms/kept", "operator").text.replace('<form class="search"', "")
    for path in ("/mutes", "/alarms/kept/acknowledge", "/alarms/kept/delete"):
        for role in ("reader", "writer"):
            assert guarded.ask("POST", path, role, data={"note": "x"}).status_code == 403
    guarded.ask("POST", "/alarms/kept/acknowledge", "operator", data={"note": "mine"})
    known = service.get_alarm("kept").acknowledged
    assert known is not None
    assert known.author == "the-operator"
    service.delete_alarm("kept")
