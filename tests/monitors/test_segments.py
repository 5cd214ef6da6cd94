"""Segments: every row in one of them, states that merge like the monitor's own, and a ranking that names the worst."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.core.documents import Constraint, ModelQualityConstraints
from driftline.core.errors import InputError
from driftline.monitors.quality.binary import BinaryQuality
from driftline.monitors.segment_ranking import MOST_NAMED, MOST_SHOWN, SegmentRank, placed, ranked, with_violated
from driftline.monitors.segments import MISSING, MOST_SEGMENTS, Segmentation, Segments
from driftline.testing import prediction_batch, split

ROWS = 900


@pytest.fixture
def rows() -> pa.RecordBatch:
    random = np.random.default_rng(4)
    batch = prediction_batch(ROWS, seed=3, predicted=True)
    plan = pa.array(random.choice(["gold", "tin", "größer <b>"], ROWS), mask=random.random(ROWS) < 0.1)
    age = pa.array(random.integers(10, 90, ROWS).astype(float), mask=random.random(ROWS) < 0.05)
    return batch.append_column("plan", plan).append_column("age", age)


def counted(keys: pa.DictionaryArray) -> dict[str, int]:
    return {one["values"]: one["counts"] for one in keys.cast(pa.string()).value_counts().to_pylist()}


def test_bins_are_half_open_and_hold_every_row() -> None:
    ages = pa.array([17.9, 18.0, 29.99, 30.0, 1e308, float("inf"), float("-inf"), None, float("nan")])
    assert Segmentation.parse("age:18,30").keys(ages).to_pylist() == [
        "below 18",
        "[18, 30)",
        "[18, 30)",
        "30 and above",
        "30 and above",
        "30 and above",
        "below 18",
        MISSING,
        MISSING,
    ]


def test_bins_of_texts_are_those_of_their_numbers() -> None:
    texts = pa.array(["17", " 18 ", "3e1", "x", "", None])
    wanted = ["below 18", "[18, 30)", "30 and above", MISSING, MISSING, MISSING]
    assert Segmentation("a", (18.0, 30.0)).keys(texts).to_pylist() == wanted


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (pa.array([1, 2, 1, None]), {"1": 2, "2": 1, MISSING: 1}),
        (pa.array([True, False, None]), {"true": 1, "false": 1, MISSING: 1}),
        (pa.array(["a", None, "a"]).dictionary_encode(), {"a": 2, MISSING: 1}),
        (pa.nulls(3), {MISSING: 3}),
        (pa.array([], pa.string()), {}),
    ],
)
def test_values_of_every_type_are_segments(column: Any, wanted: dict[str, int]) -> None:
    assert counted(Segmentation("x").keys(column)) == wanted


@pytest.mark.parametrize("text", ["age:30,18", "age:18,18", "age:1,nan", "age:1,inf"])
def test_edges_that_cut_nothing_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="ascending"):
        Segmentation.parse(text)


def test_a_name_may_hold_a_colon() -> None:
    assert Segmentation.parse("time:of day") == Segmentation("time:of day")


@pytest.mark.parametrize("text", ["plan", "age:20,40,60"])
@pytest.mark.parametrize("parts", [1, 7, 64])
def test_a_segment_is_measured_as_its_rows_alone(rows: pa.RecordBatch, text: str, parts: int) -> None:
    monitor, segmentation = BinaryQuality(), Segmentation.parse(text)
    segments = Segments(monitor, segmentation)
    states = segments.measure(split(rows, parts))
    keys = np.array(segmentation.keys(rows.column(segmentation.column)).to_pylist())
    assert set(states) == set(keys.tolist())
    for name, state in states.items():
        alone = monitor.update(rows.filter(pa.array(keys == name)))
        found, wanted = monitor.result(state), monitor.result(alone)
        assert found.item_count == wanted.item_count
        assert found.metrics["f2"].value == pytest.approx(wanted.metrics["f2"].value, rel=1e-12)


def test_the_order_of_states_does_not_matter(rows: pa.RecordBatch) -> None:
    segments = Segments(BinaryQuality(), Segmentation("plan"))
    states = [segments.update(part) for part in split(rows, 5)]
    forth, back = segments.merge(states), segments.merge(states[::-1])
    assert list(forth) == list(back)
    assert all(forth[name].confusion == back[name].confusion for name in forth)


def test_too_many_values_are_no_segments() -> None:
    batch = pa.record_batch({"id": pa.array([str(i) for i in range(MOST_SEGMENTS + 1)])})
    with pytest.raises(InputError, match="more than 1,000 values"):
        Segments(BinaryQuality(), Segmentation("id")).update(batch)


def test_a_column_that_is_not_there_is_named(rows: pa.RecordBatch) -> None:
    with pytest.raises(InputError, match="no column 'colour'"):
        Segments(BinaryQuality(), Segmentation("colour")).update(rows)


def test_the_segment_that_was_made_worse_is_first() -> None:
    random = np.random.default_rng(8)
    n = 4000
    plan, label = random.choice(["a", "b", "c"], n), random.integers(0, 2, n)
    wrong = random.random(n) < np.where(plan == "b", 0.35, 0.1)
    batch = pa.record_batch(
        {
            "id": pa.nulls(n, pa.string()),
            "row": pa.array(np.arange(n)),
            "score": pa.nulls(n, pa.float64()),
            "prediction": pa.array(np.where(wrong, 1 - label, label)),
            "label": pa.array(label),
            "plan": pa.array(plan),
        }
    )
    monitor = BinaryQuality()
    states = Segments(monitor, Segmentation("plan")).update(batch)
    parts = {name: monitor.result(state) for name, state in states.items()}
    first, *others = ranked("plan", monitor.result(monitor.update(batch)), parts, "f2", "LessThanThreshold")
    assert (first.segment, first.apart, first.rows) == ("b", True, int((plan == "b").sum()))
    assert not any(other.apart for other in others)
    worst = ranked("plan", monitor.result(monitor.update(batch)), parts, "false_negative_rate", "GreaterThanThreshold")
    assert (worst[0].segment, worst[0].apart) == ("b", True)


def test_a_segment_without_a_value_comes_last_and_says_why() -> None:
    batch = prediction_batch(300, seed=1, predicted=True)
    label = batch.column("label").to_pylist()
    plan = pa.array(["none" if str(value) == "0" and i % 2 else "some" for i, value in enumerate(label)])
    monitor = BinaryQuality()
    states = Segments(monitor, Segmentation("plan")).update(batch.append_column("plan", plan))
    parts = {name: monitor.result(state) for name, state in states.items()}
    *_, last = ranked("plan", monitor.result(monitor.update(batch)), parts, "recall", "LessThanThreshold")
    assert last.segment == "none"
    assert last.value is None
    assert last.error


def test_each_segment_is_held_against_the_constraints_by_itself() -> None:
    n = 100
    wrong = np.zeros((2, n), int)
    wrong[1, :40] = 1
    label = np.arange(2 * n) % 2
    batch = prediction_batch(2 * n, seed=1, predicted=True)
    batch = batch.set_column(batch.schema.get_field_index("label"), "label", pa.array(label))
    place = batch.schema.get_field_index("prediction")
    batch = batch.set_column(place, "prediction", pa.array(np.where(wrong.ravel(), 1 - label, label)))
    batch = batch.append_column("plan", pa.array(["good"] * n + ["bad"] * n))
    monitor, segments = BinaryQuality(), Segments(BinaryQuality(), Segmentation("plan"))
    parts = {name: monitor.result(state) for name, state in segments.update(batch).items()}
    limits = {
        "accuracy": Constraint(0.8, "LessThanThreshold"),
        "false_positive_rate": Constraint(1, "LessThanThreshold"),
    }
    constraints = ModelQualityConstraints("BinaryClassification", limits)  # type: ignore[arg-type]
    given = "plan", monitor.result(monitor.update(batch)), parts, "accuracy", "LessThanThreshold"
    bad, good = ranked(*given, constraints)
    assert (bad.segment, bad.value, bad.violated, bad.violations) == (
        "bad",
        0.6,
        ("accuracy", "false_positive_rate"),
        2,
    )
    assert good.violated == ("false_positive_rate",)
    assert bad.reference == good.reference == 0.8
    assert [(one.place, one.segments) for one in (bad, good)] == [(1, 2), (2, 2)]
    assert [one.violations for one in ranked(*given, constraints, minimum_sample=n + 1)] == [0, 0]
    assert [one.violations for one in ranked(*given)] == [0, 0]


def test_segments_beyond_the_last_shown_are_counted() -> None:
    rank = SegmentRank("plan", "tin", 1, 0.1, "f2")
    found = placed([rank] * (MOST_SHOWN + 7))
    assert [one.place for one in found] == list(range(1, MOST_SHOWN + 1))
    assert {one.segments for one in found} == {MOST_SHOWN + 7}
    assert placed([]) == ()
    named = with_violated(rank, map(str, range(MOST_NAMED + 3)))
    assert (named.violations, len(named.violated)) == (MOST_NAMED + 3, MOST_NAMED)
