"""Endpoints of AWS clients: what is told of one whose new configuration cannot be served."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from driftline.aws.context import Context
from driftline.aws.operations import OPERATIONS
from driftline.core.uris import object_uri
from driftline.service import Service
from driftline.service.registry import Registry
from driftline.storage.buckets import open_objects
from driftline.testing import FakeClock

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:0.90-1-cpu-py3"


def artifact(folder: Path) -> bytes:
    rows = np.random.default_rng(7).normal(size=(50, 3)).astype(np.float32)
    data = xgboost.DMatrix(rows, (rows[:, 0] > 0).astype(int))
    path = folder / "model.json"
    xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_depth": 1}, data, 2).save_model(path)
    return path.read_bytes()


@pytest.fixture
def call(tmp_path: Path) -> Any:
    """Calls an operation; there are the configurations good, broken and gone, each with its model."""
    with Service(tmp_path / "data", clock=FakeClock()) as service:
        context = Context(service, Registry(service.store), open_objects(service.layout))
        context.objects.write(object_uri("s3://models/good.json"), artifact(tmp_path))
        context.objects.write(object_uri("s3://models/broken.json"), b"no model")

        def call(operation: str, **given: Any) -> dict[str, Any]:
            return OPERATIONS["sagemaker"][operation](context, given)

        call.context = context  # type: ignore[attr-defined]

        for name in ("good", "broken", "gone"):
            container = {"Image": IMAGE, "ModelDataUrl": f"s3://models/{name}.json"}
            call("CreateModel", ModelName=name, PrimaryContainer=container)
            variants = [{"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1}]
            call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=variants)
        yield call


@pytest.mark.parametrize(("config", "why"), [("broken", "broken.json"), ("gone", "Could not find model data")])
def test_an_update_that_fails_leaves_the_endpoint_as_it_was(call: Any, config: str, why: str) -> None:
    call("CreateEndpoint", EndpointName="churn", EndpointConfigName="good")
    call("UpdateEndpoint", EndpointName="churn", EndpointConfigName=config)
    told = call("DescribeEndpoint", EndpointName="churn")
    assert (told["EndpointStatus"], told["EndpointConfigName"]) == ("InService", "good")
    assert why in told["FailureReason"]
    call("UpdateEndpoint", EndpointName="churn", EndpointConfigName="good")
    assert "FailureReason" not in call("DescribeEndpoint", EndpointName="churn")


def test_an_endpoint_that_never_served_has_failed(call: Any) -> None:
    call("CreateEndpoint", EndpointName="churn", EndpointConfigName="broken")
    told = call("DescribeEndpoint", EndpointName="churn")
    assert (told["EndpointStatus"], told["EndpointConfigName"]) == ("Failed", "broken")
    call("UpdateEndpoint", EndpointName="churn", EndpointConfigName="gone")
    assert call("DescribeEndpoint", EndpointName="churn")["EndpointStatus"] == "Failed"
    call("UpdateEndpoint", EndpointName="churn", EndpointConfigName="good")
    assert call("DescribeEndpoint", EndpointName="churn")["EndpointStatus"] == "InService"


def test_models_configurations_and_endpoints_are_listed(call: Any) -> None:
    call("CreateEndpoint", EndpointName="churn", EndpointConfigName="good")
    call("CreateEndpoint", EndpointName="failed", EndpointConfigName="broken")
    call.context.service.register_endpoint("elsewhere")
    by_name = {"SortBy": "Name", "SortOrder": "Ascending"}
    first = call("ListModels", **by_name, MaxResults=2)
    rest = call("ListModels", **by_name, NextToken=first["NextToken"])
    assert [one["ModelName"] for one in first["Models"] + rest["Models"]] == ["broken", "gone", "good"]
    configs = call("ListEndpointConfigs", **by_name, NameContains="o")["EndpointConfigs"]
    assert [one["EndpointConfigName"] for one in configs] == ["broken", "gone", "good"]
    endpoints = call("ListEndpoints", **by_name)["Endpoints"]
    assert [(one["EndpointName"], one["EndpointStatus"]) for one in endpoints] == [
        ("churn", "InService"),
        ("elsewhere", "InService"),
        ("failed", "Failed"),
    ]
    assert [one["EndpointName"] for one in call("ListEndpoints", StatusEquals="Failed")["Endpoints"]] == ["failed"]


def test_images_stand_for_what_the_operator_says(call: Any) -> None:
    data = call.context.service.layout.data
    own = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1"
    call("CreateModel", ModelName="own", PrimaryContainer={"Image": own})
    variants = [{"VariantName": "AllTraffic", "ModelName": "own"}]
    call("CreateEndpointConfig", EndpointConfigName="own", ProductionVariants=variants)
    call("CreateEndpoint", EndpointName="unknown", EndpointConfigName="own")
    failed = call("DescribeEndpoint", EndpointName="unknown")
    assert failed["EndpointStatus"] == "Failed"
    assert "images.toml" in failed["FailureReason"]
    (data / "images.toml").write_text('[[image]]\nimage = "*/own:*"\nupstream = "http://models.internal:8080/own"\n')
    call("CreateEndpoint", EndpointName="known", EndpointConfigName="own")
    assert call("DescribeEndpoint", EndpointName="known")["EndpointStatus"] == "InService"
    assert call.context.service.get_endpoint("known").upstream == "http://models.internal:8080/own"


def test_the_artifact_may_be_named_in_the_ways_that_clients_know(call: Any) -> None:
    source = {"S3DataSource": {"S3Uri": "s3://models/good.json", "S3DataType": "S3Object", "CompressionType": "None"}}
    for name, given in {
        "source": {"ModelDataSource": source},
        "virtual": {"ModelDataUrl": "https://models.s3-us-west-2.amazonaws.com/good.json"},
        "path": {"ModelDataUrl": "https://s3.us-west-2.amazonaws.com/models/good.json"},
    }.items():
        call("CreateModel", ModelName=name, PrimaryContainer={"Image": IMAGE} | given)
        variants = [{"VariantName": "AllTraffic", "ModelName": name}]
        call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=variants)
        call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
        assert call("DescribeEndpoint", EndpointName=name)["EndpointStatus"] == "InService"


def test_capture_settings_follow_the_configuration(call: Any) -> None:
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 40,
        "DestinationS3Uri": "s3://captured/here",
        "CaptureOptions": [{"CaptureMode": "Output"}],
    }
    variants = [{"VariantName": "blue", "ModelName": "good"}]
    call("CreateEndpointConfig", EndpointConfigName="on", ProductionVariants=variants, DataCaptureConfig=capture)
    call("CreateEndpoint", EndpointName="churn", EndpointConfigName="good")
    assert "DataCaptureConfig" not in call("DescribeEndpoint", EndpointName="churn")
    call("UpdateEndpoint", EndpointName="churn", EndpointConfigName="on", RetainAllVariantProperties=True)
    told = call("DescribeEndpoint", EndpointName="churn")
    assert told["DataCaptureConfig"]["CaptureStatus"] == "Started"
    assert told["ProductionVariants"][0]["VariantName"] == "AllTraffic"
    settings = call.context.service.get_endpoint("churn").capture
    assert (settings.percent, settings.input, settings.output) == (40.0, False, True)
    assert (call.context.service.layout.data / "s3/captured/here/churn").is_symlink()
