"""The Python library: the same result from every kind of table, and what a result can do."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftline import Baseline, InputError, Tolerance, Verdict, baseline_model_quality, check_model_quality

COLUMNS = {"label": "truth", "prediction": "said", "probability": "p"}


def table(n: int = 400, *, seed: int = 1, skill: float = 1.5) -> pa.Table:
    random = np.random.default_rng(seed)
    truth = random.random(n) < 0.3
    p = 1 / (1 + np.exp(-(random.normal(size=n) + skill * np.where(truth, 1, -1))))
    return pa.table({"p": p, "said": (p > 0.5).astype(int), "truth": truth.astype(int), "note": ["x"] * n})


def to_csv(data: pa.Table, folder: Path) -> Path:
    data.to_pandas().to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


def to_parquet(data: pa.Table, folder: Path) -> Path:
    pq.write_table(data, folder / "t.parquet")
    return folder / "t.parquet"


def to_lines(data: pa.Table, folder: Path) -> str:
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in data.to_pylist()))
    return str(folder / "t.jsonl")


KINDS: dict[str, Callable[[pa.Table, Path], Any]] = {
    "pyarrow": lambda data, _: data,
    "reader": lambda data, _: data.to_reader(),
    "pandas": lambda data, _: data.to_pandas(),
    "polars": lambda data, _: pl.DataFrame(data),
    "duckdb": lambda data, _: duckdb.from_arrow(data),
    "texts": lambda data, _: pa.table({name: data.column(name).cast(pa.string()) for name in data.column_names}),
    "csv": to_csv,
    "parquet": to_parquet,
    "jsonl": to_lines,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_gives_the_same(kind: str, tmp_path: Path) -> None:
    data = table()
    wanted = baseline_model_quality(data, **COLUMNS)
    found = baseline_model_quality(KINDS[kind](data, tmp_path), **COLUMNS)
    for document in (wanted, found):
        document.statistics["dataset"].pop("evaluation_time")
    assert found.statistics == wanted.statistics
    assert found.constraints == wanted.constraints


def test_a_result_is_true_when_it_is_ok() -> None:
    baseline = baseline_model_quality(table(seed=1), tolerance="4ci", **COLUMNS)
    fine = check_model_quality(table(seed=2), baseline.constraints, **COLUMNS)
    assert fine
    assert fine.verdict is Verdict.OK
    worse = check_model_quality(table(seed=2, skill=0.1), baseline.constraints, **COLUMNS)
    assert not worse
    assert worse.verdict is Verdict.VIOLATED
    first = worse.violations[0]
    assert first.item_count == 400
    assert first.confidence_interval is not None
    assert first.value is not None
    assert first.confidence_interval.lower < first.value < first.confidence_interval.upper
    assert first.description in str(worse)


def test_what_cannot_be_judged_is_unknown_and_not_true() -> None:
    baseline = baseline_model_quality(table(), **COLUMNS)
    few = check_model_quality(table(n=10), baseline.constraints, **COLUMNS)
    assert not few
    assert few.judgement.reasons[0].code == "too_few_rows"
    enough = check_model_quality(table(n=10), baseline.constraints, minimum_sample=5, **COLUMNS)
    assert enough.verdict is not Verdict.UNKNOWN
    none = check_model_quality(table(n=0), baseline.constraints, **COLUMNS)
    assert none.verdict is Verdict.UNKNOWN
    assert none.judgement.reasons[0].code == "no_rows"


def test_the_files_are_written_and_read_back(tmp_path: Path) -> None:
    baseline = baseline_model_quality(table(), tolerance=Tolerance(4.0, "intervals"), **COLUMNS)
    names = [path.name for path in baseline.write(tmp_path / "baseline")]
    assert names == ["statistics.json", "constraints.json", "report.html"]
    for constraints in (tmp_path / "baseline" / "constraints.json", str(tmp_path / "baseline" / "constraints.json")):
        checked = check_model_quality(table(seed=2), constraints, **COLUMNS)
        assert checked
    document = json.loads((tmp_path / "baseline" / "constraints.json").read_text())
    assert check_model_quality(table(seed=2), document, **COLUMNS)
    written = {path.name for path in checked.write(tmp_path / "check")}
    assert written == {"statistics.json", "constraint_violations.json", "constraints.json", "report.html"}


def framed_page(shown: str) -> str:
    """The page within the frame that a notebook shows."""
    found = re.fullmatch(r'<iframe [^>]*sandbox="" [^>]*srcdoc="([^"]*)"></iframe>', shown)
    assert found is not None, "a frame of its own, so that no style reaches the notebook"
    return html.unescape(found[1])


def test_it_renders_in_a_notebook(tmp_path: Path) -> None:
    baseline = baseline_model_quality(table(), tolerance="5%", **COLUMNS)
    checked = check_model_quality(table(seed=2, skill=0.1), baseline.constraints, **COLUMNS)
    for found in (baseline, checked):
        page = framed_page(found._repr_html_())
        assert page == found.write(tmp_path)[-1].read_text()
        assert page.startswith("<!DOCTYPE html>")
        assert "<script" not in page
        assert len(page.encode()) < 300_000
        assert "<svg" in page
        assert "Why this threshold" in page
        assert "with a tolerance of 0.05 of it" in page
    assert "Score calibration" not in page, "a calibration is no metric without a value"


@pytest.mark.parametrize("problem_type", ["MulticlassClassification", "Regression"])
def test_the_other_problem_types(problem_type: str) -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 500)
    said = np.where(random.random(500) < 0.8, truth, random.integers(0, 4, 500))
    names = {"label": "truth", "prediction": "said"}
    data = pd.DataFrame({"truth": truth, "said": said, "w": random.random(500)})
    baseline = baseline_model_quality(data, problem_type=problem_type, tolerance="5%", **names)
    assert isinstance(baseline, Baseline)
    assert baseline.constraints.problem_type == problem_type
    assert check_model_quality(data, baseline.constraints, **names)
    data["said"] = random.integers(0, 4, 500)
    assert check_model_quality(data, baseline.constraints, **names).verdict is Verdict.VIOLATED
    assert baseline_model_quality(data, problem_type=problem_type, weight="w", **names).item_count == 500


def test_bad_input_is_told() -> None:
    baseline = baseline_model_quality(table(), **COLUMNS)
    with pytest.raises(InputError, match="no column 'nothing'"):
        baseline_model_quality(table(), label="nothing", prediction="said")
    with pytest.raises(InputError, match="is no table"):
        baseline_model_quality([1, 2], prediction="said")
    with pytest.raises(InputError, match="has no row that can be used"):
        baseline_model_quality(table(n=0), **COLUMNS)
    with pytest.raises(InputError, match="cannot be read"):
        check_model_quality(table(), "nowhere.json", **COLUMNS)
    with pytest.raises(InputError, match="not a tolerance"):
        baseline_model_quality(table(), tolerance="some", **COLUMNS)
    with pytest.raises(InputError, match="is not supported"):
        baseline_model_quality(table(), problem_type="Ranking", **COLUMNS)
    assert check_model_quality(table(), baseline.constraints, **COLUMNS)


def test_a_column_of_ids_is_no_label() -> None:
    ids = pa.table({"truth": [f"id-{n}" for n in range(1500)], "said": ["id-1"] * 1500})
    with pytest.raises(InputError, match=r"1,500 distinct values; at most 1,000 classes"):
        baseline_model_quality(ids, label="truth", prediction="said", problem_type="MulticlassClassification")
