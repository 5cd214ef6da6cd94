"""W2: the floor against scipy, what is read from driftline's files, and what is said of each contestant's verdict."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

FLOOR = Path(__file__).parents[2] / "bench" / "w2_floor.py"
EXPECTED = ("a", "b", "c")


@pytest.fixture
def w2(bench_module: Callable[[str], ModuleType]) -> ModuleType:
    return bench_module("w2")


@pytest.fixture
def run(bench_module: Callable[[str], ModuleType]) -> ModuleType:
    return bench_module("run")


def floor(*files: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, FLOOR, *files], capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_floor_agrees_with_scipy_in_both_forms(w2: ModuleType, tmp_path: Path) -> None:
    data = w2.table_data
    files = [data.table(tmp_path, rows, drifted=drifted) for rows, drifted in ((2000, False), (3000, True))]
    found = floor(*files)
    assert tuple(found["drifted"]) == data.DRIFTED
    before, after = (pq.read_table(file) for file in files)
    for name, column in found["columns"].items():
        if after.schema.field(name).type != pa.string():
            _same_as_scipy(column, before[name], after[name])
        assert column["missing"] == after[name].null_count
        assert column["distinct"] == len(after[name].drop_null().unique())
    captured = floor(files[0], data.captures(tmp_path, 3000))
    assert captured["columns"] == found["columns"]


def _same_as_scipy(column: dict[str, Any], before: pa.ChunkedArray, after: pa.ChunkedArray) -> None:
    one, other = before.drop_null().to_numpy(), after.drop_null().to_numpy()
    assert column["distance"] == pytest.approx(stats.ks_2samp(one, other).statistic, abs=1e-12)
    assert column["mean"] == pytest.approx(other.mean())
    assert column["sd"] == pytest.approx(other.std())
    assert (column["min"], column["max"], column["count"]) == (other.min(), other.max(), len(other))
    ordered = np.sort(other)
    places = [round(share * (len(ordered) - 1)) for share in (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)]
    assert column["quantiles"] == ordered[places].tolist()


@pytest.mark.parametrize(
    ("drifted", "words"),
    [
        (["c", "a", "b"], "drift: exactly the 3"),
        (["a"], "drift: misses b, c"),
        (["a", "b", "c", "d"], "drift: wrongly d"),
        (["d"], "drift: misses a, b, c; wrongly d"),
        ([], "drift: misses a, b, c"),
    ],
)
def test_a_verdict_in_words(w2: ModuleType, drifted: list[str], words: str) -> None:
    assert w2.verdict(drifted, EXPECTED) == words


def contestant(w2: ModuleType, name: str, **metrics: Any) -> Any:
    return w2.Subject(name, metrics=metrics)


def test_a_contestant_that_did_not_run_is_not_judged(w2: ModuleType) -> None:
    ran, failed = contestant(w2, "x", drifted=["a"]), contestant(w2, "y")
    w2.judge([ran, failed], EXPECTED)
    assert ran.notes == ["drift: misses b, c"]
    assert failed.notes == []


def test_statistics_are_compared_in_relation_to_their_size(w2: ModuleType) -> None:
    wanted = {"u": {"mean": 1e9, "count": 7, "min": "kind"}, "v": {"mean": 0.0}}
    same = contestant(w2, "same", columns={"u": {"mean": 1e9 + 100, "count": 7, "sd": 3.0}, "w": {"mean": 5}})
    other = contestant(w2, "other", columns={"u": {"mean": 1.1e9, "count": None, "min": "kind"}, "v": {"mean": 0.1}})
    w2.compare([same, contestant(w2, "floor", columns=wanted), other])
    assert same.notes == []
    assert other.notes == ["other values than the floor: mean of u, mean of v"]


def test_without_a_floor_nothing_is_compared(w2: ModuleType) -> None:
    alone = contestant(w2, "alone", columns={"u": {"mean": 1.0}})
    w2.compare([alone])
    assert alone.notes == []


def written(folder: Path, features: list[Any], violations: list[Any]) -> Path:
    document = {"version": 0.0, "dataset": {"item_count": 10}, "features": features}
    (folder / "statistics.json").write_text(json.dumps(document))
    (folder / "constraint_violations.json").write_text(json.dumps({"violations": violations}))
    return folder


def test_what_driftline_wrote_is_read(w2: ModuleType, tmp_path: Path) -> None:
    common = {"num_present": 9, "num_missing": 1}
    numbers = {"common": common, "mean": 2.0, "sum": 18.0, "std_dev": 1.0, "min": 0.0, "max": 4.0}
    features = [
        {"name": "normal_plain", "inferred_type": "Fractional", "numerical_statistics": numbers},
        {"name": "_c14", "inferred_type": "String", "string_statistics": {"common": common, "distinct_count": 2.0}},
        {"name": "nothing", "inferred_type": "Unknown"},
    ]
    violations = [
        {"feature_name": "_c2", "constraint_check_type": "baseline_drift_check", "description": "far"},
        {"feature_name": "_c4", "constraint_check_type": "completeness_check", "description": "few"},
    ]
    found = w2.findings(written(tmp_path, features, violations))
    assert found["columns"]["normal_plain"] == {
        "count": 9,
        "missing": 1,
        "min": 0.0,
        "max": 4.0,
        "mean": 2.0,
        "sd": 1.0,
    }
    assert found["columns"]["category_2"] == {"count": 9, "missing": 1, "distinct": 2.0}
    assert found["columns"]["nothing"] == {"count": None, "missing": None}
    assert found["drifted"] == ["normal_shifted"]
    assert found["others"] == ["completeness_check of normal_nulls"]


def test_a_verdict_that_changes_from_run_to_run_is_told_once(w2: ModuleType) -> None:
    subject = contestant(w2, "x")
    for drifted in (["a"], ["a"], ["b"], ["c"]):
        subject.learn({"drifted": drifted, "seconds": 1.0})
    assert subject.notes == ["another verdict from run to run"]
    assert subject.metrics == {"drifted": ["c"]}
    assert subject.inside == [1.0] * 4


def test_a_table_relates_to_the_first_that_ran(run: ModuleType) -> None:
    missing, base, twice = run.Subject("driftline", failed="not there"), run.Subject("floor"), run.Subject("x")
    base.wall, twice.wall = [1.0, 2.0], [2.0, 4.0]
    lines = run.table("w2", [missing, base, twice])
    assert "not there" in lines[1]
    assert "1.00" in lines[2]
    assert lines[3].split()[-2:] == ["2.00", "2"]


def test_the_wide_table_is_measured_only_when_asked_for(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py"])
    usual = run.options().only
    assert "w2" in usual
    assert "w2-captures" in usual
    assert "w2-wide" not in usual
    monkeypatch.setattr(sys, "argv", ["run.py", "--only", "w2-wide", "--wide-columns", "50"])
    assert (run.options().only, run.options().wide_columns) == (["w2-wide"], 50)


def test_too_few_wide_columns_are_refused(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "--only", "w2-wide", "--wide-columns", "4"])
    with pytest.raises(SystemExit):
        run.options()
