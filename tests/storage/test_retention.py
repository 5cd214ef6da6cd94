"""Old hours leave the disk whole, and nothing else does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.window import partition
from driftline.storage.retention import sweep_file, sweep_hours

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def fill(root: Path, hours: list[datetime], *, above: str = "AllTraffic", content: str = "12345") -> None:
    for hour in hours:
        folder = root / above / partition(hour)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "one.jsonl").write_text(content)
        (folder / "two.jsonl").write_text(content)


def left(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.jsonl"))


def test_hours_that_are_over_go_with_their_folders(tmp_path: Path) -> None:
    fill(tmp_path, [NOON - 30 * HOUR, NOON - HOUR, NOON, NOON + HOUR])
    swept = sweep_hours(tmp_path, NOON + timedelta(minutes=59), above=1)
    assert (swept.files, swept.bytes, swept.skipped) == (4, 20, [])
    day = tmp_path / "AllTraffic" / "2026" / "11" / "22"
    assert sorted(folder.name for folder in day.iterdir()) == ["12", "13"]
    assert not (day.parent / "21").exists()


def test_a_dry_run_counts_the_same_and_takes_nothing(tmp_path: Path) -> None:
    fill(tmp_path, [NOON - 30 * HOUR, NOON])
    before = left(tmp_path)
    tried = sweep_hours(tmp_path, NOON, above=1, dry_run=True)
    assert left(tmp_path) == before
    assert sweep_hours(tmp_path, NOON, above=1) == tried
    assert sweep_hours(tmp_path, NOON, above=1).files == 0


def test_folders_that_are_no_hours_are_not_touched(tmp_path: Path) -> None:
    for name in ("notes", "2026/11/old/10", "20260/01/01/01", "2026/11/21/1", "2026/1/21/10"):
        (tmp_path / "v" / name).mkdir(parents=True)
        (tmp_path / "v" / name / "keep.jsonl").write_text("x")
    (tmp_path / "v" / "2026" / "11" / "keep.jsonl").write_text("x")
    assert sweep_hours(tmp_path, NOON, above=1).files == 0
    assert len(left(tmp_path)) == 6


def test_what_stands_deeper_in_an_hour_goes_with_it(tmp_path: Path) -> None:
    fill(tmp_path, [NOON - HOUR], above="hourly")
    inner = tmp_path / "hourly" / partition(NOON - HOUR) / "revision-2"
    inner.mkdir()
    (inner / "report.html").write_text("<p>")
    assert sweep_hours(tmp_path, NOON, above=1).files == 3
    assert not inner.exists()


@pytest.mark.parametrize("place", ["2026", "2026/11", "2026/11/21", "2026/11/21/10", ""])
def test_a_link_in_the_place_of_a_folder_is_left_alone(tmp_path: Path, place: str) -> None:
    elsewhere, root = tmp_path / "elsewhere", tmp_path / "root"
    fill(elsewhere, [datetime(2026, 11, 21, 10, tzinfo=UTC)], above="")
    target = elsewhere / place
    link = root / "v" / place if place else root / "v"
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    swept = sweep_hours(root, NOON, above=1)
    assert swept.files == 0
    assert [line.rpartition(": ")[2] for line in swept.skipped] == ["a symbolic link is not followed"]
    assert len(left(elsewhere)) == 2


def test_a_root_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    fill(tmp_path / "real", [NOON - HOUR])
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert "not followed" in sweep_hours(tmp_path / "link", NOON, above=1).skipped[0]
    assert len(left(tmp_path / "real")) == 2


def test_a_link_among_the_files_goes_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    precious = tmp_path / "precious.jsonl"
    precious.write_text("x" * 1000)
    fill(tmp_path / "root", [NOON - HOUR])
    hour = tmp_path / "root" / "AllTraffic" / partition(NOON - HOUR)
    (hour / "link.jsonl").symlink_to(precious)
    (hour / "folder").symlink_to(tmp_path)
    assert sweep_hours(tmp_path / "root", NOON, above=1).files == 4
    assert precious.read_text() == "x" * 1000
    assert not hour.exists()


def test_what_cannot_be_deleted_is_named_and_the_rest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, [NOON - 2 * HOUR, NOON - HOUR])
    real = os.unlink

    def refuse(name: str, *, dir_fd: int | None = None) -> None:
        if name == "one.jsonl":
            raise PermissionError(13, "Permission denied")
        real(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refuse)
    swept = sweep_hours(tmp_path, NOON, above=1)
    assert (swept.files, len(swept.skipped)) == (2, 2)
    assert swept.skipped[0].endswith("10/one.jsonl: Permission denied")


class Killed(BaseException):
    pass


def test_a_sweep_that_is_killed_anywhere_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = [NOON - number * HOUR for number in range(-1, 4)]
    real = os.unlink
    for moment in range(8):
        root = tmp_path / str(moment)
        fill(root, hours)
        calls = iter(range(100))

        def dying(name: str, *, dir_fd: int | None = None, calls: Iterator[int] = calls, moment: int = moment) -> None:
            if next(calls) == moment:
                raise Killed
            real(name, dir_fd=dir_fd)

        with monkeypatch.context() as patched:
            patched.setattr(os, "unlink", dying)
            with suppress(Killed):
                sweep_hours(root, NOON, above=1)
        sweep_hours(root, NOON, above=1)
        assert [path.parent.name for path in sorted(root.rglob("one.jsonl"))] == ["12", "13"]
        assert len(list((root / "AllTraffic/2026/11/22").iterdir())) == 2


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    fill(tmp_path, [NOON - number * HOUR for number in range(30)])
    before = len(list(Path("/proc/self/fd").iterdir()))
    sweep_hours(tmp_path, NOON, above=1)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_folder_that_is_not_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert sweep_hours(tmp_path / "none", NOON, above=0).files == 0
    assert sweep_file(tmp_path / "none" / "file").files == 0


def test_a_file_goes_with_its_folder_when_it_is_the_last(tmp_path: Path) -> None:
    fill(tmp_path, [NOON], above="m")
    folder = tmp_path / "m" / partition(NOON)
    assert sweep_file(folder / "one.jsonl", dry_run=True).bytes == 5
    assert sweep_file(folder / "one.jsonl").bytes == 5
    assert folder.exists()
    sweep_file(folder / "two.jsonl")
    assert not folder.exists()


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(-2000, 2000), max_size=12), st.integers(-2000, 2000))
def test_exactly_the_hours_that_ended_go(tmp_path_factory: pytest.TempPathFactory, hours: set[int], end: int) -> None:
    root = tmp_path_factory.mktemp("sweep")
    fill(root, [NOON + number * HOUR for number in hours], above="")
    before = NOON + end * HOUR + timedelta(minutes=7)
    swept = sweep_hours(root, before, above=0)
    assert swept.files == 2 * sum(number < end for number in hours)
    assert len(left(root)) == 2 * sum(number >= end for number in hours)
