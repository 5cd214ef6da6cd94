"""Ranked attributions: a bar for now, below it the baseline's, with the share and the change of rank in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.charts.axis import whisker
from driftline.reporting.features import feature_label
from driftline.reporting.markup import join
from driftline.reporting.ranking_sentences import change_words, move_sentence
from driftline.reporting.rankings import Place, RankedFeature
from driftline.reporting.scales import LARGEST, Scale
from driftline.reporting.text import count, fit, number, percent


class _Layout(NamedTuple):
    """Places within a row: ``bar`` is the upper edge of the bar of now, counted from the row's top."""

    width: float
    row: float
    left: float
    right: float
    bar: float


_WIDE = _Layout(900, 30, 230, 610, 4)
_COMPACT = _Layout(340, 50, 0, 334, 24)
_NOW, _WAS = 10.0, 7.0


def ranking_chart(title: str, features: Sequence[RankedFeature], *, compared: bool, compact: bool = False) -> Markup:
    """The features from the top in their order. ``compact`` puts the words above the bars, for a narrow screen."""
    layout = _COMPACT if compact else _WIDE
    keys = [("bins", "now"), *([("was-bins", "baseline")] if compared else [])]
    legend, top = svg.legend(keys, 0, 0, layout.width)
    top += 6
    scale = Scale(0.0, _largest(features), layout.left, layout.right)
    rows = [_row(one, scale, layout, top + place * layout.row, compared=compared) for place, one in enumerate(features)]
    height = top + layout.row * len(features) + 4
    return svg.document(layout.width, height, title, _spoken(features, compared=compared), legend, *rows)


def _largest(features: Sequence[RankedFeature]) -> float:
    given = [size for one in features for place in (one.now, one.was) if place for size in _sizes(place)]
    return max((size for size in given if 0 < size <= LARGEST), default=1.0)


def _sizes(place: Place) -> list[float]:
    return [abs(value) for value in (place.value, place.upper) if value is not None]


def _row(feature: RankedFeature, scale: Scale, layout: _Layout, top: float, *, compared: bool) -> Markup:
    words = _compact_words if layout is _COMPACT else _wide_words
    y = top + layout.bar
    bars = [] if feature.now is None else [_bar(feature.now, scale, y, _NOW, "bins")]
    if feature.now is not None:
        bars += whisker(scale, y + _NOW / 2, feature.now.lower, feature.now.upper)
    bars += [] if feature.was is None else [_bar(feature.was, scale, y + _NOW + 1, _WAS, "was-bins")]
    return svg.node("g", join(bars), words(feature, layout, top, compared=compared))


def _bar(place: Place, scale: Scale, y: float, height: float, class_: str) -> Markup:
    return svg.rectangle(
        scale.start, y, max(scale(abs(place.value)) - scale.start, 1.0 if place.value else 0.0), height, class_
    )


def _wide_words(feature: RankedFeature, layout: _Layout, top: float, *, compared: bool) -> Markup:
    y = top + 17
    now = feature.now
    parts = [
        svg.text(34, y, "–" if now is None else count(now.rank), "small soft", anchor="end"),
        svg.text(44, y, fit(feature_label(feature.name), layout.left - 56, svg.BOLD), "name"),
        svg.text(700, y, number(None if now is None else now.value), "value", anchor="end"),
        svg.text(770, y, _share(now), "small soft", anchor="end"),
    ]
    if compared:
        change, class_ = change_words(feature)
        parts += [
            svg.text(826, y, change, f"small {class_}", anchor="end"),
            svg.text(842, y, _rank(feature.was), "small soft"),
        ]
    return join(parts)


def _compact_words(feature: RankedFeature, layout: _Layout, top: float, *, compared: bool) -> Markup:
    y = top + 17
    now = feature.now
    rank = "–" if now is None else count(now.rank)
    parts = [
        svg.text(0, y, fit(f"{rank}. {feature_label(feature.name)}", 185, svg.BOLD), "name"),
        svg.text(layout.right, y, _share(now), "value", anchor="end"),
    ]
    if compared:
        change, class_ = change_words(feature)
        parts.append(svg.text(layout.right - 64, y, change, f"small {class_}", anchor="end"))
    return join(parts)


def _share(place: Place | None) -> str:
    return "–" if place is None or place.share is None else percent(place.share, 1.0)


def _rank(place: Place | None) -> str:
    return "" if place is None else f"was {count(place.rank)}"


def _spoken(features: Sequence[RankedFeature], *, compared: bool) -> str:
    """The first features as sentences, for those who hear the chart."""
    if compared:
        return "; ".join(map(move_sentence, features[:20]))
    return "; ".join(
        f"{feature_label(one.name)} {number(None if one.now is None else one.now.value)}" for one in features[:20]
    )
