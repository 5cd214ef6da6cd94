"""Looking at hour folders within bounds, whatever lies in them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftline.storage import hour_folders
from driftline.storage.hour_folders import HourFolder, bases, count_lines, first_lines, look

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOURS = [TEN, TEN + timedelta(hours=1)]


def write(root: Path, name: str, data: bytes = b"{}\n", hour: str = "2026/11/22/10") -> Path:
    path = root / hour / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_files_of_all_variants_are_found_by_hour(tmp_path: Path) -> None:
    first, second = write(tmp_path / "A", "1.jsonl", b"{}\n{}\n"), write(tmp_path / "B", "2.jsonl")
    write(tmp_path / "A", "x.tmp")
    write(tmp_path / "A", "3.jsonl", hour="2026/11/22/12")
    (tmp_path / "A" / "2026/11/22/10" / "folder.jsonl").mkdir()
    write(tmp_path, "0.jsonl", hour="2026/11/22/11")
    folders = bases(tmp_path)
    assert folders == [tmp_path, tmp_path / "A", tmp_path / "B"]
    assert look(folders, HOURS) == [
        HourFolder(TEN, 2, 9, more=False, paths=(str(first), str(second))),
        HourFolder(HOURS[1], 1, 3, more=False, paths=(str(tmp_path / "2026/11/22/11/0.jsonl"),)),
    ]


def test_what_is_not_there_is_an_hour_without_files(tmp_path: Path) -> None:
    assert bases(tmp_path / "none") == [tmp_path / "none"]
    assert look([tmp_path / "none"], HOURS[:1]) == [HourFolder(TEN, 0, 0, more=False)]
    (tmp_path / "file").write_bytes(b"")
    assert bases(tmp_path / "file") == [tmp_path / "file"]
    assert look([tmp_path / "file"], HOURS[:1]) == [HourFolder(TEN, 0, 0, more=False)]


def test_a_folder_full_of_files_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hour_folders, "MOST_FILES", 3)
    monkeypatch.setattr(hour_folders, "_MOST_ENTRIES", 4)
    for hour in ("2026/11/22/10", "2026/11/22/11"):
        for place in range(5):
            write(tmp_path, f"{place}.jsonl", hour=hour)
    assert [(hour.files, hour.more) for hour in look([tmp_path], HOURS)] == [(3, True), (1, True)]


def test_of_many_variants_the_first_are_looked_at(tmp_path: Path) -> None:
    for place in range(60):
        (tmp_path / f"v{place}").mkdir()
    assert len(bases(tmp_path)) == 21


def test_lines_are_counted_within_bounds(tmp_path: Path) -> None:
    paths = [str(write(tmp_path, f"{place}.jsonl", b"{}\n" * 10)) for place in range(4)]
    assert count_lines(paths) == (40, True)
    assert count_lines(paths, most_files=2) == (20, False)
    assert count_lines(paths, most_bytes=45) == (15, False)
    assert count_lines([*paths, str(tmp_path / "gone")]) == (40, True)
    assert count_lines([]) == (0, True)


def test_the_first_lines_of_a_huge_one_are_cut(tmp_path: Path) -> None:
    path = write(tmp_path, "1.jsonl", b"a\n\n" + b"\xff" * 500)
    assert first_lines(str(path), 5, most_bytes=10) == ["a", "\ufffd" * 7]
    assert first_lines(str(path), 1) == ["a"]
    assert first_lines(str(tmp_path / "gone"), 5) == []


def test_links_and_pipes_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    folder = write(tmp_path, "1.jsonl").parent
    (folder / "link.jsonl").symlink_to(secret)
    os.mkfifo(folder / "pipe.jsonl")
    assert first_lines(str(folder / "link.jsonl"), 5) == []
    assert count_lines([str(folder / "link.jsonl")]) == (0, True)
    [hour] = look([tmp_path], HOURS[:1])
    assert str(folder / "pipe.jsonl") not in hour.paths
    assert first_lines(str(folder / "pipe.jsonl"), 5) == []
