"""Time: half-open UTC windows, hour partitions, ISO 8601 instants and durations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from driftline.core.errors import InputError

HOUR = timedelta(hours=1)
_LAST = datetime.max.replace(tzinfo=UTC)
_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?=.)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.ASCII,
)


def parse_time(text: str) -> datetime:
    """An ISO 8601 instant as an aware UTC datetime; a time without a zone is read as UTC.

    >>> parse_time("2026-11-22T10:00:00Z").isoformat()
    '2026-11-22T10:00:00+00:00'
    >>> parse_time("2026-11-22").isoformat()
    '2026-11-22T00:00:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(
            f"{text!r} is not a time", hint="write it as 2026-11-22T10:00:00Z (a time without a zone is UTC)"
        ) from None


def format_time(moment: datetime) -> str:
    """An instant as the service writes it: ``2026-11-22T10:00:00Z``, with fractions only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_duration(text: str) -> timedelta:
    """A signed ISO 8601 duration of weeks, days, hours, minutes and seconds.

    Months and years have no fixed length and are refused.

    >>> parse_duration("-P8D")
    datetime.timedelta(days=-8)
    >>> parse_duration("PT1H30M")
    datetime.timedelta(seconds=5400)
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise InputError(
            f"{text!r} is not an ISO 8601 duration", hint="write it as -P8D, PT1H or -PT2H30M (no months, no years)"
        )
    try:
        parts = {name: int(value) for name, value in match.groupdict().items() if value and name != "sign"}
        length = timedelta(**parts)
    except (OverflowError, ValueError):
        raise InputError(f"{text[:40]!r} is too long a duration", hint="use fewer than 999,999,999 days") from None
    return -length if match["sign"] == "-" else length


class Window(msgspec.Struct, frozen=True, order=True):
    """The half-open interval [start, end) in UTC.

    >>> window = Window(parse_time("2026-11-22T10:00Z"), parse_time("2026-11-22T11:00Z"))
    >>> print(window)
    2026-11-22 10:00–11:00 UTC
    >>> print(window.shifted("-P1D", "-PT1H"))
    2026-11-21 10:00 – 2026-11-22 10:00 UTC
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise InputError(
                f"the window ends before it starts: {format_time(self.start)} to {format_time(self.end)}",
                hint="swap start and end, or make the end offset the later one",
            )

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def __str__(self) -> str:
        first, last = self.start, self.end
        if first.date() == last.date():
            return f"{first:%Y-%m-%d %H:%M}–{last:%H:%M} UTC"
        return f"{first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M} UTC"

    def shifted(self, start_offset: str, end_offset: str) -> Window:
        """The window with ISO 8601 durations added to its start and its end."""
        before, after = parse_duration(start_offset), parse_duration(end_offset)
        try:
            return Window(self.start + before, self.end + after)
        except OverflowError:
            raise InputError(
                f"offsets {start_offset} and {end_offset} move the window out of the calendar",
                hint="use offsets of days or weeks",
            ) from None

    def hours(self) -> Iterator[datetime]:
        """The start of every UTC hour that the window touches, in order."""
        hour = self.start.replace(minute=0, second=0, microsecond=0)
        for _ in range(-((hour - self.end) // HOUR)):
            yield hour
            hour += min(HOUR, _LAST - hour)


def partition(hour: datetime) -> str:
    """The folder of an hour under a capture or label prefix: ``2026/11/22/10``."""
    return f"{hour.year:04d}/{hour:%m/%d/%H}"
