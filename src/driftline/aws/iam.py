"""IAM: roles are names here. Every valid one is there, since nothing is done under it."""

from __future__ import annotations

import hashlib
import json
from base64 import b32encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from driftline.aws.context import Context, Operations

_MADE = datetime(2026, 1, 1, tzinfo=UTC)
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


def get_role(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """GetRole."""
    name = given["RoleName"]
    return {
        "Role": {
            "Path": "/",
            "RoleName": name,
            "RoleId": _id(name),
            "Arn": f"arn:aws:iam::{context.account}:role/{name}",
            "CreateDate": _MADE,
            # The service writes this document as a part of an address, and clients undo that.
            "AssumeRolePolicyDocument": quote(json.dumps(_TRUST)),
            "MaxSessionDuration": 3_600,
        }
    }


def _id(name: str) -> str:
    """An id of a role, the same for the same name.

    >>> _id("A") == _id("A") != _id("B"), len(_id("A"))
    (True, 21)
    """
    return "AROA" + b32encode(hashlib.sha256(name.encode()).digest()).decode()[:17]


OPERATIONS: Operations = {"GetRole": get_role}
