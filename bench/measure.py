"""What a command costs: wall time, CPU and peak memory of it and everything it starts; and the arithmetic of ratios.

As a program it runs one command and writes what it cost as a line of JSON to a file:

    python measure.py REPORT -- COMMAND ...
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
_INTERVAL = 0.02
_BECOME_REAPER = 36
_PATIENCE = 10.0


class Summary(NamedTuple):
    """The middle and the ends of some measurements."""

    median: float
    low: float
    high: float
    runs: int


def summary(values: Sequence[float]) -> Summary:
    """Median, smallest and largest. There must be at least one value."""
    return Summary(statistics.median(values), min(values), max(values), len(values))


def ratio(one: Sequence[float], other: Sequence[float]) -> Summary:
    """How many times as much ``one`` is: each run against the other's run of the same round, then the median.

    Rounds that only one of them has are left out; what slows a machine down for a while then slows both.
    """
    pairs = [a / b for a, b in zip(one, other, strict=False) if b > 0]
    return summary(pairs)


def agrees(value: float | None, wanted: float | None, tolerance: float) -> bool:
    """Whether two metrics are the same but for rounding; a metric that a tool does not give is not compared."""
    return value is None or wanted is None or abs(value - wanted) <= tolerance


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's rank correlation; equal values share the mean of their ranks. 1.0 where either has one value only."""

    def ranks(values: Sequence[float]) -> list[float]:
        ordered = sorted(values)
        return [(2 * ordered.index(value) + ordered.count(value) - 1) / 2 for value in values]

    if len(set(one)) < 2 or len(set(other)) < 2:
        return 1.0
    return statistics.correlation(ranks(one), ranks(other))


def descendants(pid: int) -> list[int]:
    """A process and all below it, as far as they still live."""
    found, left = [], [pid]
    while left:
        one = left.pop()
        found.append(one)
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                with suppress(OSError):
                    left += map(int, (task / "children").read_text().split())
    return found


def resident(pid: int) -> int:
    """Resident bytes of a process and all below it; pages that several share are counted for each."""
    total = 0
    for one in descendants(pid):
        with suppress(OSError, IndexError):
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * PAGE
    return total


def cpu_seconds(pid: int) -> float:
    """CPU time so far of a process, all below it, and those of them that have ended."""
    return sum(_own_cpu(one) for one in descendants(pid))


def parse_cpu(stat: str) -> float:
    """User and system seconds of a ``/proc/PID/stat`` line, ended children included.

    The name of a program may hold blanks and brackets, so counting starts after the last bracket.
    """
    fields = stat.rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def _own_cpu(pid: int) -> float:
    try:
        return parse_cpu(Path(f"/proc/{pid}/stat").read_text())
    except OSError:
        return 0.0


def installed_bytes(folder: Path) -> int:
    """Bytes on disk of an environment's packages, without the installer's own."""
    total = 0
    for path in folder.rglob("*"):
        below = path.parts[len(folder.parts) :]
        own = len(below) > 2 and re.match(r"pip\b|setuptools\b|pkg_resources|_distutils_hack", below[2])
        if not own and not path.is_symlink() and path.is_file():
            total += path.stat().st_blocks * 512
    return total


def run(command: Sequence[str], report: Path, env: Mapping[str, str], limit: float) -> dict[str, Any]:
    """Run a command under a fresh wrapper; what it cost and what it said (its last line, as JSON where it is that).

    ``error`` is set when it could not be run, failed or took longer than ``limit`` seconds.
    """
    wrapper = [sys.executable, "-S", "-E", __file__, str(report), str(limit), "--", *command]
    report.unlink(missing_ok=True)
    done = subprocess.run(wrapper, env=dict(env), capture_output=True, text=True, check=False)
    if not report.exists():
        return {"error": last_line(done.stderr)[:300] or f"exit code {done.returncode}"}
    found: dict[str, Any] = json.loads(report.read_text())
    found["output"], found["stderr"] = done.stdout, done.stderr[-2000:]
    if found["timeout"]:
        found["error"] = f"took longer than {limit:.0f} s"
    return found


def last_line(text: str) -> str:
    """The last line of a text that is not blank."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def wrapped(command: Sequence[str], limit: float) -> dict[str, Any]:
    """Run a command to its end in this process' tree, and say what the tree cost.

    Orphans come to this process, so that the CPU time of a helper its parent did not wait for is counted too.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_BECOME_REAPER, 1, 0, 0, 0)
    peak = 0
    over = threading.Event()
    start = time.perf_counter()
    child = subprocess.Popen(command)

    def watch() -> None:
        nonlocal peak
        while not over.wait(_INTERVAL):
            peak = max(peak, resident(child.pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    timeout = False
    try:
        code = child.wait(limit)
    except subprocess.TimeoutExpired:
        timeout, code = True, -1
        end(descendants(child.pid))
        child.wait()
    wall = time.perf_counter() - start
    over.set()
    watcher.join()
    _reap()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        # The sampled sum of a tree can miss the peak of a short process; the kernel's own figure of one cannot.
        "memory": max(peak, used.ru_maxrss * 1024),
        "code": code,
        "timeout": timeout,
    }


def end(processes: Sequence[int]) -> None:
    """Kill processes that are still there."""
    for one in processes:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def _reap() -> None:
    """Wait for what the command left behind; what does not end by itself is ended."""
    deadline = time.monotonic() + _PATIENCE
    with suppress(ChildProcessError):
        while True:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                if time.monotonic() > deadline:
                    end(descendants(os.getpid())[1:])
                time.sleep(0.02)


def main() -> None:
    """The wrapper's entry."""
    report, limit, _, *command = sys.argv[1:]
    found = wrapped(command, float(limit))
    Path(report).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
