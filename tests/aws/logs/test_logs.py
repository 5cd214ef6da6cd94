"""Logs of jobs through boto3, as the SageMaker SDK follows them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from driftline.aws.logs.groups import PROCESSING, TRANSFORM
from driftline.jobs.batch_kinds import log_of
from driftline.jobs.executions import LOG
from driftline.resources.executions import Execution
from driftline.service import Service
from driftline.testing import START, FakeClock

Make = Callable[[str], Any]
SETTINGS = {"monitor": "data-quality", "dataset": "s3://b/in.csv", "output": "s3://b/out"}
EPOCH = int(START.timestamp())


@pytest.fixture
def logs(client: Make) -> Any:
    return client("logs")


@pytest.fixture
def execution(service: Service) -> Execution:
    service.register_endpoint("churn")
    limit = b'{"f2": {"threshold": 0.6, "comparison_operator": "LessThanThreshold"}}'
    service.put_baseline("good", b'{"version": 0.0, "binary_classification_constraints": %s}' % limit)
    service.create_schedule(
        "hourly", endpoint="churn", cron="0 * * * *", baseline="good", attributes={"probability_attribute": "0"}
    )
    return service.run_schedule("hourly")


def job(service: Service, name: str, text: str) -> Path:
    """A job with what it printed."""
    service.start_batch_job(name, "baseline", SETTINGS)
    path = log_of(service.layout, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def step_of(execution: Execution, kind: str = "model-quality-monitoring") -> str:
    return f"{kind}-{execution.tick:%Y%m%d%H%M}-{execution.id.replace('-', '')[:24]}"


def code(call: Callable[..., Any], **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**given)
    return str(caught.value.response["Error"]["Code"])


def test_the_log_of_a_job_is_followed_to_its_end(logs: Any, service: Service) -> None:
    assert code(logs.describe_log_streams, logGroupName=PROCESSING) == "ResourceNotFoundException"
    path = job(service, "baseline-1", "first\nsecond\n\nthi")
    asked = {"logGroupName": PROCESSING, "logStreamNamePrefix": "baseline-1/", "orderBy": "LogStreamName", "limit": 1}
    answer = logs.describe_log_streams(**asked)
    [stream] = answer["logStreams"]
    assert (stream["logStreamName"], stream["creationTime"]) == (f"baseline-1/algo-1-{EPOCH}", EPOCH * 1000)
    assert "nextToken" not in answer
    read = {"logGroupName": PROCESSING, "logStreamName": stream["logStreamName"], "startTime": 0, "startFromHead": True}
    first = logs.get_log_events(**read)
    assert [event["message"] for event in first["events"]] == ["first", "second", " "]
    assert {event["timestamp"] for event in first["events"]} == {EPOCH * 1000}
    again = logs.get_log_events(**read, nextToken=first["nextForwardToken"])
    assert (again["events"], again["nextForwardToken"]) == ([], first["nextForwardToken"])
    with path.open("a") as file:
        file.write("rd\nlast")
    service.stop_batch_job("baseline-1")
    later = logs.get_log_events(**read, nextToken=first["nextForwardToken"])
    assert [event["message"] for event in later["events"]] == ["third", "last"]


def test_a_stream_is_read_from_its_end_and_back(logs: Any, service: Service) -> None:
    job(service, "baseline-1", "".join(f"{number}\n" for number in range(10)))
    read: dict[str, Any] = {"logGroupName": PROCESSING, "logStreamName": f"baseline-1/algo-1-{EPOCH}", "limit": 4}
    parts, token = [], None
    while True:
        answer = logs.get_log_events(**read, **({"nextToken": token} if token else {}))
        if answer["nextBackwardToken"] == token:
            break
        parts.append([event["message"] for event in answer["events"]])
        token = answer["nextBackwardToken"]
    assert parts == [["6", "7", "8", "9"], ["2", "3", "4", "5"], ["0", "1"]]
    assert logs.get_log_events(**read, startTime=EPOCH * 1000 + 1)["events"] == []
    assert logs.get_log_events(**read, endTime=EPOCH * 1000)["events"] == []
    assert code(logs.get_log_events, **read, nextToken="f/1") == "InvalidParameterException"
    read["logStreamName"] = "baseline-1/algo-1-1"
    assert code(logs.get_log_events, **read) == "ResourceNotFoundException"


def test_the_step_of_an_execution_has_the_log_of_its_run(logs: Any, service: Service, execution: Execution) -> None:
    folder = service.layout.data / execution.report
    folder.mkdir(parents=True)
    (folder / LOG).write_text("judged\n")
    for kind in ("model-quality-monitoring", "groundtruth-merge"):
        name = step_of(execution, kind)
        [stream] = logs.describe_log_streams(logGroupName=PROCESSING, logStreamNamePrefix=f"{name}/")["logStreams"]
        [event] = logs.get_log_events(logGroupName=PROCESSING, logStreamName=stream["logStreamName"])["events"]
        assert event["message"].startswith("arn:aws:sagemaker:")
        assert event["message"].endswith(f":processing-job/{name}: judged")
    listed = logs.describe_log_streams(logGroupName=PROCESSING)["logStreams"]
    assert [stream["logStreamName"].partition("-2026")[0] for stream in listed] == [
        "groundtruth-merge",
        "model-quality-monitoring",
    ]
    wrong = f"x-{execution.tick:%Y%m%d%H%M}-{'0' * 24}/"
    assert logs.describe_log_streams(logGroupName=PROCESSING, logStreamNamePrefix=wrong)["logStreams"] == []


def test_groups_are_those_of_jobs_and_endpoints(logs: Any, service: Service) -> None:
    assert logs.describe_log_groups()["logGroups"] == []
    service.register_endpoint("churn")
    job(service, "b", "x\n")
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/sagemaker")["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["/aws/sagemaker/Endpoints/churn", PROCESSING]
    assert groups[0]["arn"] == "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/sagemaker/Endpoints/churn:*"
    assert len(logs.describe_log_groups(logGroupNamePattern="processing")["logGroups"]) == 1
    pages = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 1})
    assert [len(page["logGroups"]) for page in pages] == [1, 1]
    found = logs.filter_log_events(logGroupName="/aws/sagemaker/Endpoints/churn", logStreamNamePrefix="AllTraffic/")
    assert found["events"] == []
    for gone in (TRANSFORM, "/aws/sagemaker/Endpoints/none", "/aws/lambda/f"):
        assert code(logs.filter_log_events, logGroupName=gone) == "ResourceNotFoundException"


def test_streams_are_ordered_and_paged(logs: Any, service: Service, clock: FakeClock) -> None:
    for name in ("b", "a", "c"):
        job(service, name, "x\n")
        clock.advance(timedelta(minutes=1))

    def names(**asked: Any) -> list[str]:
        pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=PROCESSING, limit=2, **asked)
        return [stream["logStreamName"][0] for page in pages for stream in page["logStreams"]]

    assert names() == ["a", "b", "c"]
    assert names(descending=True) == ["c", "b", "a"]
    assert names(orderBy="LastEventTime") == ["b", "a", "c"]
    assert names(logStreamNamePrefix="a") == ["a"]
    asked = {"logGroupName": PROCESSING, "logStreamNamePrefix": "a", "orderBy": "LastEventTime"}
    assert code(logs.describe_log_streams, **asked) == "InvalidParameterException"


def test_events_are_filtered_over_streams_in_pages(logs: Any, service: Service) -> None:
    for name in ("a", "b"):
        job(
            service, name, "".join(f"{name} {'ERROR' if number % 3 == 0 else 'fine'} {number}\n" for number in range(9))
        )
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=PROCESSING, filterPattern='ERROR -"ERROR 6"', PaginationConfig={"PageSize": 3}
    )
    events = [event for page in pages for event in page["events"]]
    assert [event["message"] for event in events] == ["a ERROR 0", "a ERROR 3", "b ERROR 0", "b ERROR 3"]
    assert events[2]["logStreamName"] == f"b/algo-1-{EPOCH}"
    only = logs.filter_log_events(logGroupName=PROCESSING, logStreamNames=[events[2]["logStreamName"]])
    assert len(only["events"]) == 9
    assert code(logs.filter_log_events, logGroupName=PROCESSING, filterPattern="{ $.a = 1 }") == (
        "InvalidParameterException"
    )
    assert code(logs.filter_log_events, logGroupName=PROCESSING, nextToken="x") == "InvalidParameterException"


def test_a_deleted_group_shows_what_came_later_and_the_files_stay(
    logs: Any, service: Service, clock: FakeClock
) -> None:
    path = job(service, "old", "x\n")
    clock.advance(timedelta(minutes=1))
    logs.delete_log_group(logGroupName=PROCESSING)
    assert code(logs.describe_log_streams, logGroupName=PROCESSING) == "ResourceNotFoundException"
    assert code(logs.delete_log_group, logGroupName=PROCESSING) == "ResourceNotFoundException"
    assert path.read_text() == "x\n"
    clock.advance(timedelta(minutes=1))
    job(service, "new", "y\n")
    [stream] = logs.describe_log_streams(logGroupName=PROCESSING)["logStreams"]
    assert stream["logStreamName"].startswith("new/")
    assert logs.describe_log_streams(logGroupName=PROCESSING, logStreamNamePrefix="old/")["logStreams"] == []
