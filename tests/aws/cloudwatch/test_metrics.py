"""Metrics through boto3: listing, putting, and every statistic of what was put."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from driftline.alerting.metrics import DATA_QUALITY
from driftline.aws.context import Context
from driftline.resources.metrics import NewPoint
from driftline.testing import START

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ALL = ["Average", "Sum", "Minimum", "Maximum", "SampleCount"]
DIMENSIONS = [{"Name": "Endpoint", "Value": "churn"}, {"Name": "MonitoringSchedule", "Value": "hourly"}]
Make = Callable[[str], Any]


@pytest.fixture
def cloudwatch(client: Make) -> Any:
    return client("cloudwatch")


def put(cloudwatch: Any, *data: dict[str, Any], namespace: str = "mine") -> None:
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "age", **datum} for datum in data])


def statistics(cloudwatch: Any, **asked: Any) -> list[dict[str, Any]]:
    given = {"Namespace": "mine", "MetricName": "age", "StartTime": START - HOUR, "EndTime": START + HOUR}
    answer = cloudwatch.get_metric_statistics(**({"Statistics": ALL, "Period": 3600, **given} | asked))
    points: list[dict[str, Any]] = answer["Datapoints"]
    return points


def query(name: str, stat: str, period: int = 60, **more: Any) -> dict[str, Any]:
    metric = {"Namespace": "mine", "MetricName": "age"}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, **more}


def code(call: Callable[..., Any], **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**given)
    return str(caught.value.response["Error"]["Code"])


def test_every_statistic_of_values_counts_and_sets(cloudwatch: Any) -> None:
    sets = {"SampleCount": 4.0, "Sum": 10.0, "Minimum": 0.5, "Maximum": 6.0}
    put(cloudwatch, {"Value": 2.0}, {"Values": [1.0, 9.0], "Counts": [2.0, 1.0]}, {"StatisticValues": sets})
    [point] = statistics(cloudwatch)
    assert point == {
        "Timestamp": START,
        "Unit": "None",
        "SampleCount": 8.0,
        "Sum": 23.0,
        "Average": 23.0 / 8,
        "Minimum": 0.5,
        "Maximum": 9.0,
    }


def test_periods_begin_with_the_request(cloudwatch: Any) -> None:
    put(cloudwatch, *({"Value": float(n), "Timestamp": START - n * 10 * MINUTE} for n in range(1, 6)))
    points = statistics(cloudwatch, StartTime=START - 45 * MINUTE, EndTime=START, Period=1200, Statistics=["Sum"])
    assert [(START - point["Timestamp"], point["Sum"]) for point in points] == [
        (45 * MINUTE, 4.0 + 3.0),
        (25 * MINUTE, 2.0 + 1.0),
    ]


def test_units_are_kept_and_asked_for(cloudwatch: Any) -> None:
    put(cloudwatch, {"Value": 1.0, "Unit": "Seconds"})
    put(cloudwatch, {"Value": 3.0})
    assert [point["Unit"] for point in statistics(cloudwatch)] == ["Seconds"]
    assert len(statistics(cloudwatch, Unit="Seconds")) == 1
    assert statistics(cloudwatch, Unit="Bytes") == []
    put(cloudwatch, {"Value": 1.0, "Unit": "Bytes"})
    assert len(statistics(cloudwatch, Unit="Bytes")) == 1


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"Statistics": [], "ExtendedStatistics": ["p90"]}, "InvalidParameterValue"),
        ({"StartTime": START + HOUR}, "InvalidParameterValue"),
        ({"Period": 61}, "InvalidParameterValue"),
        ({"Period": 1}, "InvalidParameterCombination"),
    ],
)
def test_statistics_refuse_what_cannot_be(refusing: Any, asked: dict[str, Any], expected: str) -> None:
    given = {key: value for key, value in asked.items() if value}
    rest = {"Statistics": ALL} if "Statistics" not in asked else {}
    window = {"StartTime": START - HOUR, "EndTime": START + HOUR, "Period": 60}
    given = {"Namespace": "mine", "MetricName": "age", **rest, **(window | given)}
    assert code(refusing.get_metric_statistics, **given) == expected


@pytest.mark.parametrize(
    ("datum", "expected"),
    [
        ({}, "MissingParameter"),
        ({"Value": 1.0, "Values": [1.0]}, "InvalidParameterCombination"),
        ({"Value": 1.0, "Counts": [1.0]}, "InvalidParameterCombination"),
        ({"Values": [1.0], "Counts": [1.0, 2.0]}, "InvalidParameterValue"),
        ({"Values": [1.0], "Counts": [0.0]}, "InvalidParameterValue"),
        ({"Values": [1.0] * 151}, "InvalidParameterValue"),
        ({"Value": float("nan")}, "InvalidParameterValue"),
        ({"Value": 1e300}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": START - timedelta(days=15)}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": START + 3 * HOUR}, "InvalidParameterValue"),
        ({"Value": 1.0, "StorageResolution": 7}, "InvalidParameterValue"),
        ({"Value": 1.0, "Dimensions": [DIMENSIONS[0]] * 2}, "InvalidParameterValue"),
    ],
)
def test_points_that_cannot_be_are_refused(refusing: Any, datum: dict[str, Any], expected: str) -> None:
    data = [{"MetricName": "age", "Value": 1.0}, {"MetricName": "age", **datum}]
    assert code(refusing.put_metric_data, Namespace="mine", MetricData=data) == expected
    assert refusing.list_metrics()["Metrics"] == [], "none was kept"
    assert code(refusing.put_metric_data, Namespace="AWS/EC2", MetricData=data[:1]) == "InvalidParameterValue"


def test_the_monitors_namespaces_are_found_however_they_are_written(cloudwatch: Any, context: Context) -> None:
    dimensions = {one["Name"]: one["Value"] for one in DIMENSIONS}
    context.service.put_metrics([NewPoint("feature_drift", 0.5, dimensions=dimensions, namespace=DATA_QUALITY)])
    for written in (DATA_QUALITY, "/" + DATA_QUALITY, "/aws/sagemaker/Endpoints/data-metric"):
        [found] = cloudwatch.list_metrics(Namespace=written, Dimensions=DIMENSIONS)["Metrics"]
        assert found == {"Namespace": written, "MetricName": "feature_drift", "Dimensions": DIMENSIONS}
        assert len(statistics(cloudwatch, **found)) == 1
    assert cloudwatch.list_metrics(Dimensions=[{"Name": "Endpoint", "Value": "shop"}])["Metrics"] == []
    assert len(cloudwatch.list_metrics(Dimensions=[{"Name": "Endpoint"}], RecentlyActive="PT3H")["Metrics"]) == 1


def test_metrics_are_listed_in_pages(cloudwatch: Any) -> None:
    for part in range(2):
        names = (f"m{number:04}" for number in range(part * 600, part * 600 + 600))
        data = [{"MetricName": name, "Value": 1.0} for name in names]
        cloudwatch.put_metric_data(Namespace="mine", MetricData=data)
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace="mine"))
    assert [len(page["Metrics"]) for page in pages] == [500, 500, 200]
    assert len({metric["MetricName"] for page in pages for metric in page["Metrics"]}) == 1200
    assert cloudwatch.list_metrics(Namespace="mine", MetricName="m0003")["Metrics"][0]["MetricName"] == "m0003"
    assert code(cloudwatch.list_metrics, NextToken="x") == "InvalidParameterValue"


def test_data_of_several_queries_come_in_pages(cloudwatch: Any) -> None:
    times = [START - number * MINUTE for number in range(5)]
    put(cloudwatch, *({"Value": float(number), "Timestamp": time} for number, time in enumerate(times)))
    put(cloudwatch, {"Value": 10.0, "Timestamp": times[0]})
    queries = [
        query("total", "Sum"),
        query("n", "SampleCount", Label="how many"),
        query("off", "Sum", ReturnData=False),
    ]
    given = {"MetricDataQueries": queries, "StartTime": START - HOUR, "EndTime": START + HOUR}
    whole = cloudwatch.get_metric_data(**given)
    assert [(one["Id"], one["Label"], one["StatusCode"]) for one in whole["MetricDataResults"]] == [
        ("total", "age", "Complete"),
        ("n", "how many", "Complete"),
    ]
    assert whole["MetricDataResults"][0]["Timestamps"] == times
    assert whole["MetricDataResults"][0]["Values"] == [10.0, 1.0, 2.0, 3.0, 4.0]
    assert "NextToken" not in whole
    pages = list(cloudwatch.get_paginator("get_metric_data").paginate(**given, MaxDatapoints=4))
    assert [page["MetricDataResults"][0]["StatusCode"] for page in pages] == ["PartialData", "Complete", "Complete"]
    values: dict[str, list[float]] = {"total": [], "n": []}
    for page in pages:
        for one in page["MetricDataResults"]:
            values[one["Id"]] += one["Values"]
    assert values == {one["Id"]: one["Values"] for one in whole["MetricDataResults"]}
    ends = {"StartTime": datetime(1, 1, 2, tzinfo=UTC), "EndTime": datetime(9999, 12, 31, tzinfo=UTC)}
    assert len(cloudwatch.get_metric_data(**given | ends)["MetricDataResults"][0]["Values"]) == 5
    rising = cloudwatch.get_metric_data(**given, ScanBy="TimestampAscending")
    assert rising["MetricDataResults"][0]["Timestamps"] == times[::-1]


@pytest.mark.parametrize(
    ("queries", "expected"),
    [
        ([query("Total", "Sum")], "ValidationError"),
        ([query("a", "Sum"), query("a", "Sum")], "ValidationError"),
        ([query("a", "p90")], "ValidationError"),
        ([query("a", "Sum", ReturnData=False)], "ValidationError"),
        ([query("a", "Sum"), {"Id": "b", "Expression": "SEARCH('x')"}], "ValidationError"),
        ([query("a", "Sum", period=7)], "ValidationError"),
        ([{"Id": "a"}], "ValidationError"),
    ],
)
def test_queries_that_cannot_be_are_refused(refusing: Any, queries: list[Any], expected: str) -> None:
    given = {"MetricDataQueries": queries, "StartTime": START, "EndTime": START + HOUR}
    assert code(refusing.get_metric_data, **given) == expected


def test_a_token_that_no_page_gave_is_refused(refusing: Any) -> None:
    given: dict[str, Any] = {"MetricDataQueries": [query("a", "Sum")], "StartTime": START, "EndTime": START + HOUR}
    for token in ("x", "bm8gMQ==", "é"):
        assert code(refusing.get_metric_data, **given, NextToken=token) == "InvalidNextToken"
    assert code(refusing.get_metric_data, **given | {"EndTime": datetime(2020, 1, 1, tzinfo=START.tzinfo)}) == (
        "ValidationError"
    )
