"""An account: our own AWS side over one service, its buckets behind a real S3 server, what is in it made by boto3."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import numpy as np
import pytest

from driftline import Service
from driftline.account.reading import Clients
from driftline.testing import START, FakeClock, capture, write_captures, write_labels

REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
ROLE = "arn:aws:iam::123456789012:role/Monitoring"
RESOURCES = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}}
INSIDE = "/opt/ml/processing"
BINARY = {
    "version": 0.0,
    "binary_classification_constraints": {"f2": {"threshold": 0.6, "comparison_operator": "LessThanThreshold"}},
}
TABLE = {
    "version": 0.0,
    "features": [{"name": "age", "inferred_type": "Fractional", "completeness": 1.0}],
    "monitoring_config": {"evaluate_constraints": "Enabled", "emit_metrics": "Enabled"},
}
FACET = {
    "label": "churned",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "plan", "value_or_threshold": [1]}],
}
SHAP = {
    "methods": {"shap": {"baseline": [[0.5, 1.0]], "num_samples": 10, "agg_method": "mean_abs"}},
    "predictor": {"model_name": "churn", "instance_type": "ml.c5.xlarge", "initial_instance_count": 1},
    "headers": ["age", "plan"],
}
CAPTURED = {"EnableCapture": True, "InitialSamplingPercentage": 50}
CAPTURED |= {"CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]}


class AwsAccount:
    """The account: its clients, what they sent, and its bucket both as a name and as a folder."""

    def __init__(self, server: Any, buckets: Any, folder: Path) -> None:
        self.server, self.service, self._buckets, self.folder = server, server.service, buckets, folder
        self.root, self.sent = f"s3://{folder.name}", []
        self.clients = self.new_clients()
        self.s3 = self.clients.s3

    def new_clients(self) -> Clients:
        """Clients of the account; what they send is kept in ``sent``."""
        make = self.server.client
        s3 = boto3.client("s3", endpoint_url=self._buckets.environment["DRIFTLINE_S3_ENDPOINT"], **self._keys())
        found = Clients(make("sagemaker"), s3, make("cloudwatch"), make("events"))
        for client in found:
            client.meta.events.register("before-call", lambda model, **_: self.sent.append(model.name))
        return found

    def _keys(self) -> dict[str, str]:
        given = self._buckets.environment
        keys = {f"aws_{name}": given[f"AWS_{name.upper()}"] for name in ("access_key_id", "secret_access_key")}
        return keys | {"region_name": "eu-central-1"}

    def upload(self, key: str, content: Any) -> str:
        """Put JSON, or bytes, into the bucket; its address."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.s3.put_object(Bucket=self.folder.name, Key=key, Body=body)
        return f"{self.root}/{key}"

    def endpoint(self, name: str, **config: Any) -> None:
        """An endpoint that was deployed when the account was new: its captures lie in the bucket."""
        variant = {"VariantName": "Variant0", "ModelName": name}
        document = {"EndpointConfigName": name, "ProductionVariants": [variant]} | config
        now, registry = self.server.context.now(), self.server.context.registry
        registry.add("endpoint-config", name, document, now=now, tags={})
        registry.add("endpoint", name, {"EndpointConfigName": name, "Config": document}, now=now, tags={})
        self.service.register_endpoint(name)

    def define(self, kind: str, endpoint: str | None = "churn", **given: Any) -> None:
        """A job definition by boto3, and a schedule by it; both of the kind's name."""
        source = {"EndpointInput": {"EndpointName": endpoint, "LocalPath": f"{INSIDE}/in"} | given.pop("source", {})}
        if endpoint is None:
            uri = f"{self.root}/transformed"
            captured = {"DataCapturedDestinationS3Uri": uri, "DatasetFormat": {"Csv": {"Header": True}}}
            source = {"BatchTransformInput": captured | {"LocalPath": f"{INSIDE}/in"}}
        if kind in ("ModelQuality", "ModelBias"):
            source["GroundTruthS3Input"] = {"S3Uri": f"{self.root}/truth"}
        name, status = given.pop("name", kind), given.pop("status", "Scheduled")
        output = {"S3Uri": f"{self.root}/results", "LocalPath": f"{INSIDE}/out"}
        named = {
            "AppSpecification": {"ImageUri": f"{REGISTRY}/{_image(kind)}"} | given.pop("app", {}),
            "JobInput": source,
            "JobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]} | given.pop("keys", {}),
            **({"BaselineConfig": given.pop("baseline")} if "baseline" in given else {}),
        }
        sagemaker = self.clients.sagemaker
        create = getattr(sagemaker, f"create_{_snake(kind)}_job_definition")
        parts = {f"{kind}{part}": value for part, value in named.items()}
        create(JobDefinitionName=name, JobResources=RESOURCES, RoleArn=ROLE, **parts, **given)
        when = {"ScheduleExpression": "cron(0 * ? * * *)"}
        config = {"MonitoringJobDefinitionName": name, "MonitoringType": kind, "ScheduleConfig": when}
        sagemaker.create_monitoring_schedule(MonitoringScheduleName=name, MonitoringScheduleConfig=config)
        if status == "Stopped":
            sagemaker.stop_monitoring_schedule(MonitoringScheduleName=name)

    def alarm(self, name: str, schedule: str = "ModelQuality", metric: str = "f2", **more: Any) -> None:
        """An alarm on a metric of a schedule."""
        dimensions = [{"Name": "Endpoint", "Value": "churn"}, {"Name": "MonitoringSchedule", "Value": schedule}]
        self.clients.cloudwatch.put_metric_alarm(
            **{
                "AlarmName": name, "Namespace": "aws/sagemaker/Endpoints/model-metrics", "MetricName": metric,
                "Dimensions": dimensions, "Statistic": "Average", "Period": 600, "EvaluationPeriods": 1,
                "DatapointsToAlarm": 1, "Threshold": 0.8, "ComparisonOperator": "LessThanOrEqualToThreshold",
                "TreatMissingData": "breaching",
            }
            | more
        )  # fmt: skip

    def traffic(self, count: int = 60) -> None:
        """Predictions of an hour with their inputs, and their labels, in the bucket."""
        scores = np.linspace(0.02, 0.98, count)
        records = [
            capture(f"{score:.3f}", f"e{n}", request=f"{20 + n % 50},{n % 2}", time=START + timedelta(seconds=n))
            for n, score in enumerate(scores)
        ]
        write_captures(self.folder / "captured/churn/Variant0", records)
        labels = {f"e{n}": str(int(score > 0.4)) for n, score in enumerate(scores)}
        write_labels(self.folder / "truth", labels, collected=START + timedelta(minutes=5))

    def environment(self) -> dict[str, str]:
        """What a command is told of the account."""
        given = dict(self._buckets.environment)
        nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        urls = {"AWS_ENDPOINT_URL": self.server.endpoint_url, "AWS_ENDPOINT_URL_S3": given["DRIFTLINE_S3_ENDPOINT"]}
        return given | nothing | urls | {"AWS_DEFAULT_REGION": "eu-central-1", "AWS_MAX_ATTEMPTS": "1"}


