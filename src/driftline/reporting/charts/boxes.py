"""The last datapoints of an alarm as boxes, oldest first: breaching, fine, missing; each with a sign of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from markupsafe import Markup, escape

from driftline.reporting import svg
from driftline.reporting.markup import join
from driftline.reporting.text import clean

Kind = Literal["breaching", "fine", "missing", "unjudged"]
_SIGNS: dict[Kind, str] = {"breaching": "✕", "fine": "✓", "missing": "?", "unjudged": "–"}
_SIDE, _STEP, _ROW, _A_ROW, _LABEL = 26.0, 30.0, 46.0, 20, 92.0


class Box(msgspec.Struct, frozen=True):
    """A datapoint: its kind, its time as it is written, and all of it in words. ``counts`` marks a missing one that
    counts as breaching."""

    kind: Kind
    time: str
    words: str
    counts: bool = False


def boxes_chart(boxes: Sequence[Box], needed: int) -> Markup:
    """Boxes in rows of twenty, each row with the time of its first; ``needed`` of them breaching make an alarm."""
    wide = _LABEL + _STEP * max(1, min(len(boxes), _A_ROW))
    height = _ROW * max(1, -(-len(boxes) // _A_ROW)) - 16
    drawn = [_row(boxes[start : start + _A_ROW], start // _A_ROW * _ROW) for start in range(0, len(boxes), _A_ROW)]
    breaching = sum(box.kind == "breaching" or box.counts for box in boxes)
    said = f"{breaching} of {len(boxes)} datapoints breach; {needed} make an alarm"
    return svg.document(wide, height, "Datapoints, oldest first", said, *drawn)


def _row(boxes: Sequence[Box], top: float) -> Markup:
    label = svg.text(0, top + 18, boxes[0].time, "small soft")
    return join([label, *(_box(box, _LABEL + place * _STEP, top) for place, box in enumerate(boxes))])


def _box(box: Box, left: float, top: float) -> Markup:
    kind = "breaching" if box.counts else box.kind
    title = svg.node("title", escape(clean(box.words)))
    square = svg.node("rect", x=left, y=top + 1, width=_SIDE, height=_SIDE - 2, rx=4)
    sign = svg.text(left + _SIDE / 2, top + 18, _SIGNS[box.kind], anchor="middle")
    return svg.node("g", title, square, sign, class_=f"box {kind}")
