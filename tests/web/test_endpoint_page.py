"""The page of an endpoint."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from litestar.testing import TestClient

from driftline.core.documents import Interval, Violation
from driftline.core.verdict import Reason, Verdict
from driftline.resources.alarms import Alarm
from driftline.resources.metrics import Series, point
from driftline.service import Service
from driftline.storage import alarms, baselines, capture_counts, metrics
from driftline.storage.executions import Outcome
from driftline.testing import START

if TYPE_CHECKING:
    from tests.web.conftest import Guarded, World

HOUR = timedelta(hours=1)
MODELS = "aws/sagemaker/Endpoints/model-metrics"
LOW = Violation(
    metric_name="f2",
    constraint_check_type="LessThanThreshold",
    description="f2 was low",
    value=0.41,
    threshold=0.625,
    confidence_interval=Interval(0.3, 0.5, 0.95, "m"),
    item_count=300,
)
COUNTS = {"predictions": 300, "matched": 200, "judged": 200, "label_lag_median_minutes": 40}
F2 = {"value": 0.8, "standard_deviation": 0.1, "confidence_interval": {"lower": 0.7, "upper": 0.9, "level": 0.95}}
FINE = Outcome(
    "Completed", Verdict.OK, "fine", counts=COUNTS, item_count=200,
    statistics={"dataset": {"item_count": 200}, "binary_classification_metrics": {"f2": F2}},
)  # fmt: skip
BAD = Outcome("CompletedWithViolations", Verdict.VIOLATED, "bad", violations=(LOW,), counts=COUNTS)


def view(web: TestClient[Any], query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = web.get(f"/endpoints/churn.json{query}").json()
    return found


def test_an_endpoint_that_nothing_watches_says_what_to_run(web: TestClient[Any], world: World) -> None:
    world.endpoint()
    page = web.get("/endpoints/churn").text
    assert "Nothing watches this endpoint yet." in page
    for monitor in ("data-quality", "model-quality", "bias", "attribution"):
        assert f"driftline schedule create NAME --endpoint churn --monitor {monitor} --baseline BASELINE" in page
        assert f'href="/new/schedule?endpoint=churn&amp;monitor={monitor}"' in page
    assert "No request was recorded in this time." in page
    assert "No runs yet." in page
    assert view(web)["state"] == "NONE"


def test_there_is_no_page_of_no_endpoint(web: TestClient[Any]) -> None:
    for path in ("/endpoints/none", "/endpoints/none.json"):
        assert web.get(path).status_code == 404


def test_the_verdict_the_figure_and_where_they_lead(web: TestClient[Any], world: World) -> None:
    world.endpoint()
    hourly = world.schedule("hourly")
    world.run(hourly, START - HOUR, FINE)
    bad = world.run(hourly, START, BAD)
    world.points(hourly, "f2", {START - HOUR: 0.8, START: 0.41}, MODELS)
    page = web.get("/endpoints/churn").text
    assert "F2 fell to 0.41, below its threshold 0.62, since 09:00." in page
    assert "0.3000 to 0.5000, threshold 0.6250, n 300" in " ".join(page.split())
    for path in (f"/runs/{bad}", f"/runs/{bad}/analysis", "/schedules/hourly", "/endpoints/churn/data"):
        assert f'href="{path}"' in page
    assert 'href="/series?endpoint=churn&amp;schedule=hourly"' in page
    assert "f2 was low" in page, "in the list of runs"


def test_a_monitor_that_is_fine_shows_its_headline_with_interval_and_n(web: TestClient[Any], world: World) -> None:
    world.endpoint()
    world.run(world.schedule("hourly"), START, FINE)
    figure = view(web)["panels"][1]["figure"]
    assert figure == {
        "label": "F2", "value": 0.8, "lower": 0.7, "upper": 0.9, "rows": 200, "threshold": None, "violated": False
    }  # fmt: skip
    assert "Model quality is OK as of 10:00." in web.get("/endpoints/churn").text


@pytest.mark.parametrize(
    ("constraints", "threshold"),
    [
        (
            b'{"binary_classification_constraints":{"f2":{"threshold":0.7,"comparison_operator":"LessThanThreshold"}}}',
            0.7,
        ),
        (b'{"binary_classification_constraints":{}}', None),
        (b"no document", None),
    ],
)
def test_a_limit_that_nobody_broke_is_that_of_the_baseline(
    web: TestClient[Any], world: World, service: Service, constraints: bytes, threshold: float | None
) -> None:
    world.endpoint()
    with service.store.write() as db:
        baselines.put(db, baselines.Baseline("trusted", "model-quality", b"{}", constraints, START))
    world.run(world.schedule("hourly", baseline="trusted"), START, FINE)
    assert view(web)["panels"][1]["figure"]["threshold"] == threshold


def test_the_sentence_has_the_times_of_the_reader(web: TestClient[Any], world: World) -> None:
    world.endpoint()
    world.run(world.schedule("hourly"), START, FINE)
    web.cookies.set("driftline_zone", "Asia/Tokyo")
    assert "as of 19:00" in web.get("/endpoints/churn").text
    assert "as of 10:00" in web.get("/endpoints/churn?export=1").text


def test_traffic_and_labels_are_drawn(web: TestClient[Any], world: World, service: Service) -> None:
    world.endpoint()
    world.run(world.schedule("hourly"), START, FINE)
    with service.store.write() as db:
        capture_counts.add(db, "churn", START - HOUR, capture_counts.CaptureCounts(70, 20, 10, 5))
        capture_counts.add(db, "churn", START - 60 * HOUR, capture_counts.CaptureCounts(1))
    page = web.get("/endpoints/churn").text
    assert "captured 65, captured with a side withheld 5, sampled out 20, dropped 10" in page
    assert "with a label 200, without 100" in page
    assert "66.7 % of the predictions of these windows had a label when they were judged, n 300." in page
    assert "half of them, minutes: 1 value from 40.0000" in page
    assert [len(view(web, f"?days={days}")["hours"]) for days in ("1", "3", "999", "x")] == [1, 2, 2, 1]


def test_figures_of_the_other_monitors_come_from_what_they_published(
    web: TestClient[Any], world: World, service: Service
) -> None:
    world.endpoint()
    found = Violation(
        metric_name="DPL", facet="sex", facet_value="F", constraint_check_type="bias_drift_check",
        description="d", value=0.3, threshold=0.1,
    )  # fmt: skip
    unfair = msgspec.structs.replace(BAD, violations=(found,))
    run = world.run(world.schedule("bias-hourly", monitor="bias"), START, unfair)
    own = {"Endpoint": "churn", "MonitoringSchedule": "bias-hourly", "Facet": "sex"}
    with service.store.write() as db:
        for value, number in (("M", 0.7), ("F", 0.3)):
            series = Series("n", "bias_metric_DPL", own | {"FacetValue": value})
            metrics.add(db, [(series, point(START, number, run))])
    data = world.schedule("data-hourly", monitor="data-quality")
    world.run(data, START, Outcome("Completed", Verdict.OK, "fine", counts={"rows": 500}))
    world.points(data, "drifted_share", {START: 0.125}, "aws/sagemaker/Endpoints/data-metrics")
    quality, _, bias, _ = view(web)["panels"]
    assert [value for _, value in bias["trend"]["points"]] == [0.3]
    assert (bias["figure"]["label"], bias["figure"]["value"]) == ("DPL of sex F", 0.3)
    assert (quality["figure"]["label"], quality["figure"]["value"], quality["figure"]["rows"]) == (
        "Drifted share",
        0.125,
        500,
    )


def test_only_an_admin_sees_who_changed_what(guarded: Guarded) -> None:
    guarded.service.register_endpoint("churn")
    assert guarded.ask("PATCH", "/api/endpoints/churn/capture", "operator", json={"percent": 50}).status_code == 200
    for role, seen in (("admin", True), ("operator", False), ("reader", False)):
        for form in ("", ".json"):
            page = guarded.ask("GET", f"/endpoints/churn{form}", role)
            assert page.status_code == 200
            assert ("the-operator" in page.text.split("<h1>")[-1]) == seen


def test_alarms_of_this_endpoint_and_of_no_other(web: TestClient[Any], world: World, service: Service) -> None:
    world.endpoint()
    with service.store.write() as db:
        for name, endpoint in (("own", "churn"), ("foreign", "churn2")):
            series = Series("n", "f2", {"Endpoint": endpoint})
            alarms.put(db, name, series, Alarm(name, "f2", "n", series.dimensions), START)
    page = web.get("/endpoints/churn").text
    assert "/alarms/own" in page
    assert "/alarms/foreign" not in page


def test_a_run_that_failed_and_one_that_goes_on_are_in_the_list(web: TestClient[Any], world: World) -> None:
    world.endpoint()
    hourly = world.schedule("hourly")
    reasons = (Reason("failed", "the baseline is gone"),)
    world.run(hourly, START - HOUR, Outcome("Failed", Verdict.UNKNOWN, "broken", reasons=reasons))
    world.run(hourly, START, None)
    page = web.get("/endpoints/churn").text
    assert "its run failed (the baseline is gone)." in page
    assert ">Pending</a>" in page


@pytest.mark.parametrize("query", ["", "?export=1"])
def test_hostile_names_and_values_are_text(web: TestClient[Any], world: World, query: str) -> None:
    evil = "<script>alert('x')"
    world.endpoint(evil)
    found = Violation(feature_name=evil, constraint_check_type=evil, description=evil, value=1.0, threshold=0.5)
    bad = msgspec.structs.replace(BAD, violations=(found,))
    for monitor in ("data-quality", "model-quality", "bias", "attribution"):
        world.run(world.schedule(f"{evil}{monitor}", evil, monitor), START, bad)
    page = web.get(f"/endpoints/{evil}{query}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "style=" not in page


def test_its_tables_are_csv_too(web: TestClient[Any], world: World) -> None:
    world.endpoint()
    world.run(world.schedule("hourly"), START, FINE)
    for table in ("panels", "labels", "runs"):
        assert web.get(f"/endpoints/churn.csv?table={table}").status_code == 200
