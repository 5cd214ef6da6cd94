"""All four monitors of one endpoint, on the published churn model: one decoding of the window, and their verdicts."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from pyarrow import csv as arrow_csv

from driftline.alerting.metrics import ATTRIBUTION
from driftline.core.analysis_config import analysis_config_document
from driftline.core.analysis_documents import analysis_document
from driftline.core.documents import constraints_document, dump
from driftline.core.records import CaptureData, CaptureRecord, EventMetadata, Payload
from driftline.core.table_constraints_document import table_constraints_document
from driftline.core.table_statistics_document import write_statistics
from driftline.core.verdict import Verdict
from driftline.core.window import HOUR
from driftline.jobs.executions import Worker
from driftline.jobs.planning import plan_due
from driftline.jobs.schedules import create_schedule
from driftline.pipeline import baseline_model_quality, run_monitor
from driftline.pipeline.attribution_tables import baseline_attribution
from driftline.pipeline.bias_tables import baseline_bias
from driftline.pipeline.data_tables import baseline_data_quality
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.resources.executions import Execution
from driftline.resources.metrics import Series
from driftline.storage import baselines, endpoints, metrics
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.testing import START, write_captures, write_labels

MONITORS = ("model-quality", "data-quality", "bias", "attribution")
Scored = tuple[pa.Table, np.ndarray[Any, Any], np.ndarray[Any, Any]]


@pytest.fixture(scope="module")
def churn(published: Path) -> Scored:
    """The published training data with the model's scores: the table, its features as numbers, the scores."""
    table = arrow_csv.read_csv(published / "churn" / "training-dataset-with-header.csv")
    features = np.column_stack([column.to_numpy().astype(float) for column in table.columns[1:]])
    model = xgboost.Booster(model_file=published / "churn" / "xgb-churn-prediction-model.json")
    return table, features, model.predict(xgboost.DMatrix(features))


@pytest.fixture
def endpoint(store: Store, layout: Layout, churn: Scored, published: Path) -> None:
    """The churn model with a baseline and an hourly schedule of each monitor."""
    table, _, scores = churn
    place = layout.model("churn") / "model.json"
    place.parent.mkdir(parents=True)
    place.write_bytes((published / "churn" / "xgb-churn-prediction-model.json").read_bytes())
    quality = {"probability": scores.astype(float), "prediction": (scores > 0.8).astype(int), "label": table["Churn"]}
    found = baseline_model_quality(
        pa.table(quality), label="label", prediction="prediction", probability="probability", threshold=0.8
    )
    data = baseline_data_quality(table)
    scored = table.append_column("probability", pa.array(scores.astype(float)))
    fair = baseline_bias(
        scored, label="Churn", positive="1", facets=["Account Length>=100"], probability="probability", threshold=0.8
    )
    weights = baseline_attribution(table, place, label="Churn")
    documents = {
        "model-quality": (dump(constraints_document(found.constraints)), b"{}"),
        "data-quality": (dump(table_constraints_document(data.constraints)), write_statistics(data.statistics)),
        "bias": (dump(analysis_document(fair.analysis)), dump(analysis_config_document(fair.config))),
        "attribution": (
            dump(analysis_document(attribution=weights.analysis)), dump(analysis_config_document(weights.config())),
        ),
    }  # fmt: skip
    with store.write() as db:
        endpoints.create(
            db, "churn", model_path=layout.relative(place), model=ModelDescription(runtime="xgboost", n_features=69),
            capture=CaptureSettings(), now=START, upstream=None,
        )  # fmt: skip
        for monitor, (constraints, statistics) in documents.items():
            baselines.put(db, baselines.Baseline(monitor, monitor, statistics, constraints, START))
            create_schedule(
                db, name=monitor, endpoint="churn", cron="0 * * * *", problem_type="BinaryClassification",
                monitor=monitor, baseline=monitor, now=START,
                attributes={"probability_attribute": 0, "probability_threshold": 0.8},
            )  # fmt: skip


