"""The dot-and-whisker chart: values, intervals and guides lie where they are, and each row says what it is."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.reporting.charts.whiskers import Guide, Whisker, whisker_chart, whisker_ends

SVG = "{http://www.w3.org/2000/svg}"
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def _chart(rows: list[Whisker], *guides: Guide, ends: tuple[float, float] = (0.0, 1.0), compact: bool = False) -> Any:
    return ET.fromstring(whisker_chart("By plan", rows, ends, guides, compact=compact))  # noqa: S314


def _rows(drawing: ET.Element) -> list[ET.Element]:
    return list(drawing.iter(f"{SVG}g"))


def _all(node: ET.Element, tag: str, class_: str) -> list[ET.Element]:
    return [one for one in node.iter(SVG + tag) if one.get("class") == class_]


def _words(node: ET.Element) -> list[str]:
    return [one.text or "" for one in node.iter(f"{SVG}text")]


@pytest.mark.parametrize(("compact", "left", "right"), [(False, 190, 470), (True, 6, 334)])
@pytest.mark.parametrize("ends", [(0.0, 1.0), (-0.5, 1.5)])
def test_value_interval_and_guides_lie_where_they_are(
    compact: bool, left: float, right: float, ends: tuple[float, float]
) -> None:
    row = Whisker(label="gold", value=0.25, lower=0.1, upper=0.5, size="n 12 (3.0 %)")
    guides = Guide(0.75, "threshold ≥ 0.7500", "threshold"), Guide(0.4, "all rows: 0.4000")
    drawing = _chart([row], *guides, ends=ends, compact=compact)

    def at(value: float) -> Any:
        return pytest.approx(left + (value - ends[0]) / (ends[1] - ends[0]) * (right - left), abs=0.01)

    (drawn,) = _rows(drawing)
    (dot,) = _all(drawn, "circle", "dot")
    assert float(dot.get("cx") or 0) == at(0.25)
    whole, *caps = _all(drawn, "line", "whisker")
    assert (float(whole.get("x1") or 0), float(whole.get("x2") or 0)) == (at(0.1), at(0.5))
    assert [float(cap.get("x1") or 0) for cap in caps] == [at(0.1), at(0.5)]
    # The sample in the legend is the first of its kind.
    assert float(_all(drawing, "line", "threshold")[-1].get("x1") or 0) == at(0.75)
    assert float(_all(drawing, "line", "chance")[-1].get("x1") or 0) == at(0.4)
    assert {"gold", "0.2500", "0.1000 – 0.5000", "n 12 (3.0 %)"} <= set(_words(drawn))
    assert {"value with its interval", "threshold ≥ 0.7500", "all rows: 0.4000"} <= set(_words(drawing))


@pytest.mark.parametrize("compact", [False, True])
def test_rows_stand_below_each_other_in_their_order(compact: bool) -> None:
    drawing = _chart([Whisker(label=str(n), value=n / 9) for n in range(9)], compact=compact)
    heights = [float(_all(row, "circle", "dot")[0].get("cy") or 0) for row in _rows(drawing)]
    assert [_words(row)[0] for row in _rows(drawing)] == [str(n) for n in range(9)]
    steps = {round(below - above, 6) for above, below in pairwise(heights)}
    assert len(steps) == 1
    assert heights[-1] < float(drawing.get("height") or 0)


@pytest.mark.parametrize("compact", [False, True])
def test_a_guide_is_hidden_by_no_word_of_a_narrow_chart(compact: bool) -> None:
    drawing = _chart([Whisker(label="a", value=0.5, lower=0.4, upper=0.6)] * 2, Guide(0.9, "g"), compact=compact)
    lines = _all(drawing, "line", "chance")[1:]
    spans = [(float(one.get("y1") or 0), float(one.get("y2") or 0)) for one in lines]
    words = [float(one.get("y") or 0) for row in _rows(drawing) for one in row.iter(f"{SVG}text")]
    if compact:
        assert not any(top < y < bottom for top, bottom in spans for y in words)
    else:
        assert spans[0][1] == spans[1][0], "it goes through from row to row"


def test_a_row_without_a_value_says_why_and_has_no_dot() -> None:
    for compact in (False, True):
        drawing = _chart([Whisker(label="tin", value=None, error="no actual positives")], compact=compact)
        (row,) = _rows(drawing)
        assert "no actual positives" in _words(row)
        assert not _all(row, "circle", "dot")
        assert not _all(row, "line", "whisker")


def test_a_status_has_its_words_and_its_class() -> None:
    row = Whisker(label="tin", value=0.1, status="violated", said="✕ worse")
    for compact in (False, True):
        drawing = _chart([row, Whisker(label="gold", value=0.2)], compact=compact)
        assert [one.get("class") for one in _rows(drawing)] == ["violated", "free"]
        assert "✕ worse" in _words(drawing)
    spoken = drawing.findtext(f"{SVG}desc") or ""
    assert "tin 0.1000, ✕ worse" in spoken
    assert "gold 0.2000" in spoken


def test_names_are_escaped_and_kept_within_their_column() -> None:
    row = Whisker(label='<script>alert("1")</script>' * 40, value=0.1, size="n" * 900, said="s" * 900)
    drawn = whisker_chart("<b>", [row], (0.0, 1.0), [Guide(0.1, "<i>" * 300)])
    assert "<script" not in drawn
    assert "<b>" not in drawn
    assert "<i>" not in drawn
    assert all(len(word) < 200 for word in _words(ET.fromstring(drawn)))  # noqa: S314


@pytest.mark.parametrize(
    ("values", "guides", "bounded", "ends"),
    [
        ((0.2, 0.9), (), True, (0.0, 1.0)),
        ((0.2, 0.9), (1.25,), True, (0.0, 1.5)),
        ((3.2, 41.0), (), False, (0.0, 50.0)),
        ((-0.3, 0.8), (), True, (-0.5, 1.0)),
        ((), (), True, (0.0, 1.0)),
        ((1e308, 2.0), (), False, (0.0, 2.0)),
    ],
)
def test_the_axis_holds_all_that_is_drawn(
    values: tuple[float, ...], guides: tuple[float, ...], bounded: bool, ends: tuple[float, float]
) -> None:
    rows = [Whisker(label="a", value=value) for value in values]
    assert whisker_ends(rows, [Guide(value, "g") for value in guides], bounded=bounded) == ends


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, st.text(max_size=8)), max_size=5), st.booleans())
def test_anything_can_be_drawn(given_rows: list[Any], compact: bool) -> None:
    rows = [Whisker(label=name, value=v, lower=a, upper=b, error=name) for v, a, b, name in given_rows]
    drawing = _chart(rows, Guide(0.5, "half"), ends=whisker_ends(rows, bounded=True), compact=compact)
    assert len(_rows(drawing)) == len(rows)
