"""The two steps of an execution, told as processing jobs; and what alerts make of executions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from driftline.core.verdict import Reason, Verdict
from driftline.resources.executions import Execution
from driftline.sagemaker.alerts import AlertRule, changes
from driftline.sagemaker.definitions import KINDS, Definition
from driftline.sagemaker.executions import analysis_job, beginning_of_id, ending, merge_job, report_uri, shown_job
from driftline.sagemaker.steps import Step, described

TICK = datetime(2021, 5, 6, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)
EXECUTION = Execution(
    "0123456789abcdef0123456789abcdef", "hourly", "Churn", TICK - HOUR, TICK, 1, TICK, "Completed", "reports/x", TICK
)
CSV = {"DataCapturedDestinationS3Uri": "s3://data/captured", "DatasetFormat": {"Csv": {"Header": True}}}


def definition(kind: str, *, batch: bool = False, **more: Any) -> Definition:
    source = CSV if batch else {"EndpointName": "Churn", "LocalPath": "/opt/ml/processing/input_data"}
    return Definition(KINDS[kind], source, batch, "s3://results/churn/", "registry/analyzer", **more)


def told(kind: str, job: str, **more: Any) -> dict[str, Any]:
    given = definition(kind, **more)
    captures = "s3://data/captured" if given.batch else "s3://data/captures/Churn/AllTraffic"
    return described(Step(job, EXECUTION, given, {}, captures, "AllTraffic"))


def test_names_of_jobs() -> None:
    assert merge_job(EXECUTION) == "groundtruth-merge-202105062300-0123456789abcdef01234567"
    assert analysis_job(KINDS["ModelBias"], EXECUTION) == "model-bias-monitoring-202105062300-0123456789abcdef01234567"
    for kind in KINDS.values():
        assert beginning_of_id(analysis_job(kind, EXECUTION)) == EXECUTION.id[:24]


def test_the_step_that_merges() -> None:
    found = told("ModelQuality", merge_job(EXECUTION), ground_truth="s3://data/labels/")
    assert found["AppSpecification"]["ImageUri"] == "registry/sagemaker-model-monitor-groundtruth-merger"
    inputs = {one["InputName"]: one["S3Input"] for one in found["ProcessingInputs"]}
    assert inputs["groundtruth_input_1"]["S3Uri"] == "s3://data/labels/2021/05/06/22"
    assert inputs["endpoint_input_1"]["LocalPath"] == "/opt/ml/processing/input_data/Churn/AllTraffic/2021/05/06/22"
    (output,) = found["ProcessingOutputConfig"]["Outputs"]
    assert (output["S3Output"]["S3Uri"], output["S3Output"]["S3UploadMode"]) == ("s3://results/churn/merge", "EndOfJob")


def test_the_step_that_analyses_labelled_predictions() -> None:
    found = told("ModelQuality", analysis_job(KINDS["ModelQuality"], EXECUTION), constraints="s3://c/constraints.json")
    environment = found["Environment"]
    assert environment["metric_time"] == environment["start_time"] == "2021-05-06T22:00:00Z"
    assert environment["end_time"] == "2021-05-06T23:00:00Z"
    assert environment["dataset_format"] == '{"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}}'
    inputs = {one["InputName"]: one["S3Input"]["S3Uri"] for one in found["ProcessingInputs"]}
    assert inputs["constraints"] == "s3://c/constraints.json"
    assert inputs["endpoint_input_1"] == "s3://results/churn/merge/Churn/AllTraffic/2021/05/06/22"


def test_a_batch_has_no_endpoint_in_its_paths() -> None:
    found = told("DataQuality", analysis_job(KINDS["DataQuality"], EXECUTION), batch=True)
    assert "sagemaker_endpoint_name" not in found["Environment"]
    assert found["Environment"]["dataset_format"] == '{"csv": {"header": true}}'
    (output,) = found["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == "s3://results/churn/hourly/2021/05/06/23"
    assert report_uri(EXECUTION, definition("DataQuality")) == "s3://results/churn/Churn/hourly/2021/05/06/23"


@pytest.mark.parametrize(
    ("kind", "code", "status", "merging"),
    [
        ("ModelQuality", "no_labels", "Failed", True),
        ("ModelBias", "no_matches", "Failed", True),
        ("DataQuality", "no_captures", "Failed", False),
        ("ModelExplainability", "no_rows", "Failed", False),
        ("DataQuality", "no_constraints", "Completed", False),
    ],
)
def test_what_is_missing_decides_which_step_failed(kind: str, code: str, status: str, merging: bool) -> None:
    unknown = msgspec.structs.replace(EXECUTION, verdict=Verdict.UNKNOWN, reasons=(Reason(code, "because"),))
    found = ending(unknown, definition(kind))
    assert (found.status, found.merging) == (status, merging)
    assert (shown_job(unknown, definition(kind)) == merge_job(unknown)) is merging


def test_alerts_follow_executions_that_ended() -> None:
    states = ("CompletedWithViolations", "Failed", "Completed", "CompletedWithViolations", "InProgress")
    runs = [
        msgspec.structs.replace(EXECUTION, status=status, finished=TICK + place * HOUR)
        for place, status in enumerate(states)
    ][::-1]
    assert [one.status for one in changes(runs, AlertRule())] == ["InAlert", "OK", "InAlert"]
    assert [one.time for one in changes(runs, AlertRule(2, 3))] == [TICK + 3 * HOUR]
    assert changes([], AlertRule()) == []
