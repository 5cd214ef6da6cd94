"""A schedule of data quality with the real pipeline: verdict, metrics by their published names, an alarm on drift."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from driftline.alerting import watch
from driftline.alerting.metrics import DATA_QUALITY, dimensions_of, resolved
from driftline.core.documents import dump
from driftline.core.errors import InputError
from driftline.core.records import CaptureData, CaptureRecord, EventMetadata, Payload
from driftline.core.table_constraints_document import table_constraints_document
from driftline.core.table_statistics_document import write_statistics
from driftline.core.verdict import Verdict
from driftline.core.window import HOUR
from driftline.jobs.executions import Worker
from driftline.jobs.late_labels import LateLabels
from driftline.jobs.planning import plan_due
from driftline.jobs.schedules import create_schedule
from driftline.pipeline import run_monitor
from driftline.pipeline.data_tables import baseline_data_quality
from driftline.resources.alarms import NewAlarm
from driftline.resources.executions import Execution
from driftline.resources.metrics import Series
from driftline.storage import alarms, baselines, metrics
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.testing import START, write_captures, write_labels

ROWS = 300


def captured(layout: Layout, hour: int, shift: float) -> None:
    random = np.random.default_rng(hour)
    ages, plans = random.normal(40 + shift, 10, ROWS), random.choice(["gold", "tin"], ROWS)
    records = [
        CaptureRecord(
            CaptureData(Payload(f"{age},{plan}", "CSV", mode="INPUT"), Payload("0.5", "CSV", mode="OUTPUT")),
            EventMetadata(f"h{hour}-{n}", inference_time=START + hour * HOUR + timedelta(seconds=n)),
        )
        for n, (age, plan) in enumerate(zip(ages, plans, strict=True))
    ]
    write_captures(layout.captures("churn"), records, name=f"h{hour}")


@pytest.fixture
def scheduled(store: Store, layout: Layout) -> None:
    """An hourly schedule against a baseline of the same columns, and an alarm on the drift of the age."""
    random = np.random.default_rng(1)
    table = pa.table({"score": [0.5] * 2000, "age": random.normal(40, 10, 2000), "plan": ["gold", "tin"] * 1000})
    found = baseline_data_quality(table)
    constraints = dump(table_constraints_document(found.constraints))
    alarm = NewAlarm(
        metric="feature_baseline_drift_age",
        endpoint="churn",
        schedule="columns",
        operator="GreaterThanThreshold",
        threshold=0.5,
    ).named("age-drifts")
    with store.write() as db:
        baselines.put(
            db, baselines.Baseline("day", "data-quality", write_statistics(found.statistics), constraints, START)
        )
        create_schedule(
            db,
            name="columns",
            endpoint="churn",
            cron="0 * * * *",
            problem_type="BinaryClassification",
            monitor="data-quality",
            baseline="day",
            now=START,
        )
        watched = msgspec.structs.replace(alarm, namespace=resolved(db, alarm.series).namespace)
        watch.put_alarm(db, watched, now=START, real=START)
    captured(layout, 0, 0)
    captured(layout, 1, 15)


def run(store: Store, layout: Layout, now: datetime) -> Execution:
    plan_due(store, layout, now)
    ended = Worker(store, layout, run_monitor, now.timestamp, owner="w").run_next()
    assert ended is not None
    return ended


@pytest.mark.usefixtures("scheduled")
def test_a_window_that_drifted_is_violated_published_and_told(store: Store, layout: Layout) -> None:
    calm, drifted = run(store, layout, START + HOUR), run(store, layout, START + 2 * HOUR)
    assert (calm.verdict, calm.item_count) == (Verdict.OK, ROWS)
    assert drifted.message == "CompletedWithViolations: Job completed successfully with 1 violations."
    (violation,) = drifted.violations
    assert (violation.feature_name, violation.constraint_check_type) == ("age", "baseline_drift_check")
    report = layout.data / drifted.report
    assert {"statistics.json", "constraints.json", "constraint_violations.json", "report.html"} <= {
        path.name for path in report.iterdir()
    }
    series = Series(DATA_QUALITY, "feature_data_age", dimensions_of("churn", "columns"))
    with store.read() as db:
        first, second = metrics.query(db, series)
        assert alarms.get(db, "age-drifts").state == "ALARM"
    assert (first.count, second.count) == (ROWS, ROWS)
    assert second.sum is not None
    assert first.sum is not None
    assert second.sum - first.sum == pytest.approx(15 * ROWS, rel=0.2)


@pytest.mark.usefixtures("scheduled")
def test_an_hour_without_captures_is_no_verdict_and_a_missing_value(store: Store, layout: Layout) -> None:
    empty = run(store, layout, START + 4 * HOUR)
    while empty.window_start != START + 3 * HOUR:
        empty = run(store, layout, START + 4 * HOUR)
    assert (empty.verdict, [reason.code for reason in empty.reasons]) == (Verdict.UNKNOWN, ["no_captures"])
    series = Series(DATA_QUALITY, "feature_baseline_drift_age", dimensions_of("churn", "columns"))
    with store.read() as db:
        assert metrics.query(db, series)[-1].value is None


@pytest.mark.usefixtures("scheduled")
def test_labels_do_not_have_columns_judged_again(store: Store, layout: Layout) -> None:
    run(store, layout, START + HOUR)
    write_labels(layout.labels("churn"), {f"h0-{n}": "1" for n in range(ROWS)}, collected=START + HOUR)
    assert LateLabels(store, layout, lambda: 0.0).look(START + 2 * HOUR) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"monitor": "model-quality", "attributes": {"probability_attribute": "0"}},
            "is of data-quality",
        ),
        ({"attributes": {"names": 7}}, "attributes of the schedule cannot be used"),
        ({"attributes": {"segments": ["age:3,1"]}}, "divides nothing"),
        ({"monitor": "horoscope"}, "'horoscope' is not a monitor"),
    ],
)
@pytest.mark.usefixtures("scheduled")
def test_a_schedule_that_makes_no_sense_is_refused(store: Store, changes: dict[str, Any], message: str) -> None:
    options = {"monitor": "data-quality", "problem_type": "BinaryClassification", "baseline": "day"} | changes
    with pytest.raises(InputError, match=message), store.write() as db:
        create_schedule(db, name="other", endpoint="churn", cron="0 * * * *", now=START, **options)


def test_nobody_names_a_script_outside_the_folder_of_scripts(store: Store, layout: Layout) -> None:
    with store.write() as db:
        create_schedule(
            db,
            name="sly",
            endpoint="churn",
            cron="0 * * * *",
            problem_type="BinaryClassification",
            monitor="data-quality",
            attributes={"preprocessor": "../../etc/passwd"},
            now=START,
        )
    captured(layout, 0, 0)
    ended = run(store, layout, START + HOUR)
    assert ended.status == "Failed"
    assert "cannot be the name of a script" in (ended.error or "")


def both_monitors(store: Store, layout: Layout, **attributes: Any) -> dict[str, Execution]:
    """An hour of an endpoint with a schedule of each monitor, run one after the other."""
    with store.write() as db:
        for name, monitor in [("quality", "model-quality"), ("columns", "data-quality")]:
            create_schedule(
                db, name=name, endpoint="churn", cron="0 * * * *", problem_type="BinaryClassification", monitor=monitor,
                attributes={"probability_attribute": "0"} | attributes if monitor == "model-quality" else {}, now=START,
            )  # fmt: skip
    captured(layout, 0, 0)
    captured(layout, 0, 5)
    write_labels(layout.labels("churn"), {f"h0-{n}": str(n % 2) for n in range(ROWS)}, collected=START)
    plan_due(store, layout, START + HOUR)
    worker = Worker(store, layout, run_monitor, (START + HOUR).timestamp, owner="w")
    found = [worker.run_next(), worker.run_next()]
    assert worker.run_next() is None
    return {one.schedule: one for one in found if one is not None}


@pytest.mark.parametrize("attributes", [{}, {"segments": ["_c2"]}], ids=["whole", "segments"])
def test_the_monitors_of_an_endpoint_share_one_reading(
    store: Store, layout: Layout, attributes: dict[str, Any]
) -> None:
    both = both_monitors(store, layout, **attributes)
    assert [one.status for one in both.values()] == ["Completed"] * 2
    assert sum(one.counts["capture_files_read"] for one in both.values()) == len(
        list(layout.captures("churn").rglob("*.jsonl"))
    )
    assert (both["quality"].counts["judged"], both["columns"].counts["rows"]) == (ROWS, ROWS)


def test_model_quality_alone_decodes_nothing(store: Store, layout: Layout) -> None:
    with store.write() as db:
        create_schedule(
            db, name="quality", endpoint="churn", cron="0 * * * *", problem_type="BinaryClassification",
            attributes={"probability_attribute": "0"}, now=START,
        )  # fmt: skip
    captured(layout, 0, 0)
    write_labels(layout.labels("churn"), {"h0-1": "1"}, collected=START)
    assert run(store, layout, START + HOUR).counts["predictions"] == ROWS
    assert not layout.decoded("churn").exists()
