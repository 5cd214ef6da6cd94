"""A real S3 server behind everything that can go wrong on the way to it: nothing half stored is taken for whole, what
was done twice counts once, work goes on when the fault is over, and the message names the cause and no key."""

from __future__ import annotations

import hashlib
import json
import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from driftline.core.errors import DriftlineError, InputError, NotFoundError, ServiceError, SetupError
from driftline.core.uris import ObjectUri, object_uri
from driftline.storage.remote.checksums import PART
from driftline.storage.remote.trying import Patience
from driftline.storage.remote_objects import RemoteObjects

SHORT = Patience(connect=0.3, silence=0.25, request=1, total=0.5, first=0.01, most=0.05)
LONG = SHORT._replace(silence=5, request=20, total=10)
BODY = random.Random(20).randbytes(100_000)
BIG = random.Random(21).randbytes(PART + 100_000)
NAMES = {
    "refuse": "refused the connection",
    "reset": "was reset on the way",
    "half": "was reset on the way",
    "lost": "was reset on the way",
    "hang": "did not answer in time",
    "unavailable": "is not available for now (503",
    "expired": "the keys have expired",
    "denied": "the keys are wrong",
}
Operation = Callable[[RemoteObjects, ObjectUri, Path], Any]
OPERATIONS: dict[str, Operation] = {
    "read": lambda objects, uri, folder: objects.read(uri),
    "list": lambda objects, uri, folder: list(objects.listing(uri.at(uri.key.rpartition("/")[0] + "/"))),
    "write": lambda objects, uri, folder: objects.write(uri, BODY),
    "fetch": lambda objects, uri, folder: objects.fetch(uri, folder / "fetched" / "it"),
    "put_file": lambda objects, uri, folder: objects.put_file(uri, folder / "given"),
}


