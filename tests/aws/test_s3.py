"""Buckets through driftline's own address: boto3 on one side, the real S3 server over a folder on the other."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
import uvicorn
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from driftline.aws.assembly import front
from driftline.resources.access import NewToken, Role
from driftline.service import Service
from driftline.service.access_keys import AccessKeys
from driftline.web.connections import Connection
from driftline.web.worker import Worker

ACCOUNT = "123456789012"
# One for all: every session reads the models of its services anew.
_SESSION = boto3.Session(region_name="us-east-1")


class Buckets:
    """A service with an S3 server behind it; ``access`` says whether signatures are verified."""

    def __init__(self, service: Service, access: bool) -> None:
        self.service = service
        self.folder = service.layout.buckets
        self._behind = _listening()
        self.server = self._start()
        address = f"http://127.0.0.1:{self._behind.getsockname()[1]}"
        made = partial(front, region="us-east-1", account=ACCOUNT, s3=address)
        self.worker = Worker(service, access=access, front=made)
        listening = _listening()
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(self.worker.app, http=Connection, loop="asyncio", ws="none", log_level="error")
        self._web = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._web.run, kwargs={"sockets": [listening]})
        self._thread.start()

    def _start(self) -> subprocess.Popen[bytes]:
        descriptor = self._behind.fileno()
        words = ["--data", str(self.service.layout.data), "--socket", str(descriptor), "--parent", str(os.getpid())]
        return subprocess.Popen([sys.executable, "-m", "driftline.jobs.s3_server", *words], pass_fds=[descriptor])

    def restart(self) -> None:
        """Kill the S3 server, and start it again as its supervisor does."""
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.server = self._start()

    def client(self, key: str = "any", secret: str = "any", service: str = "s3", **options: Any) -> Any:  # noqa: S107
        """A client of boto3 that asks once."""
        options |= {"retries": {"total_max_attempts": 1}, "read_timeout": 20}
        keys = {"aws_access_key_id": key, "aws_secret_access_key": secret}
        return _SESSION.client(service, endpoint_url=self.url, config=Config(**options), **keys)

    def stop(self) -> None:
        self._web.should_exit = True
        self._thread.join()
        self.worker.captures.close()
        self.worker.requests.close()
        self.server.terminate()
        self.server.wait()
        self._behind.close()


def _listening() -> socket.socket:
    listening = socket.socket(proto=socket.IPPROTO_TCP)  # named, or answers wait for more to send
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    return listening


@pytest.fixture(scope="module")
def buckets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buckets]:
    with Service(tmp_path_factory.mktemp("open") / "data") as service:
        found = Buckets(service, access=False)
        yield found
        found.stop()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buckets]:
    with Service(tmp_path_factory.mktemp("guarded") / "data") as service:
        found = Buckets(service, access=True)
        yield found
        found.stop()


@pytest.fixture
def s3(buckets: Buckets) -> Any:
    return buckets.client()


@pytest.fixture
def bucket(s3: Any, request: pytest.FixtureRequest) -> str:
    """A bucket of the test's own."""
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]
    s3.create_bucket(Bucket=name)
    return name


def code_of(call: Callable[[], Any]) -> str:
    """The code of the error that a call ends with."""
    with pytest.raises(ClientError) as raised:
        call()
    return str(raised.value.response["Error"]["Code"])


@pytest.mark.parametrize("key", ["plain", "a b+c=d/é.txt", "~'()*!/%41&?#;:@,$", "ends/in space ", "日本/語"])
def test_any_key_goes_in_and_comes_out(s3: Any, bucket: str, buckets: Buckets, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=b"what is in it")
    assert (buckets.folder / bucket / key).read_bytes() == b"what is in it"
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"what is in it"
    assert [found["Key"] for found in s3.list_objects(Bucket=bucket, Prefix=key[:1])["Contents"]] == [key]
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == 13
    s3.delete_object(Bucket=bucket, Key=key)
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key=key)) == "NoSuchKey"


def test_keys_that_no_folder_can_hold_are_refused_once(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key=f"{'k' * 255}/{'é' * 100}", Body=b"1")
    for key in ("k" * 256, f"{'é' * 128}/k"):
        assert code_of(lambda key=key: s3.put_object(Bucket=bucket, Key=key, Body=b"1")) == "KeyTooLongError"
    with pytest.raises(ClientError, match="The specified key does not exist"):
        s3.get_object(Bucket=bucket, Key="k" * 256)
    with pytest.raises(ClientError, match="The specified bucket does not exist"):
        s3.get_object(Bucket="not-a-bucket", Key="k")


