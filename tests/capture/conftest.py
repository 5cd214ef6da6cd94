"""A data folder to capture into, and what is in it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from driftline import capture
from driftline.core.records import CaptureRecord, decode_capture


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    capture.flush(data=folder)


@pytest.fixture
def records(data: Path) -> Callable[[], list[CaptureRecord]]:
    """Every record in the folder."""

    def read() -> list[CaptureRecord]:
        files = sorted((data / "captures").rglob("*.jsonl"))
        return [decode_capture(line) for file in files for line in file.read_bytes().splitlines()]

    return read
