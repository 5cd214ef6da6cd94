"""Processing jobs: what clients send becomes a batch job, and its state is what they are told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driftline.aws.context import Context
from driftline.aws.errors import AwsError
from driftline.aws.operations import OPERATIONS
from driftline.core.errors import InputError
from driftline.core.uris import object_uri
from driftline.jobs.isolation import Isolation, dated
from driftline.jobs.scheduler import Scheduler
from driftline.pipeline import run_monitor
from driftline.service import Service
from driftline.service.registry import Registry
from driftline.storage.buckets import open_objects
from driftline.storage.clock import system_clock

REGISTRY = "156813124566.dkr.ecr.us-east-1.amazonaws.com"
SOURCE = "/opt/ml/processing/input/baseline_dataset_input"
ENVIRONMENT = {
    "dataset_format": json.dumps({"csv": {"header": True, "output_columns_position": "START"}}),
    "dataset_source": SOURCE,
    "output_path": "/opt/ml/processing/output",
    "publish_cloudwatch_metrics": "Disabled",
}
CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}}


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    with Service(tmp_path / "data", clock=time.time) as service:
        yield Context(service, Registry(service.store), open_objects(service.layout), account="123456789012")


@pytest.fixture
def working(context: Context) -> Iterator[None]:
    """A scheduler at work."""
    store, layout = context.service.store, context.service.layout
    scheduler = Scheduler(store, layout, system_clock, run_monitor, isolation=Isolation(dated))
    stop = threading.Event()
    thread = threading.Thread(target=scheduler.run, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join()
    scheduler.close()


def call(context: Context, operation: str, **given: Any) -> dict[str, Any]:
    return OPERATIONS["sagemaker"][operation](context, given)


def put(context: Context, uri: str, content: str) -> str:
    context.objects.write(object_uri(uri), content.encode())
    return uri


def source(name: str, uri: str, path: str) -> dict[str, Any]:
    return {"InputName": name, "S3Input": {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix"}}


def request(name: str, *inputs: dict[str, Any], image: str = "", **more: Any) -> dict[str, Any]:
    output = {"S3Uri": f"s3://bucket/{name}", "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
    return {
        "ProcessingJobName": name,
        "ProcessingResources": CLUSTER,
        "AppSpecification": {"ImageUri": image or f"{REGISTRY}/sagemaker-model-monitor-analyzer"},
        "RoleArn": "arn:aws:iam::123456789012:role/Monitor",
        "ProcessingInputs": list(inputs),
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "monitoring_output", "S3Output": output}]},
        "Environment": ENVIRONMENT,
        **more,
    }


def ended(context: Context, name: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        found = call(context, "DescribeProcessingJob", ProcessingJobName=name)
        if found["ProcessingJobStatus"] != "InProgress":
            return found
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.usefixtures("working")
def test_a_baseline_from_request_to_results(context: Context) -> None:
    rows = put(context, "s3://bucket/rows.csv", "a,b\n" + "1,2.5\n2,3.5\n" * 30)
    isolated = {"EnableNetworkIsolation": True}
    environment = ENVIRONMENT | {"categorical_drift_method": "ChiSquared"}
    given = request(
        "dq", source("baseline_dataset_input", rows, SOURCE), NetworkConfig=isolated, Environment=environment
    )
    named = "arn:aws:sagemaker:us-east-1:123456789012:processing-job/dq"
    assert call(context, "CreateProcessingJob", **given) == {"ProcessingJobArn": named}
    gone = request("gone", source("baseline_dataset_input", "s3://bucket/none.csv", SOURCE))
    call(context, "CreateProcessingJob", **gone)
    found = ended(context, "dq")
    assert (found["ProcessingJobStatus"], found["ProcessingJobArn"]) == ("Completed", named)
    assert found["ExitMessage"] == "Completed: Job completed successfully with no violations."
    assert "FailureReason" not in found
    times = [found[name] for name in ("CreationTime", "ProcessingStartTime", "ProcessingEndTime")]
    assert [*times, found["LastModifiedTime"]] == sorted([*times, times[-1]])
    assert (found["StoppingCondition"], found["Environment"]) == ({"MaxRuntimeInSeconds": 86400}, environment)
    assert found["NetworkConfig"] == {"EnableInterContainerTrafficEncryption": False, "EnableNetworkIsolation": True}
    assert found["ProcessingInputs"][0]["S3Input"] == {
        "S3Uri": rows,
        "LocalPath": SOURCE,
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
        "S3CompressionType": "None",
    }
    for key in ("ProcessingResources", "AppSpecification", "RoleArn"):
        assert found[key] == given[key]
    assert found["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] == "s3://bucket/dq"
    statistics = json.loads(context.objects.read(object_uri("s3://bucket/dq/statistics.json")))
    assert statistics["dataset"]["item_count"] == 60
    constraints = json.loads(context.objects.read(object_uri("s3://bucket/dq/constraints.json")))
    comparison = constraints["monitoring_config"]["distribution_constraints"]
    assert comparison["categorical_drift_method"] == "ChiSquared"
    failed = ended(context, "gone")
    assert failed["ProcessingJobStatus"] == "Failed"
    said = 'No S3 objects found under S3 URL "s3://bucket/none.csv" given in input data source'
    assert failed["FailureReason"].startswith(said)
    assert failed["ExitMessage"].startswith("Failed: ")
    [first] = call(context, "ListProcessingJobs", StatusEquals="Failed")["ProcessingJobSummaries"]
    assert (first["ProcessingJobName"], first["FailureReason"]) == ("gone", failed["FailureReason"])
    both = call(context, "ListProcessingJobs", SortBy="Name", SortOrder="Ascending", MaxResults=1)
    assert [one["ProcessingJobName"] for one in both["ProcessingJobSummaries"]] == ["dq"]
    assert both["NextToken"]


@pytest.mark.usefixtures("working")
def test_failures_name_the_objects_that_are_wrong(context: Context) -> None:
    put(context, "s3://bucket/many/a.csv", "a,b\n1,2\n")
    context.objects.write(object_uri("s3://bucket/many/b.csv"), "a,b\nGrüße,2\n".encode("latin-1"))
    empty = put(context, "s3://bucket/empty.csv", "a,b\n")
    for name, uri in (("latin", "s3://bucket/many"), ("empty", empty)):
        call(context, "CreateProcessingJob", **request(name, source("baseline_dataset_input", uri, SOURCE)))
    assert ended(context, "latin")["FailureReason"].startswith("s3://bucket/many/b.csv:2: not UTF-8 text")
    assert ended(context, "empty")["FailureReason"].startswith("s3://bucket/empty.csv has no rows")


def test_a_job_waits_is_stopped_and_has_its_name_alone(context: Context) -> None:
    given = request("job", source("baseline_dataset_input", "s3://bucket/rows.csv", SOURCE))
    call(context, "CreateProcessingJob", **given)
    with pytest.raises(AwsError, match="must be unique") as caught:
        call(context, "CreateProcessingJob", **given)
    assert caught.value.code == "ResourceInUse"
    waiting = call(context, "DescribeProcessingJob", ProcessingJobName="job")
    assert waiting["ProcessingJobStatus"] == "InProgress"
    assert not {"ExitMessage", "ProcessingStartTime", "ProcessingEndTime"} & waiting.keys()
    assert call(context, "StopProcessingJob", ProcessingJobName="job") == {}
    assert call(context, "DescribeProcessingJob", ProcessingJobName="job")["ProcessingJobStatus"] == "Stopped"
    with pytest.raises(AwsError, match="is Stopped already"):
        call(context, "StopProcessingJob", ProcessingJobName="job")
    for operation in ("DescribeProcessingJob", "StopProcessingJob"):
        with pytest.raises(AwsError, match="Could not find requested job with name: none") as caught:
            call(context, operation, ProcessingJobName="none")
        assert caught.value.code == "ResourceNotFound"


def test_model_quality_against_a_baseline(context: Context) -> None:
    """Everything that the environment names, found among the inputs."""
    columns = {
        "analysis_type": "MODEL_QUALITY",
        "problem_type": "BinaryClassification",
        "inference_attribute": "prediction",
        "probability_attribute": "probability",
        "probability_threshold_attribute": "0.8",
        "ground_truth_attribute": "label",
        "baseline_constraints": "/opt/ml/processing/baseline/constraints/constraints.json",
        "record_preprocessor_script": "/opt/ml/processing/code/preprocessor/before.py",
    }
    given = request(
        "mq",
        source("data", "s3://bucket/base", SOURCE),
        source("constraints", "s3://bucket/kept/constraints.json", "/opt/ml/processing/baseline/constraints"),
        source("code", "s3://bucket/code/before.py", "/opt/ml/processing/code/preprocessor"),
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        Environment=ENVIRONMENT | columns,
    )
    call(context, "CreateProcessingJob", **given)
    settings = context.service.get_batch_job("mq").settings
    assert settings == {
        "monitor": "model-quality",
        "dataset": "s3://bucket/base",
        "output": "s3://bucket/mq",
        "format": {"kind": "csv", "header": True},
        "columns": {
            "problem_type": "BinaryClassification",
            "label": "label",
            "prediction": "prediction",
            "probability": "probability",
            "threshold": 0.8,
        },
        "constraints": "s3://bucket/kept/constraints.json",
        "preprocessor": "s3://bucket/code/before.py",
        "time_limit": 600.0,
    }


def test_clarify_reads_its_configuration_and_its_model(context: Context, published: Path) -> None:
    artifact = (published / "churn" / "xgb-churn-prediction-model.tar.gz").read_bytes()
    context.objects.write(object_uri("s3://bucket/model.tar.gz"), artifact)
    container = {"Image": f"{REGISTRY}/sagemaker-xgboost:0.90-1-cpu-py3", "ModelDataUrl": "s3://bucket/model.tar.gz"}
    call(context, "CreateModel", ModelName="churn", PrimaryContainer=container, ExecutionRoleArn="arn")
    config = {"methods": {"shap": {"num_samples": 10}}, "predictor": {"model_name": "churn"}, "headers": ["a"]}
    put(context, "s3://bucket/config/analysis_config.json", json.dumps(config))
    inputs = (
        source("dataset", "s3://bucket/rows.csv", "/opt/ml/processing/input/data"),
        source("analysis_config", "s3://bucket/config/analysis_config.json", "/opt/ml/processing/input/config"),
    )
    image = "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0"
    given = request("shap", *inputs, image=image)
    del given["Environment"]
    call(context, "CreateProcessingJob", **given)
    settings = context.service.get_batch_job("shap").settings
    assert (settings["monitor"], settings["analysis_config"]) == ("attribution", config)
    assert (context.service.layout.data / settings["model"]).is_file()
    assert settings["model_description"]["runtime"] == "xgboost"
    # A configuration that is not there is the job's affair, as every missing object is.
    missing = request("later", inputs[0], source("analysis_config", "s3://bucket/none.json", "/opt"), image=image)
    call(context, "CreateProcessingJob", **missing)
    assert context.service.get_batch_job("later").settings["analysis_config"] == "s3://bucket/none.json"


def test_what_cannot_be_run_is_refused_and_leaves_nothing(context: Context) -> None:
    data = source("data", "s3://bucket/base", SOURCE)
    for given, said in (
        (request("job", data, image=f"{REGISTRY}/own:1"), "nothing here stands for the image"),
        (request("job", data, image=f"{REGISTRY}/sagemaker-xgboost:1"), "nothing that a processing job can run"),
        (request("job"), "no input of the job is at"),
        (request("job", data, ProcessingOutputConfig={"Outputs": []}), "no output of the job is at"),
        (request("job", data, Environment={}), "has no dataset_source"),
        (request("job", data, Environment=ENVIRONMENT | {"dataset_format": "csv"}), "is no format"),
        (
            request("job", data, Environment=ENVIRONMENT | {"dataset_format": '{"sagemakerCaptureJson": {}}'}),
            "reads no sagemakerCaptureJson",
        ),
        (request("a" * 64, data), "cannot be the name"),
    ):
        with pytest.raises((AwsError, InputError), match=said):
            call(context, "CreateProcessingJob", **given)
    assert call(context, "ListProcessingJobs") == {"ProcessingJobSummaries": []}
    (context.service.layout.data / "images.toml").write_text('[[image]]\nimage = "*/own:*"\nas = "analyzer"\n')
    assert call(context, "CreateProcessingJob", **request("own", data, image=f"{REGISTRY}/own:1"))


@pytest.mark.parametrize("config", ['{"methods": [1]}', '{"methods": {"shap": 1}, "predictor": "churn"}', "{}"])
def test_an_odd_configuration_is_the_job_s_affair(context: Context, config: str) -> None:
    inputs = (
        source("dataset", "s3://bucket/rows.csv", "/opt/ml/processing/input/data"),
        source("analysis_config", put(context, "s3://bucket/odd.json", config), "/opt/ml/processing/input/config"),
    )
    call(context, "CreateProcessingJob", **request("odd", *inputs, image=f"{REGISTRY}/sagemaker-clarify-processing:1"))
    assert context.service.get_batch_job("odd").settings["analysis_config"] == json.loads(config)