def soon(look: Callable[[], Any]) -> Any:
    """The first answer that is something: the server remembers a folder for a part of a second."""
    deadline = time.monotonic() + 10
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_files_beside_the_server_and_links_are_objects_soon(s3: Any, bucket: str, buckets: Buckets) -> None:
    captures = buckets.service.layout.data / "captures" / "churn"
    captures.mkdir(parents=True)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    (buckets.folder / bucket / "capture").symlink_to(captures, target_is_directory=True)
    (captures / "one.jsonl").write_text("{}\n")
    listed = soon(lambda: s3.list_objects_v2(Bucket=bucket).get("Contents"))
    assert [found["Key"] for found in listed] == ["capture/one.jsonl"]
    with (captures / "one.jsonl").open("a") as file:
        file.write("{}\n")
    whole = b"{}\n{}\n"
    assert soon(lambda: s3.get_object(Bucket=bucket, Key="capture/one.jsonl")["Body"].read() == whole)


def test_a_large_object_goes_up_and_comes_down_in_parts(s3: Any, bucket: str) -> None:
    content = os.urandom(1 << 20) * 17
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    s3.upload_fileobj(io.BytesIO(content), bucket, "large", Config=parts)
    found = io.BytesIO()
    s3.download_fileobj(bucket, "large", found, Config=parts)
    assert found.getvalue() == content
    ranged = s3.get_object(Bucket=bucket, Key="large", Range="bytes=100-199")
    assert ranged["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert ranged["Body"].read() == content[100:200]
    s3.copy_object(Bucket=bucket, Key="cop y", CopySource={"Bucket": bucket, "Key": "large"})
    assert s3.head_object(Bucket=bucket, Key="cop y")["ContentLength"] == len(content)


def test_many_objects_are_deleted_at_once(s3: Any, bucket: str) -> None:
    for number in range(3):
        s3.put_object(Bucket=bucket, Key=f"n/{number}", Body=b"1")
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"n/{number}"} for number in range(3)]})
    assert len(gone["Deleted"]) == 3
    s3.delete_bucket(Bucket=bucket)
    assert code_of(lambda: s3.head_bucket(Bucket=bucket)) == "404"


def test_what_is_there_already_is_the_callers(s3: Any, bucket: str) -> None:
    assert s3.create_bucket(Bucket=bucket)["Location"] == f"/{bucket}"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=ACCOUNT)
    assert code_of(lambda: s3.head_bucket(Bucket=bucket, ExpectedBucketOwner="999999999999")) == "403"


def test_conditions_on_reading_hold(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag)["Body"].read() == b"1"
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="k", IfMatch='"other"')) == "PreconditionFailed"


@pytest.mark.parametrize(
    "call",
    [
        lambda s3, bucket: s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": []}),
        lambda s3, bucket: s3.put_object_acl(Bucket=bucket, Key="k", ACL="private"),
        lambda s3, bucket: s3.get_bucket_policy(Bucket=bucket),
        lambda s3, bucket: s3.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}, ChecksumAlgorithm="CRC32"
        ),
        lambda s3, bucket: s3.delete_object(Bucket=bucket, Key="k", VersionId="1"),
        lambda s3, bucket: s3.put_object(Bucket=bucket, Key="k", Body=b"other", IfNoneMatch="*"),
    ],
)
def test_what_folders_have_not_is_refused_and_harms_nothing(s3: Any, bucket: str, call: Callable[..., Any]) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"kept")
    assert code_of(lambda: call(s3, bucket)) == "NotImplemented"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"


def test_a_body_that_is_not_what_was_signed_is_not_stored(s3: Any, bucket: str, buckets: Buckets) -> None:
    told = {"x-amz-content-sha256": hashlib.sha256(b"right").hexdigest(), "Authorization": "AWS4-HMAC-SHA256 x"}
    answer = httpx.put(f"{buckets.url}/{bucket}/k", content=b"wrong", headers=told, trust_env=False)
    assert (answer.status_code, "XAmzContentSHA256Mismatch" in answer.text) == (400, True)
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="k")) == "NoSuchKey"


@pytest.mark.parametrize(("crc", "status"), [("DUoRhQ==", 200), ("AAAAAA==", 400)])
def test_framed_bodies_are_stored_without_the_frame(bucket: str, buckets: Buckets, crc: str, status: int) -> None:
    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "content-encoding": "aws-chunked",
        "x-amz-trailer": "x-amz-checksum-crc32",
        "x-amz-decoded-content-length": "11",
    }
    frames = [
        b"6\r\nhello \r\n5;chunk-signature=0\r",
        b"\nworld\r\n0\r\nx-amz-checksum-crc32:",
        crc.encode(),
        b"\r\n\r\n",
    ]
    answer = httpx.put(f"{buckets.url}/{bucket}/k", content=iter(frames), headers=headers, trust_env=False)
    assert answer.status_code == status, answer.text
    stored = buckets.folder / bucket / "k"
    assert (stored.read_bytes() == b"hello world") if status == 200 else not stored.exists()


