"""The forms: what they make, that the command and the code they show make the same, and that nothing typed is lost."""

from __future__ import annotations

import html
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
import typer
from litestar.testing import TestClient

import driftline
from driftline import Client
from driftline.cli.app import app
from driftline.core.errors import NotFoundError
from driftline.resources.alarms import Band, NewAlarm
from driftline.service import Service
from driftline.storage import alarms

EVIL = "<script>alert('x')</script>"
CONSTRAINTS = {
    "version": 0.0,
    "binary_classification_constraints": {"f2": {"threshold": 0.6, "comparison_operator": "LessThanThreshold"}},
}
ENDPOINT = {"name": "churn", "upstream": "", "percent": "100", "sides": "both", "sensitive": ""}
SCHEDULE = {
    "name": "hourly",
    "endpoint": "churn",
    "monitor": "model-quality",
    "cron": "0 * * * *",
    "baseline": "good",
    "problem_type": "BinaryClassification",
    "probability_attribute": "0",
    "minimum_sample": "30",
    "time_limit": "1800",
    "memory_limit": "2048",
    "rejudge_step": "0.05",
}
ALARM = {
    "name": "low",
    "endpoint": "churn",
    "schedule": "hourly",
    "metric": "f2",
    "operator": "LessThanThreshold",
    "threshold": "0.6",
    "period": "3600",
    "datapoints_to_alarm": "1",
    "evaluation_periods": "1",
    "alarm_actions": "log",
}


@pytest.fixture
def client(web: TestClient[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of the application in this process, which is also what commands and code make when they make one."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = web.request(request.method, str(request.url), content=request.read(), headers=request.headers)
        return httpx.Response(found.status_code, content=found.content)

    def made(*_: Any, **__: Any) -> Client:
        found = Client("http://testserver")
        found._http = httpx.Client(base_url=found.url, transport=httpx.MockTransport(answer))
        return found

    monkeypatch.setattr("driftline.client.Client", made)
    monkeypatch.setitem(vars(driftline), "Client", made)
    with made() as client:
        yield client


def run_command(text: str) -> None:
    """Run command lines as a shell would read them."""
    for line in text.splitlines():
        words = shlex.split(line)
        assert words[0] == "driftline"
        typer.main.get_command(app).main(words[1:], prog_name="driftline", standalone_mode=False)


def run_python(text: str) -> None:
    exec(compile(text, "shown", "exec"), {})  # noqa: S102 - the code that the page shows


def shown(web: TestClient[Any], path: str, typed: dict[str, str]) -> dict[str, str]:
    """What a page shows for these fields; the page says the same as its twin."""
    query = urlencode({**typed, "show": "1"})
    page, twin = web.get(f"{path}?{query}"), web.get(f"{path}.json?{query}")
    assert page.status_code == twin.status_code == 200, page.text
    found: dict[str, str] = twin.json()["equivalent"]
    blocks = [html.unescape(block) for block in re.findall(r'<pre tabindex="0">(.*?)</pre>', page.text, re.S)]
    assert found["command"] in blocks
    assert found["python"] in blocks
    return found


@pytest.fixture
def ready(service: Service) -> Service:
    service.register_endpoint("churn")
    service.put_baseline("good", json.dumps(CONSTRAINTS).encode())
    return service


def essence(made: Any) -> Any:
    """A thing without what its making alone says."""
    document = msgspec.to_builtins(made)
    return {key: value for key, value in document.items() if key not in ("created", "updated", "revision")}


def same_three_ways(
    web: TestClient[Any], path: str, typed: dict[str, str], get: Callable[[], Any], delete: Callable[[], None]
) -> Any:
    """Make a thing by the form, by the command and by the code it shows; all three are one."""
    ways = shown(web, path, typed)
    answer = web.post(path, data=typed, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    made = essence(get())
    for run, way in ((run_command, ways["command"]), (run_python, ways["python"])):
        delete()
        run(way)
        assert essence(get()) == made, way
    return get()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"percent": "12.5", "sensitive": "input:3:hash\noutput:a b.'c:drop"},
        {"upstream": "http://127.0.0.1:9/v1/predict", "sides": "input", "percent": "0"},
        {"sides": "output"},
    ],
)
def test_endpoints_three_ways(web: TestClient[Any], service: Service, client: Client, changes: dict[str, str]) -> None:
    made = same_three_ways(
        web,
        "/new/endpoint",
        ENDPOINT | changes,
        lambda: service.get_endpoint("churn"),
        lambda: service.delete_endpoint("churn"),
    )
    assert made.kind == ("proxy" if "upstream" in changes else "external")
    assert made.capture.input == (changes.get("sides") != "output")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cron": "cron(0 6 ? * MON *)", "start_offset": "-P1D", "end_offset": "-PT2H", "baseline": ""},
        {
            "problem_type": "MulticlassClassification",
            "probability_attribute": "0-2",
            "baseline": "",
            "inference_attribute": "",
        }
        | {"classes": "cat\ndog, wild\no'neil"},
        {"monitor": "data-quality", "baseline": "", "names": 'one, "only"'},
        {
            "monitor": "data-quality",
            "baseline": "",
            "names": "score\nage, in years",
            "exclude": "id",
            "segments": "plan",
        },
        {"time_limit": "60.5", "memory_limit": "512", "rejudge_step": "0", "catch_up": "latest", "minimum_sample": "5"}
        | {"probability_threshold": "0.8"},
    ],
)
def test_schedules_three_ways(web: TestClient[Any], ready: Service, client: Client, changes: dict[str, str]) -> None:
    made = same_three_ways(
        web,
        "/new/schedule",
        SCHEDULE | changes,
        lambda: ready.get_schedule("hourly"),
        lambda: ready.delete_schedule("hourly"),
    )
    assert made.attributes["minimum_sample"] == int(changes.get("minimum_sample", "30"))
    if "classes" in changes:
        assert made.attributes["classes"] == changes["classes"].split("\n")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "name": "it's -low",
            "threshold": "-1e-07",
            "operator": "GreaterThanOrEqualToThreshold",
            "statistic": "Maximum",
        },
        {"name": "-low", "datapoints_to_alarm": "2", "evaluation_periods": "3", "treat_missing": "breaching"},
        {
            "threshold": "",
            "band": "4",
            "operator": "GreaterThanUpperThreshold",
            "band_least": "5",
            "band_season": "hour",
        },
        {"dimensions": "Facet=plan = b\nÜber=ß", "ok_actions": "log\nhttps://hooks.test/a?b=$HOME"},
        {"rule": 'ALARM("other one")', "metric": "", "threshold": ""},
    ],
)
def test_alarms_three_ways(web: TestClient[Any], ready: Service, client: Client, changes: dict[str, str]) -> None:
    ready.put_alarm(NewAlarm("f2", "LessThanThreshold", 0.5, "churn", "hourly").named("other one"))
    typed = ALARM | changes
    made = same_three_ways(
        web,
        "/new/alarm",
        typed,
        lambda: ready.get_alarm(typed["name"]),
        lambda: ready.delete_alarm(typed["name"]),
    )
    if "band" in changes:
        assert made.definition.band == Band(4.0, 100, 5, "hour")


