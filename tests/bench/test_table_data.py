"""The data of W2: the same every time, three columns drifted and no other, and captures that hold its very values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

ROWS = 20_000


@pytest.fixture
def data(bench_module: Callable[[str], ModuleType]) -> ModuleType:
    return bench_module("table_data")


@pytest.fixture
def wide(bench_module: Callable[[str], ModuleType]) -> ModuleType:
    return bench_module("wide_data")


def whole(data: ModuleType, rows: int, *, drifted: bool) -> pa.Table:
    return pa.concat_tables(data.pieces(rows, drifted=drifted))


def shares(column: pa.ChunkedArray) -> dict[str, int]:
    return {entry["values"]: entry["counts"] for entry in column.drop_null().value_counts().to_pylist()}


def test_fourteen_columns_are_numbers_and_six_are_categories(data: ModuleType) -> None:
    table = whole(data, ROWS, drifted=False)
    texts = [field.name for field in table.schema if field.type == pa.string()]
    assert table.num_columns == 20
    assert [len(shares(table[name])) for name in texts] == [2, 3, 5, 10, 20, 50]
    assert all("," not in kind and '"' not in kind for name in texts for kind in shares(table[name]))


def test_the_same_rows_every_time(data: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "PIECE", 700)
    assert whole(data, 2000, drifted=True).equals(whole(data, 2000, drifted=True))
    assert whole(data, 2000, drifted=True).num_rows == 2000
    assert not whole(data, 2000, drifted=False).equals(whole(data, 2000, drifted=True))


def test_nulls_are_where_they_are_told(data: ModuleType) -> None:
    table = whole(data, ROWS, drifted=False)
    for name, (_, expected) in data.COLUMNS.items():
        found = table[name].null_count / ROWS
        assert abs(found - expected) <= 5 * np.sqrt(expected * (1 - expected) / ROWS)


def test_three_columns_have_drifted_and_no_other(data: ModuleType) -> None:
    before, after = (whole(data, ROWS, drifted=drifted) for drifted in (False, True))
    significant = []
    for name in before.column_names:
        one, other = before[name].drop_null(), after[name].drop_null()
        if one.type == pa.string():
            counts = shares(one), shares(other)
            kinds = sorted(counts[0].keys() | counts[1].keys())
            p = stats.chi2_contingency([[part.get(kind, 0) for kind in kinds] for part in counts]).pvalue
        else:
            p = stats.ks_2samp(one.to_numpy(), other.to_numpy()).pvalue
        if p < 1e-6:
            significant.append(name)
    assert tuple(significant) == data.DRIFTED


def test_the_drifts_are_as_large_as_said(data: ModuleType) -> None:
    before, after = (whole(data, ROWS, drifted=drifted) for drifted in (False, True))
    (plain, moved), (narrow, spread) = (
        (before[name].to_numpy(), after[name].to_numpy()) for name in ("normal_shifted", "normal_spread")
    )
    # Five standard errors of 20,000 rows.
    assert (moved.mean() - plain.mean()) / plain.std() == pytest.approx(0.5, abs=0.05)
    assert moved.std() == pytest.approx(plain.std(), rel=0.05)
    assert spread.std() / narrow.std() == pytest.approx(1.5, rel=0.05)
    order = [
        sorted(found, key=found.__getitem__) for found in (shares(t["category_5_reversed"]) for t in (before, after))
    ]
    assert order[0] == order[1][::-1]


def cells(line: str) -> list[str]:
    record: dict[str, Any] = json.loads(line)["captureData"]
    return [record["endpointOutput"]["data"], *record["endpointInput"]["data"].split(",")]


def test_captures_hold_the_very_values_of_the_table(data: ModuleType) -> None:
    table = whole(data, 300, drifted=True)
    lines = data.capture_lines(table, 7).decode().splitlines()
    assert len(lines) == 300
    assert json.loads(lines[2])["eventMetadata"]["eventId"].endswith("-000000000009")
    for place, column in enumerate(table.columns):
        read = [cells(line)[place] for line in lines]
        of = str if column.type == pa.string() else float
        assert [of(text) if text else None for text in read] == column.to_pylist()


def test_captures_are_cut_into_files(data: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "PIECE", 500)
    monkeypatch.setattr(data, "SEGMENT_BYTES", 100_000)
    folder = data.captures(tmp_path, 1200)
    files = sorted(folder.rglob("*.jsonl"))
    assert len(files) > 3
    assert max(file.stat().st_size for file in files) <= 100_000
    lines = [line for file in files for line in file.read_text().splitlines()]
    expected = whole(data, 1200, drifted=True)["count_wide"].to_pylist()
    assert [int(cells(line)[13]) for line in lines] == expected
    assert len({json.loads(line)["eventMetadata"]["eventId"] for line in lines}) == 1200


def test_tables_are_written_once_and_can_be_named_by_position(data: ModuleType, tmp_path: Path) -> None:
    named = pq.read_table(data.table(tmp_path, 1000, drifted=False))
    placed = pq.read_table(data.table(tmp_path, 1000, drifted=False, by_position=True))
    assert placed.column_names == [f"_c{place}" for place in range(20)]
    assert placed.rename_columns(named.column_names).equals(named)
    written = data.table(tmp_path, 1000, drifted=False).stat().st_mtime_ns
    assert data.table(tmp_path, 1000, drifted=False).stat().st_mtime_ns == written
    assert not list(tmp_path.glob("*.part"))


def test_a_wide_table_is_written_in_groups(wide: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wide, "GROUP_ROWS", 400)
    before, after = (wide.table(tmp_path, 1000, 25, drifted=drifted) for drifted in (False, True))
    assert pq.ParquetFile(after).metadata.num_row_groups == 3
    one, other = pq.read_table(before), pq.read_table(after)
    assert one.num_rows == other.num_rows == 1000
    assert [field.type for field in one.schema] == [pa.float32()] * 15 + [pa.int16()] * 10
    assert wide.drifted(25) == ("float_0", "float_1", "integer_24")
    differences = {name: abs(one[name].to_numpy().mean() - other[name].to_numpy().mean()) for name in one.column_names}
    assert differences["float_0"] > 0.3 > differences["float_2"]
    assert other["float_1"].to_numpy().std() > 1.3 > other["float_2"].to_numpy().std()
    assert differences["integer_24"] > 90 > differences["integer_23"]
