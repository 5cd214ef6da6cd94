"""Monitoring through a started server, asked by boto3: what its model checks, and how errors are called."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from driftline.aws.context import Context
from driftline.core.verdict import Verdict
from driftline.core.window import HOUR
from driftline.jobs.planning import plan_due
from driftline.storage import executions
from driftline.storage.executions import Outcome
from driftline.testing import START


@pytest.fixture
def remote(aws_server: Any, world_of: Any) -> Any:
    """The world of a started server."""
    context: Context = aws_server.context
    context.service.register_endpoint("Churn")
    return world_of(context, context.service.clock)


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_schedule_from_its_definition_to_its_end(aws_server: Any, remote: Any) -> None:
    sagemaker = aws_server.client("sagemaker")
    constraints = {"version": 0.0, "features": [{"name": "age", "inferred_type": "Fractional", "completeness": 1.0}]}
    baseline = {"ConstraintsResource": {"S3Uri": remote.upload("s3://data/constraints.json", constraints)}}
    tags = [{"Key": "team", "Value": "churn"}]
    asked = remote.definition("DataQuality", remote.source(), baseline) | {"Tags": tags}
    sagemaker.create_data_quality_job_definition(**asked)
    with pytest.raises(ClientError) as again:
        sagemaker.create_data_quality_job_definition(**asked)
    assert code(again) == "ResourceInUse"
    name, config = "churn-hourly", remote.config("DataQuality")
    with pytest.raises(ClientError) as long:
        sagemaker.create_monitoring_schedule(MonitoringScheduleName="n" * 64, MonitoringScheduleConfig=config)
    assert code(long) == "ValidationException"
    made = sagemaker.create_monitoring_schedule(MonitoringScheduleName=name, MonitoringScheduleConfig=config, Tags=tags)
    told = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)
    assert told["MonitoringScheduleArn"] == made["MonitoringScheduleArn"]
    assert told["CreationTime"] == START
    assert "LastMonitoringExecutionSummary" not in told
    assert sagemaker.list_tags(ResourceArn=made["MonitoringScheduleArn"])["Tags"] == tags

    _run(remote)
    (row,) = sagemaker.list_monitoring_executions(MonitoringScheduleName=name)["MonitoringExecutionSummaries"]
    assert row["MonitoringExecutionStatus"] == "CompletedWithViolations"
    job = row["ProcessingJobArn"].split("/")[-1]
    described = sagemaker.describe_processing_job(ProcessingJobName=job)
    assert described["ExitMessage"] == "2 violations"
    assert described["ProcessingJobStatus"] == "Completed"
    with pytest.raises(ClientError) as stopped:
        sagemaker.stop_processing_job(ProcessingJobName=job)
    assert code(stopped) == "ValidationException"
    (alert,) = sagemaker.list_monitoring_alerts(MonitoringScheduleName=name)["MonitoringAlertSummaries"]
    assert alert["AlertStatus"] == "InAlert"

    sagemaker.stop_monitoring_schedule(MonitoringScheduleName=name)
    stopped_now = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)
    assert stopped_now["MonitoringScheduleStatus"] == "Stopped"
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName=name)
    sagemaker.delete_data_quality_job_definition(JobDefinitionName="DataQuality-definition")
    for ask in (
        lambda: sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name),
        lambda: sagemaker.describe_data_quality_job_definition(JobDefinitionName="DataQuality-definition"),
        lambda: sagemaker.list_monitoring_executions(MonitoringScheduleName=name),
    ):
        with pytest.raises(ClientError) as gone:
            ask()
        assert code(gone) == "ResourceNotFound"


def test_every_list_is_answered_as_the_model_has_it(aws_server: Any, remote: Any) -> None:
    sagemaker = aws_server.client("sagemaker")
    remote.quality()
    for operation in (
        "list_data_quality_job_definitions",
        "list_model_quality_job_definitions",
        "list_model_bias_job_definitions",
        "list_model_explainability_job_definitions",
        "list_monitoring_schedules",
        "list_monitoring_executions",
        "list_monitoring_alert_history",
    ):
        assert getattr(sagemaker, operation)(MaxResults=1)["ResponseMetadata"]["HTTPStatusCode"] == 200


def _run(world: Any) -> None:
    world.clock.set(START + HOUR)
    now, store = world.service.now(), world.service.store
    plan_due(store, world.service.layout, now)
    with store.write() as db:
        claimed = executions.claim(db, owner="w", now=now, real=now, lease=HOUR)
        assert claimed is not None
        executions.finish(db, claimed, Outcome("CompletedWithViolations", Verdict.VIOLATED, "2 violations"), now)