@pytest.fixture
def way(faulty_bucket: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The way to the server; its clients have the right keys."""
    for name, value in faulty_bucket.environment.items():
        monkeypatch.setenv(name, value)
    (faulty_bucket.folder / "lake").mkdir(exist_ok=True)
    return faulty_bucket


@pytest.fixture
def uri() -> ObjectUri:
    """An address of the test's own."""
    return object_uri(f"s3://lake/{uuid4().hex}/it")


def lying(way: Any, uri: ObjectUri) -> bytes | None:
    """What the server's folder has."""
    file = way.folder / uri.bucket / uri.key
    return file.read_bytes() if file.exists() else None


def put(way: Any, uri: ObjectUri, content: bytes) -> None:
    """Lay an object down without the network."""
    file = way.folder / uri.bucket / uri.key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def failed(call: Callable[[], Any]) -> DriftlineError:
    with pytest.raises(DriftlineError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", NAMES)
def test_a_fault_is_named_and_leaves_nothing_half(
    way: Any, uri: ObjectUri, tmp_path: Path, fault: Any, operation: str
) -> None:
    act, old = OPERATIONS[operation], b"as it was"
    put(way, uri, old)
    (tmp_path / "given").write_bytes(BODY)
    objects = RemoteObjects(way.url, SHORT)
    way.fault = fault
    begun = time.monotonic()
    error = failed(lambda: act(objects, uri, tmp_path))
    assert time.monotonic() - begun < SHORT.total + 2 * SHORT.request
    assert isinstance(error, ServiceError)
    assert NAMES[fault] in error.evidence
    assert error.what.startswith("cannot ")
    assert error.hint
    for secret in (way.environment["AWS_SECRET_ACCESS_KEY"], way.environment["AWS_ACCESS_KEY_ID"]):
        assert secret not in str(error)
    assert not list(tmp_path.glob("fetched/*")), "a broken copy leaves nothing"
    writes = operation in ("write", "put_file")
    assert lying(way, uri) == (BODY if writes and fault == "lost" else old), "whole, or as it was"
    way.fault = None
    act(objects, uri, tmp_path)
    assert lying(way, uri) == (BODY if writes else old)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", ["reset", "half", "lost", "unavailable", "torn"])
def test_a_fault_that_passes_is_not_noticed(
    way: Any, uri: ObjectUri, tmp_path: Path, fault: Any, operation: str
) -> None:
    put(way, uri, BODY)
    (tmp_path / "given").write_bytes(BODY)
    objects = RemoteObjects(way.url, LONG)
    way.fail(fault, 2)
    found = OPERATIONS[operation](objects, uri, tmp_path)
    assert way.seen[fault] == 2
    assert lying(way, uri) == BODY
    if operation == "read":
        assert found == BODY
    if operation == "list":
        assert [(one.uri, one.size) for one in found] == [(uri, len(BODY))]
    if operation == "fetch":
        assert (tmp_path / "fetched" / "it").read_bytes() == BODY


def test_connections_that_are_refused_for_a_while(way: Any, uri: ObjectUri, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(BODY)
    objects = RemoteObjects(way.url, LONG)
    way.fault = "refuse"
    back = threading.Timer(0.3, setattr, (way, "fault", None))
    back.start()
    objects.put_file(uri, tmp_path / "given")
    back.join()
    assert lying(way, uri) == BODY


def test_what_was_written_twice_counts_once(way: Any, uri: ObjectUri) -> None:
    objects = RemoteObjects(way.url, LONG)
    way.fail("lost", 3)
    objects.write(uri, BODY)
    assert sum(line.startswith("PUT ") for line in way.log) == 4
    (only,) = objects.listing(uri.at(uri.key.rpartition("/")[0] + "/"))
    assert (only.uri, only.size) == (uri, len(BODY))


def test_a_slow_store_is_waited_for(way: Any, uri: ObjectUri, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(BODY)
    way.fault, way.rate = "slow", 400_000
    objects = RemoteObjects(way.url, LONG)
    objects.put_file(uri, tmp_path / "given")
    objects.fetch(uri, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == BODY


def test_bytes_that_change_on_the_way_are_sent_again(way: Any, uri: ObjectUri, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(BODY)
    objects = RemoteObjects(way.url, LONG)
    way.fail("corrupt")
    stored = objects.put_file(uri, tmp_path / "given")
    assert stored == (len(BODY), hashlib.md5(BODY, usedforsecurity=False).hexdigest())
    assert lying(way, uri) == BODY
    way.fault = "corrupt"
    error = failed(lambda: RemoteObjects(way.url, SHORT).put_file(uri, tmp_path / "given"))
    assert "its checksum or size is another" in error.evidence
    assert lying(way, uri) is None, "what is spoiled is not left for others"


def test_a_large_file_goes_in_parts_and_its_parts_again(way: Any, uri: ObjectUri, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(BIG)
    objects = RemoteObjects(way.url, LONG)
    for fault in ("half", "lost", "corrupt"):
        way.fail(fault, 2)
        stored = objects.put_file(uri, tmp_path / "given")
        digests = [hashlib.md5(part, usedforsecurity=False).digest() for part in (BIG[:PART], BIG[PART:])]
        whole = hashlib.md5(b"".join(digests), usedforsecurity=False).hexdigest()
        assert stored == (len(BIG), f"{whole}-2"), fault
        assert lying(way, uri) == BIG, fault
    way.fault = "half"
    other = uri / "other"
    assert "was reset" in failed(lambda: RemoteObjects(way.url, SHORT).put_file(other, tmp_path / "given")).evidence
    assert lying(way, other) is None, "parts of an upload that was given up are no object"


def test_a_copy_that_breaks_off_goes_on_where_it_was(way: Any, uri: ObjectUri, tmp_path: Path) -> None:
    put(way, uri, BIG)
    way.after(PART + 10)
    way.fail("torn", 3)
    RemoteObjects(way.url, LONG).fetch(uri, tmp_path / "it")
    assert (tmp_path / "it").read_bytes() == BIG
    assert way.seen["down"] < 1.5 * len(BIG)
    assert any("range:" in head.lower() for head in way.heads)


def test_a_file_that_grows_is_stored_as_far_as_was_said(way: Any, uri: ObjectUri, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.write_bytes(b"line 1\nline 2\nli")
    objects = RemoteObjects(way.url, LONG)
    assert objects.put_file(uri, given, 14).size == 14
    assert lying(way, uri) == b"line 1\nline 2\n"
    given.write_bytes(b"line 1\nline 2\nline 3\n")
    assert objects.put_file(uri, given).size == 21
    assert objects.put_file(uri / "nothing", given, 0).size == 0
    assert objects.read(uri) == given.read_bytes()
    assert isinstance(failed(lambda: objects.put_file(uri, tmp_path / "absent")), SetupError)


def test_keys_that_are_wrong_are_told_without_them(way: Any, uri: ObjectUri, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in way.strangers.items():
        monkeypatch.setenv(name, value)
    error = failed(lambda: RemoteObjects(way.url, SHORT).write(uri, BODY))
    assert "the keys are wrong (403 SignatureDoesNotMatch" in error.evidence
    assert "AWS_SECRET_ACCESS_KEY" in error.hint
    assert way.strangers["AWS_SECRET_ACCESS_KEY"] not in str(error)


def test_a_bucket_that_is_not_there_is_told(way: Any, tmp_path: Path) -> None:
    objects, nowhere = RemoteObjects(way.url, SHORT), object_uri("s3://no-such-lake/a")
    (tmp_path / "given").write_bytes(BODY)
    for act in OPERATIONS.values():
        error = failed(lambda act=act: act(objects, nowhere, tmp_path))  # type: ignore[misc]
        assert "no bucket" in error.what or "the bucket is not there" in error.evidence
        assert error.hint == "make the bucket, or correct its name"
    assert isinstance(failed(lambda: objects.read(nowhere)), NotFoundError)


PROFILE = """
[profile worker]
region = eu-west-1
credential_process = {python} {program}
"""
PROGRAM = """
import json, pathlib
state = pathlib.Path({state!r})
asked = json.loads(state.read_text())
state.write_text(json.dumps(asked | {{"count": asked["count"] + 1}}))
print(json.dumps({{"Version": 1, **asked["keys"]}}))
"""


class Session:
    """A profile whose keys come from a program, as those of a company's login do."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._state, program, config = folder / "state.json", folder / "keys.py", folder / "config"
        program.write_text(PROGRAM.format(state=str(self._state)))
        config.write_text(PROFILE.format(python=sys.executable, program=program))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        for name, value in (("AWS_CONFIG_FILE", config), ("AWS_SHARED_CREDENTIALS_FILE", folder / "no")):
            monkeypatch.setenv(name, str(value))
        monkeypatch.setenv("AWS_PROFILE", "worker")

    def has(self, key: str, secret: str, seconds: float) -> None:
        """The keys that the program gives from now on, and in how many seconds they expire."""
        expiry = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        keys = {"AccessKeyId": key, "SecretAccessKey": secret, "Expiration": expiry}
        self._state.write_text(json.dumps({"keys": keys, "count": 0}))

    @property
    def asked(self) -> int:
        """How often it was asked since."""
        return int(json.loads(self._state.read_text())["count"])


@pytest.fixture
def session(way: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    return Session(tmp_path, monkeypatch)


def test_keys_are_asked_for_again_before_they_expire(way: Any, uri: ObjectUri, session: Session) -> None:
    right = (way.environment["AWS_ACCESS_KEY_ID"], way.environment["AWS_SECRET_ACCESS_KEY"])
    session.has(*right, 3600)
    objects = RemoteObjects(way.url, SHORT)
    for _ in range(3):
        objects.write(uri, BODY)
    assert session.asked == 1, "keys that are good for an hour are kept"
    session.has(*right, 60)
    objects = RemoteObjects(way.url, SHORT)
    objects.write(uri, b"1")
    before = session.asked
    objects.write(uri, b"2")
    assert session.asked > before, "keys that are good for a minute are not"


def test_keys_that_expired_all_the_same_are_read_anew_once(way: Any, uri: ObjectUri, session: Session) -> None:
    right = (way.environment["AWS_ACCESS_KEY_ID"], way.environment["AWS_SECRET_ACCESS_KEY"])
    session.has("AKIAOLD0000000000000", "an-old-secret", 3600)
    objects = RemoteObjects(way.url, SHORT)
    assert "the keys are wrong" in failed(lambda: objects.write(uri, BODY)).evidence
    session.has(*right, 3600)
    way.fail("expired")
    objects.write(uri, BODY)
    assert lying(way, uri) == BODY
    way.fault = "expired"
    way.log.clear()
    error = failed(lambda: objects.write(uri, b"more"))
    assert "the keys have expired (400 ExpiredToken" in error.evidence
    assert "renew" in error.hint
    assert len(way.log) == 1, "the same keys are not tried again"
    assert "an-old-secret" not in str(error)


def test_encryption_by_the_server_is_asked_for(way: Any, uri: ObjectUri, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_SSE", "AES256")
    RemoteObjects(way.url, SHORT).write(uri, BODY)
    assert "x-amz-server-side-encryption: AES256" in way.heads[-1]
    monkeypatch.delenv("DRIFTLINE_SSE")
    monkeypatch.setenv("DRIFTLINE_SSE_KMS_KEY", "arn:aws:kms:eu-west-1:1:key/k")
    RemoteObjects(way.url, SHORT).write(uri, BODY)
    assert "x-amz-server-side-encryption: aws:kms" in way.heads[-1]
    assert "x-amz-server-side-encryption-aws-kms-key-id: arn:aws:kms:eu-west-1:1:key/k" in way.heads[-1]
    assert "x-amz-checksum-sha256:" in way.heads[-1]
    for kind, key in (("rot13", ""), ("AES256", "a-key")):
        monkeypatch.setenv("DRIFTLINE_SSE", kind)
        monkeypatch.setenv("DRIFTLINE_SSE_KMS_KEY", key)
        assert isinstance(failed(lambda: RemoteObjects(way.url, SHORT)), InputError)


def test_the_address_of_other_programs_is_not_taken(way: Any, uri: ObjectUri, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    RemoteObjects(way.url, SHORT).write(uri, BODY)
    assert lying(way, uri) == BODY


def test_many_threads_at_once(way: Any, uri: ObjectUri, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(BIG)
    objects, errors = RemoteObjects(way.url, LONG), []

    def work(number: int) -> None:
        try:
            objects.put_file(uri / str(number), tmp_path / "given")
            objects.fetch(uri / str(number), tmp_path / str(number))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert all((tmp_path / str(number)).read_bytes() == BIG for number in range(4))
