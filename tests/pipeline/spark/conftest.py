"""Runs by both engines, and what they say."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from driftline.engine.payload import decoding
from driftline.monitors.data_quality.samples import MOST
from driftline.pipeline import Run, run_monitor
from driftline.pipeline.run import SparkSettings
from driftline.testing import START, same

Engine = Callable[[Run], Run]
Documents = dict[str, Any]


@pytest.fixture(params=["local", "spark"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Has a run measured by one of the engines."""
    if request.param == "local":
        return lambda run: run
    request.getfixturevalue("spark").conf.set("spark.sql.shuffle.partitions", "2")
    return lambda run: msgspec.structs.replace(run, spark=SparkSettings("local[2]"))


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several groups of files where else one would do."""
    monkeypatch.setattr(decoding, "_AT_ONCE", 15_000)


@pytest.fixture
def documents(tmp_path: Path) -> Callable[[Run], Documents]:
    """Has a run done: everything that it says but how long it took."""
    numbers = iter(range(100))

    def of(run: Run) -> Documents:
        folder = tmp_path / f"report-{next(numbers)}"
        result = run_monitor(msgspec.structs.replace(run, report=str(folder)), now=START)
        found = {path.name: json.loads(path.read_bytes()) for path in folder.glob("*.json")}
        for violation in found["constraint_violations.json"]["violations"]:
            violation["samples"] = some(violation.get("samples", []))
        violations = tuple(msgspec.structs.replace(one, samples=tuple(some(one.samples))) for one in result.violations)
        return found | {"result": msgspec.to_builtins(msgspec.structs.replace(result, steps=(), violations=violations))}

    return of


@pytest.fixture(scope="session")
def assert_same() -> Callable[[Any, Any], None]:
    """Holds documents to each other: texts alike, numbers within 1e-12 of their size, as sums are added in another
    order. It names the first part that differs."""

    def check(found: Any, wanted: Any) -> None:
        for name, part in wanted.items():
            if isinstance(part, dict):
                for key, value in part.items():
                    assert same(found[name][key], value, 1e-12, 1e-12), (name, key, found[name][key], value)
        assert same(found, wanted, 1e-12, 1e-12)

    return check


def some(samples: Sequence[str]) -> list[str]:
    """Rows that broke a rule: which of them are shown, where there are more, is left to whichever is met first."""
    return sorted(samples) if len(samples) < MOST else [f"{MOST} rows"]
