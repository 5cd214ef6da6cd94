"""STS, IAM and KMS as clients and the SageMaker SDK use them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_whoever_asks_is_an_assumed_role(shared_server: Any) -> None:
    told = shared_server.client("sts").get_caller_identity()
    assert told["Account"] == "123456789012"
    assert told["Arn"] == "arn:aws:sts::123456789012:assumed-role/driftline/session"
    assert told["ResponseMetadata"]["RequestId"]


def test_roles_can_be_assumed(shared_server: Any) -> None:
    sts = shared_server.client("sts")
    told = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/a/Other", RoleSessionName="mine")
    assert told["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/Other/mine"
    lasts = told["Credentials"]["Expiration"] - shared_server.context.now()
    assert lasts.total_seconds() == 3600
    assert sts.get_session_token(DurationSeconds=900)["Credentials"]["AccessKeyId"]
    with pytest.raises(ClientError) as raised:
        sts.get_session_token(DurationSeconds=129_601)
    assert raised.value.response["Error"]["Code"] == "ValidationError"


def test_every_role_is_there(shared_server: Any) -> None:
    iam = shared_server.client("iam")
    role = iam.get_role(RoleName="SageMakerRole")["Role"]
    assert role["Arn"] == "arn:aws:iam::123456789012:role/SageMakerRole"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRole"
    assert role["RoleId"] == iam.get_role(RoleName="SageMakerRole")["Role"]["RoleId"]
    with pytest.raises(ClientError) as raised:
        iam.get_role(RoleName="no/role")
    error = raised.value.response["Error"]
    assert error["Code"] == "ValidationError"
    assert "Value 'no/role' at 'roleName' failed to satisfy constraint" in error["Message"]


def test_keys_are_remembered(client: Callable[[str], Any]) -> None:
    kms = client("kms")
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId="alias/ours")
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    key = kms.create_key(Description="for tests", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    assert key["Arn"].endswith(f":key/{key['KeyId']}")
    assert "arn:aws:iam::123456789012:root" in kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"]
    kms.create_alias(AliasName="alias/ours", TargetKeyId=key["Arn"])
    for name in ("alias/ours", key["Arn"], key["KeyId"], "arn:aws:kms:eu-central-1:123456789012:alias/ours"):
        assert kms.describe_key(KeyId=name)["KeyMetadata"] == key
    kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=policy)
    assert kms.get_key_policy(KeyId=key["KeyId"])["Policy"] == policy
    with pytest.raises(kms.exceptions.AlreadyExistsException):
        kms.create_alias(AliasName="alias/ours", TargetKeyId=key["Arn"])
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.get_key_policy(KeyId=key["KeyId"], PolicyName="other")
    with pytest.raises(ClientError, match="no alias of one's own"):
        kms.create_alias(AliasName="ours", TargetKeyId=key["Arn"])
