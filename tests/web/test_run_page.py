"""The page of a run: what it tells, what its buttons do, and what its files give away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from driftline.alerting.metrics import MODEL_QUALITY
from driftline.core.bias_analysis import BiasAnalysis, BiasMetric, FacetBias
from driftline.core.bias_document import bias_document
from driftline.core.documents import Violation
from driftline.core.table_statistics import FeatureStatistics, NumericalStatistics, TableStatistics
from driftline.core.table_statistics_document import write_statistics
from driftline.core.verdict import Verdict
from driftline.resources.alarms import Alarm
from driftline.resources.executions import ExecutionStep, RejectedRecords
from driftline.service import Service
from driftline.testing import START, FakeClock

EVIL = "<script>alert('x')</script>"
HTML = {"accept": "text/html"}
NOW = START + timedelta(hours=10)
DIMENSIONS = {"Endpoint": "churn", "MonitoringSchedule": "hourly"}


@pytest.fixture(autouse=True)
def _later(clock: FakeClock) -> None:
    clock.set(NOW)


def violation(name: str) -> Violation:
    return Violation(metric_name=name, constraint_check_type="c", description=f"{name} is low", value=0.1, item_count=9)


def report(service: Service, run: str, **files: str) -> Path:
    folder = service.layout.data / service.get_run(run).report
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def test_every_violation_leads_to_its_page(web: TestClient[Any], ran: Any) -> None:
    run = ran(1, verdict=Verdict.VIOLATED, violations=(violation("f2"), violation("recall")))
    page = web.get(f"/runs/{run}").text
    assert f'href="/runs/{run}/violations/0"' in page
    assert f'href="/runs/{run}/violations/1"' in page
    assert "n 9" in page
    assert f'href="/runs/{run}/analysis"' in page


def test_runs_beside_it_are_the_latest_of_their_windows(web: TestClient[Any], ran: Any) -> None:
    ran(0)
    before, this, after = ran(0, revision=2), ran(1), ran(3)
    page = web.get(f"/runs/{this}").text
    assert f'rel="prev" href="/runs/{before}"' in page
    assert f'rel="next" href="/runs/{after}"' in page
    assert 'rel="prev"' not in web.get(f"/runs/{before}").text
    assert 'rel="next"' not in web.get(f"/runs/{after}").text


def test_judgements_of_a_window_are_compared(web: TestClient[Any], ran: Any) -> None:
    first, second = ran(0, f2=0.5), ran(0, f2=0.75, revision=2)
    twin = web.get(f"/runs/{second}.json").json()
    assert [(one["run"], one["value"], one["coverage"]) for one in twin["judgements"]] == [
        (second, 0.75, 0.9),
        (first, 0.5, 0.9),
    ]
    assert "Judgements of this window" in web.get(f"/runs/{first}").text
    assert web.get(f"/runs/{second}.csv?table=judgements").text.count("\n") == 3


def test_steps_rejects_trace_and_log_are_text(web: TestClient[Any], service: Service, ran: Any) -> None:
    steps = (ExecutionStep(EVIL, 10, 5, 0.25, peak_memory=3 << 20), ExecutionStep("check", 5, 1, 0.0))
    rejects = (RejectedRecords(EVIL, "not_json", 3, (EVIL,)),)
    run = ran(1, status="Failed", verdict=Verdict.UNKNOWN, steps=steps, rejects=rejects, trace=EVIL)
    report(service, run, log_txt=f"{EVIL}\n\x00\x1b[31mred\n")
    page = web.get(f"/runs/{run}").text
    assert page.count("&lt;script&gt;") >= 4
    assert "<script>" not in page
    assert 'class="chart share-bar"' in page
    assert "this run cannot become a baseline: it has not been completed" in page.lower()


def test_of_a_long_log_the_last_lines_are_shown(web: TestClient[Any], service: Service, ran: Any) -> None:
    run = ran(1)
    report(service, run, log_txt="".join(f"line {number}\n" for number in range(100_000)))
    log = web.get(f"/runs/{run}.json").json()["log"]
    assert log["cut"]
    assert log["text"].splitlines() == [f"line {number}" for number in range(99_800, 100_000)]


def test_a_log_that_is_a_link_is_not_followed(web: TestClient[Any], service: Service, ran: Any, tmp_path: Path) -> None:
    run = ran(1)
    secret = tmp_path / "secret"
    secret.write_text("very secret")
    folder = report(service, run, statistics_json="{}")
    (folder / "log.txt").symlink_to(secret)
    (folder / "other.json").symlink_to(secret)
    (folder / "folder").mkdir()
    page = web.get(f"/runs/{run}")
    assert "very secret" not in page.text
    assert [file["name"] for file in web.get(f"/runs/{run}.json").json()["files"]] == ["statistics.json"]
    for name in ("log.txt", "other.json", "folder"):
        assert web.get(f"/runs/{run}/files/{name}").status_code == 404


def test_a_file_is_given_to_be_kept(web: TestClient[Any], service: Service, ran: Any) -> None:
    run = ran(1)
    report(service, run, report_html=f"<html>{EVIL}", statistics_json='{"a": 1}')
    for name, text in (("statistics.json", '{"a": 1}'), ("report.html", f"<html>{EVIL}")):
        answer = web.get(f"/runs/{run}/files/{name}")
        assert answer.text == text
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["..%2f..%2fdriftline.db", "%2Fetc%2Fpasswd", "nothing.json", "a%00b", "x" * 5000])
def test_no_name_leads_out_of_the_report(web: TestClient[Any], service: Service, ran: Any, name: str) -> None:
    run = ran(1)
    report(service, run, statistics_json="{}")
    answer = web.get(f"/runs/{run}/files/{name}")
    assert answer.status_code == 404
    assert b"SQLite" not in answer.content


@pytest.mark.parametrize("place", ["../..", "reports", ".", "/etc", "reports/../models"])
def test_a_report_outside_of_the_folder_of_reports_has_no_files(
    web: TestClient[Any], service: Service, ran: Any, place: str
) -> None:
    run = ran(1, report=place)
    twin = web.get(f"/runs/{run}.json").json()
    assert (twin["files"], twin["log"]["text"]) == ([], "")
    assert web.get(f"/runs/{run}/files/driftline.db").status_code == 404


def test_run_again_asks_for_the_next_revision(web: TestClient[Any], service: Service, ran: Any) -> None:
    run = ran(1)
    answer = web.post(f"/runs/{run}/again", follow_redirects=False)
    assert answer.status_code == 303
    made = service.get_run(answer.headers["location"].removeprefix("/runs/"))
    assert (made.revision, made.window, made.cause) == (2, service.get_run(run).window, "manual")


def test_an_accepted_run_is_what_later_ones_are_held_against(web: TestClient[Any], service: Service, ran: Any) -> None:
    run = ran(1, f2=0.8)
    form = {"name": "since-november", "tolerance": "0.05", "use": "1"}
    answer = web.post(f"/runs/{run}/accept", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/baselines/since-november")
    stored = service.get_baseline("since-november")
    [(name, rule)] = stored.constraints["binary_classification_constraints"].items()
    assert (name, rule["comparison_operator"]) == ("f2", "LessThanThreshold")
    assert rule["threshold"] == pytest.approx(0.75)
    assert stored.statistics["binary_classification_metrics"]["f2"]["value"] == 0.8
    assert service.get_schedule("hourly").baseline == "since-november"


def test_a_refused_form_is_shown_again_with_what_was_typed(web: TestClient[Any], service: Service, ran: Any) -> None:
    run = ran(1)
    for form, said in (
        ({"name": "../x", "tolerance": ""}, "&#39;../x&#39;"),
        ({"name": "good", "tolerance": "lots"}, "is not a tolerance"),
    ):
        answer = web.post(f"/runs/{run}/accept", data=form, headers=HTML)
        assert answer.status_code == 400
        assert said in answer.text
        assert 'role="alert"' in answer.text
        assert f'value="{form["name"]}"' in answer.text
        assert f'href="/runs/{run}.json"' in answer.text
        assert 'name="use" value="1" checked' not in answer.text
    web.post(f"/runs/{run}/accept", data={"name": "good"})
    again = web.post(f"/runs/{run}/accept", data={"name": "good"}, headers=HTML)
    assert "there is a baseline good already" in again.text
    assert service.get_schedule("hourly").baseline is None


def test_few_rows_are_no_baseline(web: TestClient[Any], ran: Any) -> None:
    run = ran(1, rows=29)
    assert "rests on 29 rows" in web.get(f"/runs/{run}").text
    answer = web.post(f"/runs/{run}/accept", data={"name": "small"})
    assert answer.status_code == 400


def test_accepted_columns_keep_their_sketches(
    web: TestClient[Any], service: Service, ran_of: Callable[[str], Any]
) -> None:
    age = FeatureStatistics("age", "Integral", 100, 0, NumericalStatistics(40.0, 4000.0, 9.0, 18.0, 80.0))
    run = ran_of("data-quality")(1, statistics={})
    report(service, run)
    folder = service.layout.data / service.get_run(run).report
    (folder / "statistics.json").write_bytes(write_statistics(TableStatistics(100, (age,))))
    assert web.post(f"/runs/{run}/accept", data={"name": "new", "use": "1"}).status_code in (200, 404)
    assert service.get_schedule("hourly").baseline == "new"
    [feature] = service.get_baseline("new").constraints["features"]
    assert (feature["name"], feature["completeness"]) == ("age", 1.0)
    assert "distribution" in service.get_baseline("new").statistics["features"][0]["numerical_statistics"]


def test_accepted_bias_is_the_analysis(web: TestClient[Any], service: Service, ran_of: Callable[[str], Any]) -> None:
    facet = FacetBias("pre_training", "sex", "1", (BiasMetric("CI", "Class imbalance", 0.25, None, None),), None)
    run = ran_of("bias")(1, statistics=bias_document(BiasAnalysis("churned", "1", (facet,))))
    web.post(f"/runs/{run}/accept", data={"name": "new"})
    sections = service.get_baseline("new").constraints["pre_training_bias_metrics"]
    assert sections["facets"]["sex"][0]["metrics"][0]["value"] == 0.25


def test_silence_mutes_every_alarm_of_the_schedule(web: TestClient[Any], service: Service, ran: Any) -> None:
    run = ran(1)
    assert "No alarm watches this schedule" in web.get(f"/runs/{run}").text
    assert web.post(f"/runs/{run}/silence", data={"minutes": "60"}).status_code == 400
    for name, dimensions in (("a", {}), ("b", {"Facet": "sex"}), ("other", {"MonitoringSchedule": "hourl_"})):
        watched = DIMENSIONS | dimensions
        service.put_alarm(Alarm(name, "f2", MODEL_QUALITY, watched, "LessThanThreshold", 1.0))
    page = web.get(f"/runs/{run}").text
    assert "Silence 2 alarms" in page
    assert web.post(f"/runs/{run}/silence", data={"minutes": "1440"}, follow_redirects=False).status_code == 303
    assert {(mute.alarm, mute.end - mute.start) for mute in service.list_mutes()} == {
        ("a", timedelta(days=1)),
        ("b", timedelta(days=1)),
    }


def test_a_run_that_does_not_exist_is_not_found(web: TestClient[Any]) -> None:
    for method, path in (
        ("GET", ""),
        ("POST", "/again"),
        ("POST", "/accept"),
        ("POST", "/silence"),
        ("GET", "/files/a"),
    ):
        assert web.request(method, f"/runs/none{path}").status_code == 404
