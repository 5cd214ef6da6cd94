"""The handlers over a real service, with an endpoint of another place and the objects that job definitions name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from driftline import Service
from driftline.aws.context import Context
from driftline.aws.operations import OPERATIONS
from driftline.core.uris import object_uri
from driftline.jobs.executions import Worker
from driftline.jobs.planning import plan_due
from driftline.pipeline import run_monitor
from driftline.resources.executions import Execution
from driftline.service.registry import Registry
from driftline.storage.buckets import open_objects
from driftline.testing import FakeClock

MODEL = botocore.session.Session().get_service_model("sagemaker")
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
RESOURCES = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}}
BINARY = {
    "version": 0.0,
    "binary_classification_constraints": {"f2": {"threshold": 0.6, "comparison_operator": "LessThanThreshold"}},
}
TABLE = {
    "version": 0.0,
    "features": [{"name": "age", "inferred_type": "Fractional", "completeness": 1.0}],
    "monitoring_config": {"evaluate_constraints": "Enabled", "emit_metrics": "Enabled"},
}


class World:
    """An account with an endpoint ``Churn``, and requests as clients send them."""

    def __init__(self, context: Context, clock: FakeClock) -> None:
        self.context, self.clock = context, clock
        self.service = context.service

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        """Call an operation with the members of its input; the answer is one that the service's model has."""
        answer = OPERATIONS["sagemaker"][operation](self.context, given)
        self.conforms(operation, answer)
        return answer

    def conforms(self, operation: str, answer: dict[str, Any]) -> None:
        """Raises :class:`AssertionError` for an answer with other members than the model's, or without one it needs."""
        shape = MODEL.operation_model(operation).output_shape
        if shape is not None:
            report = ParamValidator().validate(answer, shape)
            assert not report.has_errors(), report.generate_report()

    def upload(self, uri: str, content: Any) -> str:
        """Put JSON, or bytes, where an address says; the address."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.context.objects.write(object_uri(uri), data)
        return uri

    def source(self, **more: Any) -> dict[str, Any]:
        """An input that is the endpoint."""
        return {"EndpointInput": {"EndpointName": "Churn", "LocalPath": "/opt/ml/processing/input_data"} | more}

    def batch(self, **more: Any) -> dict[str, Any]:
        """An input that is what batch transforms captured."""
        captured = {"DataCapturedDestinationS3Uri": "s3://data/captured", "DatasetFormat": {"Csv": {"Header": False}}}
        return {"BatchTransformInput": captured | {"LocalPath": "/opt/ml/processing/input"} | more}

    def definition(self, kind: str, job_input: dict[str, Any], baseline: Any = None, **app: Any) -> dict[str, Any]:
        """A request for a job definition."""
        clarify = kind in ("ModelBias", "ModelExplainability")
        image = "sagemaker-clarify-processing:1.0" if clarify else "sagemaker-model-monitor-analyzer"
        labelled = kind in ("ModelQuality", "ModelBias")
        output = {"S3Uri": "s3://results/churn", "LocalPath": "/opt/ml/processing/output"}
        found = {
            "JobDefinitionName": f"{kind}-definition",
            f"{kind}AppSpecification": {"ImageUri": f"{REGISTRY}/{image}"} | app,
            f"{kind}JobInput": job_input | ({"GroundTruthS3Input": {"S3Uri": "s3://data/labels"}} if labelled else {}),
            f"{kind}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
            "JobResources": RESOURCES,
            "RoleArn": "arn:aws:iam::000000000000:role/Monitoring",
        }
        return found if baseline is None else found | {f"{kind}BaselineConfig": baseline}

    def config(self, kind: str, expression: str = "cron(0 * ? * * *)", **when: str) -> dict[str, Any]:
        """The configuration of a schedule that goes by that definition."""
        return {
            "MonitoringJobDefinitionName": f"{kind}-definition",
            "MonitoringType": kind,
            "ScheduleConfig": {"ScheduleExpression": expression} | when,
        }

    def quality(self, **more: Any) -> None:
        """A schedule ``hourly`` of model quality."""
        constraints = self.upload("s3://data/baseline/constraints.json", BINARY)
        source = self.source(ProbabilityAttribute="0", ProbabilityThresholdAttribute=0.5, **more)
        baseline = {"ConstraintsResource": {"S3Uri": constraints}}
        asked = self.definition("ModelQuality", source, baseline, ProblemType="BinaryClassification")
        self.call("CreateModelQualityJobDefinition", **asked)
        self.schedule("hourly", self.config("ModelQuality"))

    def schedule(self, name: str, config: dict[str, Any], **more: Any) -> None:
        """Create a schedule."""
        self.call("CreateMonitoringSchedule", MonitoringScheduleName=name, MonitoringScheduleConfig=config, **more)

    def describe(self, name: str = "hourly") -> dict[str, Any]:
        """What is told of a schedule."""
        return self.call("DescribeMonitoringSchedule", MonitoringScheduleName=name)

    def executions(self, **given: Any) -> list[dict[str, Any]]:
        """What is told of executions."""
        found: list[dict[str, Any]] = self.call("ListMonitoringExecutions", **given)["MonitoringExecutionSummaries"]
        return found

    def run(self, moment: datetime) -> Execution:
        """Run what is due at a moment, with the real pipeline."""
        self.clock.set(moment)
        plan_due(self.service.store, self.service.layout, moment)
        ended = Worker(self.service.store, self.service.layout, run_monitor, self.clock, owner="w").run_next()
        assert ended is not None
        return ended


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = FakeClock()
    with Service(tmp_path / "data", clock=clock) as service:
        service.register_endpoint("Churn")
        yield World(Context(service, Registry(service.store), open_objects(service.layout)), clock)


@pytest.fixture
def world_of() -> type[World]:
    """Makes the world of any context."""
    return World
