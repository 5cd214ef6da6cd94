"""Charts over time: points lie at their time and value, gaps stay gaps, and nothing outside can break a drawing."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.reporting.charts.series import Dot, Event, Held, series_chart
from driftline.reporting.charts.series_frame import BOTTOM, LEFT, RIGHT, TOP
from driftline.reporting.charts.share import share_bar
from driftline.reporting.charts.timeline import GLYPHS, Tile, timeline_chart, timeline_legend
from driftline.reporting.times import tick_words, time_ticks

SVG = "{http://www.w3.org/2000/svg}"
START = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
END = START + 10 * HOUR


def drawing(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314


def found(root: ET.Element, tag: str, class_: str) -> list[ET.Element]:
    return [node for node in root.iter(SVG + tag) if node.get("class") == class_]


def at(node: ET.Element, name: str) -> float:
    return float(node.get(name) or "nan")


def dots(*values: float | None) -> list[Dot]:
    return [Dot(START + place * HOUR, value, href=f"/runs/{place}") for place, value in enumerate(values)]


def test_a_point_lies_at_its_time_and_value() -> None:
    held = Held(baseline=0.25, threshold=0.75, sign="≤")
    root = drawing(series_chart(dots(0.0, 1.0, 0.5), START, END, title="f2", held=held))
    first, second, third = found(root, "circle", "dot")
    assert [at(node, "cx") for node in (first, second, third)] == pytest.approx(
        [LEFT + (RIGHT - LEFT) * hour / 10 for hour in range(3)], abs=0.01
    )
    assert [at(node, "cy") for node in (first, second, third)] == pytest.approx([BOTTOM, TOP, (TOP + BOTTOM) / 2])
    assert at(found(root, "line", "limit")[0], "y1") == pytest.approx(BOTTOM - 0.75 * (BOTTOM - TOP))
    assert at(found(root, "line", "was")[0], "y1") == pytest.approx(BOTTOM - 0.25 * (BOTTOM - TOP))
    words = "".join(root.itertext())
    assert "threshold ≤ 0.7500" in words
    assert "baseline 0.2500" in words


def test_every_point_is_a_link_with_a_title() -> None:
    given = [Dot(START, 0.5, title="<b>n 7</b>", href="/runs/1"), Dot(END, None, title="nothing", href="/runs/2")]
    root = drawing(series_chart(given, START, END, title="f2"))
    links = list(root.iter(f"{SVG}a"))
    assert [link.get("href") for link in links] == ["/runs/1", "/runs/2"]
    assert [link.findtext(f"{SVG}title") for link in links] == ["<b>n 7</b>", "nothing"]


def test_a_line_is_broken_where_a_value_is_missing_and_where_time_passes() -> None:
    root = drawing(series_chart(dots(1, 2, None, 3, 4), START, END, title="f2"))
    assert len(found(root, "polyline", "now")) == 2
    apart = [Dot(START + hour * HOUR, 1.0) for hour in (0, 1, 2, 6, 7)]
    assert len(found(drawing(series_chart(apart, START, END, title="f2")), "polyline", "now")) == 2


def test_what_broke_the_threshold_has_another_shape() -> None:
    root = drawing(series_chart([Dot(START, 0.1, violated=True)], START, END, title="f2"))
    assert len(found(root, "polygon", "broken")) == 1
    assert not found(root, "circle", "dot")


def test_intervals_are_one_surface_and_bars_are_as_high_as_their_rows() -> None:
    given = [Dot(START + hour * HOUR, 0.5, 0.4, 0.6, rows) for hour, rows in enumerate((100, 50))]
    root = drawing(series_chart(given, START, END, title="f2"))
    assert len(found(root, "polygon", "reach")) == 1
    [bars] = found(root, "path", "rows")
    assert "v-40h" in str(bars.get("d"))
    assert "v-20h" in str(bars.get("d"))
    assert "n 100" in "".join(root.itertext())


def test_a_chart_of_nothing_says_so() -> None:
    for empty in ([], dots(None, None)):
        assert "no value in this time" in "".join(drawing(series_chart(empty, START, END, title="")).itertext())


@given(st.lists(st.one_of(st.none(), st.floats()), max_size=40), st.floats(), st.text(max_size=20))
def test_nothing_breaks_a_drawing(values: list[float | None], held: float, words: str) -> None:
    guides = Held(*(held if math.isfinite(held) else None for _ in range(4)))
    events = [Event(START + HOUR, "D", words)]
    text = series_chart(dots(*values), START, END, title=words, held=guides, events=events)
    assert drawing(text) is not None
    assert "nan" not in text.split("<desc>")[0]


def test_five_hundred_points_stay_small() -> None:
    many = [Dot(START + hour * HOUR, hour % 7, 0, 9, 100, href=f"/runs/{hour:032d}") for hour in range(500)]
    assert len(series_chart(many, START, START + 500 * HOUR, title="f2")) < 120_000


def test_ticks_are_of_the_wall_clock_in_every_zone() -> None:
    zone = ZoneInfo("Europe/Berlin")
    # The clock is set back in this night.
    start, end = datetime(2026, 10, 24, 12, tzinfo=zone), datetime(2026, 10, 26, 12, tzinfo=zone)
    ticks = time_ticks(start, end)
    assert {tick.hour for tick in ticks} <= {0, 12}
    assert tick_words(ticks)[:2] == ["12:00", "25 Oct"]


@given(st.integers(1, 10**9))
def test_there_are_some_ticks_and_never_many(seconds: int) -> None:
    ticks = time_ticks(START, START + timedelta(seconds=seconds))
    assert len(ticks) <= 8
    assert ticks == sorted(set(ticks))


def test_a_day_of_windows_is_a_row_and_a_tile_stands_at_its_time() -> None:
    tiles = [Tile(START + hour * HOUR, "ok", f"window {hour}", f"/runs/{hour}") for hour in range(30)]
    root = drawing(timeline_chart(tiles))
    boxes = found(root, "rect", "box")
    assert len({at(box, "y") for box in boxes}) == 2
    assert at(boxes[0], "x") == at(boxes[24], "x")
    assert at(boxes[6], "x") > at(boxes[5], "x")
    assert [link.get("href") for link in root.iter(f"{SVG}a")][:2] == ["/runs/0", "/runs/1"]


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(minutes=10)])
def test_rows_are_full_where_days_are_no_rows(step: timedelta) -> None:
    tiles = [Tile(START + place * step, "ok", "w") for place in range(60)]
    boxes = found(drawing(timeline_chart(tiles)), "rect", "box")
    assert [sum(at(box, "y") == y for box in boxes) for y in sorted({at(box, "y") for box in boxes})] == [24, 24, 12]


def test_every_state_has_a_glyph_of_its_own() -> None:
    assert len(set(GLYPHS.values())) == len(GLYPHS)
    tiles = [Tile(START + place * HOUR, state, state) for place, state in enumerate(GLYPHS)]
    root = drawing(timeline_chart(tiles))
    assert {node.text for node in root.iter(f"{SVG}text")} >= set(GLYPHS.values())
    assert [number for _, _, number in timeline_legend(tiles)] == [1] * len(GLYPHS)
    assert "10 windows: 1 OK" in str(root.findtext(f"{SVG}desc"))


def test_no_window_is_no_tile() -> None:
    assert "No window yet." in "".join(drawing(timeline_chart([])).itertext())


@pytest.mark.parametrize(("value", "largest", "wide"), [(1, 2, "48"), (3, 2, "96"), (0, 0, "0"), (-1, 2, "0")])
def test_a_share_is_a_part_of_the_bar(value: float, largest: float, wide: str) -> None:
    bar = ET.fromstring(share_bar(value, largest))[1]  # noqa: S314
    assert bar.get("width") == wide