def _image(kind: str) -> str:
    clarify = kind in ("ModelBias", "ModelExplainability")
    return "sagemaker-clarify-processing:1.0" if clarify else "sagemaker-model-monitor-analyzer"


def _snake(kind: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind).strip("_")


@pytest.fixture(scope="module")
def account(
    tmp_path_factory: pytest.TempPathFactory, bucket_server: Any, aws_serve: Callable[..., Any]
) -> Iterator[AwsAccount]:
    """An account with an endpoint ``churn`` and traffic, and nothing that watches it."""
    data, folder = tmp_path_factory.mktemp("account") / "data", bucket_server.folder / f"account-{uuid4().hex[:12]}"
    folder.mkdir()
    data.mkdir()
    (data / "s3").symlink_to(bucket_server.folder)
    with Service(data, clock=FakeClock()) as service, aws_serve(service) as server:
        found = AwsAccount(server, bucket_server, folder)
        found.endpoint("churn", DataCaptureConfig=CAPTURED | {"DestinationS3Uri": f"{found.root}/captured"})
        found.traffic()
        yield found


@pytest.fixture(scope="module")
def watched(account: AwsAccount) -> AwsAccount:
    """The account with the four monitors, a batch one, alarms, and what has no counterpart. Tests leave it as it is."""
    binary = {"ConstraintsResource": {"S3Uri": account.upload("baseline/binary.json", BINARY)}}
    table = {"ConstraintsResource": {"S3Uri": account.upload("baseline/table.json", TABLE)}}
    script = account.upload("code/clean.py", b"def preprocess_handler(record):\n    return record\n")
    facet, shap = account.upload("bias.json", FACET), account.upload("shap.json", SHAP)
    scored = {"ProbabilityAttribute": "0", "ProbabilityThresholdAttribute": 0.5}
    problem = {"ProblemType": "BinaryClassification"}
    account.define("ModelQuality", source=scored, app=problem, baseline=binary, keys={"KmsKeyId": "alias/results"})
    account.define("DataQuality", app={"RecordPreprocessorSourceUri": script}, status="Stopped", baseline=table)
    account.define("ModelBias", source=scored, app={"ConfigUri": facet})
    account.define("ModelExplainability", app={"ConfigUri": shap})
    account.define("DataQuality", None, name="batches", baseline=table)
    account.alarm("f2 is low", AlarmActions=["arn:aws:sns:eu-central-1:123456789012:pager"])
    account.alarm("other", schedule="elsewhere")
    account.alarm("unrelated", Namespace="AWS/EC2", Dimensions=[])
    account.clients.cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule='ALARM("f2 is low")')
    account.endpoint("silent")
    return account
