"""Anomaly bands: the false-alarm rate that is stated, against numpy, and what a short past means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from driftline.alerting.alarms import evaluate
from driftline.alerting.bands import limits
from driftline.alerting.checks import check_alarm
from driftline.core.errors import InputError
from driftline.resources.alarms import Alarm, Band
from driftline.resources.metrics import point

AT = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)


def watching(band: Band, **more: object) -> Alarm:
    return check_alarm(Alarm("odd", "f2", "ns", {}, band=band, **more))  # type: ignore[arg-type]


def test_a_band_is_median_and_scaled_deviation() -> None:
    past = np.random.default_rng(3).normal(size=51)
    centre = np.median(past)
    room = 3 * 1.4826 * np.median(np.abs(past - centre))
    assert limits(Band(width=3), list(past)) == pytest.approx((centre - room, centre + room))


@pytest.mark.parametrize(("width", "past", "stated"), [(3.0, 20, 0.022), (3.0, 100, 0.0051), (4.0, 20, 0.0052)])
def test_the_false_alarm_rate_is_the_stated_one(width: float, past: int, stated: float) -> None:
    random = np.random.default_rng(11)
    band, trials = Band(width=width, history=past, least=past), 6000
    outside = 0
    for row in random.normal(size=(trials, past + 1)).tolist():
        found = limits(band, row[:-1])
        assert found is not None
        outside += not found[0] <= row[-1] <= found[1]
    assert abs(outside / trials - stated) < 4 * (stated / trials) ** 0.5


def test_a_jump_is_seen_and_a_short_past_is_no_verdict() -> None:
    alarm = watching(Band(width=4, history=50, least=20), treat_missing="breaching")
    values = np.random.default_rng(5).normal(0.8, 0.01, size=31).tolist()
    points = [point(AT + hour * HOUR, value) for hour, value in enumerate(values)]
    assert evaluate(alarm, points[:15], "OK").state == "INSUFFICIENT_DATA"
    assert "too few for a band" in evaluate(alarm, points[:15], "OK").reason
    assert evaluate(alarm, points, "OK").state == "OK"
    jumped = evaluate(alarm, [*points, point(AT + 31 * HOUR, 0.5)], "OK")
    assert jumped.state == "ALARM"
    assert "f2 was 0.5 at 07:00, outside its band from 0.7" in jumped.reason


@pytest.mark.parametrize(
    ("operator", "value", "state"),
    [
        ("LessThanLowerThreshold", 9.0, "OK"),
        ("LessThanLowerThreshold", -9.0, "ALARM"),
        ("GreaterThanUpperThreshold", 9.0, "ALARM"),
        ("GreaterThanUpperThreshold", -9.0, "OK"),
        ("LessThanLowerOrGreaterThanUpperThreshold", -9.0, "ALARM"),
    ],
)
def test_a_band_has_sides(operator: str, value: float, state: str) -> None:
    points = [point(AT + hour * HOUR, number) for hour, number in enumerate([1.0, 2.0, 3.0, value])]
    assert evaluate(watching(Band(least=3), operator=operator), points, "OK").state == state


def test_a_season_is_the_hour_of_the_day() -> None:
    values = [10.0 + 0.01 * (hour % 7) if hour % 24 == 3 else 1.0 + 0.01 * (hour % 5) for hour in range(24 * 25)]
    points = [point(AT + hour * HOUR, value) for hour, value in enumerate(values)]
    until = [entry for entry in points if entry.time <= AT + (24 * 24 + 3) * HOUR]
    assert evaluate(watching(Band(history=600)), until, "OK").state == "ALARM"
    assert evaluate(watching(Band(history=600, season="hour")), until, "OK").state == "OK"


def test_a_constant_past_leaves_room_for_rounding_only() -> None:
    found = limits(Band(least=3), [0.3, 0.1 + 0.2, 0.3])
    assert found is not None
    assert found[0] < 0.1 + 0.2 < found[1] < 0.3001


@pytest.mark.parametrize("band", [Band(width=0), Band(width=float("nan")), Band(least=1), Band(history=5, least=6)])
def test_a_band_that_cannot_work_is_refused(band: Band) -> None:
    with pytest.raises(InputError, match="band"):
        watching(band)


def test_a_band_excludes_a_threshold_and_its_operators() -> None:
    with pytest.raises(InputError, match="threshold"):
        watching(Band(), threshold=0.5)
    with pytest.raises(InputError, match="operator"):
        watching(Band(), operator="LessThanThreshold")
