"""The arithmetic of the measurements: medians, ratios by round, and what is read from the system's own texts."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench"


def module(name: str) -> ModuleType:
    """A file of the bench folder, which is no package."""
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    return module("measure")


@pytest.fixture
def endpoint(measure: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setitem(sys.modules, "measure", measure)
    return module("endpoint")


def test_summary_is_median_and_ends(measure: ModuleType) -> None:
    assert tuple(measure.summary([3.0, 1.0, 2.0])) == (2.0, 1.0, 3.0, 3)
    assert tuple(measure.summary([4.0, 2.0])) == (3.0, 2.0, 4.0, 2)
    assert tuple(measure.summary([7.0])) == (7.0, 7.0, 7.0, 1)


def test_ratio_pairs_the_runs_of_one_round(measure: ModuleType) -> None:
    # A slow moment in round 2 slows both and leaves the ratio alone.
    assert tuple(measure.ratio([10.0, 30.0, 10.0], [2.0, 6.0, 2.0])) == (5.0, 5.0, 5.0, 3)
    # The median of the ratios, not the ratio of the medians (which is 1).
    assert measure.ratio([1.0, 2.0, 9.0], [2.0, 1.0, 3.0]).median == 2.0


def test_ratio_leaves_out_rounds_that_one_lacks(measure: ModuleType) -> None:
    assert tuple(measure.ratio([10.0, 12.0], [5.0, 4.0, 1.0])) == (2.5, 2.0, 3.0, 2)


@pytest.mark.parametrize(
    ("value", "wanted", "same"),
    [(0.5, 0.5 + 1e-9, True), (0.5, 0.51, False), (None, 0.5, True), (0.5, None, True), (0.0, 0.0, True)],
)
def test_agrees(measure: ModuleType, value: float | None, wanted: float | None, same: bool) -> None:
    assert measure.agrees(value, wanted, 1e-6) is same


def test_cpu_of_a_stat_line_whose_name_has_brackets(measure: ModuleType) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    before, after = "4242 (a) b (c) S 1 2 3 4 5 6 7 8 9 10", f"{ticks} {2 * ticks} {3 * ticks} {4 * ticks} 20 0"
    assert measure.parse_cpu(f"{before} {after}") == 10.0


def test_last_line_that_is_not_blank(measure: ModuleType) -> None:
    assert measure.last_line("one\n two \n\n  \n") == "two"
    assert measure.last_line("") == ""


def run(measure: ModuleType, tmp_path: Path, code: str, limit: float = 30.0) -> dict[str, Any]:
    found: dict[str, Any] = measure.run([sys.executable, "-c", code], tmp_path / "report", os.environ, limit)
    return found


def test_a_run_counts_the_whole_tree(measure: ModuleType, tmp_path: Path) -> None:
    child = "import time; held = bytearray(64 << 20); t = time.process_time()\\nwhile time.process_time() < 0.3: pass"
    code = f"import subprocess, sys; held = bytearray(64 << 20); subprocess.run([sys.executable, '-c', '{child}'])"
    found = run(measure, tmp_path, code)
    assert found["code"] == 0
    assert found["cpu"] >= 0.3
    assert found["wall"] >= 0.3
    assert found["memory"] > 128 << 20


def test_a_run_says_its_exit_code_and_what_was_said(measure: ModuleType, tmp_path: Path) -> None:
    found = run(measure, tmp_path, "print('hello'); raise SystemExit(3)")
    assert found["code"] == 3
    assert found["output"] == "hello\n"
    assert "error" not in found


def test_a_run_that_takes_too_long_is_ended(measure: ModuleType, tmp_path: Path) -> None:
    found = run(measure, tmp_path, "import time; time.sleep(60)", 0.3)
    assert found["error"] == "took longer than 0 s"
    assert found["wall"] < 30


def test_a_command_that_is_not_there_is_an_error(measure: ModuleType, tmp_path: Path) -> None:
    found = measure.run([str(tmp_path / "nothing")], tmp_path / "report", os.environ, 5)
    assert "nothing" in found["error"]


def test_descendants_are_a_process_and_what_it_started(measure: ModuleType) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        family = measure.descendants(os.getpid())
        assert os.getpid() in family
        assert child.pid in family
    finally:
        child.communicate()


def test_installed_bytes_leaves_the_installer_out(measure: ModuleType, tmp_path: Path) -> None:
    packages = tmp_path / "python3" / "site-packages"
    for name in ("pip/a.py", "pip-26.dist-info/b", "setuptools/c.py", "pipeline/d.py"):
        (packages / name).parent.mkdir(parents=True)
        (packages / name).write_bytes(os.urandom(10_000))
    kept = (packages / "pipeline" / "d.py").stat().st_blocks * 512
    assert measure.installed_bytes(tmp_path) == kept >= 10_000


WRK = """Running 2s test @ http://127.0.0.1:1/x
  1 threads and 16 connections
  2345 requests in 2.00s, 1.00MB read
{rest}Requests/sec:   1172.50
"""


def test_wrk_is_read(endpoint: ModuleType) -> None:
    assert endpoint.parse_wrk(WRK.format(rest="")) == (2345, 0)
    faults = "  Socket errors: connect 0, read 3, write 1, timeout 2\n  Non-2xx or 3xx responses: 40\n"
    assert endpoint.parse_wrk(WRK.format(rest=faults)) == (2345, 46)
    assert endpoint.parse_wrk("unable to connect") == (0, 0)


def test_the_number_of_an_answer(endpoint: ModuleType) -> None:
    assert endpoint.number_in(b"0.25\n") == 0.25
    assert endpoint.number_in(b'{"predictions": [0.5]}') == 0.5
    assert endpoint.number_in(b"-1.5e-3") == -0.0015
    assert endpoint.number_in(b"none") is None


def test_metrics_of_counts() -> None:
    found = module("metrics").of_counts(16, 0, 12, 173, 0.9)
    assert found["recall"] == pytest.approx(4 / 7)
    assert found["f2"] == pytest.approx(0.625)
    assert found["accuracy"] == pytest.approx(189 / 201)
    assert found["auc"] == 0.9
    assert module("metrics").of_counts(0, 0, 1, 9, None)["precision"] is None
