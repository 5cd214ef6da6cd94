"""The library on data frames of Spark: one test body over a table and the same table on Spark, in 1, 7 and 64 parts.

Numbers agree within 1e-12 of each other, because sums of parts may be taken in another order; sketches hold up to
2,048 values exactly, so that they are equal below that, and within their bound in rank above.
"""

from __future__ import annotations

import datetime
import decimal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
import xgboost

from driftline import (
    ExplainOptions,
    InputError,
    Verdict,
    baseline_attribution,
    baseline_bias,
    baseline_data_quality,
    baseline_model_quality,
    check_attribution,
    check_bias,
    check_data_quality,
    check_model_quality,
)
from driftline.analyzers.quantiles import RANK_ERROR
from driftline.testing import START

FEATURES = ["age", "plan", "day"]


def on_spark(spark: Any, table: pa.Table, parts: int) -> Any:
    """The table as a data frame of so many partitions, in the same order."""

    def part(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column("id").to_pylist():
                first, last = (table.num_rows * place // parts for place in (number, number + 1))
                yield from table.slice(first, last - first).to_batches()

    schema = spark.createDataFrame(table.slice(0, 1)).schema
    return spark.range(0, parts, numPartitions=parts).mapInArrow(part, schema)


def document(found: Any) -> Any:
    """All that was found, as plain values."""
    return {
        name: msgspec.json.decode(one) if isinstance(one, bytes) else msgspec.to_builtins(one)
        for name, one in found.documents().items()
    }


def same(found: Any, wanted: Any) -> None:
    """What was found on Spark is what was found here."""
    assert found.rejects == wanted.rejects
    assert_close(document(found), document(wanted))


def assert_close(found: Any, wanted: Any, path: str = "") -> None:
    if isinstance(wanted, dict):
        assert list(found) == list(wanted), path
        for name in wanted:
            assert_close(found[name], wanted[name], f"{path}/{name}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), path
        for place, (one, other) in enumerate(zip(found, wanted, strict=True)):
            assert_close(one, other, f"{path}/{place}")
    elif isinstance(wanted, float) and isinstance(found, float):
        assert found == pytest.approx(wanted, rel=1e-12, abs=1e-12, nan_ok=True), path
    else:
        assert found == wanted, path


# -- predictions -----------------------------------------------------------------------------------------------------


def binary(n: int, seed: int = 1) -> pa.Table:
    random = np.random.default_rng(seed)
    truth = random.random(n) < 0.3
    p = 1 / (1 + np.exp(-(random.normal(size=n) + np.where(truth, 1.5, -1.5))))
    plan = random.choice(["gold", "tin", ""], n)
    columns = {"p": p, "said": (p > 0.5).astype(int), "truth": truth.astype(int), "plan": plan}
    return pa.table(columns | {"age": random.normal(40, 10, n), "key": [f"k{place}" for place in range(n)]})


def put(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values))


def ugly(n: int = 300) -> pa.Table:
    """Not every part of it has a bad cell, so that some are clean and others are read as text."""
    table = binary(n)
    p = table.column("p").to_pylist()
    p[3], p[200] = None, float("nan")
    truth = table.column("truth").to_pylist()
    truth[7], truth[150] = None, 2
    return put(put(table, "p", pa.array(p, pa.float32())), "truth", truth)


COLUMNS: dict[str, Any] = {"label": "truth", "prediction": "said", "probability": "p"}
TABLES: dict[str, Callable[[], pa.Table]] = {
    "plain": lambda: binary(400),
    "ugly": ugly,
    "texts": lambda: put(binary(200), "truth", [["yes", "1", "0", " 1.0 "][place % 4] for place in range(200)]),
    "one class": lambda: put(binary(100), "truth", [0] * 100),
    "constant": lambda: put(binary(100), "p", [0.25] * 100),
    "infinite": lambda: put(binary(100), "p", [float("inf")] * 50 + [0.5] * 50),
    "few": lambda: binary(3),
}


LONG = pytest.mark.long


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("ugly", 3),
        *(pytest.param(name, 3, marks=LONG) for name in TABLES if name != "ugly"),
        *(pytest.param("ugly", parts, marks=LONG) for parts in (1, 64)),
    ],
)
def test_model_quality_is_that_of_the_same_table(spark: Any, name: str, parts: int) -> None:
    table = TABLES[name]()
    wanted = baseline_model_quality(table, **COLUMNS, now=START)
    same(baseline_model_quality(on_spark(spark, table, parts), **COLUMNS, now=START), wanted)