def test_a_server_that_was_killed_is_waited_for(s3: Any, bucket: str, buckets: Buckets) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"kept")
    buckets.restart()
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"


def test_no_server_is_an_error_that_clients_try_again(tmp_path: Path) -> None:
    with Service(tmp_path / "data") as service:
        found = Buckets(service, access=False)
        found._behind.close()
        found.server.kill()
        found.server.wait()
        try:
            assert code_of(lambda: found.client().list_buckets()) == "ServiceUnavailable"
        finally:
            found.stop()


def _keys(buckets: Buckets, name: str, role: Role) -> Any:
    """Clients' options for a new token of a role."""
    buckets.service.create_token(NewToken(name, role))
    return AccessKeys(buckets.service.store, buckets.service.layout).of(name)


def test_with_access_only_known_keys_of_the_right_role_get_in(guarded: Buckets) -> None:
    writer, reader = _keys(guarded, "w", "writer"), _keys(guarded, "r", "reader")
    s3 = guarded.client(*writer)
    s3.create_bucket(Bucket="mine")
    s3.put_object(Bucket="mine", Key="a b/é", Body=b"1")
    assert guarded.client(*reader).get_object(Bucket="mine", Key="a b/é")["Body"].read() == b"1"
    assert code_of(lambda: guarded.client(*reader).put_object(Bucket="mine", Key="k", Body=b"2")) == "AccessDenied"
    assert code_of(lambda: guarded.client("AK", "SK").list_buckets()) == "InvalidAccessKeyId"
    assert code_of(lambda: guarded.client(writer.id, "wrong").list_buckets()) == "SignatureDoesNotMatch"
    assert httpx.get(f"{guarded.url}/mine/k", headers={"x-amz-date": "x"}, trust_env=False).status_code == 403
    assert guarded.client(*reader, service="sts").get_caller_identity()["Account"] == ACCOUNT
    guarded.service.revoke_token("w")
    assert code_of(s3.list_buckets) == "InvalidAccessKeyId"
    assert code_of(guarded.client(*writer, service="sts").get_caller_identity) == "InvalidClientTokenId"


def test_what_is_written_to_a_bucket_is_added_up_in_the_audit_log(guarded: Buckets) -> None:
    writer, reader = _keys(guarded, "w2", "writer"), _keys(guarded, "r2", "reader")
    s3 = guarded.client(*writer)
    s3.create_bucket(Bucket="told")
    for key in ("a", "b", "a"):
        s3.put_object(Bucket="told", Key=key, Body=b"1")
    s3.delete_object(Bucket="told", Key="b")
    s3.get_object(Bucket="told", Key="a")
    assert code_of(lambda: guarded.client(*reader).delete_object(Bucket="told", Key="a")) == "AccessDenied"
    guarded.worker.application.auditor.flush()
    found = guarded.service.list_audit(target="told")
    assert sorted((row.actor, row.action, row.outcome, row.detail["requests"]) for row in found) == [
        ("r2", "s3.DELETE", "refused with 403", 1),
        ("w2", "s3.DELETE", "done", 1),
        ("w2", "s3.PUT", "done", 4),
    ]


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_signed_addresses_open_one_object(guarded: Buckets, version: str) -> None:
    writer = _keys(guarded, f"signs-{version}", "writer")
    guarded.client(*writer).create_bucket(Bucket=f"bucket-{version}")
    s3 = guarded.client(*writer, signature_version=version)
    key = {"Bucket": f"bucket-{version}", "Key": "a b+c/é"}
    put = s3.generate_presigned_url("put_object", Params=key)
    assert httpx.put(put, content=b"by address", trust_env=False).status_code == 200
    address = s3.generate_presigned_url("get_object", Params={**key, "ResponseContentType": "text/csv"})
    answer = httpx.get(address, trust_env=False)
    assert (answer.status_code, answer.content) == (200, b"by address")
    assert httpx.get(address.replace("a%20b", "a%20c"), trust_env=False).status_code == 403
    over = s3.generate_presigned_url("get_object", Params=key, ExpiresIn=-1 if version == "s3" else 1)
    deadline = datetime.now(UTC).timestamp() + 30
    while (answer := httpx.get(over, trust_env=False)).status_code == 200 and datetime.now(UTC).timestamp() < deadline:
        time.sleep(0.1)
    assert "Request has expired" in answer.text
