"""What is drawn lies where the data says, and is told apart without colour."""

from __future__ import annotations

from types import ModuleType
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.reporting import svg
from driftline.reporting.charts.confusion import confusion_chart
from driftline.reporting.charts.curves import Curve, precision_recall_chart, roc_chart
from driftline.reporting.charts.mark import Mark
from driftline.reporting.charts.metrics import metric_chart
from driftline.reporting.charts.reliability import reliability_chart
from driftline.reporting.matrix import read_matrix
from driftline.reporting.scales import LARGEST, MOST_POINTS, Scale, domain, thin, tick_labels, ticks

NUMBERS = st.floats(-LARGEST, LARGEST, allow_nan=False)
SVG = "{http://www.w3.org/2000/svg}"


def _parse(drawing: str) -> ET.Element:
    return ET.fromstring(drawing)  # noqa: S314


def _one(drawing: ET.Element, tag: str, class_: str) -> ET.Element:
    return next(node for node in drawing.iter(SVG + tag) if node.get("class") == class_)


def _words(drawing: ET.Element) -> list[str]:
    return [node.text or "" for node in drawing.iter(f"{SVG}text")]


@pytest.mark.parametrize(("compact", "left", "right"), [(False, 190, 520), (True, 6, 334)])
def test_a_metric_lies_at_its_value(compact: bool, left: float, right: float) -> None:
    mark = Mark(label="F2", value=0.25, rows=300, status="violated", lower=0.1, upper=0.5, threshold=0.75, baseline=0.8)
    row = next(_parse(metric_chart([mark], compact=compact, legend=False)).iter(f"{SVG}g"))

    def at(share: float) -> float:
        return pytest.approx(left + share * (right - left), abs=0.01)

    assert float(_one(row, "circle", "dot").get("cx") or 0) == at(0.25)
    whisker, limit = _one(row, "line", "whisker"), _one(row, "line", "threshold")
    assert (float(whisker.get("x1") or 0), float(whisker.get("x2") or 0)) == (at(0.1), at(0.5))
    assert float(limit.get("x1") or 0) == at(0.75)
    forbidden = _one(row, "rect", "forbidden")
    assert float(forbidden.get("x") or 0) == at(0.0)
    assert float(forbidden.get("width") or 0) == pytest.approx(0.75 * (right - left), abs=0.01)
    assert float((_one(row, "polygon", "was-mark").get("points") or "").split(",")[0]) == at(0.8)


def test_an_upper_limit_forbids_the_other_side() -> None:
    mark = Mark(label="FPR", value=0.1, rows=9, threshold=0.75, sign="≤", status="met")
    forbidden = _one(_parse(metric_chart([mark], legend=False)), "rect", "forbidden")
    assert float(forbidden.get("x") or 0) == pytest.approx(190 + 0.75 * 330)


def test_a_violation_has_glyph_word_and_class() -> None:
    marks = [
        Mark(label="F2", value=0.1, rows=9, threshold=0.7, status="violated"),
        Mark(label="F1", value=0.9, rows=9, threshold=0.7, status="met"),
        Mark(label="AUC", value=None, rows=9, threshold=0.7, status="undefined", error="no actual positives"),
    ]
    for compact in (False, True):
        drawing = _parse(metric_chart(marks, compact=compact))
        assert [node.get("class") for node in drawing.iter(f"{SVG}g")] == ["violated", "met", "undefined"]
        words = _words(drawing)
        assert {"✕ violated", "✓ met", "? undefined", "no actual positives", "≥ 0.7000", "n 9"} <= set(words)


def test_roc_points_lie_at_their_rates() -> None:
    drawing = _parse(roc_chart(Curve("now", [0.0, 0.25, 1.0], [0.0, 0.5, 1.0], (0.25, 0.5))))
    points = [
        tuple(map(float, pair.split(","))) for pair in (_one(drawing, "polyline", "now").get("points") or "").split()
    ]
    (left, floor), middle, (right, top) = points
    assert middle == pytest.approx((left + (right - left) / 4, floor + (top - floor) / 2))
    point = _one(drawing, "circle", "point")
    marks = [node for node in drawing.iter(f"{SVG}circle") if node.get("class") == "point"]
    assert (float(marks[-1].get("cx") or 0), float(marks[-1].get("cy") or 0)) == pytest.approx(middle)
    assert point is not marks[-1], "the legend has a sample of its own"


