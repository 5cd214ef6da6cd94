"""STS: who is asking. Everybody is the one role of this server's account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from driftline.aws.context import Context, Operations
from driftline.aws.errors import AwsError
from driftline.aws.requests import signed_as

_USER = "AROADRIFTLINE0000000"
_SESSION = "session"


def caller(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """GetCallerIdentity: a role that is assumed, since clients look for a role's name in its ARN."""
    arn = _arn(context, "driftline", _SESSION)
    return {"Account": context.account, "UserId": f"{_USER}:{_SESSION}", "Arn": arn}


def session_token(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """GetSessionToken."""
    return {"Credentials": _credentials(context, given.get("DurationSeconds", 43_200))}


def assume_role(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """AssumeRole."""
    name = given["RoleSessionName"]
    role = given["RoleArn"].rpartition("/")[2]
    return {
        "Credentials": _credentials(context, given.get("DurationSeconds", 3_600)),
        "AssumedRoleUser": {"AssumedRoleId": f"{_USER}:{name}", "Arn": _arn(context, role, name)},
    }


def _arn(context: Context, role: str, session: str) -> str:
    return f"arn:aws:sts::{context.account}:assumed-role/{role}/{session}"


def _credentials(context: Context, seconds: int) -> dict[str, Any]:
    """Keys for servers that look at no signature; others have no keys to give beside those that are known."""
    if signed_as.get():
        message = "driftline gives no temporary keys: use the access keys themselves"
        raise AwsError("AccessDenied", message, 403)
    return {
        "AccessKeyId": "AKIADRIFTLINE0000000",
        "SecretAccessKey": "driftline",
        "SessionToken": "driftline",
        "Expiration": context.now() + timedelta(seconds=seconds),
    }


OPERATIONS: Operations = {
    "GetCallerIdentity": caller,
    "GetSessionToken": session_token,
    "AssumeRole": assume_role,
}
