"""Batch transforms of the published churn model, and all four monitors over what they captured."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
import xgboost
from pyarrow import csv as arrow_csv

from driftline.alerting import watch
from driftline.alerting.metrics import namespace_of, own_dimensions, resolved
from driftline.core.analysis_config import analysis_config_document
from driftline.core.analysis_documents import analysis_document
from driftline.core.documents import constraints_document, dump
from driftline.core.errors import InputError
from driftline.core.table_constraints_document import table_constraints_document
from driftline.core.table_statistics_document import write_statistics
from driftline.core.verdict import Verdict
from driftline.core.window import HOUR, partition
from driftline.jobs.batch import BatchWorker
from driftline.jobs.batch_kinds import work
from driftline.jobs.executions import Worker
from driftline.jobs.isolation import Isolation
from driftline.jobs.late_labels import LateLabels
from driftline.jobs.planning import plan_due
from driftline.jobs.schedules import create_schedule, update_schedule
from driftline.pipeline import baseline_model_quality, run_monitor
from driftline.pipeline.attribution_tables import baseline_attribution
from driftline.pipeline.bias_tables import baseline_bias
from driftline.pipeline.data_tables import baseline_data_quality
from driftline.resources.alarms import NewAlarm
from driftline.resources.batch_jobs import BatchJob
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.resources.executions import Execution
from driftline.resources.metrics import Series
from driftline.storage import baselines, batch_jobs, endpoints, metrics, schedules
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.storage.open_alarms import alarms_of, open_alarms
from driftline.testing import START, write_labels

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])
ROWS, THRESHOLD = 400, 0.8
CAPTURED = "s3://captured/churn"
JOINED = {"split": "Line", "assemble": "Line", "join": True, "capture": CAPTURED, "generate_ids": True}
Table = pa.Table


@pytest.fixture(scope="module")
def table(published: Path) -> Table:
    return arrow_csv.read_csv(published / "churn" / "training-dataset-with-header.csv")


def lines_of(table: Table, start: int, end: int, change: int | None = None) -> list[str]:
    """Rows of features as CSV; one column may be multiplied by 60."""
    features = np.column_stack([column.to_numpy().astype(float) for column in table.columns[1:]])[start:end]
    if change is not None:
        features[:, change] *= 60
    return [",".join(f"{value:g}" for value in row) for row in features]


@pytest.fixture
def model(layout: Layout, published: Path) -> str:
    place = layout.model("churn") / "model.json"
    place.parent.mkdir(parents=True)
    place.write_bytes((published / "churn" / "xgb-churn-prediction-model.json").read_bytes())
    return layout.relative(place)


def put(layout: Layout, uri: str, content: str | bytes) -> None:
    path = layout.data / "s3" / uri.removeprefix("s3://")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def text(layout: Layout, uri: str) -> str:
    return (layout.data / "s3" / uri.removeprefix("s3://")).read_text()


def transformed(
    store: Store, layout: Layout, model: str, *, now: datetime = START, apart: bool = False, **options: Any
) -> BatchJob:
    """A transform as a batch job, done; ``apart`` in a process of its own, as the scheduler does it."""
    given = {"input": "s3://data/in", "output": "s3://data/out"} | options
    with store.write() as db:
        batch_jobs.add(db, f"job-{now:%H%M%S}", "transform", {"model_path": model, **given}, now=now)
    clock, lease, isolation = now.timestamp, timedelta(minutes=1), Isolation(work) if apart else None
    worker = BatchWorker(store, layout, clock, owner="w", real=clock, lease=lease, isolation=isolation)
    done = worker.run_next()
    assert done is not None
    return done


def manifests(layout: Layout, side: str) -> list[Any]:
    folder = layout.data / "s3" / "captured" / "churn" / side / partition(START)
    return [json.loads(path.read_bytes()) for path in folder.iterdir()]


def test_objects_below_a_prefix_are_answered_and_captured(
    store: Store, layout: Layout, model: str, table: Table
) -> None:
    for name, start in [("a.csv", 0), ("more/b.csv", 50)]:
        put(layout, f"s3://data/in/{name}", "\n".join(lines_of(table, start, start + 50)) + "\n")
    put(layout, "s3://data/other.csv", "not for this job")
    done = transformed(store, layout, model, apart=True, **JOINED)
    assert (done.status, done.result["files"], done.result["records"]) == ("Completed", 2, 100), done.error
    assert done.message == "Completed: 100 rows of 2 objects."
    written = text(layout, "s3://data/out/more/b.csv.out").splitlines()
    assert [line.rsplit(",", 3)[0] for line in written] == lines_of(table, 50, 100)
    assert manifests(layout, "input") == [[{"prefix": "s3://data/in/"}, "a.csv", "more/b.csv"]]
    assert manifests(layout, "output") == [[{"prefix": "s3://data/out/"}, "a.csv.out", "more/b.csv.out"]]


def test_one_object_is_named_by_its_prefix(store: Store, layout: Layout, model: str, table: Table) -> None:
    put(layout, "s3://data/in/a.csv", gzip.compress("\n".join(lines_of(table, 0, 5)).encode()))
    done = transformed(store, layout, model, input="s3://data/in/a.csv", gzip=True, capture=CAPTURED)
    assert done.status == "Completed", done.error
    assert manifests(layout, "input") == [[{"prefix": "s3://data/in/a.csv"}, ""]]
    assert len(text(layout, "s3://data/out/a.csv.out").splitlines()) == 5


def test_a_manifest_says_what_is_answered(store: Store, layout: Layout, model: str, table: Table) -> None:
    for name in "abc":
        put(layout, f"s3://data/in/{name}", "\n".join(lines_of(table, 0, 5)))
    put(layout, "s3://lists/today", '[{"prefix": "s3://data/in/"}, "a", "c"]')
    assert transformed(store, layout, model, input="s3://lists/today", manifest=True).result["files"] == 2
    assert not (layout.data / "s3/data/out/b.out").exists()


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("1,2\n", {"accept": "application/json"}, "s3://data/in/a.csv: row 1 has 2 columns"),
        ("1,2\n", {"split": "Line"}, "s3://data/in/a.csv, line 1: the row has 2 columns"),
        ("1,2\n", {"gzip": True}, "s3://data/in/a.csv is not compressed"),
        ("1,2\n", {"input": "s3://data/nowhere"}, "nothing lies at s3://data/nowhere"),
        ("1,2\n", {"input": "s3://data/in/a.csv", "manifest": True}, "s3://data/in/a.csv is no manifest"),
        ("1,2\n", {"input_filter": "$.x[0"}, "not understood at character 4"),
    ],
)
def test_what_cannot_be_answered_fails_the_job_and_is_not_captured(
    store: Store, layout: Layout, model: str, content: str, options: dict[str, Any], message: str
) -> None:
    put(layout, "s3://data/in/a.csv", content)
    done = transformed(store, layout, model, capture=CAPTURED, **options)
    assert done.status == "Failed"
    assert message in (done.error or "")
    assert not (layout.data / "s3/captured").exists()


@pytest.fixture(scope="module")
def documents(table: Table, published: Path) -> dict[str, tuple[bytes, bytes]]:
    """Constraints and statistics of a baseline of each monitor."""
    place = published / "churn" / "xgb-churn-prediction-model.json"
    features = table.drop_columns(["Churn"])
    rows = np.column_stack([column.to_numpy().astype(float) for column in features.columns])
    scores = xgboost.Booster(model_file=place).predict(xgboost.DMatrix(rows)).astype(float)
    quality = {"probability": scores, "prediction": (scores > THRESHOLD).astype(int), "label": table["Churn"]}
    found = baseline_model_quality(
        pa.table(quality), label="label", prediction="prediction", probability="probability", threshold=THRESHOLD
    )
    data = baseline_data_quality(features)
    scored = table.append_column("probability", pa.array(scores))
    fair = baseline_bias(
        scored, label="Churn", positive="1", facets=["Account Length>=100"], probability="probability",
        threshold=THRESHOLD,
    )  # fmt: skip
    weights = baseline_attribution(table, place, label="Churn")
    return {
        "model-quality": (dump(constraints_document(found.constraints)), b"{}"),
        "data-quality": (dump(table_constraints_document(data.constraints)), write_statistics(data.statistics)),
        "bias": (dump(analysis_document(fair.analysis)), dump(analysis_config_document(fair.config))),
        "attribution": (
            dump(analysis_document(attribution=weights.analysis)), dump(analysis_config_document(weights.config())),
        ),
    }  # fmt: skip


@pytest.fixture
def scheduled(store: Store, model: str, documents: dict[str, tuple[bytes, bytes]]) -> None:
    """A baseline and an hourly schedule of each monitor, looking at a transform's captures six hours back."""
    reads = {"model-quality": {"probability_attribute": 69, "probability_threshold": THRESHOLD}}
    reads["bias"] = reads["model-quality"]
    with store.write() as db:
        endpoints.create(
            db, "batches", model_path=model, model=ModelDescription(runtime="xgboost", n_features=69),
            capture=CaptureSettings(), now=START, upstream=None,
        )  # fmt: skip
        for monitor, (constraints, statistics) in documents.items():
            baselines.put(db, baselines.Baseline(monitor, monitor, statistics, constraints, START))
            create_schedule(
                db, name=monitor, endpoint="batches", cron="0 * * * *", problem_type="BinaryClassification",
                monitor=monitor, baseline=monitor, now=START, start_offset="-PT6H",
                attributes={"transform": CAPTURED, "dataset_format": {"Csv": {"Header": False}}}
                | reads.get(monitor, {}),
            )  # fmt: skip


