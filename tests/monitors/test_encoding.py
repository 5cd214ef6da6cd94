"""One spelling for each class and number, decided alike for text and for typed columns."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.monitors.encoding import binary, binary_codes, canonical, canonical_classes, numbers

WHOLE = st.integers(-(10**30), 10**30)
TEXTS = st.one_of(
    st.text(max_size=8), st.sampled_from(["1", "1.0", " 1", "+1", "1e0", "", "cat", "true", "nan", "0x1"])
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(number=WHOLE, zeros=st.integers(0, 3), spaces=st.sampled_from(["", " ", "\t"]))
def test_whole_numbers_of_any_size_keep_their_digits(number: int, zeros: int, spaces: str) -> None:
    sign, digits = ("-" if number < 0 else ""), str(abs(number))
    for text in (f"{sign}{'0' * zeros}{digits}", f"{sign}{digits}.{'0' * zeros}", f"{spaces}{number}{spaces}"):
        assert canonical(text) == str(number)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(one=WHOLE | st.floats(allow_nan=False, allow_infinity=False), other=WHOLE)
def test_numbers_have_one_spelling_exactly_when_they_are_equal(one: float, other: int) -> None:
    assert (canonical(str(one)) == canonical(str(other))) == (Decimal(str(one)) == Decimal(other))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(text=TEXTS)
def test_one_spelling_is_its_own(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


def test_only_digits_of_ascii_are_numbers() -> None:
    assert canonical("٣") == "٣"
    assert math.isnan(numbers(pa.array(["٣"]))[0])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(texts=st.lists(TEXTS | st.none(), max_size=20))
def test_columns_are_decided_value_by_value(texts: list[str | None]) -> None:
    column = pa.array(texts, pa.string())
    wanted = [None if text is None else canonical(text) for text in texts]
    codes = [-1 if text is None or binary(text) is None else int(binary(text) or 0) for text in texts]
    for kind in (pa.string(), pa.large_string()):
        found = canonical_classes(column.cast(kind))
        assert found.to_pylist() == wanted
        assert len(set(found.dictionary.to_pylist())) == len(found.dictionary)
        assert binary_codes(column.cast(kind)).tolist() == codes


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([1, 0, 2, -1, None], [1, 0, -1, -1, -1]),
        ([1.0, 0.0, -0.0, 0.5, math.nan, math.inf, -math.inf, None], [1, 0, 0, -1, -1, -1, -1, -1]),
        ([True, False, None], [1, 0, -1]),
        ([2**63 - 1, -(2**63)], [-1, -1]),
    ],
)
def test_typed_columns_of_binary_classes(values: list[Any], codes: list[int]) -> None:
    assert binary_codes(pa.array(values)).tolist() == codes


def test_typed_columns_of_classes() -> None:
    assert canonical_classes(pa.array([1, 2, None])).to_pylist() == ["1", "2", None]
    assert canonical_classes(pa.array([1.0, 2.5])).to_pylist() == ["1", "2.5"]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.none(), max_size=20))
def test_numbers_read_back_exactly_from_text(values: list[float | None]) -> None:
    wanted = np.array([math.nan if value is None else value for value in values])
    text = pa.array([None if value is None else repr(value) for value in values], pa.string())
    for column in (text, text.cast(pa.large_string()), pa.array(values, pa.float64())):
        assert np.array_equal(numbers(column), wanted, equal_nan=True)


def test_what_is_no_number_is_nan() -> None:
    texts = ["", " ", "x", "1,5", "1 2", "nan", "inf", "-inf", "Infinity", "0x10", "1e", "--1", "1_0", None]
    assert np.isnan(numbers(pa.array(texts, pa.string()))).all()
    assert numbers(pa.array([True, False])).tolist() == [1.0, 0.0]
    assert numbers(pa.array([], pa.string())).tolist() == []
