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
from driftline.storage.objects import open_objects
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
