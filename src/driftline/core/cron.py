"""Cron expressions, Unix (five fields) and AWS (six fields in ``cron(…)``), as exact UTC ticks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

from driftline.core.errors import InputError
from driftline.core.window import Window

_AWS = re.compile(r"cron\((.*)\)\s*", re.IGNORECASE | re.DOTALL)
_EPOCH_MINUTE = datetime(1970, 1, 1, tzinfo=UTC)


class Cron:
    """A recurring time, to the minute, in UTC; ``NOW`` is a single time, that of its creation, and has no ticks.

    >>> hourly = Cron("cron(0 * ? * * *)")
    >>> hourly.next(datetime(2026, 11, 22, 10, 30, tzinfo=UTC)).isoformat()
    '2026-11-22T11:00:00+00:00'
    >>> print(hourly.window(datetime(2026, 11, 22, 11, tzinfo=UTC)))
    2026-11-22 10:00–11:00 UTC
    """

    def __init__(self, expression: str) -> None:
        self.expression = expression.strip()
        self.once = self.expression.upper() == "NOW"
        if self.once:
            self._unix, self._years = "NOW", None
            return
        self._unix, self._years = _translate(self.expression)
        try:
            CronSim(self._unix, _EPOCH_MINUTE)
        except CronSimError as error:
            raise _invalid(self.expression, str(error)) from None

    def __repr__(self) -> str:
        return f"Cron({self.expression!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cron) and (self._unix, self._years) == (other._unix, other._years)

    def __hash__(self) -> int:
        return hash((self._unix, self._years))

    @property
    def fields(self) -> tuple[str, ...]:
        """Minute, hour, day, month and weekday as a Unix cron writes them; none for ``NOW`` and for some years only.

        >>> Cron("cron(0 9 ? * 2 *)").fields
        ('0', '9', '*', '*', '1')
        """
        return () if self.once or self._years is not None else tuple(self._unix.split())

    def next(self, after: datetime) -> datetime | None:
        """The first tick strictly after a moment; None when there is none left."""
        return next(self._ticks(after, reverse=False), None)

    def previous(self, before: datetime) -> datetime | None:
        """The last tick strictly before a moment; None when there was none."""
        return next(self._ticks(before, reverse=True), None)

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Every tick in (start, end], in order."""
        for tick in self._ticks(start, reverse=False):
            if tick > end:
                return
            yield tick

    def window(self, tick: datetime) -> Window:
        """What the run at ``tick`` looks at: from the tick before it up to itself."""
        before = self.previous(tick)
        return Window(tick if before is None else before, tick)

    def _ticks(self, moment: datetime, *, reverse: bool) -> Iterator[datetime]:
        start: datetime | None = None if self.once else moment.astimezone(UTC)
        while start is not None:
            passed, start = start, None
            for tick in _simulated(self._unix, passed, reverse=reverse):
                if self._years is None or tick.year in self._years:
                    yield tick
                    continue
                # Years without a tick are jumped over; walking through them could take hours.
                left = [year for year in self._years if (year < tick.year if reverse else year > tick.year)]
                if left:
                    start = datetime(max(left) + 1 if reverse else min(left), 1, 1, tzinfo=UTC)
                    start -= timedelta(minutes=0 if reverse else 1)
                break


def _simulated(unix: str, moment: datetime, *, reverse: bool) -> Iterator[datetime]:
    """Every tick after (before) a moment; they end with the calendar."""
    ticks = iter(CronSim(unix, moment, reverse=reverse))
    while True:
        try:
            yield next(ticks)
        except (StopIteration, OverflowError):
            return


def _translate(expression: str) -> tuple[str, frozenset[int] | None]:
    match = _AWS.fullmatch(expression)
    if match is None:
        fields = expression.split()
        if len(fields) != 5:
            raise _invalid(expression, f"{len(fields)} fields")
        return _spelled_out(fields), None
    fields = match[1].split()
    if len(fields) != 6:
        raise _invalid(expression, f"{len(fields)} fields inside cron(…), expected 6")
    minute, hour, day, month, weekday, year = fields
    if day != "?" and weekday != "?" and "*" not in (day, weekday):
        raise _invalid(expression, "one of day-of-month and day-of-week must be ?")
    unix = (minute, _hours(hour), day.replace("?", "*"), month, _weekdays(weekday, expression))
    return _spelled_out(unix), _years(year, expression)


def _spelled_out(fields: Sequence[str]) -> str:
    """``17/12`` means from 17 on, every 12, and ``17-17/12`` means 17. cronsim reads the second like the first, and
    counts Sunday, as day 7, into a weekday's range: so ranges with a step are spelled out."""

    def spelled_out(part: str, last: str) -> str:
        match = re.fullmatch(r"(\w+)(?:-(\w+))?/0*([1-9]\d*)", part)
        if match is None:
            return part
        first = "6" if last == "6" and match[1].upper() == "SAT" else match[1]
        return first if first == (match[2] or last) else f"{first}-{match[2] or last}/{match[3]}"

    return " ".join(
        ",".join(spelled_out(part, last) for part in field.split(","))
        for field, last in zip(fields, ("59", "23", "31", "12", "6"), strict=True)
    )


def _hours(field: str) -> str:
    """The service's two own readings: ``17/12`` is every 12 hours around the clock, one of them 17:00;
    ``[00-23]``, as its guide writes a daily schedule, is once a day at the first hour of the range."""
    if field.startswith("["):
        return field.strip("[]").partition("-")[0]
    start, slash, step = field.partition("/")
    if slash and start.isdigit() and step.isdigit() and int(start) < 24 and int(step) > 0:
        return ",".join(str(hour) for hour in sorted({h % 24 for h in range(int(start), int(start) + 24, int(step))}))
    return field


def _weekdays(field: str, expression: str) -> str:
    """AWS counts 1 (Sunday) to 7 (Saturday); Unix counts 0 (Sunday) to 6."""
    if field in ("?", "*"):
        return "*"

    def shifted(match: re.Match[str]) -> str:
        number = int(match[0])
        if not 1 <= number <= 7:
            raise _invalid(expression, f"{number} is not a day of the week; AWS counts from 1 (Sunday) to 7")
        return str(number - 1)

    return re.sub(r"(?<![#/\d])\d+", shifted, field)


def _years(field: str, expression: str) -> frozenset[int] | None:
    if field in ("*", "?"):
        return None
    years: set[int] = set()
    for part in field.split(","):
        match = re.fullmatch(r"(\*|\d{4})(?:-(\d{4}))?(?:/(\d{1,3}))?", part)
        if match is None:
            raise _invalid(expression, f"{part!r} is not a year between 1970 and 2199")
        first = 1970 if match[1] == "*" else int(match[1])
        last = int(match[2]) if match[2] else (2199 if match[3] else first)
        years.update(range(first, last + 1, max(1, int(match[3] or 1))))
    if not years or min(years) < 1970 or max(years) > 2199:
        raise _invalid(expression, f"{field!r} is not a year between 1970 and 2199")
    return frozenset(years)


def _invalid(expression: str, reason: str) -> InputError:
    return InputError(
        f"{expression!r} is not a cron expression: {reason}",
        hint="write '0 * * * *' (minute hour day month weekday) or 'cron(0 * ? * * *)' (… and year), in UTC",
    )
