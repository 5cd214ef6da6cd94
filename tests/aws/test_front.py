"""Real clients against a started server: each protocol there and back, errors, and what is not an AWS client's."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:0.90-1-cpu-py3"
ROLE = "arn:aws:iam::123456789012:role/service-role/Ours"
CONTAINER = {"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz", "Environment": {"A": "1"}}


def refused(call: Any, **given: Any) -> dict[str, Any]:
    """The error of a call, with its status."""
    with pytest.raises(ClientError) as raised:
        call(**given)
    answer: dict[str, Any] = raised.value.response
    return answer["Error"] | {"Status": answer["ResponseMetadata"]["HTTPStatusCode"], "Raised": raised.value}


def test_json_goes_there_and_back(shared_server: Any) -> None:
    sagemaker = shared_server.client("sagemaker")
    made = sagemaker.create_model(ModelName="there", PrimaryContainer=CONTAINER, ExecutionRoleArn=ROLE)
    assert made["ModelArn"] == "arn:aws:sagemaker:eu-central-1:123456789012:model/there"
    shown = sagemaker.describe_model(ModelName="there")
    assert shown["PrimaryContainer"] == CONTAINER
    assert shown["CreationTime"].timestamp() == shared_server.context.now().timestamp()
    assert shown["ResponseMetadata"]["RequestId"] == shown["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]
    assert shown["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/x-amz-json-1.1"
    sagemaker.delete_model(ModelName="there")
    error = refused(sagemaker.describe_model, ModelName="there")
    assert (error["Code"], error["Status"]) == ("ValidationException", 400)
    assert "Could not find model" in error["Message"]
    error = refused(sagemaker.describe_monitoring_schedule, MonitoringScheduleName="there")
    assert (error["Code"], error["Status"]) == ("ResourceNotFound", 400)
    assert isinstance(error["Raised"], sagemaker.exceptions.ResourceNotFound)


def test_what_exists_is_not_made_again(shared_server: Any) -> None:
    sagemaker = shared_server.client("sagemaker")
    sagemaker.create_model(ModelName="twice", PrimaryContainer=CONTAINER)
    error = refused(sagemaker.create_model, ModelName="twice", PrimaryContainer=CONTAINER)
    assert (error["Code"], error["Message"][:36]) == ("ValidationException", "Cannot create already existing model")


def test_clients_that_sign_nothing_are_answered_too(shared_server: Any) -> None:
    sagemaker = shared_server.client("sagemaker", config={"signature_version": UNSIGNED})
    assert refused(sagemaker.describe_model, ModelName="none")["Code"] == "ValidationException"
    assert "Arn" in shared_server.client("sts", config={"signature_version": UNSIGNED}).get_caller_identity()


def test_the_service_says_what_it_does_not_allow(shared_server: Any) -> None:
    sagemaker = shared_server.client("sagemaker")
    error = refused(sagemaker.describe_model, ModelName="a" * 64)
    assert error["Code"] == "ValidationException"
    assert error["Message"] == (
        f"1 validation error detected: Value '{'a' * 64}' at 'modelName' failed to satisfy constraint: "
        "Member must have length less than or equal to 63"
    )


def test_every_failure_is_told(shared_server: Any) -> None:
    tags = [{"Key": "", "Value": "v"}, {"Key": "k"}]
    body = {"ModelName": "a b", "PrimaryContainer": {"Mode": "Any", "Imige": "x"}, "Tags": tags}
    answer = shared_server.target("SageMaker.CreateModel", json.dumps(body))
    told = answer.json()["message"]
    assert answer.status_code == 400
    assert told.startswith("5 validation errors detected: ")
    for place in ("modelName", "primaryContainer.mode", "primaryContainer.imige", "tags.1.member.key"):
        assert f"'{place}'" in told
    assert "Value null at 'tags.2.member.value' failed to satisfy constraint: Member must not be null" in told
    assert "Member must satisfy enum value set: [SingleModel, MultiModel]" in told


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("SageMaker.CreateTrainingJob", "driftline does not answer sagemaker CreateTrainingJob"),
        ("SageMaker.CreateNothing", "driftline does not answer sagemaker CreateNothing"),
        ("Logs_20140328.TestTransformer", "driftline does not answer logs TestTransformer"),
        ("AmazonEC2ContainerRegistry_V20150921.ListImages", "driftline does not answer AmazonEC2Container"),
        ("", "driftline does not answer"),
    ],
)
def test_operations_that_are_not_there(shared_server: Any, target: str, told: str) -> None:
    answer = shared_server.target(target)
    document = answer.json()
    assert answer.status_code == 400
    assert document["__type"] == "UnknownOperationException"
    assert told in document["message"]


def test_actions_that_are_not_there(shared_server: Any) -> None:
    error = refused(shared_server.client("sts").get_federation_token, Name="name")
    assert (error["Code"], error["Status"]) == ("InvalidAction", 400)
    assert "driftline does not answer sts GetFederationToken" in error["Message"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b"3",
        b'{"ModelName": 3}',
        b'{"ModelName": ["a"]}',
        b'{"ModelName": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"ModelName": "a", "PrimaryContainer": []}',
        b'{"ModelName": "a", "Tags": {}}',
        b'{"ModelName": "a", "EnableNetworkIsolation": "yes"}',
        b'{"ModelName": "a", "PrimaryContainer": {"Environment": {"A": 1}}}',
    ],
)
def test_what_cannot_be_read_is_told_so(shared_server: Any, body: bytes) -> None:
    answer = shared_server.target("SageMaker.CreateModel", body)
    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize("packing", [{"Content-Encoding": "br"}, {"Content-Encoding": "gzip"}])
def test_bodies_in_other_packings_are_refused(shared_server: Any, packing: dict[str, str]) -> None:
    answer = shared_server.target("SageMaker.DescribeModel", b'{"ModelName": "a"}', **packing)
    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")


def test_other_charsets_are_refused(shared_server: Any) -> None:
    kind = {"Content-Type": "application/x-amz-json-1.1; charset=utf-16"}
    answer = shared_server.target("SageMaker.DescribeModel", '{"ModelName": "a"}'.encode("utf-16"), **kind)
    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")


def test_packed_bodies_are_unpacked_to_a_limit(shared_server: Any) -> None:
    packed = gzip.compress(b'{"ModelName": "none"}')
    answer = shared_server.target("SageMaker.DescribeModel", packed, **{"Content-Encoding": "gzip"})
    assert answer.json()["__type"] == "ValidationException"
    assert "Could not find model" in answer.text
    bomb = gzip.compress(b" " * (5 << 20), 1)
    answer = shared_server.target("SageMaker.DescribeModel", bomb, **{"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["__type"]) == (413, "RequestEntityTooLargeException")


def test_huge_bodies_are_refused(shared_server: Any) -> None:
    answer = shared_server.target("SageMaker.DescribeModel", b" " * (5 << 20))
    assert (answer.status_code, answer.json()["__type"]) == (413, "RequestEntityTooLargeException")


def test_whoever_is_no_aws_client_is_answered_as_before(shared_server: Any) -> None:
    http = shared_server.http
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.post("/", data={"Action": "GetCallerIdentity", "Version": "2011-06-15"}).status_code == 405
    unknown = http.post("/endpoints/none/invocations", content="1", headers={"Content-Type": "text/csv"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


def test_cbor_is_refused_in_its_own_words(shared_server: Any) -> None:
    answer = shared_server.http.post(
        "/service/GraniteServiceVersion20100801/operation/ListMetrics",
        content=b"\xa0",
        headers={"smithy-protocol": "rpc-v2-cbor"},
    )
    assert (answer.status_code, answer.headers["smithy-protocol"]) == (400, "rpc-v2-cbor")
    assert b"UnknownOperationException" in answer.content


def test_signed_requests_of_other_services_are_told_so(shared_server: Any) -> None:
    error = refused(shared_server.client("lambda").list_functions)
    assert error["Code"] == "UnknownOperationException"
    assert "lambda" in error["Message"]


def test_models_of_services_are_read_when_they_are_asked_for() -> None:
    program = (
        "import driftline.aws.front; from driftline.aws.protocol import models; "
        "assert models._model.cache_info().currsize == 0; "
        "assert models.model('sts') is models.model('sts')"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