@LONG
def test_segments_and_weights_are_those_of_the_same_table(spark: Any) -> None:
    table = binary(400).append_column("w", pa.array(np.arange(400) % 5 / 2))
    constraints = baseline_model_quality(binary(400, seed=2), **COLUMNS).constraints
    more: dict[str, Any] = {**COLUMNS, "weight": "w", "segments": ["plan", "age:30,50"], "now": START}
    wanted = check_model_quality(table, constraints, **more)
    found = check_model_quality(on_spark(spark, table, 7), constraints, **more)
    same(found, wanted)
    assert len(document(found)["statistics"]["segments"]) == 6


@LONG
def test_rows_with_ids_are_drawn_alike_in_any_order(spark: Any) -> None:
    table = binary(400)
    more: dict[str, Any] = {**COLUMNS, "row_id": "key", "now": START}
    wanted = baseline_model_quality(table, **more)
    backwards = table.take(np.arange(400)[::-1])
    same(baseline_model_quality(backwards, **more), wanted)
    same(baseline_model_quality(on_spark(spark, backwards, 7), **more), wanted)
    by_number = baseline_model_quality(table, **COLUMNS, now=START)
    assert by_number.statistics != wanted.statistics


@LONG
@pytest.mark.parametrize("kind", ["columns", "list"])
def test_several_classes_are_those_of_the_same_table(spark: Any, kind: str) -> None:
    random = np.random.default_rng(4)
    p = random.dirichlet([1, 1, 1], 300)
    names = ["ant", "bee", "cat"]
    columns = {name: p[:, place] for place, name in enumerate(names)}
    table = pa.table({**columns, "all": pa.array(p.tolist()), "truth": random.choice(names, 300)})
    given = {"probability": names} if kind == "columns" else {"probability": "all", "classes": names}
    more: dict[str, Any] = {"label": "truth", "problem_type": "MulticlassClassification", "now": START, **given}
    same(baseline_model_quality(on_spark(spark, table, 7), **more), baseline_model_quality(table, **more))


@LONG
@pytest.mark.parametrize("kind", [pa.float32(), pa.decimal128(9, 3), pa.bool_(), pa.int16()])
def test_a_regression_on_any_type_is_that_of_the_same_table(spark: Any, kind: pa.DataType) -> None:
    random = np.random.default_rng(5)
    said = random.normal(size=200).round(3)
    numbers = said > 0 if kind == pa.bool_() else [decimal.Decimal(f"{one:.3f}") for one in said]
    truth = pa.array([None if place == 150 else one for place, one in enumerate(numbers)])
    truth = truth.cast(kind, safe=False)
    table = pa.table({"said": said, "truth": truth})
    more: dict[str, Any] = {"label": "truth", "prediction": "said", "problem_type": "Regression", "now": START}
    same(baseline_model_quality(on_spark(spark, table, 7), **more), baseline_model_quality(table, **more))


@LONG
def test_what_is_wrong_with_a_data_frame_is_said_as_of_a_table(spark: Any) -> None:
    table = binary(20)
    for data in (table, on_spark(spark, table, 7)):
        with pytest.raises(InputError, match="no column 'other'"):
            baseline_model_quality(data, label="other", prediction="said")
        with pytest.raises(InputError, match="has no row that can be used"):
            baseline_model_quality(data, label="truth", prediction="said", probability="plan")
        constraints = baseline_model_quality(table, **COLUMNS).constraints
        nothing = data.limit(0) if hasattr(data, "limit") else data.slice(0, 0)
        assert check_model_quality(nothing, constraints, **COLUMNS).verdict is Verdict.UNKNOWN


@LONG
def test_a_column_only_spark_knows_is_named(spark: Any) -> None:
    from pyspark.ml.linalg import Vectors

    frame = spark.createDataFrame([(Vectors.dense([0.2, 0.8]), 1)], ["vector", "truth"])
    with pytest.raises(InputError, match="'vector' is of a type that only Spark knows"):
        baseline_model_quality(frame, label="truth", probability="vector")
    with pytest.raises(InputError, match="'vector'"):
        baseline_data_quality(frame)


