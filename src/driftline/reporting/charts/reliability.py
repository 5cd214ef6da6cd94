"""How far scores can be taken as probabilities, and how many rows each part of the curve rests on."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.charts.frame import WIDTH, Frame, unit_frame
from driftline.reporting.markup import join
from driftline.reporting.scales import thin
from driftline.reporting.text import number

_STRIP = 46.0
_MOST_BINS = 200


def reliability_chart(
    label: str, scores: Sequence[float], positives: Sequence[float], weights: Sequence[float]
) -> Markup:
    """The share of positives against the mean score of each bin, and below it the bins' weights as bars."""
    bins = sorted(zip(scores, positives, weights, strict=True))[:_MOST_BINS]
    keys = [("now", label), ("chance", "perfectly calibrated"), ("bar", "rows")]
    frame = unit_frame(keys, "Mean score of the bin", "Share of positives", below=_STRIP)
    perfect = svg.line((frame.x(0), frame.y(0)), (frame.x(1), frame.y(1)), "chance")
    places = [(frame.x(score), frame.y(share)) for score, share, weight in bins if weight > 0]
    curve = [svg.polyline(thin(places), "now"), *(svg.dot(place, 3.5, "now-dot") for place in places)]
    spoken = ", ".join(
        f"{number(share)} at {number(score)} (weight {number(weight)})" for score, share, weight in bins[:20]
    )
    content = (frame.drawn, _bars(bins, frame), perfect, *(curve if places else ()))
    return svg.document(WIDTH, frame.bottom, "Reliability curve", f"share of positives at score: {spoken}", *content)


def _bars(bins: Sequence[tuple[float, float, float]], frame: Frame) -> Markup:
    largest = max((weight for _, _, weight in bins), default=0.0)
    if largest <= 0:
        return Markup("")
    floor, room = frame.y.start + _STRIP, _STRIP - 12
    breadth = min(18.0, 0.7 * (frame.x.end - frame.x.start) / len(bins))
    bars = [
        svg.rectangle(
            _beside(frame, score, breadth), floor - room * (weight / largest), breadth, room * (weight / largest), "bar"
        )
        for score, _, weight in bins
    ]
    ground = svg.line((frame.x.start, floor), (frame.x.end, floor), "axis")
    return join([*bars, ground, svg.turned(frame.x.start - 8, floor - room / 2, "n", "small soft")])


def _beside(frame: Frame, score: float, breadth: float) -> float:
    """The left edge of a bar around its score, kept within the plot."""
    return min(max(frame.x(score) - breadth / 2, frame.x.start), frame.x.end - breadth)
