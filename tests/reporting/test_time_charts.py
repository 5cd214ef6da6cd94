"""Charts in time: where things lie, where lines break, and times in the reader's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from driftline.reporting.charts.bars import Bar, stacked_bars
from driftline.reporting.charts.gaps import Places, stretches
from driftline.reporting.charts.lines import timeline
from driftline.reporting.charts.sparkline import sparkline
from driftline.reporting.charts.time_axis import time_ticks

START = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
SVG = "{http://www.w3.org/2000/svg}"
BERLIN = ZoneInfo("Europe/Berlin")
PARTS = (("part-good", "captured"), ("part-bad", "dropped"))


def _nodes(drawing: str, tag: str, class_: str) -> list[ET.Element]:
    return [node for node in ET.fromstring(drawing).iter(SVG + tag) if node.get("class") == class_]  # noqa: S314


def _at(**values: float | None) -> Places:
    return [(START + int(hour[1:]) * HOUR, value) for hour, value in values.items()]


def test_a_line_breaks_where_values_are_missing_and_where_none_was_for_long() -> None:
    points = _at(h0=0.1, h1=0.2, h2=None, h3=0.3, h4=0.4, h9=0.5)
    assert [[value for _, value in part] for part in stretches(points)] == [[0.1, 0.2], [0.3, 0.4], [0.5]]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e308, 1e308])
def test_what_has_no_place_is_a_gap(value: float) -> None:
    assert [len(part) for part in stretches(_at(h0=0.1, h1=value, h2=0.2))] == [1, 1]


def test_a_sparkline_spans_its_time_and_has_a_last_dot() -> None:
    drawing = sparkline("F2", _at(h0=0.0, h5=1.0, h10=0.5), START, START + 10 * HOUR, threshold=0.5, violated=True)
    [line] = _nodes(drawing, "polyline", "now")
    places = [tuple(map(float, pair.split(","))) for pair in (line.get("points") or "").split()]
    assert places == [(4, 30), (75, 4), (146, 17)]
    [dot] = _nodes(drawing, "circle", "last violated-dot")
    assert (dot.get("cx"), dot.get("cy")) == ("146", "17")
    assert _nodes(drawing, "line", "limit")[0].get("y1") == "17"
    assert "3 values from 0.0000 to 1.0000, the last 0.5000, threshold 0.5000" in drawing


@pytest.mark.parametrize("values", [{}, {"h1": None}, {"h1": 0.5}, {"h1": 0.5, "h2": 0.5}, {"h1": -1e99, "h2": 1e99}])
def test_ugly_series_are_drawn(values: dict[str, float | None]) -> None:
    drawing = sparkline("<b>", _at(**values), START, START)
    assert "&lt;b&gt;" in drawing
    ET.fromstring(drawing)  # noqa: S314
    ET.fromstring(timeline("t", [("now", "m", _at(**values))], START, START, UTC))  # noqa: S314


def test_bars_stand_on_zero_and_on_each_other() -> None:
    bars = [Bar(START, START + HOUR, (30, 10)), Bar(START + 3 * HOUR, START + 4 * HOUR, (40, 0))]
    drawing = stacked_bars("Requests", PARTS, bars, START, START + 4 * HOUR, UTC)
    _legend, first, second = _nodes(drawing, "rect", "part-good")
    _, dropped = _nodes(drawing, "rect", "part-bad")

    def edges(node: ET.Element) -> tuple[float, float]:
        top, height = float(node.get("y") or 0), float(node.get("height") or 0)
        return top, top + height

    floor = edges(second)[1]
    assert edges(first)[1] == floor
    assert edges(dropped)[1] == pytest.approx(edges(first)[0], abs=0.02)
    assert edges(dropped)[0] == pytest.approx(edges(second)[0], abs=0.02), "30 + 10 is as high as 40"
    width = float(first.get("width") or 0)
    assert float(second.get("x") or 0) - float(first.get("x") or 0) == pytest.approx(3 * (width + 1), abs=0.1)
    assert "captured 70, dropped 10" in drawing


def test_no_bars_leave_an_axis_from_zero() -> None:
    drawing = stacked_bars("Requests", PARTS, [], START, START + HOUR, UTC)
    assert "Nothing in this time" in drawing
    assert not _nodes(drawing, "rect", "part-good")


def test_ticks_are_round_in_the_zone_of_the_reader() -> None:
    names = [name for _, name in time_ticks(START, START + 24 * HOUR, BERLIN, 8)]
    assert names == ["03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "23 Nov"]
    kolkata = [name for _, name in time_ticks(START, START + 6 * HOUR, ZoneInfo("Asia/Kolkata"), 8)]
    assert kolkata == ["06:00", "07:00", "08:00", "09:00", "10:00", "11:00"]


def test_ticks_stay_round_where_the_clocks_change() -> None:
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)
    found = time_ticks(start, start + 25 * HOUR, BERLIN, 5)
    assert [name for _, name in found] == ["25 Oct", "06:00", "12:00", "18:00", "26 Oct"]
    assert found[1][0] - found[0][0] == 7 * HOUR


@pytest.mark.parametrize("hours", [0, 1, 48, 24 * 14, 24 * 400])
def test_there_are_never_too_many_ticks(hours: int) -> None:
    assert len(time_ticks(START, START + hours * HOUR, UTC, 8)) <= 15
