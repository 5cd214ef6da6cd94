"""Files that a task does not find where the driver does are fetched from the store of the nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from driftline.core.uris import object_uri
from driftline.pipeline.run import SparkSettings
from driftline.pipeline.spark.session import FromStore, tasks_of
from driftline.storage.buckets import open_objects
from driftline.storage.layout import Layout


def test_a_task_fetches_what_is_not_on_its_machine(
    bucket_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in bucket_server.environment.items():
        monkeypatch.setenv(name, value)
    (bucket_server.folder / "nodes").mkdir()
    data = tmp_path / "data"
    here, there = data / "captures" / "here.jsonl", data / "captures" / "there.jsonl"
    here.parent.mkdir(parents=True)
    here.write_bytes(b"{}\n")
    objects = open_objects(Layout(data))
    objects.write(object_uri("s3://nodes/prefix/captures/there.jsonl"), b'{"a": 1}\n')
    fetch = FromStore(str(data), "s3://nodes/prefix")
    (tmp_path / "task").mkdir()
    first, second = fetch([str(here), str(there)], str(tmp_path / "task"))
    assert first == str(here)
    assert Path(second).is_relative_to(tmp_path / "task")
    assert Path(second).read_bytes() == b'{"a": 1}\n'


def test_files_are_grouped_as_one_machine_takes_them(tmp_path: Path) -> None:
    files = [str(tmp_path / f"{n}.jsonl") for n in range(4)]
    for file in files:
        Path(file).write_bytes(b"x" * 8000)
    assert tasks_of(files, SparkSettings("local[2]")).groups == [files[:2], files[2:]]