@LONG
def test_a_data_frame_that_changes_between_two_readings_is_refused(spark: Any) -> None:
    def some(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import secrets

        for batch in batches:
            yield batch.slice(secrets.randbelow(batch.num_rows))

    frame = on_spark(spark, binary(3000), 3)
    moving = frame.mapInArrow(some, frame.schema)
    with pytest.raises(InputError, match="gave other rows when it was read again") as caught:
        baseline_model_quality(moving, **COLUMNS)
    assert "row_id" in caught.value.hint


# -- columns ---------------------------------------------------------------------------------------------------------


def columns(n: int, seed: int = 1, moved: float = 0) -> pa.Table:
    random = np.random.default_rng(seed)
    day = datetime.date(2026, 1, 1)
    times = [START + datetime.timedelta(seconds=int(one)) for one in random.integers(0, 10**6, n)]
    return pa.table(
        {
            "number": pa.array(random.normal(moved, 1, n), pa.float32()),
            "count": random.integers(0, 50, n),
            "text": pa.array([["a", "b", None, " "][one] for one in random.integers(0, 4, n)]),
            "when": pa.array(times, pa.timestamp("us", "UTC")),
            "day": pa.array([day + datetime.timedelta(days=int(one)) for one in random.integers(0, 9, n)]),
            "price": pa.array([decimal.Decimal(int(one)) / 100 for one in random.integers(0, 999, n)]).cast(
                pa.decimal128(9, 2)
            ),
            "truth": random.random(n) < 0.5,
            "list": pa.array([[1.0, 2.0]] * n),
            "inner": pa.array([{"x": 1, "y": "q"}] * n),
            "nothing": pa.array([None] * n, pa.float64()),
            "odd": [float("inf") if place % 3 else float("nan") for place in range(n)],
        }
    )


@pytest.mark.parametrize("parts", [pytest.param(1, marks=LONG), 7])
def test_data_quality_is_that_of_the_same_table(spark: Any, parts: int) -> None:
    before = baseline_data_quality(columns(1500), exclude=["day"], now=START)
    if parts == 7:
        same(baseline_data_quality(on_spark(spark, columns(1500), parts), exclude=["day"], now=START), before)
    table = columns(1500, seed=2, moved=0.9)
    more: dict[str, Any] = {"segments": ["truth", "count:10,20"], "exclude": ["day"], "now": START}
    wanted = check_data_quality(table, before, **more)
    found = check_data_quality(on_spark(spark, table, parts), before, **more)
    same(found, wanted)
    assert found.segments == wanted.segments
    assert any(one.samples for one in found.violations)


@LONG
def test_sketches_of_many_rows_agree_within_their_bound(spark: Any) -> None:
    table = columns(30_000).select(["number", "count"])
    wanted, found = (baseline_data_quality(data).statistics for data in (table, on_spark(spark, table, 7)))
    for ours, other in zip(found.features, wanted.features, strict=True):
        assert ours.numerical is not None
        assert other.numerical is not None
        assert ours.numerical.mean == pytest.approx(other.numerical.mean, rel=1e-12)
        for one, two in zip(ours.numerical.buckets, other.numerical.buckets, strict=True):
            assert one.count == pytest.approx(two.count, abs=4 * RANK_ERROR * table.num_rows)


@LONG
def test_a_frame_without_rows_is_a_table_without_rows(spark: Any) -> None:
    frame = on_spark(spark, columns(5), 3).limit(0)
    with pytest.raises(InputError, match="has no rows"):
        baseline_data_quality(frame)
    before = baseline_data_quality(columns(50))
    assert check_data_quality(frame, before).verdict is Verdict.UNKNOWN


# -- bias ------------------------------------------------------------------------------------------------------------


def people(n: int, seed: int = 1) -> pa.Table:
    random = np.random.default_rng(seed)
    sex = random.choice(["f", "m", None], n, p=[0.4, 0.5, 0.1])
    truth = random.random(n) < np.where(sex == "f", 0.3, 0.6)
    said = truth ^ (random.random(n) < 0.2)
    return pa.table(
        {
            "sex": pa.array(sex.tolist()),
            "truth": truth.astype(int),
            "said": said.astype(int),
            "income": random.normal(size=n),
            "town": random.choice(["x", "y"], n),
            "key": [f"k{place}" for place in range(n)],
        }
    )


@pytest.mark.parametrize(("parts", "row_id"), [pytest.param(7, None, marks=LONG), (2, "key")])
def test_bias_is_that_of_the_same_table(spark: Any, parts: int, row_id: str | None) -> None:
    more: dict[str, Any] = {
        "label": "truth",
        "positive": "1",
        "facets": ["sex=f", "income>0"],
        "predicted": "said",
        "group": "town",
        "exclude": ["key"],
        "row_id": row_id,
        "now": START,
    }
    table = people(600)
    before = baseline_bias(people(600, seed=2), **more)
    same(baseline_bias(on_spark(spark, table, parts), **more), baseline_bias(table, **more))
    wanted = check_bias(table, before, row_id=row_id, now=START)
    found = check_bias(on_spark(spark, table, parts), before, row_id=row_id, now=START)
    same(found, wanted)
    assert found.notes == wanted.notes


# -- attribution -----------------------------------------------------------------------------------------------------


def features(n: int, seed: int = 0) -> pa.Table:
    rows = np.random.default_rng(seed).normal(size=(n, 3))
    return pa.table({name: rows[:, place] for place, name in enumerate(FEATURES)} | {"key": np.arange(n)})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = np.column_stack([features(400).column(name).to_numpy() for name in FEATURES])
    data = xgboost.DMatrix(rows, rows @ [3.0, 1.0, 0.2] > 0, feature_names=FEATURES)
    path: Path = tmp_path_factory.mktemp("model") / "trees.json"
    xgboost.train({"objective": "binary:logistic", "max_depth": 2, "nthread": 1}, data, 10).save_model(path)
    return path


@pytest.mark.parametrize(
    "options",
    [pytest.param(None, marks=LONG, id="every row"), pytest.param(ExplainOptions(rows=100), marks=LONG, id="a sample")],
)
def test_attributions_are_those_of_the_same_table(spark: Any, model: Path, options: ExplainOptions | None) -> None:
    table = features(500, seed=1)
    before = baseline_attribution(features(500), model, options=options, now=START)
    wanted = check_attribution(table, model, before, options=options, now=START)
    found = check_attribution(on_spark(spark, table, 7), model, before, options=options, now=START)
    same(found, wanted)
    assert found.rows == 500
    frame = on_spark(spark, table, 7)
    same(
        baseline_attribution(frame, model, options=options, row_id="key", now=START),
        baseline_attribution(table, model, options=options, row_id="key", now=START),
    )


@LONG
def test_a_model_that_only_answers_is_explained_here(spark: Any) -> None:
    def black_box(rows: Any) -> Any:
        return rows @ np.array([3.0, 1.0, 0.2])

    table = features(300, seed=1).select(FEATURES)
    wanted, found = (
        baseline_attribution(data, black_box, options=ExplainOptions(rows=50), now=START)
        for data in (table, on_spark(spark, table, 7))
    )
    same(found, wanted)


@LONG
def test_what_cannot_run_on_spark_says_what_to_do(spark: Any, model: Path, tmp_path: Path) -> None:
    frame = on_spark(spark, features(30), 2)
    with pytest.raises(InputError, match="cannot be written from Spark") as caught:
        baseline_attribution(frame, model, local=tmp_path / "all.csv")
    assert "toArrow" in caught.value.hint
    texts = on_spark(spark, put(features(30), "plan", ["gold"] * 30), 2)
    with pytest.raises(InputError, match="holds values that are no numbers"):
        baseline_attribution(texts, model)


# -- without Spark ---------------------------------------------------------------------------------------------------


def test_spark_is_not_loaded_for_other_tables() -> None:
    code = (
        "import sys, pyarrow as pa, driftline;"
        "table = pa.table({'y': [0, 1] * 9, 'p': [0.1, 0.7] * 9});"
        "driftline.baseline_model_quality(table, label='y', probability='p');"
        "driftline.baseline_data_quality(pa.table({'y': [0, 1]}));"
        "assert not {'pyspark', 'py4j'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