def labelled(layout: Layout, table: Table, count: int) -> None:
    """Labels of the rows that were answered, by the ids that the answers carry."""
    ids = [line.split(",")[-2] for line in text(layout, "s3://data/out/day.csv.out").splitlines()]
    assert len(ids) == count
    truth = table["Churn"][:count].to_pylist()
    write_labels(
        layout.labels("batches"), {one: str(label) for one, label in zip(ids, truth, strict=True)}, collected=START
    )


def judged(store: Store, layout: Layout, now: datetime) -> dict[str, Execution]:
    plan_due(store, layout, now)
    worker = Worker(store, layout, run_monitor, now.timestamp, owner="w")
    found = {}
    while (one := worker.run_next()) is not None:
        assert one.status != "Failed", one.error
        found[one.schedule] = one
    return found


@pytest.mark.usefixtures("scheduled")
def test_every_monitor_judges_what_a_transform_captured(store: Store, layout: Layout, model: str, table: Table) -> None:
    put(layout, "s3://data/in/day.csv", "\n".join(lines_of(table, 0, ROWS)))
    assert transformed(store, layout, model, now=START + timedelta(minutes=5), **JOINED).status == "Completed"
    labelled(layout, table, ROWS)
    found = judged(store, layout, START + HOUR)
    assert {name: one.item_count for name, one in found.items()} == dict.fromkeys(found, ROWS)
    assert len(found) == 4
    assert found["model-quality"].counts["judged"] == ROWS
    assert {found[name].verdict for name in ("data-quality", "bias", "attribution")} == {Verdict.OK}, found
    assert found["data-quality"].counts["rows"] == ROWS


