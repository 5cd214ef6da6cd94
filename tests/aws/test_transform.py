"""Transform jobs by the operations of AWS clients: asked for, done by the scheduler's worker, described, stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from botocore import session
from botocore.validate import ParamValidator

from driftline.aws.context import Context
from driftline.aws.errors import AwsError
from driftline.aws.operations import OPERATIONS
from driftline.core.errors import InputError
from driftline.core.uris import object_uri
from driftline.jobs.batch import BatchWorker
from driftline.service import Service
from driftline.service.registry import Registry
from driftline.storage.buckets import open_objects
from driftline.testing import FakeClock

Call = Callable[..., dict[str, Any]]
JOB = "arn:aws:sagemaker:us-east-1:000000000000:transform-job/"


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "model.json"
    rows = np.random.default_rng(7).normal(size=(100, 3)).astype(np.float32)
    data = xgboost.DMatrix(rows, (rows[:, 0] > 0).astype(int))
    xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_depth": 2}, data, 3).save_model(path)
    return path.read_bytes()


@pytest.fixture
def context(tmp_path: Path, artifact: bytes) -> Iterator[Context]:
    with Service(tmp_path / "data", clock=FakeClock()) as service:
        objects = open_objects(service.layout)
        objects.write(object_uri("s3://models/churn/model.json"), artifact)
        objects.write(object_uri("s3://rows/in/day.csv"), b"1,2,3\n4,5,6\n")
        yield Context(service, Registry(service.store), objects)


@pytest.fixture
def call(context: Context) -> Call:
    """Calls an operation; what it answers is held against the service's own model."""
    model = session.get_session().get_service_model("sagemaker")

    def call(operation: str, **given: Any) -> dict[str, Any]:
        answer = OPERATIONS["sagemaker"][operation](context, given)
        shape = model.operation_model(operation).output_shape
        if shape is not None:
            report = ParamValidator().validate(answer, shape)
            assert not report.has_errors(), report.generate_report()
        return answer

    container = {"Image": "xgboost:0.90-1", "ModelDataUrl": "s3://models/churn/model.json"}
    call("CreateModel", ModelName="churn", PrimaryContainer=container)
    return call


def request(name: str = "day", **more: Any) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://rows/in"}}
    return {
        "TransformJobName": name,
        "ModelName": "churn",
        "TransformInput": {"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": "s3://rows/out", "Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m4.xlarge", "InstanceCount": 1},
    } | more


def work(context: Context) -> None:
    """Do every job that waits, as the scheduler would."""
    service = context.service
    clock = service.now().timestamp
    worker = BatchWorker(service.store, service.layout, clock, owner="w", real=clock, lease=timedelta(minutes=1))
    while worker.run_next() is not None:
        pass


def test_a_job_is_done_and_described(context: Context, call: Call) -> None:
    captured = {"DestinationS3Uri": "s3://rows/captured", "GenerateInferenceId": True}
    given = request(DataCaptureConfig=captured, DataProcessing={"JoinSource": "Input"}, Tags=[])
    assert call("CreateTransformJob", **given) == {"TransformJobArn": JOB + "day"}
    assert call("DescribeTransformJob", TransformJobName="day")["TransformJobStatus"] == "InProgress"
    work(context)
    found = call("DescribeTransformJob", TransformJobName="day")
    assert found["TransformJobStatus"] == "Completed"
    assert found["CreationTime"] <= found["TransformStartTime"] <= found["TransformEndTime"]
    assert found["TransformInput"] == {"CompressionType": "None"} | given["TransformInput"]
    assert found["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "Input"}
    assert {key: found[key] for key in ("ModelName", "DataCaptureConfig", "TransformResources")} == {
        key: given[key] for key in ("ModelName", "DataCaptureConfig", "TransformResources")
    }
    answers = context.objects.read(object_uri("s3://rows/out/day.csv.out")).decode().splitlines()
    assert [line.split(",")[:3] for line in answers] == [["1", "2", "3"], ["4", "5", "6"]]
    assert len(list(context.objects.listing(object_uri("s3://rows/captured/output/")))) == 1


def test_a_job_that_fails_says_why(context: Context, call: Call) -> None:
    context.objects.write(object_uri("s3://rows/in/bad.csv"), b"1,2\n")
    call("CreateTransformJob", **request())
    work(context)
    found = call("DescribeTransformJob", TransformJobName="day")
    assert found["TransformJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("s3://rows/in/bad.csv, line 1: the row has 2 columns")


def test_jobs_are_listed_and_stopped(context: Context, call: Call) -> None:
    for name in ("one", "two"):
        call("CreateTransformJob", **request(name))
    assert call("StopTransformJob", TransformJobName="two") == {}
    work(context)
    found = call("ListTransformJobs", SortBy="Name", SortOrder="Ascending")["TransformJobSummaries"]
    assert [(one["TransformJobName"], one["TransformJobStatus"]) for one in found] == [
        ("one", "Completed"),
        ("two", "Stopped"),
    ]
    assert [one["TransformJobArn"] for one in found] == [JOB + "one", JOB + "two"]
    assert call("ListTransformJobs", StatusEquals="Stopped", NameContains="t")["TransformJobSummaries"] == found[1:]
    with pytest.raises(AwsError, match="it is Stopped"):
        call("StopTransformJob", TransformJobName="two")


def test_what_cannot_be_done_is_refused(call: Call) -> None:
    for operation in ("DescribeTransformJob", "StopTransformJob"):
        with pytest.raises(AwsError, match="Could not find requested job with name: nobody"):
            call(operation, TransformJobName="nobody")
    with pytest.raises(AwsError, match="Could not find model"):
        call("CreateTransformJob", **request(ModelName="nobody"))
    source = {"S3DataSource": {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://rows/in"}}
    with pytest.raises(InputError, match="AugmentedManifestFile is not read here"):
        call("CreateTransformJob", **request(TransformInput={"DataSource": source}))
    with pytest.raises(AwsError):
        call("DescribeTransformJob", TransformJobName="day")
