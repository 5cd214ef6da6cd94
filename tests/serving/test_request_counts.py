"""Counts that every process can read, whoever made them and whatever became of it."""

from __future__ import annotations

import subprocess
import sys
import timeit
from pathlib import Path
from time import perf_counter_ns

import pytest

from driftline.serving.request_counts import BOUNDS, RequestCounts, read_counts

DYING = """
import os, pathlib, signal, sys, time
from driftline.serving.request_counts import RequestCounts
counts = RequestCounts(pathlib.Path(sys.argv[1]))
for _ in range(1000):
    counts.count("churn", 200, "ok", time.perf_counter_ns())
os.kill(os.getpid(), signal.SIGKILL)
"""


def totals(folder: Path) -> dict[tuple[str, int, str], int]:
    return {(one.endpoint, one.status, one.outcome): sum(one.buckets) for one in read_counts(folder)}


def test_a_request_is_counted_in_the_bucket_of_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from driftline.serving import request_counts

    counts = RequestCounts(tmp_path)
    for took in (0, 500_000, 500_001, 10_000_000_000, 10_000_000_001):
        monkeypatch.setattr(request_counts, "perf_counter_ns", lambda took=took: 7 + took)
        counts.count("churn", 200, "ok", 7)
    [found] = read_counts(tmp_path)
    assert found.buckets == (2, 1, *[0] * (len(BOUNDS) - 3), 1, 1)
    assert found.seconds == pytest.approx(20.001000002)
    counts.close()


def test_several_processes_are_added_up(tmp_path: Path) -> None:
    first, second = RequestCounts(tmp_path), RequestCounts(tmp_path)
    now = perf_counter_ns()
    for counts, number in ((first, 3), (second, 4)):
        for _ in range(number):
            counts.count("churn", 200, "ok", now)
    second.count("", 404, "not_found", now)
    assert totals(tmp_path) == {("", 404, "not_found"): 1, ("churn", 200, "ok"): 7}
    first.close()
    second.close()


def test_a_killed_process_loses_nothing_and_its_file_is_used_again(tmp_path: Path) -> None:
    for died in range(1, 3):
        ran = subprocess.run([sys.executable, "-c", DYING, tmp_path], check=False, timeout=60)
        assert ran.returncode == -9
        assert totals(tmp_path) == {("churn", 200, "ok"): 1000 * died}
    after = RequestCounts(tmp_path)
    after.count("churn", 200, "ok", perf_counter_ns())
    after.count("churn", 500, "error", perf_counter_ns())
    assert totals(tmp_path) == {("churn", 200, "ok"): 2001, ("churn", 500, "error"): 1}
    assert len(list(tmp_path.iterdir())) == 1
    after.close()


def test_more_kinds_than_there_is_room_for_are_left_out(tmp_path: Path) -> None:
    counts = RequestCounts(tmp_path)
    for number in range(2100):
        counts.count(f"endpoint-{number}", 200, "ok", perf_counter_ns())
    assert len(read_counts(tmp_path)) == 2047
    counts.close()
    again = RequestCounts(tmp_path)
    again.count("endpoint-0", 200, "ok", perf_counter_ns())
    assert totals(tmp_path)["endpoint-0", 200, "ok"] == 2
    again.close()


def test_where_no_file_can_be_had_requests_are_answered_all_the_same(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    counts = RequestCounts(blocked / "counters")
    counts.count("churn", 200, "ok", perf_counter_ns())
    counts.close()
    assert read_counts(blocked / "counters") == []


def test_a_file_of_something_else_is_no_count(tmp_path: Path) -> None:
    (tmp_path / "requests-0000.counts").write_bytes(b"short")
    (tmp_path / "requests-0001.counts").mkdir()
    assert read_counts(tmp_path) == []


def test_counting_costs_less_than_a_microsecond(tmp_path: Path) -> None:
    counts = RequestCounts(tmp_path)
    began = perf_counter_ns()
    best = min(timeit.repeat(lambda: counts.count("churn", 200, "ok", began), number=20_000, repeat=15)) / 20_000
    assert best < 1e-6, f"{best * 1e9:.0f} ns"
    counts.close()
