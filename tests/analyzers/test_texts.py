"""Each text is one of five kinds, and a number has the value that Python reads."""

from __future__ import annotations

import math
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.analyzers.texts import BOOLEAN, FRACTIONAL, INTEGRAL, STRING, WHOLE, kind_counts, numbers_of, texts

KINDS = {
    INTEGRAL: ["0", "7", "-17", "+1", "007", "-0", "12345678901234567890123456789"],
    WHOLE: ["2.0", "1.", "1e5", "1E+3", "-4.00", "1e300", "+.0", "1e-400"],
    FRACTIONAL: [".5", "-0.25", "1e-3", "2.5E1x"[:-1], "inf", "-Inf", "+Infinity", "NaN", "nan", "-nan", "1e400"],
    BOOLEAN: ["true", "FALSE", "True"],
    STRING: [
        "0x1F", "1_000", "1,000", "1 000", "--1", "+-1", "1.2.3", ".", "-", "e5", "1e", "1e5.0", "nan(1)", "infinit",
        "null", "None", "yes", "truee", "ünï", "١٢", "½", "1\n2", "2026-11-22", "1f", "\u200b",
    ],
}  # fmt: skip
KINDS[FRACTIONAL].remove("2.5E1")
KINDS[WHOLE].append("2.5E1")
ALL = [(text, kind) for kind, names in KINDS.items() for text in names]


def oracle(text: str) -> int:
    """The kind of a text by Python's own reading of numbers."""
    text = text.strip()
    if text.lower() in ("true", "false"):
        return BOOLEAN
    if "_" in text or not text.isascii():
        return STRING
    try:
        number = float(text)
    except ValueError:
        return STRING
    if re.fullmatch(r"[+-]?\d+", text):
        return INTEGRAL
    return WHOLE if math.isfinite(number) and number == int(number) else FRACTIONAL


def kinds_of(names: list[str]) -> list[int]:
    return texts(pa.array(names, pa.string()), np.ones(len(names), dtype=np.int64)).kinds.tolist()


@pytest.mark.parametrize(("text", "kind"), ALL)
def test_every_text_has_its_kind_with_and_without_blanks(text: str, kind: int) -> None:
    assert kinds_of([text, f" {text}\t"]) == [kind, kind]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(names=st.lists(st.text("0123456789+-.eEinfaty_x \u0663", min_size=1, max_size=6), max_size=20))
def test_kinds_are_those_of_python(names: list[str]) -> None:
    kept = [name for name in names if name.strip()]
    assert kinds_of(names) == [oracle(name) for name in kept]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(values=st.lists(st.one_of(st.floats(), st.integers()), min_size=1, max_size=20))
def test_numbers_are_those_of_python(values: list[float]) -> None:
    found = texts(pa.array([repr(value) for value in values]), np.ones(len(values), dtype=np.int64))
    assert found.numeric.all()
    expected = [float(repr(value)) for value in values]
    assert all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(found.numbers, expected, strict=True))


def test_empty_and_blank_texts_are_left_out() -> None:
    found = texts(pa.array(["", " ", "\t", "a ", "\u00a0"]), np.array([1, 2, 3, 4, 5]))
    assert (found.names.to_pylist(), found.counts.tolist()) == (["a"], [4])


def test_counts_by_kind() -> None:
    found = texts(pa.array(["1", "2.0", "2.5", "true", "x", "3"]), np.array([1, 2, 3, 4, 5, 6]))
    assert found.types() == (7, 2, 3, 4, 5)
    assert kind_counts(np.array([0, 4, 4], dtype=np.uint8)) == (1, 0, 0, 0, 2)
    assert found.numbers[found.numeric].tolist() == [1, 2, 2.5, 3]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_whole_column_of_plain_numbers_is_read_at_once(kind: pa.DataType) -> None:
    names = ["9", "1", "+2", "-3.0", ".5", "1e3", "00", "9"]
    column = pa.array(names, kind).slice(1, 6)
    found = numbers_of(column)
    assert found is not None
    assert found[0].tolist() == [float(name) for name in names[1:7]]
    assert found[1] == texts(column, np.ones(6, dtype=np.int64)).types()


@pytest.mark.parametrize("odd", [name for name, kind in ALL if kind in (STRING, BOOLEAN)] + ["inf", "nan", " 1"])
def test_a_column_with_anything_else_is_not(odd: str) -> None:
    assert numbers_of(pa.array(["1"] * 100 + [odd] + ["2"] * 5)) is None
    assert numbers_of(pa.array([odd])) is None