@pytest.mark.usefixtures("scheduled")
def test_a_column_that_drifted_is_found_and_told_as_a_batchs_metric(
    store: Store, layout: Layout, model: str, table: Table
) -> None:
    place = table.schema.names[1:].index("Intl Mins")
    put(layout, "s3://data/in/day.csv", "\n".join(lines_of(table, 0, ROWS, change=place)))
    transformed(store, layout, model, **JOINED)
    found = judged(store, layout, START + HOUR)
    assert "Intl Mins" in {violation.feature_name for violation in found["data-quality"].violations}
    with store.read() as db:
        schedule = schedules.get(db, "data-quality")
        series = Series(namespace_of(schedule), "feature_baseline_drift_Intl Mins", own_dimensions(schedule))
        (point,) = metrics.query(db, series)
    assert series.namespace == "aws/sagemaker/ModelMonitoring/data-metrics"
    assert series.dimensions == {"MonitoringSchedule": "data-quality"}
    assert point.value is not None
    assert point.value > 0.1


@pytest.mark.usefixtures("scheduled")
def test_labels_that_come_late_have_a_batch_judged_again(
    store: Store, layout: Layout, model: str, table: Table
) -> None:
    put(layout, "s3://data/in/day.csv", "\n".join(lines_of(table, 0, ROWS)))
    transformed(store, layout, model, **JOINED)
    assert judged(store, layout, START + HOUR)["model-quality"].counts.get("judged", 0) == 0
    labelled(layout, table, ROWS)
    added = LateLabels(store, layout, lambda: 0.0).look(START + HOUR)
    assert sorted(one.schedule for one in added) == ["bias", "model-quality"]
    assert judged(store, layout, START + HOUR)["model-quality"].counts["judged"] == ROWS


