"""The key of the data folder: made once, for its owner, and the same for everyone who asks."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from driftline.core.errors import SetupError
from driftline.storage.capture_key import KEY_BYTES, read_or_make


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "capture.key"
    key = read_or_make(path)
    assert len(key) == KEY_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_make(path) == key
    assert [file.name for file in path.parent.iterdir()] == ["capture.key"], "nothing else is left"
    assert read_or_make(tmp_path / "other.key") != key


def test_all_who_come_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: read_or_make(tmp_path / "capture.key"), range(64)))
    assert len(keys) == 1


def test_a_key_that_cannot_be_used_says_why_without_it(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"not a key")
    with pytest.raises(SetupError, match="is no key") as told:
        read_or_make(tmp_path / "short")
    assert "not a key" not in str(told.value)
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="cannot be used"):
        read_or_make(tmp_path / "file" / "capture.key")
