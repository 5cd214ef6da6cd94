"""KMS: keys and their aliases are remembered for clients that insist on one. Nothing is encrypted with them."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from driftline.aws.context import Context, Operations
from driftline.aws.errors import AwsError, validation
from driftline.resources.registered import Registered

KEY, ALIAS = "kms-key", "kms-alias"
_POLICY = "default"


def create_key(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """CreateKey: a name for a key that does not exist."""
    tags = {tag["TagKey"]: tag["TagValue"] for tag in given.get("Tags") or ()}
    document = {key: value for key, value in given.items() if key != "Tags"}
    entry = context.registry.add(KEY, str(uuid4()), document, now=context.now(), tags=tags)
    return {"KeyMetadata": _metadata(context, entry)}


def describe_key(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """DescribeKey, by the key's id or ARN, or by those of an alias."""
    return {"KeyMetadata": _metadata(context, _key(context, given["KeyId"]))}


def create_alias(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """CreateAlias."""
    name = given["AliasName"]
    if not name.startswith("alias/") or name.startswith("alias/aws/"):
        raise validation(f"{name[:200]!r} is no alias of one's own: begin it with alias/ and not with alias/aws/")
    key = _key(context, given["TargetKeyId"])
    context.registry.add(ALIAS, name, {"TargetKeyId": key.name}, now=context.now(), tags={})
    return {}


def get_policy(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """GetKeyPolicy: the policy that was put, or the one that keys have otherwise."""
    _only_default(given)
    policy = _key(context, given["KeyId"]).document.get("Policy") or _owner_policy(context)
    return {"Policy": policy, "PolicyName": _POLICY}


def put_policy(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """PutKeyPolicy: it is remembered and has no effect."""
    _only_default(given)
    key = _key(context, given["KeyId"])
    context.registry.change(KEY, key.name, now=context.now(), document={**key.document, "Policy": given["Policy"]})
    return {}


def _key(context: Context, asked: str) -> Registered:
    """The key of an id, an ARN or an alias; :class:`NotFoundError` where there is none."""
    name = asked.rpartition(":")[2] if asked.startswith("arn:") else asked
    if name.startswith("alias/"):
        name = context.registry.get(ALIAS, name).document["TargetKeyId"]
    return context.registry.get(KEY, name.removeprefix("key/"))


def _only_default(given: dict[str, Any]) -> None:
    if given.get("PolicyName", _POLICY) != _POLICY:
        raise AwsError("NotFoundException", f"a key has one policy, which is called {_POLICY}")


def _owner_policy(context: Context) -> str:
    owner = {"AWS": f"arn:aws:iam::{context.account}:root"}
    statement = {"Effect": "Allow", "Principal": owner, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _metadata(context: Context, entry: Registered) -> dict[str, Any]:
    return {
        "AWSAccountId": context.account,
        "KeyId": entry.name,
        "Arn": f"arn:aws:kms:{context.region}:{context.account}:key/{entry.name}",
        "CreationDate": entry.created,
        "Enabled": True,
        "Description": entry.document.get("Description", ""),
        "KeyUsage": entry.document.get("KeyUsage", "ENCRYPT_DECRYPT"),
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "KeySpec": entry.document.get("KeySpec", "SYMMETRIC_DEFAULT"),
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }


OPERATIONS: Operations = {
    "CreateKey": create_key,
    "DescribeKey": describe_key,
    "CreateAlias": create_alias,
    "GetKeyPolicy": get_policy,
    "PutKeyPolicy": put_policy,
}