@pytest.mark.usefixtures("scheduled")
def test_manifests_that_were_copied_to_other_hours_count_there_and_once_in_a_window(
    store: Store, layout: Layout, model: str, table: Table
) -> None:
    put(layout, "s3://data/in/day.csv", "\n".join(lines_of(table, 0, ROWS)))
    transformed(store, layout, model, **JOINED)
    for side in ("input", "output"):
        (content,) = manifests(layout, side)
        for hours in (-1, 1):
            put(layout, f"{CAPTURED}/{side}/{partition(START + hours * HOUR)}/again.json", json.dumps(content))
    labelled(layout, table, ROWS)
    found = judged(store, layout, START + HOUR)
    assert {name: one.item_count for name, one in found.items()} == dict.fromkeys(found, ROWS)
    found = judged(store, layout, START + 2 * HOUR)
    assert {name: one.item_count for name, one in found.items()} == dict.fromkeys(found, ROWS)


@pytest.mark.usefixtures("scheduled")
def test_all_monitors_read_lines_of_documents(store: Store, layout: Layout, model: str, table: Table) -> None:
    rows = (f'{{"features":[{line}]}}' for line in lines_of(table, 0, ROWS))
    put(layout, "s3://data/in/day.csv", "\n".join(rows))
    done = transformed(store, layout, model, content_type="application/jsonlines", **JOINED)
    assert done.status == "Completed", done.error
    documents = [json.loads(line) for line in text(layout, "s3://data/out/day.csv.out").splitlines()]
    ids = [one["SageMakerInferenceId"] for one in documents]
    labels = dict(zip(ids, map(str, table["Churn"].to_pylist()), strict=False))
    write_labels(layout.labels("batches"), labels, collected=START)
    with store.write() as db:
        for schedule in schedules.listing(db):
            attributes = schedule.attributes | {"dataset_format": {"Json": {"Line": True}}}
            if "probability_attribute" in attributes:
                attributes["probability_attribute"] = "SageMakerOutput.score"
            update_schedule(db, schedule.name, now=START, attributes=attributes)
    found = judged(store, layout, START + HOUR)
    assert {name: one.item_count for name, one in found.items()} == dict.fromkeys(found, ROWS)
    assert {found[name].verdict for name in ("data-quality", "bias", "attribution")} == {Verdict.OK}, found


@pytest.mark.usefixtures("scheduled")
def test_an_alarm_on_a_batchs_metric_is_told_and_shown_with_its_endpoint(
    store: Store, layout: Layout, model: str, table: Table
) -> None:
    asked = NewAlarm(
        metric="f2", endpoint="batches", schedule="model-quality", operator="LessThanThreshold", threshold=2.0
    )
    with store.write() as db:
        alarm = asked.named("low")
        series = resolved(db, alarm.series)
        alarm = msgspec.structs.replace(alarm, namespace=series.namespace, dimensions=series.dimensions)
        watch.put_alarm(db, alarm, now=START, real=START)
    assert alarm.dimensions == {"MonitoringSchedule": "model-quality"}
    put(layout, "s3://data/in/day.csv", "\n".join(lines_of(table, 0, ROWS)))
    transformed(store, layout, model, **JOINED)
    labelled(layout, table, ROWS)
    judged(store, layout, START + HOUR)
    with store.read() as db:
        ((line,), number) = open_alarms(db, 10)
        assert alarms_of(db, "batches", 10) == [line]
        assert alarms_of(db, "another", 10) == []
    assert (number, line.state, line.endpoint, line.schedule) == (1, "ALARM", "batches", "model-quality")


def quality(store: Store, layout: Layout, monitor: str, **attributes: Any) -> Execution:
    """One hour of one schedule without a baseline."""
    with store.write() as db:
        create_schedule(
            db, name="one", endpoint="batches", cron="0 * * * *", problem_type="BinaryClassification",
            monitor=monitor, now=START, attributes={"transform": CAPTURED, **attributes},
        )  # fmt: skip
    return judged(store, layout, START + HOUR)["one"]


def names_of(layout: Layout, run: Execution) -> list[str]:
    found = json.loads((layout.data / run.report / "statistics.json").read_bytes())
    return [feature["name"] for feature in found["features"]]


def captured(layout: Layout, inputs: str, outputs: str, suffix: str = "csv") -> None:
    """Manifests as another account's transforms left them."""
    hour = partition(START)
    put(layout, f"{CAPTURED}/input/{hour}/one.json", f'[{{"prefix": "s3://theirs/day.{suffix}"}}, ""]')
    put(layout, f"{CAPTURED}/output/{hour}/two.json", f'[{{"prefix": "s3://theirs/out/"}}, "day.{suffix}.out"]')
    put(layout, f"s3://theirs/day.{suffix}", inputs)
    put(layout, f"s3://theirs/out/day.{suffix}.out", outputs)


