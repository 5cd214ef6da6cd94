"""What pages ask of a service, on each kind of database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from driftline.core.documents import Violation
from driftline.core.verdict import Verdict
from driftline.core.window import Window
from driftline.resources.metrics import Series, point
from driftline.resources.schedules import Schedule
from driftline.service import Service
from driftline.service.dashboard.endpoint import endpoint_view
from driftline.service.dashboard.fleet import fleet
from driftline.service.dashboard.monitor_states import RANKS, monitor_states, state_of, worst_of
from driftline.service.dashboard.watched_metric import chosen, watched_metric
from driftline.storage import executions, metrics, schedules
from driftline.storage.executions import Outcome
from driftline.storage.last_runs import LastSpoken
from driftline.testing import START, FakeClock

HOUR = timedelta(hours=1)
NDCG = Violation(
    metric_name="shap",
    label='the "label"',
    value=0.5,
    threshold=0.9,
    constraint_check_type="feature_attribution_drift_check",
    description="d",
)
BAD = Outcome("CompletedWithViolations", Verdict.VIOLATED, "bad", violations=(NDCG,), counts={"rows": 70})


def test_the_same_from_every_database(tmp_path: Path, database: str) -> None:
    with Service(tmp_path / "data", clock=FakeClock(), database=database) as service:
        service.register_endpoint("churn", {})
        hourly = Schedule(
            "hourly", "churn", "attribution", "0 * * * *", "PT0S", "PT0S", None, "BinaryClassification", {}, "active",
            START, START, START + HOUR,
        )  # fmt: skip
        with service.store.write() as db:
            schedules.add(db, hourly)
            executions.add(
                db, hourly, Window(START - HOUR, START), tick=START, revision=1, report="reports/x", now=START
            )
            run = executions.claim(db, owner="w", now=START, real=START, lease=HOUR)
            assert run is not None
            executions.finish(db, run, BAD, START)
            for label, value in (("other", 0.9), ('the "label"', 0.5)):
                own = {"Endpoint": "churn", "MonitoringSchedule": "hourly", "Label": label}
                metrics.add(db, [(Series("n", "ndcg", own), point(START, value, run.id))])
        found = fleet(service)
        view = endpoint_view(service, "churn", zone=ZoneInfo("UTC"))
    [line] = found.endpoints
    assert (line.state, line.last_run, line.next_tick) == ("VIOLATED", run.id, START + HOUR)
    assert line.trend is not None
    assert (line.trend.points, line.trend.violated) == ([(START, 0.5)], True)
    assert view.panels[3].trend == line.trend
    assert view.sentence.startswith('The likeness of the ranking for the "label" (NDCG) is 0.50, below its threshold')
    assert [one.why for one in view.runs] == [NDCG.line]


def last(**changes: object) -> LastSpoken:
    given = {"name": "a", "endpoint": "churn", "monitor": "bias", "problem_type": "", "state": "active"}
    rest = {"next_tick": None, "run": "r", "verdict": "OK", "tick": START}
    return LastSpoken(**(given | rest | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "late", "state"),
    [
        ({}, False, "OK"),
        ({}, True, "UNKNOWN"),
        ({"verdict": "VIOLATED"}, True, "VIOLATED"),
        ({"verdict": None}, False, "UNKNOWN"),
        ({"run": None}, False, "WAITING"),
        ({"run": None}, True, "UNKNOWN"),
        ({"state": "paused", "verdict": "VIOLATED"}, False, "PAUSED"),
    ],
)
def test_the_state_of_a_schedule(changes: dict[str, object], late: bool, state: str) -> None:
    assert state_of(last(**changes), late=late) == state


def test_the_worst_of_states_is_the_first_in_rank() -> None:
    assert worst_of(reversed(RANKS)) == "VIOLATED"
    assert worst_of([]) == "NONE"
    assert [one.state for one in monitor_states([last()], ())] == ["NONE", "NONE", "OK", "NONE"]


@pytest.mark.parametrize(
    ("monitor", "problem", "name"),
    [
        ("model-quality", "BinaryClassification", "f2"),
        ("model-quality", "MulticlassClassification", "accuracy"),
        ("model-quality", "Regression", "rmse"),
        ("model-quality", "anything", "f2"),
        ("data-quality", "", "drifted_share"),
        ("attribution", "", "ndcg"),
    ],
)
def test_a_monitor_has_a_headline(monitor: str, problem: str, name: str) -> None:
    assert watched_metric(monitor, problem, ()).name == name


def test_a_violation_that_nothing_is_published_of_leaves_the_headline() -> None:
    types = Violation(feature_name="age", constraint_check_type="data_type_check", description="d", value=0.1)
    missing = Violation(feature_name="age", constraint_check_type="completeness_check", description="d", value=0.1)
    assert watched_metric("data-quality", "", (types,)).name == "drifted_share"
    assert watched_metric("data-quality", "", (types, missing)).name == "feature_non_null_age"


def test_of_several_series_the_one_with_the_words_is_chosen() -> None:
    metric = watched_metric("attribution", "", (NDCG,))
    right, wrong = ("n", "ndcg", '{"Label":"the \\"label\\""}'), ("n", "ndcg", '{"Label":"label"}')
    assert chosen([wrong, right], metric) == right
    assert chosen([wrong], metric) is None
    assert chosen([wrong], watched_metric("attribution", "", ())) == wrong
