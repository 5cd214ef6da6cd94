"""A share as a small bar beside its number in a table."""

from __future__ import annotations

from markupsafe import Markup

from driftline.reporting import svg

_WIDE, _HIGH = 96.0, 8.0


def share_bar(value: float, largest: float) -> Markup:
    """How long a value is beside the largest; hidden from screen readers, who hear the number itself."""
    share = min(max(value / largest, 0.0), 1.0) if largest > 0 else 0.0
    back = svg.rectangle(0, 0, _WIDE, _HIGH, "track")
    bar = svg.rectangle(0, 0, share * _WIDE, _HIGH, "bar")
    return svg.node("svg", back, bar, class_="chart share-bar", width=_WIDE, height=_HIGH, aria_hidden="true")
