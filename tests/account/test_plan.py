"""Plans by documents as an account shows them: what has no counterpart, and what will differ."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.account.items import Item, NewExternal, NewSchedule
from driftline.account.plan import plan
from driftline.account.reading import Account, EndpointRead, ScheduleRead
from driftline.account.watching import composite_item
from driftline.sagemaker.belongings import Belongings
from driftline.sagemaker.definitions import KINDS, read_definition
from driftline.testing import START

CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 30,
    "DestinationS3Uri": "s3://lake/captured/",
    "CaptureOptions": [{"CaptureMode": "Output"}],
}
VARIANT = {"VariantName": "AllTraffic", "ModelName": "m"}
NOTHING = Belongings(None, b"{}", {}, {}, None)


def endpoint(**config: Any) -> EndpointRead:
    return EndpointRead("churn", {}, {"ProductionVariants": [VARIANT], "DataCaptureConfig": CAPTURE} | config)


def schedule(expression: str = "cron(0 * ? * * *)", **document: Any) -> ScheduleRead:
    output = {"S3Uri": "s3://lake/results", "LocalPath": "/opt/ml/processing/out"}
    whole = {
        "DataQualityAppSpecification": {"ImageUri": "r/sagemaker-model-monitor-analyzer"},
        "DataQualityJobInput": {"EndpointInput": {"EndpointName": "churn", "LocalPath": "/opt/ml/processing/in"}},
        "DataQualityJobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
        **document,
    }
    config = {"MonitoringType": "DataQuality", "ScheduleConfig": {"ScheduleExpression": expression}}
    described = {"MonitoringScheduleConfig": config, "MonitoringScheduleStatus": "Scheduled"}
    return ScheduleRead("hourly", described, whole, read_definition(KINDS["DataQuality"], whole), NOTHING)


def planned(*endpoints: EndpointRead, schedules: tuple[ScheduleRead, ...] = ()) -> list[Item]:
    return plan(Account(endpoints, schedules), START)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"ProductionVariants": [VARIANT, VARIANT]}, "2 production variants"),
        ({"ShadowProductionVariants": [VARIANT]}, "shadow"),
        ({"AsyncInferenceConfig": {"OutputConfig": {}}}, "asynchronous"),
        ({"ProductionVariants": [VARIANT | {"ServerlessConfig": {"MaxConcurrency": 1}}]}, "serverless"),
        ({"DataCaptureConfig": None}, "nothing of it is captured"),
    ],
)
def test_endpoints_without_counterpart(config: dict[str, Any], reason: str) -> None:
    read = endpoint(**config)
    there, watching = planned(read, schedules=(schedule(),))
    assert (there.made, watching.made) == (None, None)
    assert reason in there.says
    assert reason in watching.says


def test_capture_settings_come_along() -> None:
    (item,) = planned(endpoint())
    assert item.made == NewExternal({"percent": 30.0, "input": False, "output": True})
    assert item.says.endswith("s3://lake/captured/churn")
    (item,) = planned(endpoint(DataCaptureConfig=CAPTURE | {"EnableCapture": False, "KmsKeyId": "k"}))
    assert item.made == NewExternal({"percent": 30.0, "input": False, "output": False})
    assert len(item.differs) == 2


def test_a_description_stands_in_for_a_configuration_that_was_not_read() -> None:
    described = {"EnableCapture": True, "CurrentSamplingPercentage": 25, "DestinationS3Uri": "s3://lake/captured"}
    (item,) = planned(EndpointRead("churn", {"DataCaptureConfig": described, "ProductionVariants": [VARIANT]}, {}))
    assert item.made == NewExternal({"percent": 25.0})


def test_what_a_job_definition_says_of_its_machine() -> None:
    network = {"EnableNetworkIsolation": True, "VpcConfig": {"Subnets": ["s"], "SecurityGroupIds": ["g"]}}
    resources = {"ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}}
    _, item = planned(endpoint(), schedules=(schedule(NetworkConfig=network, JobResources=resources),))
    said = " ".join(item.differs)
    for word in ("VPC", "network isolation", "2 × ml.m5.xlarge"):
        assert word in said


def test_results_may_go_elsewhere() -> None:
    account = Account((endpoint(),), (schedule(),))
    for output, shared in ((None, True), ("s3://mine/results", False)):
        item = plan(account, START, output)[-1]
        assert isinstance(item.made, NewSchedule)
        assert item.made.options["attributes"]["output"] == (output or "s3://lake/results")
        assert any("--output" in text for text in item.differs) == shared


def test_schedules_that_are_not_made() -> None:
    once, troubled = schedule("NOW"), ScheduleRead("odd", {}, trouble="nothing here stands for the image x")
    _, first, second = planned(endpoint(), schedules=(once, troubled))
    assert (first.made, second.made) == (None, None)
    assert "once" in first.says
    assert second.says == troubled.trouble


def test_what_else_an_account_has() -> None:
    account = Account(unused=(("ModelBias", "old"),), rules=("retrain",))
    definition, rule = plan(account, START)
    assert (definition.kind, definition.name, definition.made) == ("job definition", "old", None)
    assert (rule.kind, rule.name, rule.made) == ("EventBridge rule", "retrain", None)


def test_a_rule_over_alarms_needs_each_of_them() -> None:
    given = {"AlarmName": "both", "AlarmRule": "ALARM(a) AND NOT OK('b')"}
    item = composite_item(given, {"a", "b"})
    assert item.needs == (("alarm", "a"), ("alarm", "b"))
    assert composite_item(given, {"a"}).made is None
    assert composite_item(given | {"ActionsSuppressor": "a"}, {"a", "b"}).made is None
