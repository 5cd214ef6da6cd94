"""Monitoring schedules: what the service then has, what clients are told, and what is left when they are deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from driftline.aws.errors import AwsError
from driftline.core.errors import ConflictError, InputError, NotFoundError
from driftline.core.window import HOUR, Window
from driftline.jobs.planning import window_of
from driftline.testing import START

SCRIPT = b"def preprocess_handler(record):\n    return record\n"
FACET = {
    "label": "churned",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "plan", "value_or_threshold": [1]}],
}


def test_a_schedule_of_model_quality(world: Any) -> None:
    world.quality(StartTimeOffset="-PT2H", EndTimeOffset="-PT1H")
    schedule = world.service.get_schedule("hourly")
    assert (schedule.endpoint, schedule.monitor, schedule.baseline) == ("Churn", "model-quality", "hourly-baseline")
    assert schedule.attributes == {
        "output": "s3://results/churn",
        "labels": "s3://data/labels",
        "constraints": "s3://data/baseline/constraints.json",
        "probability_attribute": "0",
        "probability_threshold": 0.5,
    }
    assert schedule.time_limit == 3600.0
    tick = START + HOUR
    assert window_of(schedule, tick) == Window(tick - 2 * HOUR, tick - HOUR)
    told = world.describe()
    assert told["MonitoringScheduleStatus"] == "Scheduled"
    assert told["EndpointName"] == "Churn"
    assert told["MonitoringScheduleConfig"] == world.config("ModelQuality")
    assert "LastMonitoringExecutionSummary" not in told


def test_what_was_kept_for_a_schedule_goes_with_it(world: Any) -> None:
    script = world.upload("s3://scripts/clean.py", SCRIPT)
    constraints = world.upload("s3://data/c.json", _table())
    baseline = {"ConstraintsResource": {"S3Uri": constraints}}
    asked = world.definition("DataQuality", world.batch(), baseline, RecordPreprocessorSourceUri=script)
    world.call("CreateDataQualityJobDefinition", **asked)
    world.schedule("daily", world.config("DataQuality", "cron(0 [00-23] ? * * *)"))
    schedule = world.service.get_schedule("daily")
    assert schedule.endpoint == "daily"
    assert schedule.attributes["transform"] == "s3://data/captured"
    assert schedule.attributes["dataset_format"] == {"Csv": {"Header": False}}
    kept = world.service.layout.script(schedule.attributes["preprocessor"])
    assert kept.read_bytes() == SCRIPT
    assert "EndpointName" not in world.describe("daily")
    world.call("DeleteMonitoringSchedule", MonitoringScheduleName="daily")
    assert not kept.exists()
    assert world.service.list_baselines() == []
    assert [row.name for row in world.service.list_endpoints()] == ["Churn"]
    with pytest.raises(NotFoundError):
        world.describe("daily")
    world.schedule("daily", world.config("DataQuality"))  # the name is free again


def test_a_failed_creation_leaves_nothing(world: Any) -> None:
    constraints = world.upload("s3://data/c.json", {"version": 0.0, "binary_classification_constraints": {}})
    baseline = {"ConstraintsResource": {"S3Uri": constraints}}
    world.call("CreateDataQualityJobDefinition", **world.definition("DataQuality", world.batch(), baseline))
    with pytest.raises(InputError):
        world.schedule("daily", world.config("DataQuality"))
    assert world.service.list_schedules() == world.service.list_baselines() == []
    assert [row.name for row in world.service.list_endpoints()] == ["Churn"]


def test_objects_that_are_not_there_and_images_that_nobody_knows(world: Any) -> None:
    missing = {"ConstraintsResource": {"S3Uri": "s3://data/none.json"}}
    world.call("CreateDataQualityJobDefinition", **world.definition("DataQuality", world.source(), missing))
    with pytest.raises(AwsError, match=r"s3://data/none\.json") as raised:
        world.schedule("hourly", world.config("DataQuality"))
    assert raised.value.code == "ValidationException"
    other = world.definition("ModelQuality", world.source(), ImageUri="example.org/checks:3")
    world.call("CreateModelQualityJobDefinition", **other)
    with pytest.raises(InputError, match="image"):
        world.schedule("hourly", world.config("ModelQuality"))


def test_a_schedule_without_a_definition_is_refused(world: Any) -> None:
    with pytest.raises(AwsError, match="needs a job definition") as raised:
        world.schedule("hourly", {"ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"}})
    assert raised.value.code == "ValidationException"


def test_a_name_that_is_taken_changes_nothing(world: Any) -> None:
    world.quality()
    before = world.service.get_baseline("hourly-baseline")
    world.upload("s3://data/baseline/constraints.json", {"version": 0.0, "regression_constraints": {}})
    with pytest.raises(ConflictError):
        world.schedule("hourly", world.config("ModelQuality"))
    assert world.service.get_baseline("hourly-baseline") == before


def test_a_baseline_job_alone_says_where_the_constraints_are(world: Any) -> None:
    _baseline_job(world)
    world.upload("s3://jobs/day/results/analysis.json", _analysis())
    config = world.upload("s3://data/analysis_config.json", FACET | {"headers": ["churned", "plan", "age"]})
    given = {"BaseliningJobName": "day"}
    asked = world.definition("ModelBias", world.source(InferenceAttribute="0"), given, ConfigUri=config)
    world.call("CreateModelBiasJobDefinition", **asked)
    world.schedule("bias", world.config("ModelBias"))
    schedule = world.service.get_schedule("bias")
    assert schedule.monitor == "bias"
    assert schedule.attributes["analysis_config"]["bias"]["facets"] == [{"name": "plan", "choice": {"values": ["1"]}}]
    assert world.service.get_baseline("bias-baseline").monitor == "bias"


def test_the_rows_of_an_explanation_may_lie_elsewhere(world: Any) -> None:
    rows = world.upload("s3://data/rows.csv", b"0.5,gold\n1.5,tin\n")
    shap = {"shap": {"baseline": rows, "num_samples": 10, "agg_method": "mean_abs"}}
    predictor = {"model_name": "churn", "instance_type": "ml.c5.xlarge", "initial_instance_count": 1}
    document = {"methods": shap, "predictor": predictor, "headers": ["age", "plan"]}
    config = world.upload("s3://data/analysis_config.json", document)
    asked = world.definition("ModelExplainability", world.source(), ConfigUri=config)
    world.call("CreateModelExplainabilityJobDefinition", **asked)
    world.schedule("why", world.config("ModelExplainability"))
    kept = world.service.get_schedule("why").attributes["analysis_config"]
    assert kept["attribution"]["baseline"] == [[0.5, "gold"], [1.5, "tin"]]


def test_statistics_of_the_baseline_job_come_along(world: Any) -> None:
    _baseline_job(world)
    world.upload("s3://jobs/day/results/statistics.json", {"version": 0.0, "binary_classification_metrics": {}})
    constraints = world.upload("s3://data/baseline/constraints.json", _binary())
    baseline = {"ConstraintsResource": {"S3Uri": constraints}, "BaseliningJobName": "day"}
    asked = world.definition("ModelQuality", world.source(ProbabilityAttribute="0"), baseline)
    world.call("CreateModelQualityJobDefinition", **asked)
    world.schedule("hourly", world.config("ModelQuality"))
    assert "binary_classification_metrics" in world.service.get_baseline("hourly-baseline").statistics


def test_a_definition_in_the_schedule_itself(world: Any) -> None:
    output = {"S3Uri": "s3://results/churn", "LocalPath": "/opt/ml/processing/output"}
    inline = {
        "MonitoringInputs": [world.source(ExcludeFeaturesAttribute="0, plan")],
        "MonitoringOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
        "MonitoringResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
        },
        "MonitoringAppSpecification": {"ImageUri": "r.example.org/sagemaker-model-monitor-analyzer"},
        "NetworkConfig": {"EnableNetworkIsolation": True},
        "RoleArn": "arn:aws:iam::000000000000:role/Monitoring",
    }
    world.schedule("old", {"MonitoringJobDefinition": inline})
    schedule = world.service.get_schedule("old")
    assert (schedule.monitor, schedule.cron) == ("data-quality", "cron(0 * ? * * *)")
    assert schedule.attributes["exclude"] == ["_c0", "plan"]
    told = world.describe("old")["MonitoringScheduleConfig"]["MonitoringJobDefinition"]
    assert told["NetworkConfig"]["EnableInterContainerTrafficEncryption"] is False
    assert told["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}


def test_once_over_a_time_that_is_given(world: Any) -> None:
    world.call("CreateDataQualityJobDefinition", **world.definition("DataQuality", world.source()))
    with pytest.raises(InputError, match="NOW"):
        world.schedule("once", world.config("DataQuality", "NOW"))
    when = {"DataAnalysisStartTime": "-PT2H", "DataAnalysisEndTime": "-PT0H"}
    world.schedule("once", world.config("DataQuality", "NOW", **when))
    ended = world.run(START)
    assert ended.window == Window(START - 2 * HOUR, START)
    world.call("StopMonitoringSchedule", MonitoringScheduleName="once")
    assert world.describe("once")["MonitoringScheduleStatus"] == "Stopped"
    world.clock.advance(3600)
    world.call("StartMonitoringSchedule", MonitoringScheduleName="once")
    assert world.describe("once")["MonitoringScheduleStatus"] == "Scheduled"
    assert world.run(START + HOUR).window == Window(START - HOUR, START + HOUR)
    assert len(world.executions(MonitoringScheduleName="once")) == 2


def test_a_stopped_schedule_goes_on_when_it_is_updated(world: Any) -> None:
    world.quality()
    world.call("StopMonitoringSchedule", MonitoringScheduleName="hourly")
    world.clock.advance(60)
    world.upload("s3://data/baseline/constraints.json", _binary(0.7))
    daily = world.config("ModelQuality", "cron(0 17 ? * * *)")
    world.call("UpdateMonitoringSchedule", MonitoringScheduleName="hourly", MonitoringScheduleConfig=daily)
    told = world.describe()
    assert told["MonitoringScheduleStatus"] == "Scheduled"
    assert told["MonitoringScheduleConfig"] == daily
    assert told["LastModifiedTime"] - told["CreationTime"] == timedelta(seconds=60)
    kept = world.service.get_baseline("hourly-baseline").constraints["binary_classification_constraints"]
    assert kept["f2"]["threshold"] == 0.7


def test_an_update_may_turn_to_another_input_but_not_to_another_type(world: Any) -> None:
    world.call("CreateDataQualityJobDefinition", **world.definition("DataQuality", world.source()))
    world.schedule("hourly", world.config("DataQuality"))
    batch = world.definition("DataQuality", world.batch()) | {"JobDefinitionName": "batch"}
    world.call("CreateDataQualityJobDefinition", **batch)
    config = world.config("DataQuality") | {"MonitoringJobDefinitionName": "batch"}
    world.call("UpdateMonitoringSchedule", MonitoringScheduleName="hourly", MonitoringScheduleConfig=config)
    assert world.service.get_schedule("hourly").endpoint == "hourly"
    world.call("UpdateMonitoringSchedule", MonitoringScheduleName="hourly", MonitoringScheduleConfig=config)
    back = world.config("DataQuality")
    world.call("UpdateMonitoringSchedule", MonitoringScheduleName="hourly", MonitoringScheduleConfig=back)
    assert world.service.get_schedule("hourly").endpoint == "Churn"
    assert [row.name for row in world.service.list_endpoints()] == ["Churn"]
    world.call("CreateModelQualityJobDefinition", **world.definition("ModelQuality", world.source()))
    other = world.config("ModelQuality")
    with pytest.raises(AwsError, match="type"):
        world.call("UpdateMonitoringSchedule", MonitoringScheduleName="hourly", MonitoringScheduleConfig=other)


def test_schedules_that_were_made_otherwise_are_told_too(world: Any) -> None:
    world.quality()
    world.service.create_schedule("ours", endpoint="Churn", cron="0 * * * *", monitor="data-quality")

    def names(**given: Any) -> list[str]:
        found = world.call("ListMonitoringSchedules", **given)["MonitoringScheduleSummaries"]
        return sorted(row["MonitoringScheduleName"] for row in found)

    assert names() == ["hourly", "ours"]
    assert names(MonitoringTypeEquals="DataQuality") == ["ours"]
    assert names(EndpointName="Other") == []
    assert names(StatusEquals="Scheduled", NameContains="hour") == ["hourly"]
    assert world.describe("ours")["MonitoringScheduleConfig"]["ScheduleConfig"] == {"ScheduleExpression": "0 * * * *"}
    for operation in ("StopMonitoringSchedule", "StartMonitoringSchedule", "DeleteMonitoringSchedule"):
        world.call(operation, MonitoringScheduleName="ours")


def _baseline_job(world: Any) -> None:
    document = {"ProcessingOutputConfig": {"Outputs": [{"S3Output": {"S3Uri": "s3://jobs/day/results"}}]}}
    world.context.registry.add("processing-job", "day", document, now=world.service.now(), tags={})


def _binary(threshold: float = 0.6) -> dict[str, Any]:
    limit = {"threshold": threshold, "comparison_operator": "LessThanThreshold"}
    return {"version": 0.0, "binary_classification_constraints": {"f2": limit}}


def _table() -> dict[str, Any]:
    return {"version": 0.0, "features": [{"name": "age", "inferred_type": "Fractional", "completeness": 1.0}]}


def _analysis() -> dict[str, Any]:
    metric = {"name": "DPL", "description": "Difference in Positive Proportions in Labels (DPL)", "value": 0.1}
    facets = {"plan": [{"value_or_threshold": "1", "metrics": [metric]}]}
    label = {"label": "churned", "label_value_or_threshold": "1", "facets": facets}
    return {"version": "1.0", "pre_training_bias_metrics": label}
