"""Alarms through boto3, from their making to their history."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from driftline import Alarm, Band, NewPoint
from driftline.alerting.metrics import MODEL_QUALITY
from driftline.aws.context import Context
from driftline.testing import START, FakeClock

HOUR = timedelta(hours=1)
DIMENSIONS = [{"Name": "Endpoint", "Value": "churn"}, {"Name": "MonitoringSchedule", "Value": "hourly"}]
TOPIC = "arn:aws:sns:us-east-1:000000000000:told"
NOTEBOOK: dict[str, Any] = {
    "AlarmName": "MODEL_QUALITY_F2_SCORE",
    "AlarmDescription": "Trigger an alarm when f2 is low",
    "ActionsEnabled": False,
    "MetricName": "f2",
    "Namespace": MODEL_QUALITY,
    "Statistic": "Average",
    "Dimensions": DIMENSIONS,
    "Period": 600,
    "EvaluationPeriods": 1,
    "DatapointsToAlarm": 1,
    "Threshold": 0.625,
    "ComparisonOperator": "LessThanOrEqualToThreshold",
    "TreatMissingData": "breaching",
}


@pytest.fixture
def cloudwatch(client: Callable[[str], Any]) -> Any:
    return client("cloudwatch")


def put(cloudwatch: Any, name: str = "low", **changes: Any) -> None:
    cloudwatch.put_metric_alarm(**(NOTEBOOK | {"AlarmName": name, "ActionsEnabled": True} | changes))


def tell(cloudwatch: Any, value: float, metric: str = "f2") -> None:
    datum = {"MetricName": metric, "Value": value, "Dimensions": DIMENSIONS}
    cloudwatch.put_metric_data(Namespace=MODEL_QUALITY, MetricData=[datum])


def states(cloudwatch: Any, **asked: Any) -> dict[str, str]:
    answer = cloudwatch.describe_alarms(**asked)
    return {one["AlarmName"]: one["StateValue"] for one in answer["MetricAlarms"] + answer["CompositeAlarms"]}


def code(call: Callable[..., Any], **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**given)
    return str(caught.value.response["Error"]["Code"])


def test_a_published_point_moves_the_notebook_s_alarm(cloudwatch: Any, clock: FakeClock) -> None:
    cloudwatch.put_metric_alarm(**NOTEBOOK)
    [made] = cloudwatch.describe_alarms(AlarmNames=[NOTEBOOK["AlarmName"]])["MetricAlarms"]
    assert {key: made[key] for key in NOTEBOOK} == NOTEBOOK
    assert (made["StateValue"], made["AlarmConfigurationUpdatedTimestamp"]) == ("INSUFFICIENT_DATA", START)
    assert made["AlarmArn"] == "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:MODEL_QUALITY_F2_SCORE"
    clock.advance(HOUR)
    tell(cloudwatch, 0.41)
    [moved] = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert moved["StateUpdatedTimestamp"] == START + HOUR
    assert "f2 was 0.41 at 11:00" in moved["StateReason"]
    assert json.loads(moved["StateReasonData"])["recentDatapoints"] == [0.41]
    clock.advance(HOUR)
    tell(cloudwatch, 0.8)
    assert states(cloudwatch) == {NOTEBOOK["AlarmName"]: "OK"}
    items = cloudwatch.describe_alarm_history(AlarmName=NOTEBOOK["AlarmName"])["AlarmHistoryItems"]
    assert [(item["HistoryItemType"], item["HistorySummary"]) for item in items] == [
        ("StateUpdate", "Alarm updated from ALARM to OK"),
        ("StateUpdate", "Alarm updated from INSUFFICIENT_DATA to ALARM"),
        ("ConfigurationUpdate", 'Alarm "MODEL_QUALITY_F2_SCORE" created'),
    ]
    data = json.loads(items[0]["HistoryData"])
    assert data["oldState"]["stateReason"] == moved["StateReason"]
    assert data["newState"]["stateReasonData"]["evaluatedDatapoints"] == [
        {"timestamp": "2026-11-22T12:00:00.000000+0000", "value": 0.8}
    ]


def test_an_alarm_sees_points_that_are_there_already(cloudwatch: Any, context: Context) -> None:
    dimensions = {one["Name"]: one["Value"] for one in DIMENSIONS}
    context.service.put_metrics([NewPoint("f2", 0.41, dimensions=dimensions, namespace=MODEL_QUALITY)])
    put(cloudwatch, Namespace="/" + MODEL_QUALITY)
    [found] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (found["StateValue"], found["Namespace"]) == ("ALARM", "/" + MODEL_QUALITY)


def test_history_is_filtered_by_kind_and_date_in_pages(cloudwatch: Any, clock: FakeClock) -> None:
    put(cloudwatch)
    for number in range(5):
        clock.advance(HOUR)
        tell(cloudwatch, 0.1 if number % 2 == 0 else 0.9)
    put(cloudwatch, Threshold=0.5)
    cloudwatch.delete_alarms(AlarmNames=["low"])

    def summaries(**asked: Any) -> list[str]:
        pages = cloudwatch.get_paginator("describe_alarm_history").paginate(**asked, PaginationConfig={"PageSize": 2})
        return [item["HistorySummary"] for page in pages for item in page["AlarmHistoryItems"]]

    assert len(summaries()) == 8
    kinds = summaries(AlarmName="low", HistoryItemType="ConfigurationUpdate", ScanBy="TimestampAscending")
    assert kinds == ['Alarm "low" created', 'Alarm "low" updated', 'Alarm "low" deleted']
    between = summaries(StartDate=START + 2 * HOUR, EndDate=START + 3 * HOUR, HistoryItemType="StateUpdate")
    assert between == ["Alarm updated from OK to ALARM", "Alarm updated from ALARM to OK"]
    assert summaries(AlarmName="none") == []
    assert code(cloudwatch.describe_alarm_history, NextToken="x") == "InvalidNextToken"


def test_what_has_no_counterpart_is_given_back(cloudwatch: Any, context: Context) -> None:
    lists: dict[str, Any] = {"AlarmActions": [TOPIC, "log"], "OKActions": [TOPIC], "InsufficientDataActions": []}
    put(cloudwatch, **lists, Unit="Percent")
    [found] = cloudwatch.describe_alarms(ActionPrefix="arn:aws:sns")["MetricAlarms"]
    assert {field: found[field] for field in lists} == lists
    assert found["Unit"] == "Percent"
    assert context.service.get_alarm("low").definition.alarm_actions == ("log",)
    assert cloudwatch.describe_alarms(ActionPrefix="arn:aws:lambda")["MetricAlarms"] == []


def test_addresses_are_shown_without_their_secrets(cloudwatch: Any) -> None:
    put(cloudwatch, AlarmActions=["https://hooks.test/services/sesame"])
    [found] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert found["AlarmActions"] == ["https://hooks.test/…"]
    assert "sesame" not in str(cloudwatch.describe_alarm_history())


def test_alarms_are_described_by_name_prefix_and_state_in_pages(cloudwatch: Any) -> None:
    for number in range(5):
        put(cloudwatch, f"a-{number}")
    put(cloudwatch, "b")
    pages = cloudwatch.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 2})
    assert [len(page["MetricAlarms"]) for page in pages] == [2, 2, 2]
    assert list(states(cloudwatch, AlarmNamePrefix="a-")) == [f"a-{number}" for number in range(5)]
    assert list(states(cloudwatch, AlarmNames=["b", "a-1", "none"])) == ["a-1", "b"]
    assert states(cloudwatch, StateValue="ALARM") == {}
    assert code(cloudwatch.describe_alarms, NextToken="x") == "InvalidNextToken"
    assert code(cloudwatch.describe_alarms, AlarmNames=["b"], AlarmNamePrefix="a") == "ValidationError"
    for_metric = {"MetricName": "f2", "Namespace": MODEL_QUALITY, "Dimensions": DIMENSIONS}
    assert len(cloudwatch.describe_alarms_for_metric(**for_metric, Period=600)["MetricAlarms"]) == 6
    assert cloudwatch.describe_alarms_for_metric(**for_metric, Statistic="Sum")["MetricAlarms"] == []


def test_a_state_is_set_by_hand(cloudwatch: Any) -> None:
    put(cloudwatch)
    cloudwatch.set_alarm_state(AlarmName="low", StateValue="ALARM", StateReason="a drill", StateReasonData="{}")
    [found] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (found["StateValue"], found["StateReason"]) == ("ALARM", "a drill")
    asked = {"StateValue": "OK", "StateReason": "x"}
    assert code(cloudwatch.set_alarm_state, AlarmName="none", **asked) == "ResourceNotFound"
    assert code(cloudwatch.set_alarm_state, AlarmName="low", **asked, StateReasonData="{") == "InvalidFormat"


def test_alarms_over_alarms(cloudwatch: Any) -> None:
    put(cloudwatch)
    cloudwatch.put_composite_alarm(AlarmName="page", AlarmRule='ALARM("low")', AlarmActions=[TOPIC])
    tell(cloudwatch, 0.1)
    assert states(cloudwatch) == {"low": "ALARM"}, "only alarms on metrics without types"
    answer = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])
    [composite] = answer["CompositeAlarms"]
    assert (composite["AlarmRule"], composite["StateValue"]) == ('ALARM("low")', "ALARM")
    assert composite["AlarmActions"] == [TOPIC]
    assert list(states(cloudwatch, ChildrenOfAlarmName="page")) == ["low"]
    assert list(states(cloudwatch, ParentsOfAlarmName="low")) == ["page"]
    assert code(cloudwatch.put_composite_alarm, AlarmName="p", AlarmRule="ALARM(none)") == "ValidationError"
    assert code(cloudwatch.delete_alarms, AlarmNames=["low"]) == "ValidationError"
    cloudwatch.delete_alarms(AlarmNames=["low", "page", "none"])
    assert states(cloudwatch, AlarmTypes=["CompositeAlarm", "MetricAlarm"]) == {}
    items = cloudwatch.describe_alarm_history(AlarmName="page")["AlarmHistoryItems"]
    assert {item["HistoryItemType"] for item in items} == {"StateUpdate", "ConfigurationUpdate"}


def test_a_band_comes_and_goes(cloudwatch: Any, context: Context) -> None:
    metric = {"Namespace": MODEL_QUALITY, "MetricName": "f2", "Dimensions": DIMENSIONS}
    queries: list[dict[str, Any]] = [
        {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Average"}},
        {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 3)"},
    ]
    asked: dict[str, Any] = {"AlarmName": "odd", "EvaluationPeriods": 2, "ThresholdMetricId": "ad1", "Metrics": queries}
    cloudwatch.put_metric_alarm(**asked, ComparisonOperator="LessThanLowerOrGreaterThanUpperThreshold")
    assert context.service.get_alarm("odd").definition.band == Band(width=3.0)
    [found] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert found["Metrics"][1]["Expression"] == "ANOMALY_DETECTION_BAND(value, 3)"
    assert (found["ThresholdMetricId"], found["DatapointsToAlarm"]) == ("band", 2)
    operator = {"ComparisonOperator": "GreaterThanUpperThreshold"}
    for other in ("m1 * 2", "ANOMALY_DETECTION_BAND(m1, 1.2.3)", "ANOMALY_DETECTION_BAND(m1, 0)"):
        queries[1]["Expression"] = other
        assert code(cloudwatch.put_metric_alarm, **asked, **operator) == "ValidationError"


def test_actions_are_disabled_and_enabled(cloudwatch: Any, context: Context) -> None:
    put(cloudwatch, AlarmActions=["https://hooks.test/"], ActionsEnabled=False)
    tell(cloudwatch, 0.1)
    assert {told.status for told in context.service.alarm_notifications("low")} == {"muted"}
    put(cloudwatch, "other")

    def enabled() -> dict[str, bool]:
        return {one["AlarmName"]: one["ActionsEnabled"] for one in cloudwatch.describe_alarms()["MetricAlarms"]}

    assert enabled() == {"low": False, "other": True}
    cloudwatch.disable_alarm_actions(AlarmNames=["other", "none"])
    cloudwatch.enable_alarm_actions(AlarmNames=["low"])
    assert enabled() == {"low": True, "other": False}
    put(cloudwatch, "other")
    assert enabled() == {"low": True, "other": True}


def test_nobody_is_told_when_an_alarm_without_actions_is_made(cloudwatch: Any, context: Context) -> None:
    tell(cloudwatch, 0.1)
    put(cloudwatch, AlarmActions=["https://hooks.test/"], ActionsEnabled=False)
    assert states(cloudwatch) == {"low": "ALARM"}
    assert {told.target for told in context.service.alarm_notifications("low")} == {"log"}


def test_tags(cloudwatch: Any, context: Context) -> None:
    put(cloudwatch, Tags=[{"Key": "team", "Value": "risk"}])
    context.service.put_alarm(Alarm("ours", "f2", MODEL_QUALITY, {}, "LessThanThreshold", 0.5))
    for name, before in (("low", [{"Key": "team", "Value": "risk"}]), ("ours", [])):
        arn = f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{name}"
        assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == before
        cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "stage", "Value": "live"}])
        cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
        assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "stage", "Value": "live"}]
    put(cloudwatch, Tags=[{"Key": "ignored", "Value": "later"}])
    assert len(cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]) == 1
    assert code(cloudwatch.list_tags_for_resource, ResourceARN=arn + "x") == "ResourceNotFoundException"
    assert code(cloudwatch.list_tags_for_resource, ResourceARN="arn:aws:s3:::b") == "InvalidParameterValue"


@pytest.mark.parametrize(
    "wrong",
    [
        {"Period": 61},
        {"Period": 3600, "EvaluationPeriods": 169},
        {"Period": 60, "EvaluationPeriods": 1441},
        {"EvaluationPeriods": 1, "DatapointsToAlarm": 2},
        {"TreatMissingData": "maybe"},
        {"AlarmActions": ["mail me"]},
        {"AlarmActions": [TOPIC] * 6},
        {"ComparisonOperator": "GreaterThanUpperThreshold"},
    ],
)
def test_alarms_that_cannot_be_are_refused(refusing: Any, wrong: dict[str, Any]) -> None:
    assert code(refusing.put_metric_alarm, **(NOTEBOOK | wrong)) == "ValidationError"
    left_out = {key: value for key, value in NOTEBOOK.items() if key not in ("Statistic", *wrong)}
    assert code(refusing.put_metric_alarm, **left_out, **wrong) == "ValidationError"
    assert states(refusing) == {}