def test_baselines_three_ways(
    web: TestClient[Any], service: Service, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps(CONSTRAINTS)
    (tmp_path / "constraints.json").write_text(text)
    monkeypatch.chdir(tmp_path)
    ways = web.get("/new/baseline.json?name=good").json()["equivalent"]
    answer = web.post("/new/baseline", data={"name": "made", "constraints": text}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/baselines/made")
    for run, way in ((run_command, ways["command"]), (run_python, ways["python"])):
        name = f"by-{run.__name__}".replace("_", "-")
        run(way.replace("good", name))
        assert service.get_baseline(name).constraints == service.get_baseline("made").constraints
    refused = web.post("/new/baseline", data={"name": "made", "constraints": text})
    assert refused.status_code == 400
    assert "the baseline made exists" in refused.text


def test_a_baseline_is_kept_from_its_files(web: TestClient[Any], service: Service) -> None:
    """A document far above what a pasted form may have."""
    text = json.dumps(CONSTRAINTS | {"padding": "x" * 200_000})
    files = {
        "constraints_file": ("c.json", json.dumps(CONSTRAINTS)),
        "statistics_file": ("s.json", '{"a": 1}' + " " * 200_000),
    }
    answer = web.post("/new/baseline/files", data={"name": "made"}, files=files, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/baselines/made"), answer.text
    assert service.get_baseline("made").statistics == {"a": 1}
    for name, given, told in (("made", text, "exists"), ("", text, "name is missing"), ("b", EVIL, "line 1")):
        refused = web.post("/new/baseline/files", data={"name": name}, files={"constraints_file": ("c", given)})
        assert refused.status_code == 400
        assert told in refused.text
        assert "<script>" not in refused.text


@pytest.mark.parametrize("word", ["right", "wrong", "last", "none"])
def test_a_form_with_files_begins_with_the_session_s_word(guarded: Any, word: str) -> None:
    login = guarded.ask("POST", "/login", data={"token": guarded.tokens["operator"]}, headers={"Origin": guarded.url})
    cookie = {"Cookie": login.headers["set-cookie"].split(";")[0]}
    csrf = re.findall(r'name="csrf" value="(\w+)"', guarded.ask("GET", "/new/baseline", headers=cookie).text)[0]
    typed = {"name": f"of-{word}"}
    data = {"right": {"csrf": csrf} | typed, "wrong": {"csrf": "x"} | typed, "last": typed | {"csrf": csrf}}.get(
        word, typed
    )
    files = {"constraints_file": ("c.json", json.dumps(CONSTRAINTS) + " " * 500_000)}
    answer = guarded.ask("POST", "/new/baseline/files", headers=cookie, data=data, files=files)
    assert answer.status_code == (303 if word == "right" else 403), answer.text


def test_a_model_is_deployed_from_its_file(web: TestClient[Any], service: Service, model: bytes) -> None:
    files = {"model": ("C:\\models\\model.json", model)}
    answer = web.post("/new/endpoint/model", data={"name": "shop"}, files=files, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/endpoints/shop"), answer.text
    assert service.get_endpoint("shop").model.n_features == 3
    for name, artifact, told in (("shop", model, "exists"), ("", model, "name is missing"), ("bad", b"{}", "")):
        refused = web.post("/new/endpoint/model", data={"name": name}, files={"model": ("model.json", artifact)})
        assert refused.status_code == 400
        assert 'role="alert"' in refused.text
        assert told in refused.text
    assert [endpoint.name for endpoint in service.list_endpoints()] == ["shop"]
    assert web.post("/new/endpoint/model", files=files, headers={"Origin": "https://evil.test"}).status_code == 403


def test_the_first_page_leads_to_the_forms(web: TestClient[Any]) -> None:
    page = web.get("/new").text
    for name in ("endpoint", "baseline", "schedule", "alarm"):
        assert f'href="/new/{name}"' in page
        form = web.get(f"/new/{name}").text
        assert "<h1>New" in form
        labelled = set(re.findall(r'<label for="([\w-]+)"', form))
        assert labelled == set(re.findall(r'<(?:input|select|textarea) id="([\w-]+)"', form)) - {"search"}


def test_the_url_fills_the_fields_in(web: TestClient[Any], ready: Service) -> None:
    page = web.get("/new/schedule?endpoint=churn&name=mine").text
    assert '<option value="churn" selected>churn</option>' in page
    assert 'name="name" type="text" value="mine"' in page
    assert 'role="alert"' not in page
    assert '<option value="good">good</option>' in page
    assert '<option value="good">' not in web.get("/new/schedule?monitor=bias").text


def test_the_next_runs_are_shown(web: TestClient[Any], ready: Service) -> None:
    query = urlencode(SCHEDULE | {"show": "1", "cron": "30 */2 * * *"})
    page = web.get(f"/new/schedule?{query}").text
    assert "Next runs: 2026-11-22 10:30, 2026-11-22 12:30, 2026-11-22 14:30 (UTC)." in page


@pytest.mark.parametrize(
    ("path", "typed", "told"),
    [
        ("/new/endpoint", ENDPOINT | {"name": ""}, "name is missing"),
        ("/new/endpoint", ENDPOINT | {"percent": "nan"}, "percent cannot be used"),
        ("/new/endpoint", ENDPOINT | {"percent": "101"}, "percentage is out of range"),
        ("/new/endpoint", ENDPOINT | {"sensitive": EVIL}, "names no sensitive column"),
        ("/new/endpoint", ENDPOINT | {"upstream": "ftp://x"}, ""),
        ("/new/endpoint", ENDPOINT | {"name": "../etc"}, ""),
        ("/new/baseline", {"name": "b", "constraints": "{]" + EVIL}, "line 1"),
        ("/new/baseline", {"name": "b", "constraints": ""}, "constraints is missing"),
        ("/new/schedule", SCHEDULE | {"cron": EVIL}, ""),
        ("/new/schedule", SCHEDULE | {"endpoint": EVIL}, ""),
        ("/new/schedule", SCHEDULE | {"monitor": "bias"}, ""),
        ("/new/schedule", SCHEDULE | {"memory_limit": "9" * 5000}, "memory limit cannot be used"),
        ("/new/schedule", SCHEDULE | {"end_offset": "PT5H"}, "reads the future"),
        ("/new/schedule", SCHEDULE | {"analysis_config": "[1]"}, ""),
        ("/new/alarm", ALARM | {"metric": ""}, "metric is missing"),
        ("/new/alarm", ALARM | {"threshold": "low"}, "threshold cannot be used"),
        ("/new/alarm", ALARM | {"operator": EVIL}, "cannot be the operator"),
        ("/new/alarm", ALARM | {"dimensions": "Facet"}, "dimensions cannot be used"),
        ("/new/alarm", ALARM | {"rule": "ALARM(low)"}, "no metric and no threshold"),
        ("/new/alarm", ALARM | {"alarm_actions": "call:nothing"}, "there is no action"),
        ("/new/alarm", ALARM | {"datapoints_to_alarm": "5"}, "datapoints_to_alarm must be"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_typed_stays(
    web: TestClient[Any], ready: Service, path: str, typed: dict[str, str], told: str
) -> None:
    if path == "/new/endpoint":
        ready.delete_endpoint("churn")
    before = (ready.list_alarms(), ready.list_schedules(), len(ready.list_endpoints()), len(ready.list_baselines()))
    answer = web.post(path, data=typed)
    assert answer.status_code in (400, 404, 409), answer.text
    page = html.unescape(answer.text)
    assert 'role="alert"' in page
    assert told in page
    assert "<script>" not in answer.text
    for value in typed.values():
        assert value in page
    after = (ready.list_alarms(), ready.list_schedules(), len(ready.list_endpoints()), len(ready.list_baselines()))
    assert after == before


def test_a_name_that_is_taken_is_not_overwritten(web: TestClient[Any], ready: Service) -> None:
    ready.put_alarm(NewAlarm("f2", "LessThanThreshold", 0.5, "churn", "hourly").named("low"))
    for path, typed in (("/new/alarm", ALARM), ("/new/endpoint", ENDPOINT)):
        answer = web.post(path, data=typed)
        assert answer.status_code == 400
        assert "exists" in answer.text
    assert ready.get_alarm("low").definition.threshold == 0.5


def test_an_alarm_is_edited_and_its_secrets_stay(web: TestClient[Any], ready: Service) -> None:
    secret = ("https://hooks.test/one", "https://hooks.test/two")
    wanted = NewAlarm("f2", "LessThanThreshold", 0.5, "churn", "hourly", alarm_actions=secret, namespace="mine")
    ready.put_alarm(wanted.named("low"))
    found = web.get("/new/alarm.json?name=low").json()["typed"]
    assert (found["threshold"], found["editing"], found["namespace"]) == ("0.5", "low", "mine")
    assert found["alarm_actions"] == "https://hooks.test/…\nhttps://hooks.test/…"
    web.post("/new/alarm", data=found | {"threshold": "0.7"})
    with ready.store.read() as db:
        stored = alarms.get(db, "low").definition
    assert (stored.alarm_actions, stored.threshold, stored.namespace) == (secret, 0.7, "mine")


def test_an_alarm_over_others_is_edited(web: TestClient[Any], ready: Service) -> None:
    ready.put_alarm(NewAlarm("f2", "LessThanThreshold", 0.5, "churn", "hourly").named("low"))
    ready.put_alarm(NewAlarm(rule="ALARM(low)").named("both"))
    found = web.get("/new/alarm.json?name=both").json()["typed"]
    web.post("/new/alarm", data=found | {"rule": "NOT ALARM(low)"})
    assert ready.get_alarm("both").definition.rule == "NOT ALARM(low)"


def test_another_site_s_form_makes_nothing(web: TestClient[Any], ready: Service) -> None:
    for path, typed in (
        ("/new/alarm", ALARM),
        ("/new/schedule", SCHEDULE),
        ("/new/baseline", {}),
        ("/new/endpoint", {}),
    ):
        assert web.post(path, data=typed, headers={"Origin": "https://evil.test"}).status_code == 403
    with pytest.raises(NotFoundError):
        ready.get_alarm("low")


def test_readers_are_shown_the_ways_and_may_not_go_them(guarded: Any) -> None:
    for kind in ("endpoint", "baseline", "schedule", "alarm"):
        page = guarded.ask("GET", f"/new/{kind}", "reader").text
        assert "needs the role operator" in page
        assert 'formmethod="post"' not in page
        assert 'class="main"' not in page
        assert guarded.ask("POST", f"/new/{kind}", "reader", data={"name": "x"}).status_code == 403


def test_the_audit_log_names_what_a_form_made(guarded: Any) -> None:
    assert guarded.ask("POST", "/new/endpoint", "operator", data=ENDPOINT | {"name": "noted"}).status_code == 303
    entries = guarded.ask("GET", "/api/audit", "admin").json()
    assert ("register_endpoint", "endpoints/noted", "done") in {
        (entry["action"], entry["target"], entry["outcome"]) for entry in entries
    }


def test_the_session_s_word_is_in_no_address(guarded: Any) -> None:
    """Showing what is filled in is a GET of the fields: the word must be the value of the other button alone."""
    token = guarded.tokens["operator"]
    login = guarded.ask("POST", "/login", data={"token": token}, headers={"Origin": guarded.url})
    cookie = {"Cookie": login.headers["set-cookie"].split(";")[0]}
    page = guarded.ask("GET", "/new/alarm", headers=cookie).text
    form = page[page.index('<form class="new"') :]
    assert re.search(r'<button class="main" formmethod="post"[^>]* name="csrf" value="\w+', form)
    assert 'type="hidden" name="csrf"' not in form
    assert guarded.ask("POST", "/new/alarm", headers=cookie, data=ALARM).status_code == 403
