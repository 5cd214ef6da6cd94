"""A schedule of bias with the real pipeline: captures joined with labels, a facet among the inputs, late labels."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.alerting.metrics import BIAS
from driftline.core.analysis_config import analysis_config_document
from driftline.core.analysis_documents import bias_document
from driftline.core.documents import dump
from driftline.core.errors import InputError
from driftline.core.records import CaptureData, CaptureRecord, EventMetadata, Payload
from driftline.core.verdict import Verdict
from driftline.core.window import HOUR
from driftline.jobs.executions import Worker
from driftline.jobs.late_labels import LateLabels
from driftline.jobs.planning import plan_due
from driftline.jobs.schedules import create_schedule
from driftline.pipeline import run_monitor
from driftline.pipeline.bias_tables import baseline_bias
from driftline.resources.executions import Execution
from driftline.resources.metrics import Series
from driftline.storage import baselines, metrics
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.testing import START, write_captures, write_labels

ROWS = 600


def drawn(seed: int, rows: int, unfair: float) -> dict[str, Any]:
    """People with an age and a plan; of those with a gold plan fewer have a high score, by ``unfair``."""
    random = np.random.default_rng(seed)
    gold, label = random.random(rows) < 0.4, random.random(rows) < 0.5
    score = np.clip(np.where(label, 0.7, 0.3) + random.normal(0, 0.15, rows) - unfair * gold, 0, 1)
    plan = np.where(gold, "gold", "tin")
    return {"score": score, "age": random.integers(20, 60, rows), "plan": plan, "label": label.astype(int)}


def captured(layout: Layout, hour: int, unfair: float) -> None:
    table = drawn(hour + 1, ROWS, unfair)
    records = [
        CaptureRecord(
            CaptureData(Payload(f"{age},{plan}", "CSV", mode="INPUT"), Payload(f"{score:.4f}", "CSV", mode="OUTPUT")),
            EventMetadata(f"h{hour}-{n}", inference_time=START + hour * HOUR + timedelta(seconds=n)),
        )
        for n, (age, plan, score) in enumerate(zip(table["age"], table["plan"], table["score"], strict=True))
    ]
    write_captures(layout.captures("loans"), records, name=f"h{hour}")


def labelled(layout: Layout, hour: int, *, some: slice = slice(None), collected: datetime | None = None) -> None:
    labels = {f"h{hour}-{n}": str(label) for n, label in enumerate(drawn(hour + 1, ROWS, 0)["label"])}
    moment = collected or START + (hour + 1) * HOUR - timedelta(minutes=1)
    write_labels(layout.labels("loans"), dict(list(labels.items())[some]), collected=moment)


def scheduled(store: Store, *, config: bool = True, **attributes: Any) -> None:
    table = pa.table(drawn(0, 5000, 0))
    found = baseline_bias(
        table, label="label", positive="1", facets=["plan=gold", "age>=40"], probability="score", group="plan"
    )
    statistics = dump(analysis_config_document(found.config)) if config else b"{}"
    with store.write() as db:
        baselines.put(db, baselines.Baseline("day", "bias", statistics, dump(bias_document(found.analysis)), START))
        create_schedule(
            db, name="fair", endpoint="loans", cron="0 * * * *", problem_type="BinaryClassification", monitor="bias",
            baseline="day", attributes={"probability_attribute": 0} | attributes, now=START,
        )  # fmt: skip


def run(store: Store, layout: Layout, now: datetime) -> Execution:
    plan_due(store, layout, now)
    ended = Worker(store, layout, run_monitor, now.timestamp, owner="w").run_next()
    assert ended is not None
    return ended


def test_a_facet_that_fares_worse_is_violated_and_published(store: Store, layout: Layout) -> None:
    scheduled(store)
    for hour, unfair in enumerate((0, 0.35)):
        captured(layout, hour, unfair)
        labelled(layout, hour)
    fair, unfair_run = run(store, layout, START + HOUR), run(store, layout, START + 2 * HOUR)
    assert (fair.verdict, fair.violations, fair.item_count) == (Verdict.OK, (), ROWS)
    assert unfair_run.verdict is Verdict.VIOLATED
    found = {(one.facet, one.facet_value, one.metric_name) for one in unfair_run.violations}
    assert ("plan", "gold", "DPPL") in found
    report = layout.data / unfair_run.report
    names = {"analysis.json", "constraints.json", "constraint_violations.json", "report.html"}
    assert names <= {path.name for path in report.iterdir()}
    dimensions = {
        "Endpoint": "loans", "MonitoringSchedule": "fair", "BiasStage": "Post-Training", "Label": "label",
        "LabelValue": "1", "Facet": "plan", "FacetValue": "gold",
    }  # fmt: skip
    with store.read() as db:
        first, second = metrics.query(db, Series(BIAS, "bias_metric_DPPL", dimensions))
    assert first.value is not None
    assert second.value is not None
    assert abs(first.value) < 0.15 < second.value


def test_the_counts_are_those_of_a_table_of_the_same_rows(store: Store, layout: Layout) -> None:
    """What joins captures and labels changes no number: a facet of text, one of numbers, a group."""
    scheduled(store)
    captured(layout, 0, 0.2)
    labelled(layout, 0)
    table = drawn(1, ROWS, 0.2)
    table["score"] = np.round(table["score"], 4)
    wanted = baseline_bias(
        pa.table(table), label="label", positive="1", facets=["plan=gold", "age>=40"], probability="score", group="plan"
    )
    ended = run(store, layout, START + HOUR)
    kinds = ("pre_training_bias_metrics", "post_training_bias_metrics")
    document = bias_document(wanted.analysis)
    for kind in kinds:
        for facet, parts in document[kind]["facets"].items():
            values = {m["name"]: m["value"] for m in parts[0]["metrics"] if m["name"] != "FT"}
            found = {m["name"]: m["value"] for m in ended.statistics[kind]["facets"][facet][0]["metrics"]}
            assert found == pytest.approx(values, abs=1e-12)


def test_late_labels_judge_the_window_again(store: Store, layout: Layout) -> None:
    scheduled(store)
    captured(layout, 0, 0.35)
    first = run(store, layout, START + HOUR)
    assert [reason.code for reason in first.reasons] == ["no_labels"]
    labelled(layout, 0, collected=START + 2 * HOUR)
    now = START + 2 * HOUR + timedelta(minutes=5)
    (added,) = LateLabels(store, layout).look(now)
    assert (added.schedule, added.revision) == ("fair", 2)


def test_a_column_too_many_in_the_baseline_shifts_no_names(store: Store, layout: Layout) -> None:
    """Its table had a number of the order: with it there are as many names as outputs and inputs together."""
    table = pa.table({"order": np.arange(5000)} | drawn(0, 5000, 0))
    found = baseline_bias(table, label="label", positive="1", facets=["age>=40"], probability="score")
    with store.write() as db:
        configuration = dump(analysis_config_document(found.config))
        baselines.put(db, baselines.Baseline("day", "bias", configuration, dump(bias_document(found.analysis)), START))
        create_schedule(
            db, name="fair", endpoint="loans", cron="0 * * * *", problem_type="BinaryClassification", monitor="bias",
            baseline="day", attributes={"probability_attribute": 0}, now=START,
        )  # fmt: skip
    captured(layout, 0, 0)
    labelled(layout, 0)
    ended = run(store, layout, START + HOUR)
    assert ended.verdict is Verdict.UNKNOWN
    assert ended.error is not None
    assert "there is no captured column 'age'" in ended.error
    assert "--exclude" in ended.error


def test_a_schedule_without_a_configuration_says_what_to_do(store: Store) -> None:
    with pytest.raises(InputError, match=r"nothing says what fair analyses") as error:
        scheduled(store, config=False)
    assert "analysis_config.json" in str(error.value)


def test_a_facet_that_is_not_captured_fails_by_name(store: Store, layout: Layout) -> None:
    scheduled(store, names=["score", "years", "tariff"])
    captured(layout, 0, 0)
    labelled(layout, 0)
    ended = run(store, layout, START + HOUR)
    assert ended.status == "Failed"
    assert "no captured column 'plan'" in ended.message
