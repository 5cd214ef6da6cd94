"""With access on, nobody is answered whose signature was not verified, or whose role is too little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from driftline.aws.errors import AwsError
from driftline.aws.front import front
from driftline.aws.protocol.calls import scope_of
from driftline.aws.requests import Request
from driftline.service import Service
from driftline.service.door import Visitor

ROLES = ("reader", "writer", "operator")


def by_key(request: Request) -> Visitor:
    """Takes the access key for its owner's role."""
    found = request.header(b"authorization").partition(b"Credential=")[2].partition(b"/")[0].decode()
    if found not in ROLES:
        raise AwsError("UnrecognizedClientException", "nobody has this key", 400)
    assert scope_of(request.header(b"authorization")) is not None
    return Visitor(f"the-{found}", found)


@pytest.fixture
def as_role(service: Service, aws_serve: Callable[..., Any]) -> Any:
    with aws_serve(service, authorise=by_key) as server:
        yield lambda name, role: server.client(name, aws_access_key_id=role, aws_secret_access_key="SK")


def code(call: Callable[[], Any]) -> str:
    """How a call ends."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


@pytest.mark.parametrize(
    ("role", "ends"),
    [
        ("nobody", ["UnrecognizedClientException"] * 4),
        ("reader", ["ValidationException", "AccessDeniedException", "AccessDeniedException", "done"]),
        ("writer", ["ValidationException", "AccessDeniedException", "ValidationError", "done"]),
        ("operator", ["ValidationException", "ValidationException", "ValidationError", "done"]),
    ],
)
def test_roles_may_do_what_their_name_says(as_role: Callable[..., Any], role: str, ends: list[str]) -> None:
    sagemaker, runtime, sts = (as_role(name, role) for name in ("sagemaker", "sagemaker-runtime", "sts"))
    assert ends == [
        code(lambda: sagemaker.describe_model(ModelName="a")),
        code(lambda: sagemaker.delete_model(ModelName="a")),
        code(lambda: runtime.invoke_endpoint(EndpointName="a", Body="1", ContentType="text/csv")),
        code(sts.get_caller_identity),
    ]


def test_nobody_is_given_other_keys(as_role: Callable[..., Any]) -> None:
    assert code(as_role("sts", "operator").get_session_token) == "AccessDenied"


def test_without_keys_nobody_is_let_in(service: Service) -> None:
    async def none(*_: Any) -> None:
        raise AssertionError

    app: Any = front(service, inner=none, gated=none, access=True)
    with pytest.raises(AwsError, match="no access keys are known"):
        app._performer.admit(Request("POST", b"/", b"", [], b""), "sagemaker", "DescribeModel", "a")
