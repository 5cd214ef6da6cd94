"""The chart of the last runs: a point a run, at its height, leading to its page."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.reporting.charts.recent import Run, recent_chart

SVG = "{http://www.w3.org/2000/svg}"
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def _chart(runs: list[Run], threshold: float | None = None, *, compact: bool = False) -> Any:
    return ET.fromstring(recent_chart("The last runs", runs, threshold, compact=compact))  # noqa: S314


def _points(drawing: ET.Element) -> list[ET.Element]:
    return [one for one in drawing.iter(f"{SVG}circle") if (one.get("class") or "").startswith("run")]


@pytest.mark.parametrize("compact", [False, True])
def test_higher_values_stand_higher_and_lead_to_their_runs(compact: bool) -> None:
    runs = [Run("10:00", 0.2, False, "/runs/a"), Run("11:00", 0.8, True, "/runs/b/violations/0")]
    drawing = _chart(runs, 0.5, compact=compact)
    links = list(drawing.iter(f"{SVG}a"))
    assert [one.get("href") for one in links] == ["/runs/a", "/runs/b/violations/0"]
    low, high = (float(_points(one)[0].get("cy") or 0) for one in links)
    (limit,) = [one for one in drawing.iter(f"{SVG}line") if one.get("class") == "limit" and one.get("y1") != "8"]
    assert high < float(limit.get("y1") or 0) < low
    assert _points(links[1])[0].get("class") == "run bad"
    assert [one.findtext(f"{SVG}title") for one in links] == ["10:00: 0.2000", "11:00: 0.8000, violated"]
    assert drawing.get("role") == "group"


def test_a_run_that_could_not_tell_is_a_gap_and_no_point() -> None:
    drawing = _chart([Run("9", 1.0), Run("10", 2.0), Run("11", None, False, "/runs/x"), Run("12", 3.0), Run("13", 4.0)])
    assert len(list(drawing.iter(f"{SVG}polyline"))) == 2
    marks = [one.text for one in drawing.iter(f"{SVG}text") if "unknown-run" in (one.get("class") or "")]
    assert marks == ["?"]


@given(st.lists(st.tuples(st.text(max_size=9), NUMBERS, st.booleans()), max_size=9), NUMBERS, st.booleans())
def test_any_values_make_a_sound_drawing(
    given_runs: list[tuple[str, float | None, bool]], threshold: float | None, compact: bool
) -> None:
    drawing = _chart([Run(*one, '/runs/"<x>') for one in given_runs], threshold, compact=compact)
    size = float(drawing.get("width") or 0), float(drawing.get("height") or 0)
    for point in _points(drawing):
        assert 0 <= float(point.get("cx") or 0) <= size[0]
        assert 0 <= float(point.get("cy") or 0) <= size[1]
