"""A handler that is broken harms nobody else: the client is told so, the log has the trace."""

from __future__ import annotations

import json
from typing import Any

import pytest

from driftline.aws.performing import Performer
from driftline.aws.protocol.answers import Answer
from driftline.aws.protocol.calls import Call
from driftline.aws.requests import Request
from driftline.core.errors import ConflictError, InputError, SetupError

DESCRIBE = Call("sagemaker", "DescribeModel", "json")


def performed(handler: Any, call: Call = DESCRIBE, body: bytes = b'{"ModelName": "a"}') -> Answer:
    """The answer of one handler."""
    operations = {call.service: {call.operation: handler}}
    context: Any = None
    return Performer(context, operations, None).perform(Request("POST", b"/", b"", [], body), call, "the-id")


def raising(error: Exception) -> Any:
    def handler(*_: Any) -> dict[str, Any]:
        raise error

    return handler


def test_defects_are_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    found = performed(raising(KeyError("a secret")))
    assert found.status == 500
    assert json.loads(found.body) == {
        "__type": "InternalFailure",
        "message": "the server failed on this request: see its log",
    }
    assert "a secret" in caplog.text
    assert "the-id" in caplog.text


def test_answers_that_the_model_does_not_have_are_defects(caplog: pytest.LogCaptureFixture) -> None:
    assert performed(lambda *_: {"Name": "a"}).status == 500
    assert "DescribeModelOutput has no member 'Name'" in caplog.text
    assert performed(lambda *_: {"Name": "a"}, DESCRIBE._replace(operation="DeleteModel")).status == 500
    assert "DeleteModel gives nothing" in caplog.text


def test_defects_have_the_same_name_in_xml(caplog: pytest.LogCaptureFixture) -> None:
    found = performed(raising(KeyError("x")), Call("iam", "GetRole", "query"), b"Action=GetRole&RoleName=a")
    assert found.status == 500
    assert b"<Type>Receiver</Type><Code>InternalFailure</Code>" in found.body
    assert "KeyError" in caplog.text


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (InputError("wrong", evidence="seen", hint="do"), "ValidationException", 400),
        (ConflictError("there"), "ResourceInUse", 400),
        (SetupError("no disk"), "InternalFailure", 500),
    ],
)
def test_our_errors_have_the_names_of_the_service(error: Exception, code: str, status: int) -> None:
    found = performed(raising(error))
    assert (json.loads(found.body)["__type"], found.status) == (code, status)


def test_inputs_have_the_types_of_the_model() -> None:
    given: list[dict[str, Any]] = []
    fields = (
        b"Action=PutMetricData&Version=2010-08-01&Namespace=n&MetricData.member.1.MetricName=m"
        b"&MetricData.member.1.Value=0.5&MetricData.member.1.Timestamp=2026-11-22T10%3A00%3A00Z"
    )
    found = performed(lambda _, asked: given.append(asked) or {}, Call("cloudwatch", "PutMetricData", "query"), fields)
    assert found.status == 200
    (datum,) = given[0]["MetricData"]
    assert (datum["Value"], datum["Timestamp"].isoformat()) == (0.5, "2026-11-22T10:00:00+00:00")