def test_a_header_is_skipped_and_names_the_columns(store: Store, layout: Layout) -> None:
    rows = "".join(f"{n},tin\n" for n in range(60))
    captured(layout, "age,plan\n" + rows, "0.5\n" * 60)
    found = quality(store, layout, "data-quality", dataset_format={"Csv": {"Header": True}})
    assert (found.counts["rows"], names_of(layout, found)) == (60, ["age", "plan"])


def test_documents_are_judged_by_the_labels_of_their_ids(store: Store, layout: Layout) -> None:
    ids = [f"00000000-0000-4000-8000-{n:012d}" for n in range(60)]
    outputs = [
        json.dumps({"SageMakerInferenceId": one, "SageMakerInferenceTime": "2020-01-01T00:00:00Z",
                    "SageMakerOutput": {"score": n / 60}, "features": [n, 1]})
        for n, one in enumerate(ids)
    ]  # fmt: skip
    captured(layout, '{"features":[1,1]}\n' * 60, "\n".join(outputs), "jsonl")
    write_labels(layout.labels("batches"), {one: str(int(n > 30)) for n, one in enumerate(ids)}, collected=START)
    options = {"dataset_format": {"Json": {"Line": True}}, "probability_attribute": "SageMakerOutput.score"}
    found = quality(store, layout, "model-quality", **options)
    assert found.counts["judged"] == 60
    assert found.statistics["binary_classification_metrics"]["auc"]["value"] == pytest.approx(1)


def test_documents_that_went_in_are_columns(store: Store, layout: Layout) -> None:
    captured(layout, '{"age":1,"plan":"tin"}\n{"age":2,"plan":"gold"}\n', '{"score":1}\n' * 2, "jsonl")
    found = quality(store, layout, "data-quality", dataset_format={"Json": {"Line": True}})
    assert (found.counts["rows"], names_of(layout, found)) == (2, ["age", "plan"])


def test_parquet_is_read(store: Store, layout: Layout, tmp_path: Path) -> None:
    from pyarrow import parquet

    parquet.write_table(pa.table({"age": [1, 2, 3], "plan": ["tin", None, "gold"]}), tmp_path / "day.parquet")
    captured(layout, "", "", "parquet")
    put(layout, "s3://theirs/day.parquet", (tmp_path / "day.parquet").read_bytes())
    found = quality(store, layout, "data-quality", dataset_format={"Parquet": {}})
    assert (found.counts["rows"], names_of(layout, found)) == (3, ["age", "plan"])


def test_a_file_that_a_manifest_names_must_be_there(store: Store, layout: Layout) -> None:
    put(layout, f"{CAPTURED}/input/{partition(START)}/one.json", '[{"prefix": "s3://theirs/gone.csv"}, ""]')
    with pytest.raises(AssertionError, match=r"there is no object s3://theirs/gone\.csv"):
        quality(store, layout, "data-quality")


def test_an_hour_is_converted_again_only_when_its_objects_change(store: Store, layout: Layout) -> None:
    captured(layout, "1,2\n3,4\n", "0.5\n0.5\n")
    quality(store, layout, "data-quality")
    (kept,) = (layout.data / "cache" / "transform").rglob("*.jsonl")
    before = kept.stat().st_mtime_ns
    with store.write() as db:
        schedules.remove(db, "one")
    assert quality(store, layout, "data-quality").counts["rows"] == 2
    assert kept.stat().st_mtime_ns == before
    put(layout, "s3://theirs/day.csv", "1,2\n3,4\n5,6\n")
    with store.write() as db:
        schedules.remove(db, "one")
    assert quality(store, layout, "data-quality").counts["rows"] == 3
    assert not kept.exists()


def test_an_hour_without_transforms_has_no_captures(store: Store, layout: Layout) -> None:
    found = quality(store, layout, "data-quality")
    assert [reason.code for reason in found.reasons] == ["no_captures"]


@pytest.mark.parametrize("attributes", [{"transform": "x"}, {"transform": CAPTURED, "dataset_format": {"Xml": 1}}])
def test_a_schedule_that_names_no_captures_is_refused(store: Store, layout: Layout, attributes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        quality(store, layout, "data-quality", **attributes)
