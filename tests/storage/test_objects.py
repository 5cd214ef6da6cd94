"""Objects in folders and in a real S3 server over a folder: one behaviour."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from driftline.core.errors import InputError, NotFoundError, ServiceError, SetupError
from driftline.core.uris import object_uri
from driftline.storage.buckets import open_objects
from driftline.storage.layout import Layout
from driftline.storage.objects import Objects
from driftline.storage.remote.trying import Patience
from driftline.storage.remote_objects import RemoteObjects

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture(params=["folder", "server"])
def objects(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Objects:
    bucket = tmp_path / "s3" / "lake"
    if request.param == "server":
        server = request.getfixturevalue("bucket_server")
        _use(monkeypatch, server.environment)
        bucket = server.folder / "lake"
    else:
        monkeypatch.delenv("DRIFTLINE_S3_ENDPOINT", raising=False)
    bucket.mkdir(parents=True, exist_ok=True)
    return open_objects(Layout(tmp_path))


def test_what_is_written_is_read_listed_and_fetched(objects: Objects, tmp_path: Path) -> None:
    root = object_uri("s3://lake/what is+here")
    keys = ("a/1.jsonl", "a/b/2.jsonl", "a-b/é=3.jsonl", "ab.jsonl")
    for number, key in enumerate(keys):
        objects.write(root / key, b"x" * number)
    assert objects.read(root / "a-b/é=3.jsonl") == b"xx"
    found = list(objects.listing(root / "a"))
    assert [one.uri for one in found] == [root / key for key in sorted(keys)]
    assert {one.uri: one.size for one in found} == {root / key: number for number, key in enumerate(keys)}
    assert [one.uri for one in objects.listing(root / "a/")] == [root / "a/1.jsonl", root / "a/b/2.jsonl"]
    level = objects.level(root)
    assert (level.folders, [one.uri for one in level.objects]) == (("a", "a-b"), [root / "ab.jsonl"])
    objects.fetch(root / "ab.jsonl", tmp_path / "kept" / "copy")
    assert (tmp_path / "kept" / "copy").read_bytes() == b"xxx"
    objects.put_file(root / "again", tmp_path / "kept" / "copy")
    assert objects.read(root / "again") == b"xxx"
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["copy"]


def test_what_is_not_there_is_nothing_or_an_error(objects: Objects, tmp_path: Path) -> None:
    nowhere = object_uri("s3://lake/nowhere")
    assert list(objects.listing(nowhere)) == []
    assert objects.level(nowhere) == ((), ())
    with pytest.raises(NotFoundError, match="there is no object s3://lake/nowhere"):
        objects.read(nowhere)
    with pytest.raises(NotFoundError):
        objects.fetch(nowhere, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_other_keys_than_the_servers_are_told_without_them(
    bucket_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(monkeypatch, bucket_server.environment | {"AWS_ACCESS_KEY_ID": "AKIASOMEBODYELSE0000"})
    with pytest.raises(ServiceError) as caught:
        open_objects(Layout(tmp_path)).read(object_uri("s3://lake/a"))
    assert "cannot read s3://lake/a" in str(caught.value)
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint
    assert bucket_server.environment["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)


def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    _use(monkeypatch, {"DRIFTLINE_S3_ENDPOINT": f"http://127.0.0.1:{port}"} | dict.fromkeys(KEYS, "a-secret-of-mine"))
    with pytest.raises(ServiceError, match="cannot write s3://lake/a") as caught:
        RemoteObjects(f"http://127.0.0.1:{port}", Patience(total=0.1)).write(object_uri("s3://lake/a"), b"x")
    assert f"http://127.0.0.1:{port}" in caught.value.hint
    assert "a-secret-of-mine" not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "ftp://there", "http://", "http://me:mysecret@there:9000"])
def test_an_endpoint_that_is_none_is_refused(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch, {"DRIFTLINE_S3_ENDPOINT": endpoint})
    with pytest.raises(InputError) as caught:
        open_objects(Layout(tmp_path))
    assert "mysecret" not in str(caught.value)


def test_without_keys_the_variables_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = {name: str(tmp_path / "nothing") for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")}
    _use(monkeypatch, {"DRIFTLINE_S3_ENDPOINT": "aws", "AWS_EC2_METADATA_DISABLED": "true"} | nothing)
    for name in (*KEYS, "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SetupError, match="there are no keys for the buckets") as caught:
        open_objects(Layout(tmp_path))
    assert "AWS_PROFILE" in caught.value.hint


def _use(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