def captured(layout: Layout, churn: Scored, change: Callable[[Any], Any] | None = None) -> int:
    """An hour of 400 requests in several files, with labels; the number of files."""
    table, features, scores = churn
    rows = features[:400] if change is None else change(features[:400].copy())
    texts = [",".join(f"{value:g}" for value in row) for row in rows]
    records = [
        CaptureRecord(
            CaptureData(Payload(text, "CSV", mode="INPUT"), Payload(repr(float(score)), "CSV", mode="OUTPUT")),
            EventMetadata(f"event-{n}", f"order-{n}", inference_time=START + timedelta(seconds=n)),
        )
        for n, (text, score) in enumerate(zip(texts, scores, strict=False))
    ]
    for part in range(4):
        write_captures(layout.captures("churn"), records[part::4], name=f"part{part}")
    labels = {f"order-{n}": str(label) for n, label in enumerate(table["Churn"][:400].to_pylist())}
    write_labels(layout.labels("churn"), labels, collected=START)
    return len(list(layout.captures("churn").rglob("*.jsonl")))


def judged(store: Store, layout: Layout, now: datetime) -> dict[str, Execution]:
    plan_due(store, layout, now)
    worker = Worker(store, layout, run_monitor, now.timestamp, owner="w")
    return {one.schedule: one for _ in MONITORS if (one := worker.run_next()) is not None}


@pytest.mark.usefixtures("endpoint")
def test_they_share_one_decoding_and_judge_alike(store: Store, layout: Layout, churn: Scored) -> None:
    files = captured(layout, churn)
    found = judged(store, layout, START + HOUR)
    assert files == 4
    assert sorted(found) == sorted(MONITORS)
    assert {one.status for one in found.values()} <= {"Completed", "CompletedWithViolations"}, found
    # One of them read the files; the others read what it kept.
    assert sorted(one.counts["capture_files_read"] for one in found.values()) == [0, 0, 0, files]
    assert {name: one.item_count for name, one in found.items()} == dict.fromkeys(MONITORS, 400)
    assert found["attribution"].verdict is Verdict.OK
    assert found["bias"].verdict is Verdict.OK


@pytest.mark.usefixtures("endpoint")
def test_a_window_that_other_features_decide_is_violated(store: Store, layout: Layout, churn: Scored) -> None:
    """Minutes abroad arrive as seconds, and everybody seems to have the international plan."""
    names = churn[0].schema.names[1:]

    def changed(rows: Any) -> Any:
        rows[:, names.index("Intl Mins")] *= 60
        rows[:, names.index("Int'l Plan_no")] = 0
        rows[:, names.index("Int'l Plan_yes")] = 1
        return rows

    captured(layout, churn, changed)
    found = judged(store, layout, START + HOUR)["attribution"]
    assert found.verdict is Verdict.VIOLATED
    (violation,) = found.violations
    assert (violation.metric_name, violation.label) == ("shap", "label0")
    assert violation.description.startswith("Feature attribution drift 0.")
    dimensions = {"Endpoint": "churn", "MonitoringSchedule": "attribution", "ExplainabilityMethod": "KernelShap"}
    with store.read() as db:
        (point,) = metrics.query(db, Series(ATTRIBUTION, "ndcg", dimensions | {"Label": "label0"}))
    assert point.value == pytest.approx(violation.value)
    report = layout.data / found.report
    names = {"analysis.json", "constraints.json", "constraint_violations.json", "report.html"}
    assert names <= {path.name for path in report.iterdir()}


@pytest.mark.usefixtures("endpoint")
def test_odd_requests_fail_no_run(store: Store, layout: Layout, churn: Scored) -> None:
    """A request of three cells and one with a text are counted, and the others explained."""
    captured(layout, churn)
    texts = ["1,2,3", ",".join(["x"] * 69)]
    odd = [
        CaptureRecord(
            CaptureData(Payload(text, "CSV", mode="INPUT"), Payload("0.5", "CSV", mode="OUTPUT")),
            EventMetadata(f"odd-{n}", inference_time=START + timedelta(minutes=30)),
        )
        for n, text in enumerate(texts)
    ]
    write_captures(layout.captures("churn"), odd, name="odd")
    found = judged(store, layout, START + HOUR)["attribution"]
    assert (found.verdict, found.item_count) == (Verdict.OK, 400)
    assert {(one.source, one.reason): one.count for one in found.rejects} == {
        ("captured inputs", "not_features"): 1,
        ("captured inputs", "not_numbers"): 1,
    }


def test_the_published_inputs_are_a_window_too(published: Path) -> None:
    """The 334 published rows have the columns of the training data but for the label."""
    with (published / "churn" / "test-dataset-input-cols.csv").open(newline="") as text:
        assert {len(row) for row in csv.reader(text)} == {69}
