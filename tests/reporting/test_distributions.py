"""Both sides of a feature in the same bins and by the same categories."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.core.table_statistics import Bucket, FeatureStatistics, NumericalStatistics, StringStatistics
from driftline.reporting.charts.categories import category_chart
from driftline.reporting.charts.histogram import histogram_chart
from driftline.reporting.distributions import BINS, categories, histogram

SVG = "{http://www.w3.org/2000/svg}"
ANY = st.floats(allow_nan=True, allow_infinity=True)


def _numbers(values: list[float], kind: str = "Fractional", *, sketched: bool = True) -> FeatureStatistics:
    """A feature of these values, exactly: all of them in the first level of the sketch, or only counted in buckets."""
    array = np.asarray(values)
    counts, edges = np.histogram(array, 10)
    buckets = tuple(map(Bucket, edges.tolist(), edges[1:].tolist(), counts.tolist()))
    levels = (tuple(sorted(values)),) if sketched else ()
    found = NumericalStatistics(
        float(array.mean()), float(array.sum()), float(array.std()), min(values), max(values), buckets, levels
    )
    return FeatureStatistics("x", kind, len(values), 0, found)  # type: ignore[arg-type]


def _texts(counts: dict[str, int], *, complete: bool = True) -> FeatureStatistics:
    found = StringStatistics(len(counts), tuple(counts.items()), complete)
    return FeatureStatistics("x", "String", sum(counts.values()), 0, None, found)


def test_both_sides_are_counted_in_the_same_bins() -> None:
    rng = np.random.default_rng(1)
    now, was = rng.normal(1, 1, 4000), rng.normal(0, 1, 9000)
    found = histogram(_numbers(now.tolist()), _numbers(was.tolist()))
    assert found is not None
    assert len(found.now) == len(found.was) == BINS
    assert (found.now_rows, found.was_rows, found.tails) == (4000, 9000, False)
    assert found.edges[0] == min(now.min(), was.min())
    assert found.edges[-1] == max(now.max(), was.max())
    for shares, values in ((found.now, now), (found.was, was)):
        assert shares == pytest.approx(np.histogram(values, found.edges)[0] / len(values))


def test_a_value_of_a_higher_level_weighs_as_many_as_it_stands_for() -> None:
    numbers = NumericalStatistics(0.0, 0.0, 1.0, 0.0, 3.0, levels=((0.0, 1.0), (2.0,), (3.0,)))
    found = histogram(FeatureStatistics("x", "Integral", 8, 0, numbers), None)
    assert found is not None
    assert found.edges == (-0.5, 0.5, 1.5, 2.5, 3.5)
    assert found.now == (1 / 8, 1 / 8, 2 / 8, 4 / 8)
    assert found.was == ()


def test_whole_numbers_share_their_bins_evenly() -> None:
    values = [float(value) for value in range(100)] * 2
    found = histogram(_numbers(values, "Integral"), _numbers(values[:100], "Integral"))
    assert found is not None
    widths = np.diff(found.edges)
    assert set(widths.tolist()) == {4.0}
    assert found.now[:-1] == pytest.approx([0.04] * (len(widths) - 1))


def test_buckets_serve_where_there_is_no_sketch() -> None:
    values = np.linspace(0, 10, 1001).tolist()
    found = histogram(_numbers(values, sketched=False), _numbers(values))
    assert found is not None
    assert len(found.edges) == BINS // 2 + 1
    assert found.now == pytest.approx(found.was, abs=0.002)
    assert sum(found.now) == pytest.approx(1)


def test_a_few_values_far_away_do_not_hide_the_others() -> None:
    values = np.random.default_rng(2).normal(0, 1, 10_000).tolist()
    found = histogram(_numbers([*values, 1e9]), _numbers(values))
    assert found is not None
    assert found.tails
    assert found.edges[-1] < 10
    assert sum(found.now) == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, -3.5, 1e20, 1e308, 5e-324, 1e15 + 1])
def test_a_constant_is_one_bar(value: float) -> None:
    numbers = NumericalStatistics(value, None, 0.0, value, value, levels=((value, value),))
    found = histogram(FeatureStatistics("x", "Fractional", 2, 0, numbers), None)
    assert found is not None
    assert max(found.now) == 1
    ET.fromstring(histogram_chart(found))  # noqa: S314


@pytest.mark.parametrize(
    "numbers",
    [
        None,
        NumericalStatistics(None, None, None, None, None, not_finite=5),
        NumericalStatistics(None, None, None, None, None, levels=((math.nan, math.inf),)),
        NumericalStatistics(0.0, 0.0, 0.0, 0.0, 1.0, (Bucket(0.0, 1.0, 0),)),
        NumericalStatistics(0.0, 0.0, 0.0, 0.0, 1.0, (Bucket(1.0, 0.0, 5),)),
        NumericalStatistics(0.0, 0.0, 0.0, 0.0, 1.0, (Bucket(math.nan, 0.0, 5),)),
        NumericalStatistics(0.0, 0.0, 0.0, 0.0, 1.0, (Bucket(0.0, 1.0, math.inf),)),
    ],
)
def test_without_a_number_there_is_nothing_to_draw(numbers: NumericalStatistics | None) -> None:
    assert histogram(FeatureStatistics("x", "Fractional", 5, 0, numbers), None) is None
    assert histogram(None, None) is None


@given(
    st.lists(st.lists(ANY, max_size=30), max_size=70),
    st.lists(ANY, max_size=30),
    st.sampled_from(["Integral", "Fractional"]),
)
def test_any_sketch_gives_a_drawing(levels: list[list[float]], was: list[float], kind: str) -> None:
    sides = [
        FeatureStatistics(
            "x",
            kind,
            5,
            0,
            NumericalStatistics(None, None, None, None, None, levels=tuple(map(tuple, each))),  # type: ignore[arg-type]
        )
        for each in (levels, [was])
    ]
    found = histogram(sides[0], sides[1])
    if found is not None:
        assert all(left < right for left, right in zip(found.edges, found.edges[1:], strict=False))
        for shares in (found.now, found.was):
            assert not shares or sum(shares) == pytest.approx(1)
        assert "nan" not in (ET.fromstring(histogram_chart(found)).get("viewBox") or "")  # noqa: S314


def test_bars_and_outline_lie_where_the_shares_say() -> None:
    found = histogram(_numbers([0.0, 0.0, 0.0, 1.0], "Integral"), _numbers([0.0, 1.0, 1.0, 1.0], "Integral"))
    assert found is not None
    drawing = ET.fromstring(histogram_chart(found))  # noqa: S314
    paths = {node.get("class"): node.get("d") or "" for node in drawing.iter(f"{SVG}path")}
    heights = [float(part.split("h")[0]) for part in paths["bins"].split("v-")[1:]]
    assert heights[0] == pytest.approx(3 * heights[1], abs=0.1)
    assert paths["was"].count("V") == 3
    words = [node.text for node in drawing.iter(f"{SVG}text")]
    assert {"this data, n 4", "baseline, n 4", "0", "1"} <= set(words)


def test_times_in_seconds_have_ticks_that_differ() -> None:
    found = histogram(_numbers([1.7e9, 1.7e9 + 40], "Integral"), None)
    assert found is not None
    labels = [node.text for node in ET.fromstring(histogram_chart(found)).iter(f"{SVG}text")]  # noqa: S314
    assert len(labels) == len(set(labels))


def test_categories_have_the_share_of_either_side() -> None:
    found = categories(_texts({"a": 1, "new": 3}), _texts({"a": 6, "b": 2}))
    assert found is not None
    shown = [(one.label, one.now, one.was, one.new) for one in found.shown]
    assert shown == [("a", 0.25, 0.75, False), ("b", 0.0, 0.25, False), ("new", 0.75, 0.0, True)]
    assert (found.other, found.left, found.now_rows, found.was_rows) == (None, 0, 4, 8)


def test_beyond_twenty_the_others_are_one() -> None:
    counts = {f"c{place:02}": 100 - place for place in range(50)}
    found = categories(_texts(counts), _texts(dict(reversed(counts.items()))))
    assert found is not None
    assert [one.label for one in found.shown] == [f"c{place:02}" for place in range(20)]
    assert found.other is not None
    assert found.left == 30
    assert found.other.now == pytest.approx(sum(list(counts.values())[20:]) / sum(counts.values()))
    words = [node.text for node in ET.fromstring(category_chart(found)).iter(f"{SVG}text")]  # noqa: S314
    assert "30 other" in words


def test_what_an_incomplete_baseline_lacks_is_not_called_new() -> None:
    found = categories(_texts({"a": 1, "z": 1}), _texts({"a": 5}, complete=False))
    assert found is not None
    assert [one.new for one in found.shown] == [False, False]
    assert found.left is None


def test_counts_beyond_the_rows_never_give_a_share_above_one() -> None:
    broken = FeatureStatistics("x", "String", 0, 0, None, StringStatistics(1, (("a", 7),)))
    found = categories(broken, None)
    assert found is not None
    assert found.shown[0].now == 1


def test_without_a_text_there_is_nothing_to_draw() -> None:
    assert categories(None, None) is None
    assert categories(_texts({}), FeatureStatistics("x", "Unknown", 0, 9)) is None


@pytest.mark.parametrize("ugly", ["", "<b>&\"'", "名" * 300, "\x00\ud800\u202e", "x" * 10_000])
def test_categories_of_any_kind_are_drawn(ugly: str) -> None:
    found = categories(_texts({ugly: 3, "b": 1}), _texts({"b": 3}))
    assert found is not None
    drawing = ET.fromstring(category_chart(found))  # noqa: S314
    assert "new" in [node.text for node in drawing.iter(f"{SVG}text")]
