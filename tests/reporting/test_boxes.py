"""Datapoints as boxes: each at its place, told apart by more than a colour, none of their words markup."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from driftline.reporting.charts.boxes import Box, boxes_chart

SVG = "{http://www.w3.org/2000/svg}"


def parse(drawing: str) -> ET.Element:
    return ET.fromstring(drawing)  # noqa: S314


def test_every_kind_has_a_sign_of_its_own() -> None:
    kinds = ("breaching", "fine", "missing", "unjudged")
    drawn = parse(boxes_chart([Box(kind, "11-22 10:00", f"it is {kind}") for kind in kinds], 2))
    groups = list(drawn.iter(f"{SVG}g"))
    assert [group.get("class") for group in groups] == [f"box {kind}" for kind in kinds]
    assert [group.findtext(f"{SVG}title") for group in groups] == [f"it is {kind}" for kind in kinds]
    assert len({group.findtext(f"{SVG}text") for group in groups}) == 4
    assert drawn.findtext(f"{SVG}desc") == "1 of 4 datapoints breach; 2 make an alarm"


def test_a_missing_one_that_counts_looks_so() -> None:
    drawn = parse(boxes_chart([Box("missing", "10:00", "missing", counts=True)], 1))
    [group] = drawn.iter(f"{SVG}g")
    assert group.get("class") == "box breaching"
    assert group.findtext(f"{SVG}text") == "?"
    assert drawn.findtext(f"{SVG}desc") == "1 of 1 datapoints breach; 1 make an alarm"


@pytest.mark.parametrize(("number", "rows"), [(0, 0), (1, 1), (20, 1), (21, 2), (60, 3)])
def test_rows_of_twenty_do_not_overlap(number: int, rows: int) -> None:
    drawn = parse(boxes_chart([Box("fine", f"time {place}", "") for place in range(number)], 1))
    places = [(float(one.get("x") or 0), float(one.get("y") or 0)) for one in drawn.iter(f"{SVG}rect")]
    assert len(set(places)) == number
    assert len({y for _, y in places}) == rows
    width, height = float(drawn.get("width") or 0), float(drawn.get("height") or 0)
    assert all(x + 26 <= width and y + 24 <= height for x, y in places)


def test_hostile_words_are_text() -> None:
    evil = "</title><script>\x00"
    drawn = parse(boxes_chart([Box("fine", evil, evil)], 1))
    assert "<script>" in (next(drawn.iter(f"{SVG}g")).findtext(f"{SVG}title") or "")
    assert not list(drawn.iter(f"{SVG}script"))
