"""Points from outside: stored, and the alarms on their series judged at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from driftline.alerting import watch
from driftline.alerting.metrics import resolved
from driftline.core.errors import InputError
from driftline.resources.alarms import Transition
from driftline.resources.metrics import NewPoint, Point, Series, StatisticSet, point, statistic_set
from driftline.storage import metrics
from driftline.storage.types import canonical

MOST_POINTS = 1000
"""Points of one call."""
MOST_DIMENSIONS = 30
MOST_CHARACTERS = 255
"""Of a name of a metric, namespace or dimension."""
MOST_VALUE_CHARACTERS = 1024
LARGEST = 2.0**360


def take(connection: Connection, points: Sequence[NewPoint], *, now: datetime, real: datetime) -> list[Transition]:
    """Store points and judge the alarms on their series; the changes of state.

    Raises :class:`InputError` for what cannot be kept; then none is.
    """
    if len(points) > MOST_POINTS:
        raise InputError("too many points at once", evidence=f"{len(points)}", hint=f"send at most {MOST_POINTS}")
    entries = [(_series(connection, given), _point(given, now)) for given in points]
    metrics.add(connection, entries)
    made: list[Transition] = []
    for series in {(series.namespace, canonical(series.dimensions)): series for series, _ in entries}.values():
        made += watch.evaluate_series(connection, series.namespace, series.dimensions, now=now, real=real)
    return made


def _series(connection: Connection, given: NewPoint) -> Series:
    for what, text in (("metric", given.name), ("dimension", "".join(given.dimensions) or "-")):
        _require(bool(text) and text.isprintable(), f"a {what} needs a name of printable characters", repr(text[:80]))
    for text in (given.name, given.namespace, *given.dimensions):
        _require(len(text) <= MOST_CHARACTERS, f"a name has more than {MOST_CHARACTERS} characters", repr(text[:80]))
    _require(given.namespace.isprintable(), "a namespace has characters that cannot be printed", repr(given.namespace))
    _require("" not in given.dimensions, "a dimension of a metric has no name", given.name)
    values = given.dimensions.values()
    _require(len(values) <= MOST_DIMENSIONS, f"a metric has more than {MOST_DIMENSIONS} dimensions", f"{len(values)}")
    good = all(value and value.isprintable() and len(value) <= MOST_VALUE_CHARACTERS for value in values)
    _require(good, f"a dimension's value needs 1 to {MOST_VALUE_CHARACTERS} printable characters", given.name)
    return resolved(connection, Series(given.namespace, given.name, given.dimensions))


def _point(given: NewPoint, now: datetime) -> Point:
    time = given.time or now
    _require(time.tzinfo is not None, "the time of a point has no zone", str(time))
    if given.statistics is None:
        _require(given.value is None or _usable(given.value), "a value is no usable number", f"{given.value}")
        return point(time, given.value)
    _require(given.value is None, "a point has a value and statistics", given.name)
    found = given.statistics
    _check(found)
    return statistic_set(time, total=found.total, minimum=found.minimum, maximum=found.maximum, count=found.count)


def _check(found: StatisticSet) -> None:
    numbers = (found.total, found.minimum, found.maximum, found.count)
    _require(all(map(_usable, numbers)), "a statistic set has what is no usable number", str(numbers))
    _require(found.count > 0, "a statistic set has no samples", f"count {found.count}")
    seen = f"minimum {found.minimum}, maximum {found.maximum}"
    _require(found.minimum <= found.maximum, "a statistic set's minimum is above its maximum", seen)


def _usable(number: float) -> bool:
    return math.isfinite(number) and abs(number) <= LARGEST


def _require(holds: bool, what: str, seen: str) -> None:
    if not holds:
        raise InputError(what, evidence=seen, hint="correct it and send the points again; none of them was kept")
