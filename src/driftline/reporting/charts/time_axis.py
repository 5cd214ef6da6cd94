"""An axis of time with round times in the reader's zone, and one of amounts that begins at zero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.markup import join
from driftline.reporting.scales import Scale, tick_labels, ticks

_STEPS = (1, 2, 3, 6, 12, 24, 48, 168, 336, 720)
_HOUR = timedelta(hours=1)


def time_scale(start: datetime, end: datetime, left: float, right: float) -> Scale:
    """The scale of times in seconds."""
    return Scale(start.timestamp(), max(end.timestamp(), start.timestamp() + 1), left, right)


def time_ticks(start: datetime, end: datetime, zone: tzinfo, most: int = 8) -> list[tuple[datetime, str]]:
    """Round local times from start to end, at most about ``most``: the hour, at midnight the day.

    >>> from datetime import UTC
    >>> evening = datetime(2026, 11, 22, 20, tzinfo=UTC)
    >>> [name for _, name in time_ticks(evening, evening + timedelta(hours=9), UTC, 5)]
    ['20:00', '22:00', '23 Nov', '02:00', '04:00']
    """
    step = next((one for one in _STEPS if (end - start) / (one * _HOUR) <= most), _STEPS[-1])
    local = start.astimezone(zone)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    for number in range(int((end - start) / (step * _HOUR)) + 24 // min(step, 24) + 2):
        # Counted on the wall clock, so that ticks stay at round hours where the clocks change.
        at = day + number * step * _HOUR
        moment = at.astimezone(UTC)
        if start <= moment <= end:
            found.append((moment, f"{at.day} {at:%b}" if at.hour == 0 else f"{at:%H:%M}"))
    return found


def time_axis(x: Scale, y: Scale, zone: tzinfo, most: int = 8) -> Markup:
    """The axes of a chart: grid lines and numbers of ``y``, ticks and times of ``x`` below it."""
    values = ticks(y.low, y.high, 4)
    parts = []
    for value, name in zip(values, tick_labels(values), strict=True):
        parts.append(svg.line((x.start, y(value)), (x.end, y(value)), "grid" if value else "axis"))
        parts.append(svg.text(x.start - 6, y(value) + 4, name, "small soft", anchor="end"))
    start, end = (datetime.fromtimestamp(moment, zone) for moment in (x.low, x.high))
    for moment, name in time_ticks(start, end, zone, most):
        place = x(moment.timestamp())
        parts.append(svg.line((place, y.start), (place, y.start + 4), "axis"))
        parts.append(svg.text(place, y.start + 17, name, "small soft", anchor=_anchor(x, place)))
    return join(parts)


def _anchor(x: Scale, place: float) -> str:
    return "start" if place - x.start < 14 else "end" if x.end - place < 14 else "middle"
