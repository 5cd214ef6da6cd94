"""ROC and precision–recall curves of a window, each with that of the baseline behind it."""

from __future__ import annotations

import msgspec
from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.charts.frame import WIDTH, Frame, unit_frame
from driftline.reporting.scales import thin
from driftline.reporting.svg import Point
from driftline.reporting.text import number


class Curve(msgspec.Struct, frozen=True):
    """A line with its meaning, and the point of it where the decision threshold stands."""

    label: str
    xs: list[float]
    ys: list[float]
    point: Point | None = None


def roc_chart(now: Curve, baseline: Curve | None = None) -> Markup:
    """True against false positive rate; a scorer without any skill runs along the diagonal."""
    frame = unit_frame(_keys(now, baseline, "no skill"), "False positive rate", "True positive rate")
    chance = svg.line((frame.x(0), frame.y(0)), (frame.x(1), frame.y(1)), "chance")
    lines = [svg.polyline(_places(curve, frame), class_) for curve, class_ in _lines(now, baseline)]
    return _chart("ROC curve", "true positive rate at false positive rate", frame, now, chance, *lines)


def precision_recall_chart(now: Curve, baseline: Curve | None = None, prevalence: float | None = None) -> Markup:
    """Precision against recall, as stairs: between two thresholds there is nothing to interpolate.

    ``prevalence``, the share of positives, is the precision of a scorer without any skill.
    """
    keys = _keys(now, baseline, None if prevalence is None else f"no skill: {number(prevalence)}")
    frame = unit_frame(keys, "Recall", "Precision")
    chance = Markup("")
    if prevalence is not None:
        chance = svg.line((frame.x(0), frame.y(prevalence)), (frame.x(1), frame.y(prevalence)), "chance")
    lines = [svg.stairs(_places(curve, frame), class_) for curve, class_ in _lines(now, baseline)]
    return _chart("Precision–recall curve", "precision at recall", frame, now, chance, *lines)


def _keys(now: Curve, baseline: Curve | None, chance: str | None) -> list[tuple[str, str]]:
    keys = [("now", now.label)]
    if baseline is not None:
        keys.append(("was", baseline.label))
    if now.point is not None:
        keys.append(("point", "decisions"))
    return keys if chance is None else [*keys, ("chance", chance)]


def _lines(now: Curve, baseline: Curve | None) -> list[tuple[Curve, str]]:
    """The baseline first, so that the window's own line lies on top."""
    return [(curve, class_) for curve, class_ in ((baseline, "was"), (now, "now")) if curve is not None and curve.xs]


def _places(curve: Curve, frame: Frame) -> list[Point]:
    return thin([(frame.x(x), frame.y(y)) for x, y in zip(curve.xs, curve.ys, strict=True)])


def _chart(title: str, spoken: str, frame: Frame, now: Curve, *drawn: Markup) -> Markup:
    described = [(x, y) for x, y in zip(now.xs, now.ys, strict=True)]
    sampled = [described[round(index * (len(described) - 1) / 8)] for index in range(9)] if described else []
    description = f"{now.label}; {spoken}: " + ", ".join(f"{number(y)} at {number(x)}" for x, y in sampled)
    point = Markup("")
    if now.point is not None:
        point = svg.dot((frame.x(now.point[0]), frame.y(now.point[1])), 4.5, "point")
    return svg.document(WIDTH, frame.bottom, title, description, frame.drawn, *drawn, point)
