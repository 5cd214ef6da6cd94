"""Round times for an axis, in the zone that its moments are in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

_DAYS = (1, 2, 7, 14, 30, 60, 120, 360)
_MINUTES = (1, 5, 15, 30, 60, 180, 360, 720, *(1440 * days for days in _DAYS))
_DAY = timedelta(days=1)


def time_ticks(start: datetime, end: datetime, most: int = 8) -> list[datetime]:
    """Round moments in [start, end], at most so many; both ends are of one zone, and the ticks are of its wall clock.

    >>> from datetime import UTC
    >>> start, end = datetime(2026, 11, 22, 1, tzinfo=UTC), datetime(2026, 11, 22, 4, tzinfo=UTC)
    >>> [f"{tick:%H:%M}" for tick in time_ticks(start, end, 4)]
    ['01:00', '02:00', '03:00', '04:00']
    """
    length = (end - start) / timedelta(minutes=1)
    step = timedelta(minutes=next((one for one in _MINUTES if length / one <= most - 1), length / (most - 1)))
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    if step > _DAY:
        # Whole steps from a fixed day, so that ticks stay where they are when the window moves on.
        midnight -= timedelta(days=midnight.toordinal() % max(1, step // _DAY))
    first = midnight + max(0, -((midnight - start) // step)) * step
    ticks = [first + place * step for place in range(most + 1)]
    return [tick for tick in ticks if start <= tick <= end]


def tick_words(ticks: Sequence[datetime]) -> list[str]:
    """The ticks as they are written: days where they are days apart, else hours with the day where it begins.

    >>> from datetime import UTC
    >>> tick_words([datetime(2026, 11, 22, 18, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)])
    ['18:00', '23 Nov']
    """
    years = len({tick.year for tick in ticks}) > 1
    return [_words(tick, years=years) for tick in ticks]


def _words(tick: datetime, *, years: bool) -> str:
    if tick.hour or tick.minute:
        return f"{tick:%H:%M}"
    return f"{tick.day} {tick:%b %Y}" if years else f"{tick.day} {tick:%b}"
