"""The page of a metric over time: its points, gaps, intervals, guides, choosers and long ranges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from litestar.testing import TestClient

from driftline.alerting.metrics import BIAS, MODEL_QUALITY
from driftline.core.documents import dump
from driftline.core.verdict import Verdict
from driftline.resources.metrics import Dimensioned, Series, point
from driftline.service import Service
from driftline.storage import metrics
from driftline.testing import START, FakeClock

EVIL = "<script>alert('x')</script>"
DIMENSIONS = {"Endpoint": "churn", "MonitoringSchedule": "hourly"}
CONSTRAINTS = {"f2": {"threshold": 0.7, "comparison_operator": "LessThanThreshold"}}


def series(web: TestClient[Any], **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = web.get(f"/series.json?{urlencode({'schedule': 'hourly', **query})}").json()
    return found


def test_points_have_their_interval_their_rows_and_their_run(web: TestClient[Any], ran: Any, clock: FakeClock) -> None:
    clock.set(START + timedelta(hours=3))
    runs = [ran(0, f2=0.8), ran(1, f2=None, verdict=Verdict.UNKNOWN, rows=3), ran(2, f2=0.5)]
    points = series(web, metric="f2")["points"]
    assert [one["run"] for one in points] == runs
    assert [one["value"] for one in points] == [0.8, None, 0.5]
    assert [one["rows"] for one in points] == [100, 3, 100]
    assert points[0]["lower"] == pytest.approx(0.7)
    assert points[1]["lower"] is None
    page = web.get("/series?schedule=hourly&metric=f2").text
    for run in runs:
        assert page.count(f'href="/runs/{run}"') == 2
    assert "? none" in page
    assert page.count('class="reach"') == 0
    assert web.get("/series.csv?schedule=hourly&table=points").text.count("\n") == 4


def test_only_the_latest_revision_of_a_window_speaks(web: TestClient[Any], ran: Any, clock: FakeClock) -> None:
    clock.set(START + timedelta(hours=3))
    old = ran(0, f2=0.1)
    with ran.service.store.write() as db:
        metrics.forget_runs(db, [old])
    new = ran(0, f2=0.9, revision=2)
    assert [(one["run"], one["value"]) for one in series(web)["points"]] == [(new, 0.9)]


def test_threshold_and_baseline_come_from_the_schedules_baseline(
    web: TestClient[Any], service: Service, ran: Any, clock: FakeClock
) -> None:
    interval = {"lower": 0.75, "upper": 0.85, "level": 0.95, "method": "m"}
    statistics = {"binary_classification_metrics": {"f2": {"value": 0.8, "confidence_interval": interval}}}
    service.put_baseline("b", dump({"binary_classification_constraints": CONSTRAINTS}), dump(statistics))
    service.update_schedule("hourly", baseline="b")
    clock.set(START + timedelta(hours=3))
    ran(1, f2=0.6, verdict=Verdict.VIOLATED)
    found = series(web, metric="f2")
    assert found["guides"] == {
        "name": "b",
        "baseline": 0.8,
        "lower": 0.75,
        "upper": 0.85,
        "threshold": 0.7,
        "sign": "≥",
    }
    assert {one["kind"] for one in found["happenings"]} == {"deployed", "baseline"}
    page = web.get("/series?schedule=hourly&metric=f2").text
    assert "threshold ≥ 0.7000" in page
    assert 'class="broken"' in page
    assert series(web, metric="f2_std")["guides"]["threshold"] is None


def test_the_main_metric_is_shown_first_and_deviations_last(web: TestClient[Any], ran: Any, clock: FakeClock) -> None:
    clock.set(START + timedelta(hours=3))
    ran(1)
    found = series(web)
    assert found["metric"] == "f2"
    assert [(one["words"], one["chosen"]) for one in found["metrics"]] == [("f2", True), ("f2_std", False)]
    assert series(web, series=found["metrics"][1]["value"])["metric"] == "f2_std"
    by_endpoint = web.get("/series.json?endpoint=churn").json()
    assert by_endpoint["schedule"] == "hourly"


def test_metrics_with_dimensions_have_their_interval(
    web: TestClient[Any], ran_of: Callable[[str], Any], clock: FakeClock
) -> None:
    clock.set(START + timedelta(hours=3))
    interval = {"lower": 0.2, "upper": 0.3, "level": 0.95, "method": "m"}
    facet = {"value_or_threshold": "1", "metrics": [{"name": "CI", "value": 0.25, "confidence_interval": interval}]}
    statistics = {"pre_training_bias_metrics": {"facets": {"sex": [facet]}}}
    beside = {"BiasStage": "Pre-training", "Facet": "sex", "FacetValue": "1"}
    told = (Dimensioned("bias_metric_CI", beside, 0.25),)
    ran_of("bias")(1, statistics=statistics, dimensioned=told)
    shown = [one for one in series(web)["metrics"] if one["words"].startswith("bias_metric_CI")]
    assert [one["words"] for one in shown] == ["bias_metric_CI (Pre-training, sex, 1)"]
    found = series(web, series=shown[0]["value"])
    assert (found["namespace"], found["dimensions"]) == (BIAS, beside)
    assert [(one["value"], one["lower"], one["upper"]) for one in found["points"]] == [(0.25, 0.2, 0.3)]


def test_a_segment_has_a_series_of_its_own(web: TestClient[Any], ran: Any, clock: FakeClock) -> None:
    clock.set(START + timedelta(hours=3))
    for hour, value in ((0, 0.4), (1, 0.6)):
        segment = {"column": "plan", "segment": "a=b", "metric": "f2", "value": value, "lower": 0.1, "rows": 7}
        ran(hour, statistics={"segments": [segment]})
    found = series(web, segment="plan=a=b")
    assert [(one["value"], one["rows"]) for one in found["points"]] == [(0.4, 7), (0.6, 7)]
    assert [(one["value"], one["chosen"]) for one in found["segments"]] == [("plan=a=b", True)]
    assert "all rows" in web.get("/series?schedule=hourly").text


def test_long_ranges_are_drawn_by_period(web: TestClient[Any], ran: Any, clock: FakeClock) -> None:
    clock.set(START + timedelta(days=30))
    ran(1, f2=0.5, verdict=Verdict.VIOLATED)
    ran(2, f2=0.7)
    with ran.service.store.write() as db:
        told = Series(MODEL_QUALITY, "f2", DIMENSIONS)
        metrics.add(db, [(told, point(START + timedelta(hours=hour), 0.9)) for hour in range(4, 720)])
    found = series(web, metric="f2", range="30d")
    assert found["period"] == 2 * 3600
    assert 300 < len(found["points"]) <= 500
    # START is 10:00: both runs have their ticks in the period from 12:00, and what they judged is added up.
    [together] = [one for one in found["points"] if one["time"] == "2026-11-22T12:00:00Z"]
    assert (together["rows"], together["verdict"], together["runs"]) == (200, "VIOLATED", 2)
    assert together["value"] == pytest.approx(0.6)
    lowest = series(web, metric="f2", range="30d", statistic="Minimum")["points"]
    assert min(one["value"] for one in lowest) == 0.5
    page = web.get("/series?schedule=hourly&metric=f2&range=30d").text
    assert "each point is 2 h of runs together" in page
    assert "start=2026-11-22T12%3A00%3A00Z&amp;end=2026-11-22T14%3A00%3A00Z" in page


def test_points_are_listed_fifty_a_page(web: TestClient[Any], ran: Any, clock: FakeClock) -> None:
    clock.set(START + timedelta(hours=60))
    for hour in range(52):
        ran(hour)
    assert web.get("/series?schedule=hourly").text.count("data-row") == 50
    assert web.get("/series?schedule=hourly&page=2").text.count("data-row") == 2
    assert series(web, page=99)["page"] == 2


def test_without_a_run_it_says_so(web: TestClient[Any], ran: Any) -> None:
    assert ran.name == "hourly"
    page = web.get("/series?schedule=hourly").text
    assert "has published a metric yet" in page
    assert "no value in this time" in page
    assert "Nothing was published in this time" in web.get("/series?schedule=hourly&metric=f2").text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("schedule=none", 404),
        ("endpoint=none", 400),
        ("schedule=hourly&range=5y", 400),
        ("schedule=hourly&statistic=Median", 400),
        ("schedule=hourly&start=soon", 400),
        ("schedule=hourly&start=2026-11-23&end=2026-11-22", 400),
        ("schedule=hourly&start=0001-01-01&end=2026-11-22", 400),
        ("schedule=hourly&end=0001-01-02", 400),
        ("schedule=hourly&start=9999-12-30&end=9999-12-31", 400),
        ("schedule=hourly&series=%00%ff&segment=%3D", 200),
    ],
)
def test_what_cannot_be_shown_is_explained(web: TestClient[Any], ran: Any, query: str, status: int) -> None:
    assert ran.name == "hourly"
    assert web.get(f"/series?{query}").status_code == status


def test_hostile_names_are_text_and_nothing_runs(web: TestClient[Any], ran: Any, clock: FakeClock) -> None:
    clock.set(START + timedelta(hours=3))
    ran(1, dimensioned=(Dimensioned(EVIL, {"Facet": EVIL}, 1e308),))
    query = urlencode({"schedule": "hourly", "metric": EVIL, "dimension.Facet": EVIL, "segment": f"{EVIL}={EVIL}"})
    for path in ("/series?schedule=hourly", f"/series?{query}"):
        page = web.get(path).text
        assert "&lt;script&gt;" in page
        assert "<script>" not in page
        assert "style=" not in page
    exported = web.get(f"/series?{query}&export=1").text
    assert "<script" not in exported
    assert "<svg" in exported


def test_times_are_the_readers(web: TestClient[Any], ran: Any, clock: FakeClock) -> None:
    clock.set(START + timedelta(hours=3))
    ran(0)
    web.cookies.set("driftline_zone", "Asia/Kolkata")
    page = web.get("/series?schedule=hourly&metric=f2&start=2026-11-22T15:30&end=2026-11-22T18:30").text
    assert "2026-11-22 15:30 to 2026-11-22 18:30 Asia/Kolkata" in page
    assert "2026-11-22 16:30, 0.8000" in page
    assert 'data-zone="Asia/Kolkata"' in page


def test_the_script_is_small_and_comes_from_here(web: TestClient[Any], ran: Any) -> None:
    assert ran.name == "hourly"
    page = web.get("/series?schedule=hourly").text
    assert page.index("uPlot.iife.min.js") < page.index("/static/series.js")
    answer = web.get("/static/series.js")
    assert len(answer.content) < 12_000
    assert "eval(" not in answer.text
    assert "innerHTML" not in answer.text
