"""The endpoints in a file, for a start without the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftline.core.errors import SetupError
from driftline.resources.endpoints import CaptureSettings
from driftline.serving.endpoints import EndpointConfig
from driftline.serving.known import recall, remember


def served(data: Path) -> list[EndpointConfig]:
    capture = CaptureSettings(percent=20, output=False)
    model = EndpointConfig("churn", data / "models" / "churn" / "a" / "model.json", "Blue", capture, 7)
    return [model, EndpointConfig("far", None, revision=8, upstream="http://models.example:8000/v1")]


def test_endpoints_come_back_as_they_were_also_from_a_folder_that_moved(tmp_path: Path) -> None:
    file = tmp_path / "known.json"
    remember(file, tmp_path, served(tmp_path))
    assert recall(file, tmp_path) == served(tmp_path)
    assert recall(file, Path("/elsewhere")) == served(Path("/elsewhere"))


def test_the_file_is_written_only_when_something_changed(tmp_path: Path) -> None:
    file = tmp_path / "known.json"
    remember(file, tmp_path, served(tmp_path))
    first = file.stat()
    remember(file, tmp_path, served(tmp_path))
    assert file.stat().st_ino == first.st_ino
    remember(file, tmp_path, served(tmp_path)[:1])
    assert [one.name for one in recall(file, tmp_path)] == ["churn"]
    assert [path.name for path in tmp_path.iterdir()] == ["known.json"]


def test_a_file_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "known.json").write_bytes(b'{"endpoints": [{')
    with pytest.raises(SetupError, match="cannot be read") as caught:
        recall(tmp_path / "known.json", tmp_path)
    assert "wait for the database" in caught.value.hint
