"""W2: statistics of 20 columns and their drift from a baseline, of a Parquet file and of captures; and a wide form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import measure
import peers
import table_data
import wide_data
from contest import TOLERANCE, Bench, Subject, said

TOOLS = ("evidently", "whylogs", "nannyml", "deepchecks", "pyspark")
LIMIT = 900


def tables(bench: Bench) -> None:
    """A baseline of 100,000 rows and a current table, both Parquet."""
    baseline = table_data.table(bench.data, table_data.BASELINE_ROWS, drifted=False)
    current = table_data.table(bench.data, bench.options.rows, drifted=True)
    files = [str(baseline), str(current)]
    subjects = [
        _driftline(bench, "w2", baseline, ["--data", str(current)]),
        _floor(bench, *files),
        *(bench.peer(tool, f"w2_{tool}.py", *files) for tool in TOOLS),
    ]
    _contest(bench, "w2", subjects)


def captures(bench: Bench) -> None:
    """The same current rows as capture lines; a column that has no name is called by its place, the output first."""
    rows = table_data.BASELINE_ROWS
    baseline = table_data.table(bench.data, rows, drifted=False)
    by_position = table_data.table(bench.data, rows, drifted=False, by_position=True)
    folder = str(table_data.captures(bench.data, bench.options.rows))
    subjects = [
        _driftline(bench, "w2-captures", by_position, ["--captures", folder]),
        _floor(bench, str(baseline), folder),
    ]
    _contest(bench, "w2-captures", subjects)


def wide(bench: Bench) -> None:
    """Many columns, driftline alone and once: whether its memory stays bounded."""
    count = bench.options.wide_columns
    baseline = wide_data.table(bench.data, table_data.BASELINE_ROWS, count, drifted=False)
    current = wide_data.table(bench.data, bench.options.rows, count, drifted=True)
    check = _driftline(bench, "w2-wide", baseline, ["--data", str(current)])
    check.notes.append(f"{count:,} columns, {current.stat().st_size / 1e9:.1f} GB of Parquet")
    bench.rounds("w2-wide", [check], LIMIT * 4, 1)
    judge([check], wide_data.drifted(count))


def _contest(bench: Bench, group: str, subjects: list[Subject]) -> None:
    for subject in subjects[1:]:
        subject.verify = said
    bench.rounds(group, subjects, LIMIT)
    compare(subjects)
    judge(subjects, table_data.DRIFTED)


def _floor(bench: Bench, *arguments: str) -> Subject:
    floor = bench.peer("polars", "w2_floor.py", *arguments, called="floor")
    floor.version = f"Polars {floor.version}"
    return floor


def _driftline(bench: Bench, group: str, baseline: Path, what: list[str]) -> Subject:
    """driftline's check of a table or of captures; its baseline is made before and not timed, as in its daily use."""
    name = bench.driftline("xgboost")
    tool = str(peers.python(bench.work, name).with_name("driftline"))
    known, report = bench.work / f"{group}-baseline", bench.work / group
    make = [tool, "baseline", "data-quality", str(baseline), "-o", str(known)]
    made = measure.run(make, bench.work / "report.json", bench.env, LIMIT)
    against = ["--statistics", str(known / "statistics.json"), "--constraints", str(known / "constraints.json")]
    check = [tool, "check", "data-quality", *what, *against, "-o", str(report)]
    subject = Subject("driftline", peers.version(bench.work, name, "driftline"), check, codes=(0, 1))
    subject.verify = lambda _: findings(report)
    if made.get("error") or made["code"]:
        subject.failed = "no baseline: " + (made.get("error") or measure.last_line(made["stderr"]))
    return subject


def findings(report: Path) -> dict[str, Any]:
    """What driftline wrote: the statistics of every column, which drifted, and what else it found.

    Columns that are named by their place in a capture get the names that they have in the table.
    """
    features = json.loads((report / "statistics.json").read_text(encoding="utf-8"))["features"]
    violations = json.loads((report / "constraint_violations.json").read_text(encoding="utf-8"))["violations"]
    drifts = [one for one in violations if one["constraint_check_type"] == "baseline_drift_check"]
    others = [one for one in violations if one not in drifts]
    return {
        "columns": {_named(feature["name"]): _column(feature) for feature in features},
        "drifted": [_named(one.get("feature_name", "the table")) for one in drifts],
        "others": [f"{one['constraint_check_type']} of {_named(one.get('feature_name', '?'))}" for one in others],
    }


def _named(name: str) -> str:
    return table_data.POSITIONS.get(name, name)


def _column(feature: dict[str, Any]) -> dict[str, Any]:
    """A feature of a statistics document by the names that the floor has."""
    numbers, texts = feature.get("numerical_statistics"), feature.get("string_statistics")
    common = (numbers or texts or {}).get("common", {})
    found = {"count": common.get("num_present"), "missing": common.get("num_missing")}
    if numbers:
        found |= {key: numbers[key] for key in ("min", "max", "mean")} | {"sd": numbers["std_dev"]}
    if texts:
        found["distinct"] = texts["distinct_count"]
    return found


def compare(subjects: list[Subject]) -> None:
    """Note which statistics of which columns are not those of the floor, as far as both have them."""
    wanted = next((subject.metrics.get("columns", {}) for subject in subjects if subject.name == "floor"), {})
    for subject in subjects:
        found = subject.metrics.get("columns", {})
        off = [
            f"{key} of {name}"
            for name, column in found.items()
            for key, value in column.items()
            if not _same(value, wanted.get(name, {}).get(key))
        ]
        if off:
            subject.notes.append("other values than the floor: " + ", ".join(off))


def _same(value: Any, wanted: Any) -> bool:
    """Equal but for rounding, in relation to the size; what is no number must be equal."""
    if value is None or wanted is None or not isinstance(value, int | float):
        return wanted is None or value is None or value == wanted
    return measure.agrees(value, wanted, TOLERANCE * max(1.0, abs(wanted)))


def judge(subjects: list[Subject], expected: tuple[str, ...]) -> None:
    """Note which columns a contestant says have drifted, against those that really have."""
    for subject in subjects:
        if "drifted" in subject.metrics:
            subject.notes.append(verdict(subject.metrics["drifted"], expected))
        if subject.metrics.get("others"):
            subject.notes.append("also violated: " + ", ".join(subject.metrics["others"]))


def verdict(drifted: list[str], expected: tuple[str, ...]) -> str:
    """In words: the drifted columns exactly, or what is missed and what is wrong."""
    missed = [name for name in expected if name not in drifted]
    wrong = [name for name in drifted if name not in expected]
    parts = ["misses " + ", ".join(missed)] if missed else []
    parts += ["wrongly " + ", ".join(wrong)] if wrong else []
    return "drift: " + ("; ".join(parts) or f"exactly the {len(expected)}")
