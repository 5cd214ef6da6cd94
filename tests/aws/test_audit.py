"""What AWS clients change, and what they are refused, stands in the audit log under their token's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from driftline.aws.audit import target_of
from driftline.aws.errors import AwsError
from driftline.aws.protocol.calls import Call
from driftline.aws.requests import Request
from driftline.core.errors import SetupError
from driftline.service import Service
from driftline.service.door import Door, Visitor
from driftline.testing import FakeClock

CONTAINER = {"Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"}
ROLES = ("reader", "writer", "operator")


def by_key(request: Request) -> Visitor:
    """Takes the access key for its owner's role."""
    found = request.header(b"authorization").partition(b"Credential=")[2].partition(b"/")[0].decode()
    if found not in ROLES:
        raise AwsError("UnrecognizedClientException", "nobody has this key")
    return Visitor(f"the-{found}", found)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, aws_serve: Callable[..., Any]) -> Iterator[Any]:
    """A server that takes a key for its role; each test has the rows that it adds."""
    with (
        Service(tmp_path_factory.mktemp("audit") / "data", clock=FakeClock()) as service,
        aws_serve(service, authorise=by_key) as server,
    ):
        yield server


@pytest.fixture
def rows(server: Any) -> Callable[[], list[tuple[str, ...]]]:
    """The rows since the test began, oldest first."""
    before = len(server.service.list_audit(limit=1000))

    def added() -> list[tuple[str, ...]]:
        server.worker.application.auditor.flush()
        found = server.service.list_audit(limit=1000)
        return [
            (row.actor, row.role, row.action, row.target, row.outcome) for row in found[: len(found) - before][::-1]
        ]

    return added


def as_role(server: Any, role: str, service: str = "sagemaker") -> Any:
    return server.client(service, aws_access_key_id=role, aws_secret_access_key="SK")


def test_changes_are_told_however_they_end_and_reads_are_not(server: Any, rows: Callable[[], Any]) -> None:
    operator, reader = as_role(server, "operator"), as_role(server, "reader")
    operator.create_model(ModelName="told", PrimaryContainer=CONTAINER)
    reader.describe_model(ModelName="told")
    reader.list_models()
    with pytest.raises(ClientError, match="already existing"):
        operator.create_model(ModelName="told", PrimaryContainer=CONTAINER)
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.delete_model(ModelName="told")
    with pytest.raises(ClientError):
        reader.describe_model(ModelName="none")
    operator.add_tags(ResourceArn="arn:aws:sagemaker:eu-central-1:123456789012:model/told", Tags=[])
    operator.delete_model(ModelName="told")
    arn = "arn:aws:sagemaker:eu-central-1:123456789012:model/told"
    assert rows() == [
        ("the-operator", "operator", "sagemaker.CreateModel", "told", "done"),
        ("the-operator", "operator", "sagemaker.CreateModel", "told", "failed with 400"),
        ("the-reader", "reader", "sagemaker.DeleteModel", "told", "refused with 400"),
        ("the-operator", "operator", "sagemaker.AddTags", arn, "done"),
        ("the-operator", "operator", "sagemaker.DeleteModel", "told", "done"),
    ]


def test_forms_are_told_as_json_is(server: Any, rows: Callable[[], Any]) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        as_role(server, "writer", "cloudwatch").delete_alarms(AlarmNames=["one", "two"])
    as_role(server, "operator", "cloudwatch").delete_alarms(AlarmNames=["one"])
    assert rows() == [
        ("the-writer", "writer", "cloudwatch.DeleteAlarms", "one,two", "refused with 403"),
        ("the-operator", "operator", "cloudwatch.DeleteAlarms", "one", "done"),
    ]


def test_what_comes_often_is_added_up(server: Any, rows: Callable[[], Any]) -> None:
    cloudwatch, runtime = as_role(server, "writer", "cloudwatch"), as_role(server, "reader", "sagemaker-runtime")
    for _ in range(3):
        cloudwatch.put_metric_data(Namespace="Ours", MetricData=[{"MetricName": "a", "Value": 1}])
        with pytest.raises(ClientError, match="AccessDenied"):
            runtime.invoke_endpoint(EndpointName="churn", Body="1", ContentType="text/csv")
        with pytest.raises(ClientError, match="nobody has this key"):
            as_role(server, "stranger").delete_model(ModelName="secret")
    assert sorted(rows()) == [
        ("nobody", "", "refused", "", "refused with 400"),
        ("the-reader", "reader", "sagemaker-runtime.InvokeEndpoint", "churn", "refused with 400"),
        ("the-writer", "writer", "cloudwatch.PutMetricData", "", "done"),
    ]
    assert [row.detail for row in server.service.list_audit(limit=3)] == [{"requests": 3}] * 3


def test_without_access_everybody_is_anonymous(aws_server: Any) -> None:
    aws_server.client("sagemaker").create_model(ModelName="free", PrimaryContainer=CONTAINER)
    (row,) = aws_server.service.list_audit()
    assert (row.actor, row.role, row.target) == ("anonymous", "everyone", "free")


def test_a_log_that_cannot_be_written_stops_nobody(
    aws_server: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise SetupError("the disk is full")

    monkeypatch.setattr(Door, "write", full)
    aws_server.client("sagemaker").create_model(ModelName="kept", PrimaryContainer=CONTAINER)
    assert "the audit log misses: anonymous sagemaker.CreateModel kept done (the disk is full)" in caplog.text


@pytest.mark.parametrize(
    ("operation", "body", "named"),
    [
        ("CreateEndpoint", b'{"EndpointConfigName": "config", "EndpointName": "churn"}', "churn"),
        ("CreateModel", b'{"ModelName": "a", "Imige": 1}', "a"),
        ("CreateModel", b'{"ModelName": 3}', ""),
        ("CreateModel", b'{"ModelName": "\\ud800"}', ""),
        ("CreateModel", b"[" * 100_000, ""),
        ("CreateModel", b"[]", ""),
        ("CreateModel", b"", ""),
        ("CreateNothing", b'{"ModelName": "a"}', ""),
    ],
)
def test_targets_are_found_in_whatever_comes(operation: str, body: bytes, named: str) -> None:
    request = Request("POST", b"/", b"", [], body)
    assert target_of(Call("sagemaker", operation, "json"), request) == named
