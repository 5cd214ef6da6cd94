"""Logs of jobs by the places of their lines, forwards and backwards, while they grow."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftline.service.job_logs import MOST_BYTES, JobLog, lines_before, lines_from
from driftline.testing import START


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.txt"


def running(path: Path) -> JobLog:
    return JobLog("job", path, START, ended=False)


def texts(path: Path, start: int = 0, most: int = 10) -> list[str]:
    return [line.text for line in lines_from(running(path), start, most)]


def test_a_log_is_read_on_while_it_grows(path: Path) -> None:
    assert texts(path) == []
    path.write_bytes(b"one\r\ntwo\nthr")
    first = lines_from(running(path), 0)
    assert [(line.start, line.end, line.text) for line in first] == [(0, 5, "one"), (5, 9, "two")]
    assert texts(path, first[-1].end) == [], "an unfinished line is not shown torn"
    with path.open("ab") as file:
        file.write(b"ee\n\xff\n")
    assert texts(path, first[-1].end) == ["three", "\ufffd"]
    assert texts(path, 0, 1) == ["one"]
    assert texts(path, 10_000) == []


def test_what_an_ended_job_left_unfinished_is_a_line(path: Path) -> None:
    path.write_bytes(b"one\ntw")
    ended = JobLog("job", path, START)
    assert [line.text for line in lines_from(ended, 0)] == ["one", "tw"]
    assert [line.text for line in lines_before(ended)] == ["one", "tw"]
    assert [line.text for line in lines_before(running(path))] == ["one"]


def test_a_log_is_read_backwards(path: Path) -> None:
    path.write_text("".join(f"{number}\n" for number in range(10)))
    last = lines_before(running(path), most=3)
    assert [line.text for line in last] == ["7", "8", "9"]
    assert [line.text for line in lines_before(running(path), last[0].start, 4)] == ["3", "4", "5", "6"]
    assert lines_before(running(path), 0) == []


def test_large_logs_are_read_in_parts(path: Path) -> None:
    line = b"x" * 999 + b"\n"
    path.write_bytes(line * 3000 + b"y" * (MOST_BYTES + 10) + b"\n")
    at, lengths = 0, list[int]()
    while found := lines_from(running(path), at):
        assert found[-1].end - at <= MOST_BYTES
        lengths += [len(line.text) for line in found]
        at = found[-1].end
    assert at == path.stat().st_size
    assert lengths[:3000] == [999] * 3000
    assert sum(lengths[3000:]) == MOST_BYTES + 10
    back, upto = 0, 3_000_000
    while earlier := lines_before(running(path), upto):
        back, upto = back + len(earlier), earlier[0].start
    assert (back, upto) == (3000, 0)