def test_precision_recall_is_drawn_as_stairs() -> None:
    drawing = _parse(precision_recall_chart(Curve("now", [0.0, 0.5, 1.0], [1.0, 0.8, 0.4]), None, 0.4))
    path = _one(drawing, "path", "now").get("d") or ""
    assert path.startswith("M46 ")
    assert [command for command in path if command.isalpha()] == ["M", "V", "H", "V", "H"]
    assert "H188V" in path
    assert "no skill: 0.4000" in _words(drawing)


def test_a_baseline_is_a_second_line_behind_the_first() -> None:
    now, then = Curve("now", [0.0, 1.0], [0.0, 1.0]), Curve("baseline, n 4,000", [0.0, 1.0], [0.0, 1.0])
    for chart in (roc_chart(now, then), precision_recall_chart(now, then)):
        drawing = _parse(chart)
        classes = [node.get("class") for node in drawing.iter() if node.tag in (f"{SVG}polyline", f"{SVG}path")]
        assert classes == ["was", "now"]
        assert "baseline, n 4,000" in _words(drawing)


def test_reliability_shows_the_weight_of_each_bin() -> None:
    drawing = _parse(reliability_chart("now", [0.1, 0.5, 0.9], [0.05, 0.6, 0.95], [100, 50, 0]))
    bars = [float(node.get("height") or 0) for node in drawing.iter(f"{SVG}rect") if node.get("class") == "bar"][1:]
    assert bars == pytest.approx([34, 17, 0])
    assert len([node for node in drawing.iter(f"{SVG}circle") if node.get("class") == "now-dot"]) == 2


def test_the_matrix_says_every_count_share_and_total() -> None:
    matrix = read_matrix({"0": {"0": 176, "1": 42}, "1": {"0": 44, "1": 38}})
    words = _words(_parse(confusion_chart(matrix)))
    assert {"176", "42", "44", "38", "80.7 %", "19.3 %", "53.7 %", "46.3 %", "218", "82", "220", "80", "300"} <= set(
        words
    )


@pytest.mark.parametrize("classes", [1, 2, 3, 6, 7, 12, 13, 30])
def test_a_matrix_of_any_size_stays_within_its_box(make: ModuleType, classes: int) -> None:
    matrix = read_matrix(make.multiclass(classes)["multiclass_classification_metrics"]["confusion_matrix"])
    drawing = _parse(confusion_chart(matrix))
    width, height = (float(number) for number in (drawing.get("viewBox") or "").split()[2:])
    for node in drawing.iter(f"{SVG}text"):
        if node.get("x") is not None:
            assert 0 <= float(node.get("x") or 0) <= width
            assert 0 <= float(node.get("y") or 0) <= height


@given(st.lists(NUMBERS, max_size=6))
def test_ticks_are_round_and_cover_the_data(values: list[float]) -> None:
    low, high = domain(values)
    assert low < high
    slack = 1e-8 * (high - low)
    assert low - slack <= min([0.0, *values])
    assert max([0.0, *values]) <= high + slack
    found = ticks(low, high)
    assert 2 <= len(found) <= 8
    assert len(set(tick_labels(found))) == len(found)


@given(NUMBERS, NUMBERS, st.floats(-1e300, 1e300))
def test_a_scale_never_leaves_the_plot(a: float, b: float, value: float) -> None:
    low, high = domain([a, b])
    assert 40 <= Scale(low, high, 40, 340)(value) <= 340


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(0, 300)), max_size=3000))
def test_thinning_keeps_the_ends(points: list[tuple[float, float]]) -> None:
    kept = thin(points)
    assert len(kept) <= MOST_POINTS
    assert kept[:1] == points[:1]
    assert kept[-1:] == points[-1:]


def test_thinning_keeps_every_peak() -> None:
    points = [(index / 100, float(index == 5555)) for index in range(10_000)]
    kept = thin(points)
    assert len(kept) <= 400
    assert (55.55, 1.0) in kept


def test_text_and_attributes_are_escaped() -> None:
    drawing = svg.document(10, 10, "<b>&\x00", '"', svg.text(1, 2, "</text><script>", 'a"b'))
    parsed = _parse(drawing)
    assert parsed.findtext(f"{SVG}title") == "<b>&\ufffd"
    assert _words(parsed) == ["</text><script>"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_place_that_does_not_exist_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="no place"):
        svg.dot((value, 1), 2, "dot")
