"""Windows are half open, hours are the partitions they touch, durations have a fixed length or are refused."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.errors import InputError
from driftline.core.window import Window, format_time, parse_duration, parse_time, partition

moments = st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
lengths = st.timedeltas(timedelta(0), timedelta(days=4))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(start=moments, length=lengths, offset=st.timedeltas(timedelta(days=-5), timedelta(days=5)))
def test_hours_hold_every_moment_of_the_window_and_no_other_hour(
    start: datetime, length: timedelta, offset: timedelta
) -> None:
    window = Window(start, start + length)
    hours = list(window.hours())
    assert all(later - earlier == timedelta(hours=1) for earlier, later in pairwise(hours))
    assert all((hour.minute, hour.second, hour.microsecond) == (0, 0, 0) for hour in hours)
    moment = start + offset
    assert (moment in window) == (start <= moment < start + length)
    if moment in window:
        assert moment.replace(minute=0, second=0, microsecond=0) in hours
    for hour in hours:
        assert hour < window.end
        assert hour + timedelta(hours=1) > window.start


def test_the_start_is_in_and_the_end_is_out() -> None:
    window = Window(parse_time("2026-11-22T10:00Z"), parse_time("2026-11-22T11:00Z"))
    assert window.start in window
    assert window.end not in window
    assert window.end - timedelta(microseconds=1) in window
    assert [partition(hour) for hour in window.hours()] == ["2026/11/22/10"]
    empty = Window(window.start, window.start)
    assert window.start not in empty


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(InputError, match="ends before it starts"):
        Window(parse_time("2026-11-22T11:00Z"), parse_time("2026-11-22T10:00Z"))


def test_offsets_of_the_published_example() -> None:
    tick = parse_time("2020-01-09T13:00Z")
    window = Window(tick, tick).shifted("-P8D", "-P1D")
    assert (format_time(window.start), format_time(window.end)) == ("2020-01-01T13:00:00Z", "2020-01-08T13:00:00Z")
    assert str(window) == "2020-01-01 13:00 – 2020-01-08 13:00 UTC"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("-P8D", timedelta(days=-8)), ("P1D", timedelta(days=1)), ("+PT1H", timedelta(hours=1)), ("PT0S", timedelta(0)),
        ("-PT2H30M5S", -timedelta(hours=2, minutes=30, seconds=5)), ("P2W", timedelta(weeks=2)),
        ("P1DT1M", timedelta(days=1, minutes=1)), (" -PT1H ", timedelta(hours=-1)),
    ],
)  # fmt: skip
def test_durations(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "1D", "P1M", "P1Y", "P1H", "PT1D", "-", "P-1D", "P1.5D", "PT1S1M", "p1d", "P1D x",
     "P" + "9" * 12 + "D", "P" + "9" * 5000 + "D", "P٣D"],
)  # fmt: skip
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="duration"):
        parse_duration(text)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(length=st.timedeltas(timedelta(0), timedelta(days=9999)), sign=st.sampled_from(["", "-", "+"]))
def test_durations_add_up(length: timedelta, sign: str) -> None:
    length -= timedelta(microseconds=length.microseconds)
    text = f"{sign}P{length.days}DT{length.seconds // 3600}H{length.seconds // 60 % 60}M{length.seconds % 60}S"
    assert parse_duration(text) == (-length if sign == "-" else length)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(text=st.one_of(st.text(max_size=20), st.text(alphabet="PTWDHMS0123456789-+", max_size=12)))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    with contextlib.suppress(InputError):
        assert isinstance(parse_duration(text), timedelta)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(moment=moments)
def test_times_read_back(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22T10:00:00+02:00", "2026-11-22T08:00:00Z"), ("2026-11-22", "2026-11-22T00:00:00Z"),
        ("2026-11-22 10:00", "2026-11-22T10:00:00Z"), ("2026-11-22T10:00:00.250Z", "2026-11-22T10:00:00.250000Z"),
    ],
)  # fmt: skip
def test_times_of_other_zones_and_forms(text: str, time: str) -> None:
    assert format_time(parse_time(text)) == time


@pytest.mark.parametrize(
    "text", ["", "now", "2026-13-01", "2026-11-22T25:00", "0001-01-01T00:00+12:00", "9999-12-31T23:00-12:00"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a time"):
        parse_time(text)


def test_a_window_moved_out_of_the_calendar_is_refused() -> None:
    window = Window(parse_time("2026-11-22"), parse_time("2026-11-23"))
    for start, end in (("-P900000D", "PT0S"), ("PT0S", "P9000000D")):
        with pytest.raises(InputError, match="calendar"):
            window.shifted(start, end)


def test_the_last_hours_of_the_calendar() -> None:
    last = datetime(9999, 12, 31, 22, 30, tzinfo=UTC)
    window = Window(last, datetime.max.replace(tzinfo=UTC))
    assert [partition(hour) for hour in window.hours()] == ["9999/12/31/22", "9999/12/31/23"]


def test_early_years_have_four_digits() -> None:
    assert partition(datetime(987, 1, 2, 3, tzinfo=UTC)) == "0987/01/02/03"
