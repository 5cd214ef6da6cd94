"""The metrics that a program left, as those of its run."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from driftline.resources.metrics import Dimensioned, Point, Series, StatisticSet

OF_THE_RUN = ("Endpoint", "MonitoringSchedule")
"""Dimensions that a run has by itself, whatever a program says: none speaks for another."""


def told(
    left: Iterable[tuple[Series, Point]],
) -> tuple[dict[str, float | StatisticSet | None], tuple[Dimensioned, ...]]:
    """The metrics of the run by name, and those that have dimensions besides.

    Several points of one metric become one statistic set, since a run has one point of each, at its tick.
    """
    # A loop over metrics, not over rows of data.
    points: dict[tuple[str, bytes], list[Point]] = {}
    for series, point in left:
        own = {name: value for name, value in series.dimensions.items() if name not in OF_THE_RUN}
        points.setdefault((series.name, msgspec.json.encode(own, order="sorted")), []).append(point)
    found = [Dimensioned(name, msgspec.json.decode(own), _value(all_)) for (name, own), all_ in points.items()]
    return {one.name: one.value for one in found if not one.dimensions}, tuple(one for one in found if one.dimensions)


def _value(points: list[Point]) -> float | StatisticSet | None:
    known = [point for point in points if point.value is not None]
    if len(known) == 1 and known[0].count == 1:
        return known[0].value
    if not known:
        return None
    return StatisticSet(
        sum(point.sum or 0.0 for point in known),
        min(point.minimum for point in known if point.minimum is not None),
        max(point.maximum for point in known if point.maximum is not None),
        sum(point.count for point in known),
    )
