"""A data folder whose files are also in a bucket, against a real S3 server."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from driftline.core.errors import NotFoundError
from driftline.core.window import Window
from driftline.jobs.shared import Shared, open_shared
from driftline.serving.segment import Segment, is_open
from driftline.storage.layout import Layout

HOUR = datetime(2026, 11, 22, 10, tzinfo=UTC)
WINDOW = Window(HOUR, HOUR + timedelta(hours=1))
NewNode = Callable[[str], Shared]


@pytest.fixture
def node(bucket_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewNode:
    """Makes data folders on one new bucket."""
    bucket = f"lake-{uuid4().hex[:12]}"
    (bucket_server.folder / bucket).mkdir()
    for name, value in {**bucket_server.environment, "DRIFTLINE_STORE": f"s3://{bucket}/some/where"}.items():
        monkeypatch.setenv(name, value)

    def make(name: str) -> Shared:
        shared = open_shared(Layout(tmp_path / name).create())
        assert shared is not None
        return shared

    return make


def put(shared: Shared, path: str, content: bytes = b"{}\n") -> Path:
    file = shared.ledger.file.parent / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def captures(shared: Shared) -> Path:
    return shared.ledger.file.parent / "captures/churn"


def test_one_node_has_what_another_sent(node: NewNode) -> None:
    first, second = node("first"), node("second")
    sent = [put(first, f"captures/churn/AllTraffic/2026/11/22/10/{name}.jsonl", name.encode()) for name in "abc"]
    first.send(*sent)
    assert [first.stored(path) for path in sent] == [True] * 3
    assert second.have_hours(captures(second), WINDOW) == 3
    fetched = sorted(captures(second).rglob("*.jsonl"))
    assert [path.read_bytes() for path in fetched] == [b"a", b"b", b"c"]
    assert second.have_hours(captures(second), WINDOW) == 0
    entries = second.ledger.entries(second.target, "captures/churn")
    assert {entry.origin for entry in entries.values()} == {"fetched"}
    assert len(entries) == 3
    assert not list(captures(second).rglob(".*"))


def test_what_was_added_to_an_object_is_fetched_again(node: NewNode) -> None:
    first, second = node("first"), node("second")
    path = put(first, "captures/churn/AllTraffic/2026/11/22/10/a.jsonl", b"1\n")
    first.send(path)
    second.have_hours(captures(second), WINDOW)
    path.write_bytes(b"1\n2\n")
    assert not first.stored(path)
    first.send(path)
    assert second.have_hours(captures(second), WINDOW) == 1
    (fetched,) = captures(second).rglob("*.jsonl")
    assert fetched.read_bytes() == b"1\n2\n"
    assert first.have_hours(captures(first), WINDOW) == 0


def test_a_file_that_is_not_stored_is_neither_replaced_nor_removed(node: NewNode) -> None:
    first, second = node("first"), node("second")
    mine = put(second, "captures/churn/AllTraffic/2026/11/22/10/mine.jsonl", b"mine\n")
    same = put(second, "captures/churn/AllTraffic/2026/11/22/10/same.jsonl", b"longer\n")
    first.send(put(first, "captures/churn/AllTraffic/2026/11/22/10/same.jsonl", b"x\n"))
    second.have_hours(captures(second), WINDOW)
    assert (mine.read_bytes(), same.read_bytes()) == (b"mine\n", b"longer\n")


def test_a_stored_file_goes_with_its_object_and_an_open_one_never(node: NewNode) -> None:
    shared = node("first")
    gone = put(shared, "captures/churn/AllTraffic/2026/11/22/10/gone.jsonl")
    grown = put(shared, "captures/churn/AllTraffic/2026/11/22/10/grown.jsonl")
    segment = Segment(captures(shared) / "AllTraffic", HOUR, UUID(int=1))
    segment.append(b"{}\n")
    shared.send(gone, grown, segment.path)
    grown.write_bytes(b"{}\n{}\n")
    for path in (gone, grown, segment.path):
        shared._objects.remove(shared.uri(path))
    shared.have_hours(captures(shared), WINDOW)
    assert (gone.exists(), grown.exists(), segment.path.exists()) == (False, True, True)
    assert not shared.ledger.entry(shared.target, "captures/churn/AllTraffic/2026/11/22/10/gone.jsonl")
    segment.close()
    shared.have_hours(captures(shared), WINDOW)
    assert not segment.path.exists()


def test_forgotten_files_are_nowhere(node: NewNode) -> None:
    shared = node("first")
    path = put(shared, "reports/churn/hourly/2026/11/22/11/report.json")
    shared.send(path)
    shared.forget(path)
    shared.forget(path)
    assert not path.exists()
    assert not shared.stored(path)
    with pytest.raises(NotFoundError):
        shared.have(path)


def test_folders_and_single_files_are_fetched_once(node: NewNode) -> None:
    first, second = node("first"), node("second")
    names = ["models/churn/1/model.json", "models/churn/1/more/a.txt", "models/churn/2/model.json"]
    first.send(*(put(first, name, name.encode()) for name in names))
    data = second.ledger.file.parent
    assert second.have(data / names[2]).read_bytes() == names[2].encode()
    second.have_folder(data / "models/churn/1")
    assert [(data / name).read_bytes() for name in names] == [name.encode() for name in names]
    assert second.stored(data / names[0])
    with pytest.raises(NotFoundError):
        second.have(data / "models/churn/3/model.json")


def test_a_segment_is_open_until_it_is_closed_or_its_process_dies(tmp_path: Path) -> None:
    segment = Segment(tmp_path, HOUR, UUID(int=1))
    assert is_open(segment.path)
    segment.append(b"{}\n")
    assert is_open(segment.path)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        os.read(reading, 1)
        os._exit(0)
    segment.close()
    assert not is_open(segment.path)
    os.write(writing, b"x")
    os.waitpid(child, 0)
    other = Segment(tmp_path, HOUR, UUID(int=2))
    other.append(b"{}\n")
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        other.forget()
        os._exit(0)
    os.waitpid(child, 0)
    assert is_open(other.path)
    os.close(other._file)
    assert not is_open(other.path)


def test_the_lock_is_the_kernels(tmp_path: Path) -> None:
    segment = Segment(tmp_path, HOUR, UUID(int=1))
    with segment.path.open("rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    segment.close()


def test_threads_send_and_look_at_once(node: NewNode) -> None:
    shared = node("first")
    paths = [put(shared, f"pieces/churn/{number}.bin") for number in range(24)]
    threads = [threading.Thread(target=shared.send, args=paths[start::3]) for start in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(map(shared.stored, paths))
