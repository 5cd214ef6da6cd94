"""Cron against a calendar walked minute by minute, in the Unix form and in that of AWS."""

from __future__ import annotations

import calendar
import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.cron import Cron
from driftline.core.errors import InputError

MINUTE = timedelta(minutes=1)
Values = frozenset[int]


def field(draw: random.Random, low: int, high: int) -> tuple[str, Values]:
    """A random field and the values it means."""
    kind = draw.choice(["*", "value", "range", "step", "range/step", "value/step", "list"])
    first = draw.randint(low, high)
    last, step = draw.randint(first, high), draw.randint(1, max(1, (high - low) // 2))
    forms = {
        "*": ("*", range(low, high + 1)),
        "value": (str(first), [first]),
        "range": (f"{first}-{last}", range(first, last + 1)),
        "step": (f"*/{step}", range(low, high + 1, step)),
        "range/step": (f"{first}-{last}/{step}", range(first, last + 1, step)),
        "value/step": (f"{first}/{step}", range(first, high + 1, step)),
        "list": (f"{first},{low}-{last}", [first, *range(low, last + 1)]),
    }
    text, values = forms[kind]
    return text, frozenset(values)


def unix(seed: int) -> tuple[str, Callable[[datetime], bool]]:
    """A random expression of five fields, and whether a minute is one of its ticks."""
    draw = random.Random(seed)
    minute, minutes = field(draw, 0, 59)
    hour, hours = field(draw, 0, 23)
    day, days = field(draw, 1, 31)
    month, months = ("*", frozenset(range(1, 13))) if draw.random() < 0.6 else field(draw, 1, 12)
    weekday, weekdays = ("*", frozenset(range(7))) if draw.random() < 0.5 else field(draw, 0, 6)

    def ticks(moment: datetime) -> bool:
        by_day, by_weekday = moment.day in days, moment.isoweekday() % 7 in weekdays
        # Days and weekdays that are both restricted are alternatives; a field that starts with * restricts with "and".
        either = not day.startswith("*") and not weekday.startswith("*")
        on_day = (by_day or by_weekday) if either else (by_day and by_weekday)
        return moment.minute in minutes and moment.hour in hours and moment.month in months and on_day

    return f"{minute} {hour} {day} {month} {weekday}", ticks


def aws(seed: int) -> tuple[str, Callable[[datetime], bool]]:
    """A random expression of six fields, and whether a minute is one of its ticks."""
    draw = random.Random(seed)
    minute, minutes = field(draw, 0, 59)
    hour, hours = field(draw, 0, 23)
    if (lone := re.fullmatch(r"(\d+)/(\d+)", hour)) is not None:
        # The service reads 17/12 as every 12 hours around the clock, one of them 17:00.
        hours = frozenset(h % 24 for h in range(int(lone[1]), int(lone[1]) + 24, int(lone[2])))
    month, months = ("*", frozenset(range(1, 13))) if draw.random() < 0.6 else field(draw, 1, 12)
    year, years = draw.choice(
        [("*", None), ("2023-2025", {2023, 2024, 2025}), ("2024", {2024}), ("2022/2", {2022, 2024})]
    )
    if draw.random() < 0.5:
        day, days = field(draw, 1, 31)
        weekday, weekdays = "?", frozenset(range(1, 8))
    else:
        day, days = "?", frozenset(range(1, 32))
        weekday, weekdays = field(draw, 1, 7)

    def ticks(moment: datetime) -> bool:
        return (
            moment.minute in minutes
            and moment.hour in hours
            and moment.day in days
            and moment.month in months
            and moment.isoweekday() % 7 + 1 in weekdays
            and (years is None or moment.year in years)
        )

    return f"cron({minute} {hour} {day} {month} {weekday} {year})", ticks


def minutes_of(start: datetime, end: datetime) -> Iterator[datetime]:
    while start <= end:
        yield start
        start += MINUTE


@pytest.mark.parametrize("make", [unix, aws])
@pytest.mark.parametrize("part", range(8))
def test_ticks_are_those_of_the_calendar(
    make: Callable[[int], tuple[str, Callable[[datetime], bool]]], part: int
) -> None:
    start = datetime(2024, 2, 20, 11, 17, tzinfo=UTC) + timedelta(days=40 * part, minutes=part)
    end = start + timedelta(days=16)
    walked = list(minutes_of(start, end))
    for seed in range(part * 12, part * 12 + 12):
        expression, ticks = make(seed)
        cron = Cron(expression)
        wanted = [moment for moment in walked if ticks(moment)]
        assert list(cron.between(start - MINUTE, end)) == wanted, expression
        for one in wanted[:: max(1, len(wanted) // 4)]:
            assert cron.next(one - MINUTE) == one
            assert cron.next(one - timedelta(microseconds=1)) == one
            assert cron.previous(one + MINUTE) == one
            assert cron.previous(one + timedelta(microseconds=1)) == one
        for before, tick in pairwise(wanted[:20]):
            assert cron.next(before) == tick, expression
            assert cron.previous(tick) == before, expression
            window = cron.window(tick)
            assert (window.start, window.end) == (before, tick)


@pytest.mark.parametrize(
    ("expression", "ticks"),
    [
        ("cron(0 * ? * * *)", lambda t: t.minute == 0),
        ("cron(0 17/12 ? * * *)", lambda t: (t.hour, t.minute) in {(5, 0), (17, 0)}),
        ("cron(0 17/1 ? * * *)", lambda t: t.minute == 0),
        ("cron(0 [00-23] ? * * *)", lambda t: (t.hour, t.minute) == (0, 0)),
        ("CRON(30 6 ? * MON-FRI *)", lambda t: (t.hour, t.minute) == (6, 30) and t.weekday() < 5),
        (
            "cron(15 10 ? * 6L 2024)",
            lambda t: (
                (t.hour, t.minute) == (10, 15)
                and t.weekday() == 4
                and t.day + 7 > calendar.monthrange(t.year, t.month)[1]
                and t.year == 2024
            ),
        ),
        ("cron(0 8 ? * 2#1 *)", lambda t: (t.hour, t.minute) == (8, 0) and t.weekday() == 0 and t.day <= 7),
        (
            "cron(0 0 L * ? *)",
            lambda t: (t.hour, t.minute) == (0, 0) and t.day == calendar.monthrange(t.year, t.month)[1],
        ),
        ("cron(0 12 1 JAN,MAR ? *)", lambda t: (t.hour, t.minute, t.day) == (12, 0, 1) and t.month in (1, 3)),
        ("cron(0/10 * ? * * *)", lambda t: t.minute % 10 == 0),
        ("cron(5,30/10 * ? * * *)", lambda t: t.minute in (5, 30, 40, 50)),
        ("  0 0 * * sun ", lambda t: (t.hour, t.minute) == (0, 0) and t.weekday() == 6),
        ("0 0 * * 7", lambda t: (t.hour, t.minute) == (0, 0) and t.weekday() == 6),
    ],
)
def test_forms(expression: str, ticks: Callable[[datetime], bool]) -> None:
    start, end = datetime(2024, 2, 25, tzinfo=UTC), datetime(2024, 4, 3, tzinfo=UTC)
    found = list(Cron(expression).between(start - MINUTE, end))
    assert found == [moment for moment in minutes_of(start, end) if ticks(moment)]


def test_leap_days() -> None:
    cron = Cron("0 0 29 2 *")
    assert cron.next(datetime(2024, 2, 29, tzinfo=UTC)) == datetime(2028, 2, 29, tzinfo=UTC)
    assert cron.previous(datetime(2024, 2, 29, tzinfo=UTC)) == datetime(2020, 2, 29, tzinfo=UTC)
    assert cron.next(datetime(2096, 3, 1, tzinfo=UTC)) == datetime(2104, 2, 29, tzinfo=UTC)
    assert Cron("cron(0 0 29 2 ? 2023)").next(datetime(2020, 1, 1, tzinfo=UTC)) is None


def test_years_begin_and_end() -> None:
    cron = Cron("cron(0 0 1 1 ? 2030-2031)")
    assert cron.next(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2030, 1, 1, tzinfo=UTC)
    assert cron.next(datetime(2031, 1, 1, tzinfo=UTC)) is None
    assert cron.previous(datetime(2040, 1, 1, tzinfo=UTC)) == datetime(2031, 1, 1, tzinfo=UTC)
    assert cron.previous(datetime(2030, 1, 1, tzinfo=UTC)) is None
    only = Cron("cron(0 0 1 1 ? 2030)")
    first = datetime(2030, 1, 1, tzinfo=UTC)
    assert (only.window(first).start, only.window(first).end) == (first, first)


@pytest.mark.parametrize(
    ("year", "first", "last"), [("2199", 2199, 2199), ("2030,2190", 2030, 2190), ("*/100", 2070, 2170)]
)
def test_a_far_year_is_reached_at_once(year: str, first: int, last: int) -> None:
    cron = Cron(f"cron(* * * * ? {year})")
    assert cron.next(datetime(2026, 11, 22, tzinfo=UTC)) == datetime(first, 1, 1, tzinfo=UTC)
    assert cron.previous(datetime(2500, 1, 1, tzinfo=UTC)) == datetime(last, 12, 31, 23, 59, tzinfo=UTC)
    assert cron.next(datetime(last, 12, 31, 23, 59, tzinfo=UTC)) is None
    before = datetime(1970, 12, 31, 23, 59, tzinfo=UTC) if year == "*/100" else None
    assert cron.previous(datetime(1971, 1, 1, tzinfo=UTC)) == before


def test_moments_of_other_zones_are_the_same_moments() -> None:
    cron = Cron("0 * * * *")
    assert cron.next(datetime.fromisoformat("2026-11-22T12:30:00+02:00")) == datetime(2026, 11, 22, 11, tzinfo=UTC)


def test_the_ends_of_the_calendar() -> None:
    cron = Cron("0 0 1 1 *")
    assert cron.next(datetime(9999, 6, 1, tzinfo=UTC)) is None
    assert cron.previous(datetime(1, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "expression",
    ["", " ", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *",
     "* * * * 8", "a * * * *", "*/0 * * * *", "5-1 * * * *", "1,,2 * * * *", "-1 * * * *", "@hourly", "0 0 30 2 *x",
     "cron()", "cron(0 * * * *)", "cron(0 * ? * * * *)", "cron(0 * 1 * 2 *)", "cron(0 * ? * 0 *)", "cron(0 * ? * 8 *)",
     "cron(0 * ? * * 1969)", "cron(0 * ? * * 2200)", "cron(0 * ? * * soon)", "cron(0 * ? * * 2030-2020)",
     "cron(0 17/0 ? * * *)", "cron(0/0 * ? * * *)", "cron(0 * ? * * *", "rate(5 minutes)", "0 0 * * *; rm",
     "cron(0 * 15W * ? *)",
     "cron(0 [] ? * * *)", "cron(0 25/5 ? * * *)", "cron(0 0 ? * * 2020/x)"],
)  # fmt: skip
def test_what_is_no_cron_expression_is_refused(expression: str) -> None:
    with pytest.raises(InputError, match="is not a cron expression") as error:
        Cron(expression)
    assert "UTC" in error.value.hint


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    text=st.one_of(
        st.text(max_size=30),
        st.text(alphabet="0123456789*/-,?LW#[]() cron", max_size=30),
        st.lists(st.text(alphabet="0159*/-,?L#", min_size=1, max_size=5), min_size=5, max_size=6).map(" ".join),
        st.lists(st.text(alphabet="0159*/-,?L#", min_size=1, max_size=5), min_size=6, max_size=6).map(
            lambda f: f"cron({' '.join(f)})"
        ),
    )
)
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        cron = Cron(text)
    except InputError:
        return
    assert cron == Cron(text)
    assert hash(cron) == hash(Cron(text))
    tick = cron.next(datetime(2026, 11, 22, tzinfo=UTC))
    assert tick is None or (tick.second, tick.microsecond, tick.utcoffset()) == (0, 0, timedelta(0))


def test_equal_expressions_are_equal() -> None:
    assert Cron("0 * * * *") == Cron("cron(0 * ? * * *)") != Cron("1 * * * *")
    assert repr(Cron(" 0 * * * * ")) == "Cron('0 * * * *')"
