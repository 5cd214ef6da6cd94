"""``statistics.json`` of a table: what is written reads back, the original's files work, broken ones are refused."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.documents import dump
from driftline.core.errors import InputError
from driftline.core.table_statistics import (
    Bucket,
    FeatureStatistics,
    InferredType,
    NumericalStatistics,
    StringStatistics,
    TableStatistics,
    TypeCounts,
)
from driftline.core.table_statistics_document import statistics_document, write_statistics
from driftline.core.table_statistics_reader import read_statistics

finite = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 2**53)
texts = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(['"data": []', "\n", "\\", "é", "日本"])
buckets = st.builds(lambda a, b, n: Bucket(min(a, b), max(a, b), n), finite, finite, st.floats(0, 1e300))
numbers = st.builds(
    NumericalStatistics,
    *[st.none() | finite] * 5,
    buckets=st.lists(buckets, max_size=3).map(tuple),
    levels=st.lists(st.lists(finite, max_size=4).map(tuple), max_size=3).map(tuple),
    c=st.floats(0.1, 1),
    k=st.integers(8, 4096).map(float),
    not_finite=counts,
)
strings = st.builds(
    StringStatistics,
    st.floats(0, 1e15),
    st.lists(st.tuples(texts, counts), max_size=4).map(tuple),
    st.booleans(),
    counts,
)
features = st.builds(
    FeatureStatistics,
    texts,
    st.sampled_from(get_args(InferredType)),
    counts,
    counts,
    st.none() | numbers,
    st.none() | strings,
    st.none() | st.builds(TypeCounts, *[counts] * 5),
)
tables = st.builds(
    TableStatistics, counts, st.lists(features, max_size=3, unique_by=lambda feature: feature.name).map(tuple)
)
# Written by hand after the service's format: an integral, a fractional and a text column, and one without a value.
ORIGINAL: dict[str, Any] = {
    "version": 0.0,
    "dataset": {"item_count": 8},
    "features": [
        {
            "name": "Day Mins",
            "inferred_type": "Fractional",
            "numerical_statistics": {
                "common": {"num_present": 6.0, "num_missing": 2.0},
                "mean": 3.5,
                "sum": 21.0,
                "std_dev": 1.707825127659933,
                "min": 1.0,
                "max": 6.0,
                "distribution": {
                    "kll": {
                        "buckets": [
                            {"lower_bound": 1.0, "upper_bound": 3.5, "count": 3.0},
                            {"lower_bound": 3.5, "upper_bound": 6.0, "count": 3.0},
                        ],
                        "sketch": {"parameters": {"c": 0.64, "k": 2048.0}, "data": [[6.0, 1.0], [2.0, 4.0]]},
                    }
                },
            },
        },
        {
            "name": "State",
            "inferred_type": "String",
            "string_statistics": {
                "common": {"num_present": 8, "num_missing": 0},
                "distinct_count": 2.0,
                "distribution": {
                    "categorical": {"buckets": [{"value": "OH", "count": 5}, {"value": "NJ", "count": 3}]}
                },
            },
        },
    ],
}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(tables)
def test_statistics_read_back(table: TableStatistics) -> None:
    assert read_statistics(write_statistics(table, "2026-11-22T10:00:00Z"), "s.json") == table
    assert read_statistics(dump(statistics_document(table)), "s.json") == table


@settings(max_examples=50, deadline=None, derandomize=True)
@given(tables)
def test_the_file_and_the_document_hold_the_same(table: TableStatistics) -> None:
    written = write_statistics(table, "2026-11-22T10:00:00Z")
    assert json.loads(written) == json.loads(dump(statistics_document(table, "2026-11-22T10:00:00Z")))
    assert written.endswith(b"\n}\n")


def test_a_file_has_the_keys_of_the_original() -> None:
    document = json.loads(write_statistics(read_statistics(json.dumps(ORIGINAL).encode(), "s.json")))
    mine, theirs = document["features"], ORIGINAL["features"]
    assert (document["version"], document["dataset"]) == (0.0, {"item_count": 8})
    for kind, place in (("numerical_statistics", 0), ("string_statistics", 1)):
        assert theirs[place][kind].items() <= mine[place][kind].items()
        assert set(mine[place][kind]) - set(theirs[place][kind]) <= {"not_finite", "complete", "error"}


def test_a_level_of_a_sketch_is_one_line() -> None:
    lines = write_statistics(read_statistics(json.dumps(ORIGINAL).encode(), "s.json")).decode().split("\n")
    assert "                [6.0,1.0]," in lines
    assert "                [2.0,4.0]" in lines


def test_a_file_of_the_original_is_read() -> None:
    table = read_statistics(json.dumps(ORIGINAL).encode(), "s.json")
    minutes, state = table.features
    assert table.item_count == 8
    assert (minutes.num_present, minutes.num_missing, minutes.types) == (6, 2, None)
    assert minutes.numerical == NumericalStatistics(
        3.5,
        21.0,
        1.707825127659933,
        1.0,
        6.0,
        (Bucket(1.0, 3.5, 3.0), Bucket(3.5, 6.0, 3.0)),
        ((6.0, 1.0), (2.0, 4.0)),
    )
    assert state.string == StringStatistics(2.0, (("OH", 5), ("NJ", 3)))


def changed(path: tuple[Any, ...], value: Any) -> bytes:
    """The original with one value replaced, or taken out where the new one is ``...``."""
    document = json.loads(json.dumps(ORIGINAL))
    node = document
    for key in path[:-1]:
        node = node[key]
    if value is ...:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return json.dumps(document).encode()


NUMBERS = ("features", 0, "numerical_statistics")
KLL = (*NUMBERS, "distribution", "kll")
STRINGS = ("features", 1, "string_statistics")


def test_what_an_original_leaves_out_is_not_missed() -> None:
    def read(path: tuple[Any, ...], value: Any = ...) -> FeatureStatistics:
        return read_statistics(changed(path, value), "s.json").features[0 if path[1] == 0 else 1]

    for path in ((*NUMBERS, "distribution"), KLL):
        numerical = read(path).numerical
        assert numerical is not None
        assert (numerical.buckets, numerical.levels, numerical.mean) == ((), (), 3.5)
    for path, value in (((*KLL, "sketch"), ...), ((*KLL, "sketch"), None), ((*KLL, "sketch", "data"), ...)):
        numerical = read(path, value).numerical
        assert numerical is not None
        assert (len(numerical.buckets), numerical.levels) == (2, ())
    assert read((*KLL, "sketch", "parameters")).numerical == read((*KLL, "sketch", "parameters"), None).numerical
    assert read((*NUMBERS, "std_dev"), "NaN").numerical == read((*NUMBERS, "std_dev")).numerical
    assert read((*NUMBERS, "common", "num_missing")).num_missing == 0
    string = read((*STRINGS, "distribution")).string
    assert string == StringStatistics(2.0, (), complete=False)
    part = read((*STRINGS, "distribution", "categorical", "buckets"), [{"value": "OH", "count": 5}]).string
    assert part == StringStatistics(2.0, (("OH", 5),), complete=False)


def test_unknown_keys_marks_and_nan_are_read() -> None:
    plain = read_statistics(json.dumps(ORIGINAL).encode(), "s.json")
    assert read_statistics(changed(("features", 0, "new"), {"deep": [1]}), "s.json") == plain
    assert read_statistics(changed(("features", 0, "extra"), float("nan")), "s.json") == plain
    assert read_statistics(b"\xef\xbb\xbf" + json.dumps(ORIGINAL).encode(), "s.json") == plain
    with_nan = read_statistics(changed((*NUMBERS, "mean"), float("nan")), "s.json").features[0].numerical
    assert with_nan is not None
    assert with_nan.mean is None


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("features",), ..., "s.json holds no data-quality statistics"),
        (("features",), {}, "s.json holds no data-quality statistics"),
        (("features", 0), 7, "s.json, feature 1: Expected `object`"),
        (("features", 0, "name"), ..., "s.json, feature 1: Object missing required field `name`"),
        (("features", 0, "name"), "State", "s.json describes feature 'State' twice"),
        (("features", 1, "inferred_type"), "Text", "s.json, feature 2 (State): Invalid enum value 'Text'"),
        (("features", 1, "string_statistics"), ..., "s.json, feature 2 (State) has neither"),
        ((*NUMBERS, "common"), ..., "s.json, feature 1 (Day Mins): Object missing required field `common`"),
        ((*NUMBERS, "common", "num_present"), 1.5, "s.json, feature 1 (Day Mins): num_present: 1.5 is not a count"),
        ((*NUMBERS, "common", "num_missing"), -1, "s.json, feature 1 (Day Mins): num_missing: -1 is not a count"),
        ((*NUMBERS, "mean"), "much", "s.json, feature 1 (Day Mins): mean: 'much' is not a number"),
        ((*NUMBERS, "mean"), [], "s.json, feature 1 (Day Mins): Expected"),
        ((*KLL, "buckets", 0, "count"), -1, "s.json, feature 1 (Day Mins): a bucket from 1 to 3.5 with -1 values"),
        ((*KLL, "buckets", 0, "lower_bound"), 9, "s.json, feature 1 (Day Mins): a bucket from 9 to 3.5"),
        ((*KLL, "sketch", "data"), [[1.0, "x"]], "s.json, feature 1 (Day Mins): Expected `float`"),
        ((*KLL, "sketch", "data"), [[float("nan")]], "s.json, feature 1 (Day Mins): Expected `float`"),
        ((*STRINGS, "distinct_count"), -3, "s.json, feature 2 (State): distinct_count: -3 is not a count"),
        (("features", 1, "types"), {"integral": -3}, "s.json, feature 2 (State): types: integral: -3 is not a count"),
        (("dataset",), ..., "s.json: dataset: Expected `object`"),
        (("dataset", "item_count"), -2, "s.json: item_count: -2 is not a count"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(path: tuple[Any, ...], value: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_statistics(changed(path, value), "s.json")
    assert error.value.what.startswith(message)
    assert error.value.hint


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "s.json, line 1: not valid JSON"),
        (b'{\n"dataset": {"item_count": 1},\n"features": [{"name": "a"]}', "s.json, line 3: not valid JSON"),
        (b"[]", "s.json must hold a JSON object"),
        (b'{"version": 0.0, "binary_classification_metrics": {}}', "s.json holds no data-quality statistics"),
        (b'{"dataset": {"item_count": 1}, "features": [{"name": "\xff"}]}', "s.json is not UTF-8 text"),
        (b'{"dataset": {"item_count": 1}, "features": [' + b"[" * 100_000, "s.json is nested too deeply"),
        (b'{"dataset": {"item_count": 1}, "features": [{"name": "\\ud800"}]}', "s.json holds half a character"),
    ],
)
def test_what_is_no_statistics_file_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_statistics(data, "s.json")
    assert error.value.what.startswith(message)


def test_two_thousand_features_with_full_sketches_read_back() -> None:
    level = tuple(value / 7 for value in range(2048))
    numerical = NumericalStatistics(1.0, 2.0, 3.0, 0.0, 300.0, levels=(level[:300], level[::8]))
    wide = TableStatistics(
        10**6, tuple(FeatureStatistics(f"f{place}", "Fractional", 10**6, 0, numerical) for place in range(2000))
    )
    written = write_statistics(wide)
    assert read_statistics(written, "s.json") == wide
    assert written.count(b"\n") < 2000 * 40
