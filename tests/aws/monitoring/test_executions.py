"""Executions as clients see them: how they ended, and the jobs that stand for their steps."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from driftline.aws.sagemaker import executions as jobs
from driftline.core.errors import ConflictError
from driftline.core.uris import object_uri
from driftline.core.window import HOUR
from driftline.jobs.planning import plan_due
from driftline.storage import executions
from driftline.storage.executions import Outcome
from driftline.testing import START, prediction_batch, quality_captures, write_captures, write_labels

BINARY = {
    "version": 0.0,
    "binary_classification_constraints": {"f2": {"threshold": 0.6, "comparison_operator": "LessThanThreshold"}},
}
BASE = {"status": "Completed", "verdict": "OK", "message": "Completed: Job completed successfully with no violations."}
VIOLATED = BASE | {
    "status": "CompletedWithViolations",
    "verdict": "VIOLATED",
    "message": "CompletedWithViolations: Job completed successfully with 2 violations.",
}


def ended(world: Any, hour: int, **outcome: Any) -> str:
    """A run of a later hour that ended so; its id."""
    world.clock.set(START + hour * HOUR)
    plan_due(world.service.store, world.service.layout, world.service.now())
    with world.service.store.write() as db:
        claimed = executions.claim(db, owner="w", now=world.service.now(), real=world.service.now(), lease=HOUR)
        assert claimed is not None
        executions.finish(db, claimed, msgspec.convert(outcome, Outcome, strict=False), world.service.now())
    return claimed.id


def unknown(code: str) -> dict[str, Any]:
    return BASE | {"verdict": "UNKNOWN", "reasons": [{"code": code, "message": "said so"}]}


def job_of(row: dict[str, Any]) -> str:
    name: str = row["ProcessingJobArn"].split(":")[5].removeprefix("processing-job/")
    return name


def job(world: Any, name: str) -> dict[str, Any]:
    told = jobs.describe_job(world.context, name)
    assert told is not None
    world.conforms("DescribeProcessingJob", told)
    return told


def test_an_execution_with_violations_and_its_two_jobs(world: Any) -> None:
    world.quality()
    run = ended(world, 1, **VIOLATED)
    (row,) = world.executions(MonitoringScheduleName="hourly", SortBy="ScheduledTime", SortOrder="Descending")
    assert row["MonitoringExecutionStatus"] == "CompletedWithViolations"
    assert row["ScheduledTime"] == START + HOUR
    assert row["MonitoringJobDefinitionName"] == "ModelQuality-definition"
    assert world.describe()["LastMonitoringExecutionSummary"] == row
    name = job_of(row)
    assert name == f"model-quality-monitoring-202611221100-{run[:24]}"
    told = job(world, name)
    assert (told["ProcessingJobStatus"], told["ExitMessage"]) == ("Completed", VIOLATED["message"])
    (output,) = told["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == "s3://results/churn/Churn/hourly/2026/11/22/11"
    assert told["Environment"]["start_time"] == "2026-11-22T10:00:00Z"
    assert told["Environment"]["probability_attribute"] == "0"
    assert {"constraints", "endpoint_input_1"} == {one["InputName"] for one in told["ProcessingInputs"]}
    assert told["MonitoringScheduleArn"].endswith("monitoring-schedule/hourly")
    merge = job(world, name.replace("model-quality-monitoring", "groundtruth-merge"))
    assert merge["AppSpecification"]["ImageUri"].endswith("/sagemaker-model-monitor-groundtruth-merger")
    assert merge["ProcessingInputs"][0]["S3Input"]["S3Uri"] == "s3://data/labels/2026/11/22/10"
    assert merge["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] == "s3://results/churn/merge"


@pytest.mark.parametrize(
    ("code", "reason", "step"),
    [
        ("no_captures", "Job inputs had no data", "groundtruth-merge"),
        ("no_labels", 'No S3 objects found under S3 URL "s3://data/labels"', "groundtruth-merge"),
        ("too_few_rows", None, "model-quality-monitoring"),
    ],
)
def test_a_window_without_data_failed(world: Any, code: str, reason: str | None, step: str) -> None:
    world.quality()
    ended(world, 1, **unknown(code))
    (row,) = world.executions(MonitoringScheduleName="hourly")
    assert row["MonitoringExecutionStatus"] == ("Completed" if reason is None else "Failed")
    assert (row.get("FailureReason") or "").startswith(reason or "")
    assert job_of(row).startswith(step)
    told = job(world, job_of(row))
    assert told["ProcessingJobStatus"] == row["MonitoringExecutionStatus"]
    assert told.get("FailureReason") == row.get("FailureReason")
    assert "ExitMessage" in told


def test_ground_truth_that_cannot_be_read_is_not_called_missing(world: Any) -> None:
    world.quality()
    read = {"name": "read labels", "rows_in": 1, "rows_out": 0, "seconds": 0.1}
    ended(world, 1, **unknown("no_labels"), steps=[read])
    (row,) = world.executions(MonitoringScheduleName="hourly")
    assert row["MonitoringExecutionStatus"] == "Failed"
    assert row["FailureReason"].endswith('no record of the ground truth under S3 URL "s3://data/labels" can be read')


def test_the_real_pipeline_says_that_there_is_nothing(world: Any) -> None:
    world.call("CreateDataQualityJobDefinition", **world.definition("DataQuality", world.source()))
    world.schedule("hourly", world.config("DataQuality"))
    world.run(START + HOUR)
    (row,) = world.executions(EndpointName="Churn", StatusEquals="Failed")
    assert row["FailureReason"] == "Job inputs had no data"
    assert job_of(row).startswith("data-quality-monitoring-202611221100-")


def test_every_revision_is_an_execution(world: Any) -> None:
    world.quality()
    ended(world, 1, **BASE)
    ended(world, 2, **VIOLATED)
    world.service.run_schedule("hourly")
    rows = world.executions(MonitoringScheduleName="hourly")
    assert [row["MonitoringExecutionStatus"] for row in rows].count("Pending") == 1
    assert len(rows) == 3
    assert "ProcessingJobArn" not in next(row for row in rows if row["MonitoringExecutionStatus"] == "Pending")
    later = world.executions(ScheduledTimeAfter=START + HOUR, StatusEquals="CompletedWithViolations")
    assert [row["ScheduledTime"] for row in later] == [START + 2 * HOUR]
    assert world.executions(MonitoringTypeEquals="DataQuality") == []


def test_a_job_can_be_stopped_while_it_runs(world: Any) -> None:
    world.quality()
    world.clock.set(START + HOUR)
    plan_due(world.service.store, world.service.layout, world.service.now())
    with world.service.store.write() as db:
        executions.claim(db, owner="w", now=world.service.now(), real=world.service.now(), lease=HOUR)
    (row,) = world.executions(MonitoringScheduleName="hourly")
    assert row["MonitoringExecutionStatus"] == "InProgress"
    assert job_of(row).startswith("groundtruth-merge-")
    assert jobs.stop_job(world.context, job_of(row))
    (row,) = world.executions(MonitoringScheduleName="hourly")
    assert row["MonitoringExecutionStatus"] == "Stopped"
    told = job(world, job_of(row))
    assert told["ProcessingJobStatus"] == "Stopped"
    with pytest.raises(ConflictError):
        jobs.stop_job(world.context, job_of(row))


@pytest.mark.parametrize(
    "name", ["baseline-suggestion-job", "model-quality-monitoring-202611221100-0123456789abcdef01234567"]
)
def test_a_job_that_is_none_of_ours(world: Any, name: str) -> None:
    assert jobs.describe_job(world.context, name) is None
    assert jobs.execution_of(world.context, name) is None
    assert not jobs.stop_job(world.context, name)


def test_a_window_of_predictions_and_of_labels_in_a_bucket(world: Any) -> None:
    """The real pipeline: labels are read where the definition says, and results are where the job says."""
    world.quality()
    rows = prediction_batch(400, 3, skill=0.2)
    write_captures(world.service.layout.captures("Churn") / "AllTraffic", quality_captures(rows))
    labels = dict(zip(rows["id"].to_pylist(), rows["label"].to_pylist(), strict=True))
    bucket = world.context.objects.folder(object_uri("s3://data/labels"))
    assert bucket is not None
    write_labels(bucket, labels, collected=START)
    world.run(START + HOUR)
    (row,) = world.executions(MonitoringScheduleName="hourly")
    assert row["MonitoringExecutionStatus"] == "CompletedWithViolations"
    told = job(world, job_of(row))
    assert "violations" in told["ExitMessage"]
    (output,) = told["ProcessingOutputConfig"]["Outputs"]
    report = object_uri(output["S3Output"]["S3Uri"])
    violations = json.loads(world.context.objects.read(report / "constraint_violations.json"))["violations"]
    assert {"f2"} == {one["metric_name"] for one in violations}
    merged = next(one for one in told["ProcessingInputs"] if one["InputName"] == "endpoint_input_1")
    assert list(world.context.objects.listing(object_uri(merged["S3Input"]["S3Uri"])))


def captured_batch(world: Any, side: str, name: str, lines: list[str]) -> None:
    """A file of a batch transform with the manifest that its capture wrote."""
    world.upload(f"s3://data/{side}/{name}", "\n".join(lines).encode() + b"\n")
    manifest = [{"prefix": f"s3://data/{side}/"}, name]
    world.upload(f"s3://data/captured/{side}/2026/11/22/10/{side}.json", manifest)


def test_a_window_of_batch_transforms(world: Any) -> None:
    features = {"name": "_c0", "inferred_type": "Integral", "completeness": 1.0}
    constraints = world.upload("s3://data/c.json", {"version": 0.0, "features": [features]})
    baseline = {"ConstraintsResource": {"S3Uri": constraints}}
    world.call("CreateDataQualityJobDefinition", **world.definition("DataQuality", world.batch(), baseline))
    world.schedule("batch", world.config("DataQuality"))
    captured_batch(world, "input", "rows.csv", [f"word{number},1" for number in range(100)])
    captured_batch(world, "output", "rows.csv.out", ["0.5"] * 100)
    world.run(START + HOUR)
    (row,) = world.executions(MonitoringScheduleName="batch")
    assert row["MonitoringExecutionStatus"] == "CompletedWithViolations"
    assert "EndpointName" not in row
    told = job(world, job_of(row))
    (output,) = told["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == "s3://results/churn/batch/2026/11/22/11"
    report = object_uri(output["S3Output"]["S3Uri"])
    statistics = json.loads(world.context.objects.read(report / "statistics.json"))
    assert statistics["dataset"]["item_count"] == 100
    (source,) = (one for one in told["ProcessingInputs"] if one["InputName"] == "endpoint_input_1")
    assert list(world.context.objects.listing(object_uri(source["S3Input"]["S3Uri"])))


def test_labels_of_batch_transforms(world: Any) -> None:
    constraints = world.upload("s3://data/baseline/constraints.json", BINARY)
    source = world.batch(ProbabilityAttribute="0", ProbabilityThresholdAttribute=0.5)
    baseline = {"ConstraintsResource": {"S3Uri": constraints}}
    asked = world.definition("ModelQuality", source, baseline, ProblemType="BinaryClassification")
    world.call("CreateModelQualityJobDefinition", **asked)
    world.schedule("batch", world.config("ModelQuality"))
    rows = prediction_batch(400, 3, skill=0.2)
    ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(400)]
    scores = rows["score"].to_pylist()
    lines = [f"{score},{key},2026-11-22T10:05:00Z" for key, score in zip(ids, scores, strict=True)]
    captured_batch(world, "output", "rows.csv.out", lines)
    bucket = world.context.objects.folder(object_uri("s3://data/labels"))
    assert bucket is not None
    write_labels(bucket, dict(zip(ids, rows["label"].to_pylist(), strict=True)), collected=START)
    world.run(START + HOUR)
    (row,) = world.executions(MonitoringScheduleName="batch")
    assert row["MonitoringExecutionStatus"] == "CompletedWithViolations"
    assert job(world, job_of(row))["ProcessingJobStatus"] == "Completed"
