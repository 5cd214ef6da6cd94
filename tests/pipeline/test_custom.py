"""Analyzers of other people: found, checked, measured, and held apart from the run when they break."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.core.errors import InputError
from driftline.pipeline.custom import CustomMeasures, finding, load_analyzer, load_analyzers
from driftline.testing import check_laws, split

Write = Callable[..., str]
GOOD = """
from dataclasses import dataclass
import pyarrow as pa, pyarrow.compute as pc
from driftline.core.state import State


@dataclass(frozen=True, eq=False)
class RangeState(State):
    low: float = float("inf")
    high: float = float("-inf")
    rows: int = 0


class Range:
    name = "range"

    def identity(self):
        return RangeState()

    def update(self, batch):
        found = pc.min_max(batch.column("x")).as_py()
        if found["min"] is None:
            return RangeState(rows=batch.num_rows)
        return RangeState(found["min"], found["max"], batch.num_rows)

    def merge(self, states):
        return RangeState(
            min((s.low for s in states), default=float("inf")),
            max((s.high for s in states), default=float("-inf")),
            sum(s.rows for s in states),
        )

    def result(self, state):
        return {"low": state.low, "high": state.high, "rows": state.rows}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of the good analyzer with one piece in the place of another; gives what it is called by."""

    def written(old: str = "", new: str = "", name: str = "Range") -> str:
        path = tmp_path / "mine.py"
        assert old in GOOD
        path.write_text(GOOD.replace(old, new, 1) if old else GOOD)
        return f"{path}:{name}"

    return written


def batch(values: list[float | None]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"x": pa.array(values, pa.float64())})


def test_an_analyzer_of_a_file_measures_what_numpy_finds(write: Write) -> None:
    analyzer = load_analyzer(write())
    values = np.random.default_rng(1).normal(size=5000)
    rows = batch(values.tolist())
    check_laws(analyzer, [rows])
    for parts in (1, 7, 64):
        measures = CustomMeasures([analyzer])
        passed = list(measures.watch(split(rows, parts)))
        assert [part.num_rows for part in passed] == [part.num_rows for part in split(rows, parts)]
        [found] = measures.results()
        assert found.metrics() == {"range.low": values.min(), "range.high": values.max(), "range.rows": 5000}


@pytest.mark.parametrize("batches", [[], [batch([])], [batch([None, None])]])
def test_no_numbers_are_undefined(write: Write, batches: list[pa.RecordBatch]) -> None:
    measures = CustomMeasures([load_analyzer(write())])
    assert list(measures.watch(batches)) == batches
    [found] = measures.results()
    assert (found.error, found.values["low"], found.values["high"]) == (None, None, None)


def test_numbers_of_every_kind_are_published_and_what_json_cannot_hold_is_undefined(write: Write) -> None:
    old = '{"low": state.low, "high": state.high, "rows": state.rows}'
    given = '{"nan": float("nan"), "none": None, "big": 1e308, "huge": 10**400, "yes": True, "low": state.low}'
    measures = CustomMeasures([load_analyzer(write(old, given))])
    measures.see(batch([1.0, math.inf]))
    [found] = measures.results()
    assert found.values == {"nan": None, "none": None, "big": 1e308, "huge": None, "yes": 1.0, "low": 1.0}


def test_an_entry_point_offers_one(monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    made = load_analyzer(write())
    entry = SimpleNamespace(name="range", value="mine:Range", load=lambda: type(made))
    offered = {finding.GROUP: [entry]}
    monkeypatch.setattr(finding.importlib.metadata, "entry_points", lambda group: offered[group])
    assert load_analyzer("range").name == "range"
    with pytest.raises(InputError, match="no installed package offers an analyzer 'other'") as caught:
        load_analyzer("other")
    assert caught.value.evidence == "offered are: range"


def test_an_entry_point_that_cannot_be_loaded_or_is_there_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> Any:
        raise ImportError("no module 'gone'")

    entries = [SimpleNamespace(name="range", value="a:B", load=fails)]
    monkeypatch.setattr(finding.importlib.metadata, "entry_points", lambda group: entries)
    with pytest.raises(InputError, match="the analyzer range cannot be loaded") as caught:
        load_analyzer("range")
    assert "no module 'gone'" in caught.value.evidence
    entries.append(SimpleNamespace(name="range", value="c:D", load=fails))
    with pytest.raises(InputError, match="several packages offer an analyzer range"):
        load_analyzer("range")


def test_two_of_one_name_are_refused(write: Write) -> None:
    with pytest.raises(InputError, match="two analyzers are called range"):
        load_analyzers([write(), write()])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("class Range:", "class Range\n", "mine.py cannot be loaded"),
        ("from dataclasses", "import sys; sys.exit(0)\nfrom dataclasses", "mine.py cannot be loaded"),
        ("class Range:", "class Other:", "has no 'Range'"),
        ("    def merge(self", "    def together(self", "it has no method merge"),
        ('name = "range"', 'name = "a.b"', "has no name that metrics can have"),
        ('name = "range"', "name = None", "has no name that metrics can have"),
        ('name = "range"', 'name = "range"\n    def __init__(self, a): pass', "cannot be made without arguments"),
        ("return RangeState()", "return 3", "gave a int, which is no driftline.core.state.State"),
        ("return RangeState()", "raise OSError('no file')", "the analyzer range failed"),
        ("sum(s.rows for s in states)", "len(states)", "breaks a law of states"),
        ("sum(s.rows for s in states)", "sum(s.rows for s in states) + 1", "breaks a law of states"),
        ("rows: int = 0", "rows: object = lambda: 0", "the analyzer range failed"),
        ('return {"low"', 'return 1 / 0\n        return {"low"', "the analyzer range failed"),
    ],
)
def test_what_is_no_analyzer_is_refused_before_any_data(write: Write, old: str, new: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        load_analyzer(write(old, new))
    assert expected in str(caught.value)
    assert caught.value.evidence or caught.value.hint


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'max((s.high for s in states), default=float("-inf"))',
            "states[-1].high if states else float('-inf')",
            "merge",
        ),
        ('found["max"], batch.num_rows', 'found["max"], min(batch.num_rows, 10)', "the rows in 3 parts"),
        ('batch.column("x")', 'batch.column("y")', "KeyError"),
        ('return {"low": state.low, "high": state.high, "rows": state.rows}', "return [state.low]", "is a list"),
        ('"rows": state.rows}', "\"rows\": 'x'}", "gave a str for rows"),
        ('"rows": state.rows}', "3: 1}", "gave the key 3"),
        ('"rows": state.rows}', "**{str(n): n for n in range(2000)}}", "gave 2002 numbers"),
    ],
)
def test_one_that_breaks_in_the_run_is_a_value(write: Write, old: str, new: str, expected: str) -> None:
    broken = load_analyzer(write(old, new))
    whole = load_analyzer(write('name = "range"', 'name = "whole"'))
    rows = batch([float(-n) for n in range(100)])
    measures = CustomMeasures([broken, whole])
    for part in split(rows, 2):
        measures.see(part)
    found, other = measures.results()
    assert expected in (found.error or "")
    assert found.metrics() == {}
    assert (other.error, other.values["rows"]) == (None, rows.num_rows)


def test_a_file_is_read_as_it_is_now(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it was changed within a second and has as many bytes as before; and nothing is written beside it."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    names = []
    for word in ("first", "other"):
        place = write('name = "range"', f'name = "{word}"')
        os.utime(place.rpartition(":")[0], (1_700_000_000, 1_700_000_000))
        names.append(load_analyzer(place).name)
    assert names == ["first", "other"]
    assert [path.suffix for path in tmp_path.iterdir()] == [".py"]


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(InputError, match="no file nowhere"):
        load_analyzer("nowhere.py:Range")
