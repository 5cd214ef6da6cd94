"""Pages of runs whose documents are odd: other problem types, many classes, programs, failures, infinite values."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import Any

import pytest
from litestar.testing import TestClient

from driftline.core.documents import Interval, Violation, dump
from driftline.core.verdict import Reason, Verdict
from driftline.core.window import HOUR, Window
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.resources.schedules import Schedule
from driftline.service import Service
from driftline.storage import baselines, endpoints, executions, schedules
from driftline.storage.executions import Outcome
from driftline.testing import START

EVIL = "<script>alert('x')</script>"


def metric(value: float) -> dict[str, Any]:
    """A metric of a statistics document."""
    interval = {"lower": value - 0.1, "upper": value + 0.1, "level": 0.95, "method": "jackknife"}
    return {"value": value, "standard_deviation": 0.01, "confidence_interval": interval}


def statistics(family: str, rows: int, **metrics: Any) -> dict[str, Any]:
    """A statistics document of model quality."""
    return {"version": 0.0, "dataset": {"item_count": rows}, f"{family}_metrics": metrics}


def stored(
    service: Service,
    outcome: Outcome,
    *,
    monitor: str = "model-quality",
    before: dict[str, Any] | None = None,
    constraints: dict[str, Any] | None = None,
    attributes: dict[str, Any] | None = None,
) -> str:
    """A finished run that left no files; its id."""
    window = Window(START, START + HOUR)
    schedule = Schedule(
        name="odd", endpoint="odd", monitor=monitor, cron="0 * * * *", start_offset="PT0S", end_offset="PT0S",
        baseline="odd", problem_type="Regression", attributes=attributes or {}, state="active", created=START,
        last_tick=START, next_tick=None,
    )  # fmt: skip
    with service.store.write() as db:
        endpoints.create(
            db, "odd", model_path="models/none", now=START, model=ModelDescription(), capture=CaptureSettings()
        )
        baselines.put(db, baselines.Baseline("odd", monitor, dump(before or {}), dump(constraints or {}), START))
        schedules.add(db, schedule)
        executions.add(db, schedule, window, tick=window.end, revision=1, report="reports/odd", now=START)
        run = executions.claim(db, owner="x", now=START, real=START, lease=timedelta(minutes=1))
        assert run is not None
        executions.finish(db, run, outcome, START)
    return run.id


def pages(web: TestClient[Any], run: str, *places: str) -> list[str]:
    """The pages of a run, checked."""
    found = []
    for place in places:
        answer = web.get(f"/runs/{run}/{place}")
        assert answer.status_code == 200, answer.text[:1000]
        assert web.get(f"/runs/{run}/{place}.json").status_code == 200
        assert "<script>" not in answer.text
        assert len(zlib.compress(answer.content)) < 120_000
        found.append(answer.text)
    return found


def test_a_regression_has_its_errors_and_no_matrix(web: TestClient[Any], service: Service) -> None:
    wrong = Violation(
        metric_name="rmse", constraint_check_type="GreaterThanThreshold", description="too large", value=42.5,
        threshold=40.0, confidence_interval=Interval(41.0, 44.0, 0.95, "jackknife"), item_count=120,
    )  # fmt: skip
    limits = {"rmse": {"threshold": 40.0, "comparison_operator": "GreaterThanThreshold"}}
    run = stored(
        service,
        Outcome(
            "CompletedWithViolations", Verdict.VIOLATED, "m", violations=(wrong,), item_count=120,
            statistics=statistics("regression", 120, rmse=metric(42.5), mae=metric(30.0)),
        ),
        before=statistics("regression", 500, rmse=metric(38.0), mae=metric(29.0)),
        constraints={"version": 0.0, "regression_constraints": limits},
    )  # fmt: skip
    analysis, violation = pages(web, run, "analysis", "violations/0")
    assert "RMSE rose to 42.5, above its threshold 40.0" in analysis
    assert "42.5000" in analysis
    assert "38.0000" in analysis
    assert "The report of this run was removed" in analysis
    assert "at most 40.0000" in violation
    assert "41 to 44 (95 %, jackknife)" in violation
    assert "n = 120" in violation
    assert "Confusion" not in violation


def test_many_classes_are_listed_and_not_drawn(web: TestClient[Any], service: Service) -> None:
    names = [f"{place} {EVIL}" for place in range(300)]
    matrix = {name: {name: 9, names[place - 1]: 1} for place, name in enumerate(names)}
    found = statistics("multiclass_classification", 3000, confusion_matrix=matrix, accuracy=metric(0.9))
    wrong = Violation(metric_name="accuracy", constraint_check_type="LessThanThreshold", description=EVIL, value=0.9)
    outcome = Outcome(
        "CompletedWithViolations", Verdict.VIOLATED, "m", violations=(wrong,), item_count=3000, statistics=found
    )
    analysis, violation = pages(web, stored(service, outcome), "analysis", "violations/0")
    assert "300 classes are too many to draw." in analysis
    assert "too many classes to draw" in violation
    assert "The baseline keeps no confusion matrix" in violation


def test_what_a_program_left_is_shown(web: TestClient[Any], service: Service) -> None:
    wrong = Violation(feature_name=EVIL, constraint_check_type="odd_check", description=EVIL * 50, samples=(EVIL,))
    outcome = Outcome(
        "CompletedWithViolations", Verdict.VIOLATED, "m", violations=(wrong,), statistics={"program": {"a": 1}}
    )
    run = stored(service, outcome, monitor="data-quality", attributes={"program": "mine"})
    analysis, violation = pages(web, run, "analysis", "violations/0")
    assert "A program of the operator analysed this run" in analysis
    assert "&lt;script&gt;" in violation


@pytest.mark.parametrize("monitor", ["model-quality", "data-quality", "bias", "attribution"])
def test_a_run_that_failed_says_why(web: TestClient[Any], service: Service, monitor: str) -> None:
    reason = Reason("failed", f"it broke: {EVIL}", {"type": "OSError"})
    outcome = Outcome("Failed", Verdict.UNKNOWN, "m", reasons=(reason,), error="broke", trace="Traceback")
    (analysis,) = pages(web, stored(service, outcome, monitor=monitor), "analysis")
    assert "it broke" in analysis
    assert '<h1 class="UNKNOWN">' in analysis
    assert "OSError" in analysis


@pytest.mark.parametrize("value", [2.348543e108, -2.348543e108, 0.0, None])
def test_odd_values_are_drawn_or_left_out(web: TestClient[Any], service: Service, value: float | None) -> None:
    wrong = Violation(
        metric_name="DI", constraint_check_type="bias_drift_check", description="worse", value=value, threshold=value,
        facet=EVIL, facet_value="(1.0, 2.0]", stage="post_training",
    )  # fmt: skip
    outcome = Outcome("CompletedWithViolations", Verdict.VIOLATED, "m", violations=(wrong, wrong), item_count=3)
    _, violation = pages(web, stored(service, outcome, monitor="bias"), "analysis", "violations/1")
    assert "violation 2 of 2" in violation
