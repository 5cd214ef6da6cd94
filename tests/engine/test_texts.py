"""Columns of texts as columns of numbers, and blocks of CSV, value by value and type by type."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.engine.csv_blocks import Refused, parse_block
from driftline.engine.names import by_place, cells_of, could_be_names, distinct, is_number
from driftline.engine.texts import typed

COLUMNS: dict[str, tuple[list[str | None], str, list[object]]] = {
    "integers": (["1", "-2", "007", None, ""], "int64", [1, -2, 7, None, None]),
    "the largest": (["9223372036854775807", "-9223372036854775808"], "int64", [2**63 - 1, -(2**63)]),
    "too large": (["9223372036854775808"], "string", ["9223372036854775808"]),
    "fractions": (["1.5", "2.", ".5", "1e3", "-1E-3"], "double", [1.5, 2.0, 0.5, 1000.0, -0.001]),
    "infinities": (["0.5", "inf", "-Infinity", "1e999"], "double", [0.5, math.inf, -math.inf, math.inf]),
    "mixed": (["6", "6.5"], "string", ["6", "6.5"]),
    "mixed with nan": (["6", "nan"], "string", ["6", "nan"]),
    "mixed late": (["6.5"] * 1000 + ["6"], "string", ["6.5"] * 1000 + ["6"]),
    "text late": (["6.5"] * 1000 + ["x"], "string", ["6.5"] * 1000 + ["x"]),
    "hexadecimal": (["1", "0x1F"], "string", ["1", "0x1F"]),
    "signs": (["+1", "2"], "string", ["+1", "2"]),
    "signed fractions": (["+1.5", "2.5"], "double", [1.5, 2.5]),
    "underscores": (["1_000", "2"], "string", ["1_000", "2"]),
    "blanks around": ([" 1", "2 "], "int64", [1, 2]),
    "blanks around late": (["1.5"] * 300 + [" 2.5"], "double", [1.5] * 300 + [2.5]),
    "blank": (["  ", "1", "\t"], "int64", [None, 1, None]),
    "nothing": ([None, "", " "], "null", [None, None, None]),
    "no rows": ([], "null", []),
    "truth": (["true", "False"], "string", ["true", "False"]),
    "dates": (["2026-11-22", "12:30"], "string", ["2026-11-22", "12:30"]),
    "other digits": (["１２", "٣"], "string", ["１２", "٣"]),
    "unicode": (["ü", "🎈\u200d"], "string", ["ü", "🎈\u200d"]),
    "a zero byte": (["a\x00", "1"], "string", ["a\x00", "1"]),
    "huge": (["1" * 400, "1.5"], "string", ["1" * 400, "1.5"]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_typed(name: str) -> None:
    texts, kind, values = COLUMNS[name]
    column = typed(pa.array(texts, pa.string()))
    assert (str(column.type), column.to_pylist()) == (kind, values)
    padded = pa.array(["x", *texts, "y"], pa.string())
    assert typed(padded.slice(1, len(texts))).to_pylist() == values
    assert typed(pa.chunked_array([padded.slice(1, len(texts))], pa.string())).type == column.type


@pytest.mark.parametrize("name", sorted(COLUMNS.keys() - {"no rows", "a zero byte"}))
def test_a_block_of_csv_has_the_same_types(name: str) -> None:
    texts, kind, values = COLUMNS[name]
    lines = "\n".join(f"{text or ''},1" for text in texts)
    column, ones = parse_block(lines.encode(), 2)
    if name not in ("blanks around late",):  # the reader trims numbers by itself, whatever stands before
        assert str(column.type) == kind
    assert column.to_pylist() == values
    assert ones.to_pylist() == [1] * len(values)


NUMBERS = st.sampled_from(["6", "6.0", "-7", "0.5", "1e2", "", "nan", "x", "0x1", " 3", '"4"', '"5,5"', "2026-11-22"])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=30), st.booleans())
def test_a_block_is_typed_as_its_texts_are(rows: list[tuple[str, str]], given_lines: bool) -> None:
    lines = [f"{one},{other}" for one, other in rows]
    texts = pa.array(lines) if given_lines else None
    found = parse_block("\n".join(lines).encode(), 2, lines=texts)
    for place, column in enumerate(found):
        wanted = typed(pa.array([row[place].strip('"') for row in rows]))
        assert str(column.type) == str(wanted.type)
        assert str(column.to_pylist()) == str(wanted.to_pylist())


def test_mixed_columns_are_found_in_many_rows() -> None:
    """Only lines with whole numbers are read again, and what they show holds for the whole column."""
    draw = np.random.default_rng(3)
    values = [f"{value:.2f}" for value in draw.normal(size=50_000) * 10]
    lines = [f"{value},{value}" for value in values]
    lines[40_000] = "6.00,6"
    plain, mixed = parse_block("\n".join(lines).encode(), 2)
    assert (plain.type, mixed.type) == (pa.float64(), pa.string())
    assert mixed.to_pylist() == [line.partition(",")[2] for line in lines]
    assert plain.to_pylist() == [float(line.partition(",")[0]) for line in lines]


def test_lines_of_another_width() -> None:
    refused = Refused()
    columns = parse_block(b"1,2\n3\n4,0x5,6\n7,0x8", 2, refused=refused)
    assert [column.to_pylist() for column in columns] == [[1, 7], ["2", "0x8"]]
    assert sorted(refused.lines) == ["3", "4,0x5,6"]
    with pytest.raises(pa.ArrowInvalid):
        parse_block(b"1,2\n3", 2)
    assert [len(column) for column in parse_block(b"", 3)] == [0, 0, 0]


def test_a_line_longer_than_a_block() -> None:
    long = "x" * (9 << 20)
    one, other = parse_block(f"1,a\n2,{long}\n3,b".encode(), 2)
    assert (one.to_pylist(), [len(text) for text in other.to_pylist()]) == ([1, 2, 3], [1, 9 << 20, 1])


def test_names() -> None:
    assert by_place(3, 2) == ("_c2", "_c3", "_c4")
    assert cells_of(' a ,"b,c", "d""e"') == ["a", "b,c", 'd"e']
    assert could_be_names(["a", "b"])
    assert not any(map(could_be_names, ([], ["a", ""], ["a", "a"], ["a", "1"], ["nan", "b"], ["-.5e3"])))
    assert [is_number(text) for text in ("1", " -2.5e3 ", ".5", "inf", "1_0", "0x1", "１")] == [True] * 4 + [False] * 3
    assert distinct(["a", "a", "a"]) == ("a", "a.1", "a.2")
