"""Columns of a table in the order of a model's features, by name or by place; what is no number is named."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.core.errors import InputError
from driftline.engine.model_columns import ModelColumns


def batch_of(**columns: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def matrix(batch: pa.RecordBatch, features: Any) -> Any:
    return ModelColumns(batch.schema.names, features, source="orders").matrix(batch).tolist()


def test_a_model_with_names_takes_its_columns_by_name_in_its_order() -> None:
    batch = batch_of(plan=[1, 2], age=[30, 40], extra=["x", "y"])
    assert matrix(batch, ("age", "plan")) == [[30.0, 1.0], [40.0, 2.0]]


def test_a_model_without_names_takes_columns_by_place_and_calls_them_as_the_table_does() -> None:
    columns = ModelColumns(["plan", "age"], 2, source="orders")
    assert columns.names == ("plan", "age")
    assert columns.matrix(batch_of(plan=[1], age=[30])).tolist() == [[1.0, 30.0]]
    assert ModelColumns(["plan", "age"], None, source="orders").names == ("plan", "age")


def test_a_table_without_names_is_taken_by_place_and_called_as_the_model_does() -> None:
    columns = ModelColumns(["_c0", "_c1"], ("age", "plan"), source="orders")
    assert columns.names == ("age", "plan")
    assert columns.matrix(batch_of(_c0=[1], _c1=[30])).tolist() == [[1.0, 30.0]]


def test_a_label_may_be_left_out_of_a_table_without_names() -> None:
    columns = ModelColumns(["_c1", "_c2"], ("age", "plan"), source="orders")
    assert columns.matrix(batch_of(_c0=[9], _c1=[1], _c2=[30])).tolist() == [[1.0, 30.0]]
    with pytest.raises(InputError, match="the model has 2 features, and orders has 3 columns"):
        ModelColumns(["_c0", "_c1", "_c2"], ("age", "plan"), source="orders")


NAN = float("nan")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (pa.array([1, None, 3]), [1.0, NAN, 3.0]),
        (pa.array([True, False, None]), [1.0, 0.0, NAN]),
        (pa.array(["6", "6.5", " 1e3 "]), [6.0, 6.5, 1000.0]),
        (pa.array(["nan", "-inf", ""]), [NAN, -np.inf, NAN]),
        (pa.array(["1", None, "2"], pa.large_string()), [1.0, NAN, 2.0]),
        (pa.array([Decimal("1.5"), None, Decimal("2.25")]), [1.5, NAN, 2.25]),
        (pa.array(["3", "4", "3"]).dictionary_encode(), [3.0, 4.0, 3.0]),
        (pa.nulls(3), [NAN, NAN, NAN]),
        (pa.nulls(3, pa.date32()), [NAN, NAN, NAN]),
        (pa.array([2**62, 1, -5]), [2.0**62, 1.0, -5.0]),
        (pa.array([1.5, NAN, 1e308]), [1.5, NAN, 1e308]),
    ],
)
def test_numbers_in_any_clothes(given: Any, wanted: list[float]) -> None:
    found = ModelColumns(["x"], 1, source="t").matrix(pa.RecordBatch.from_arrays([given], ["x"]))[:, 0]
    assert np.array_equal(found, wanted, equal_nan=True)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (pa.array(["1", "gold", "2"]), "gold"),
        (pa.array(["1", "true", "2"]), "true"),
        (pa.array([None, date(2026, 1, 2), None]), "2026-01-02"),
        (pa.array([None, [1.0], None]), "[1.0]"),
        (pa.array([None, "ä" * 500, None]), "ä" * 100),
        (pa.array(["1", "gold", "1"]).dictionary_encode(), "gold"),
    ],
)
def test_what_is_no_number_is_named_with_its_row(given: Any, shown: str) -> None:
    columns = ModelColumns(["x"], 1, source="orders.csv")
    with pytest.raises(InputError, match=r"orders\.csv: column 'x'") as caught:
        columns.matrix(pa.RecordBatch.from_arrays([given], ["x"]), first=100)
    assert caught.value.evidence == f"row 102: {shown!r}"


def test_a_missing_feature_is_named() -> None:
    with pytest.raises(InputError, match=r"no column 'age', a feature of the model \(2 are missing\)"):
        ModelColumns(["plan"], ("age", "plan", "day"), source="orders")
    with pytest.raises(InputError, match="the rows from 11 on have no column 'age'"):
        ModelColumns(["age", "plan"], ("age",), source="orders").matrix(batch_of(plan=[1]), first=10)


@pytest.mark.parametrize("columns", [[], ["label", "age", "plan"]])
def test_by_place_there_must_be_as_many(columns: list[str]) -> None:
    with pytest.raises(InputError, match=f"the model has 2 features, and orders has {len(columns)} columns") as caught:
        ModelColumns(columns, 2, source="orders")
    assert "--label" in caught.value.hint


def test_no_rows_are_no_rows() -> None:
    assert matrix(batch_of(age=pa.array([], pa.float64())), ("age",)) == []
