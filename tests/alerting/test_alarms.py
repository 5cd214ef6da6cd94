"""Evaluation: CloudWatch's published tables, our rule for silence, and a brute-force oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.alerting.alarms import THRESHOLD_OPERATORS, describe, evaluate
from driftline.alerting.checks import check_alarm
from driftline.core.errors import InputError
from driftline.resources.alarms import Alarm, AlarmState, MissingData, Operator
from driftline.resources.metrics import Point, point, statistic_set

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATES = get_args(AlarmState)
POLICIES = get_args(MissingData)
LOW = Alarm("low", "f2", "ns", {}, "LessThanThreshold", 0.5, period=600)


def series(marks: str) -> list[Point]:
    """One point an hour: 0 does not breach, X breaches, - is missing, a blank is an hour without any point."""
    values = {"0": 1.0, "X": 0.0, "-": None}
    return [point(AT + hour * HOUR, values[mark]) for hour, mark in enumerate(marks) if mark != " "]


def states(marks: str, m: int, n: int, current: AlarmState) -> list[AlarmState]:
    alarms = (
        msgspec.structs.replace(LOW, datapoints_to_alarm=m, evaluation_periods=n, treat_missing=policy)
        for policy in ("missing", "ignore", "breaching", "notBreaching")
    )
    return [evaluate(alarm, series(marks), current).state for alarm in alarms]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ("0XX", "OK OK OK OK"),
        ("XXX", "ALARM ALARM ALARM ALARM"),
        ("---", "INSUFFICIENT_DATA kept ALARM OK"),
        ("--0", "OK OK OK OK"),
        ("-X-", "ALARM kept ALARM OK"),
    ],
)
@pytest.mark.parametrize("current", STATES)
def test_three_of_three_as_cloudwatch_documents_it(marks: str, expected: str, current: AlarmState) -> None:
    assert states(marks, 3, 3, current) == expected.replace("kept", current).split()


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ("0XX", "ALARM ALARM ALARM ALARM"),
        ("X0X", "ALARM ALARM ALARM ALARM"),
        ("0X-", "OK OK ALARM OK"),
        ("--0", "OK OK ALARM OK"),
        ("--X", "ALARM kept ALARM OK"),
    ],
)
@pytest.mark.parametrize("current", STATES)
def test_two_of_three_as_cloudwatch_documents_it(marks: str, expected: str, current: AlarmState) -> None:
    assert states(marks, 2, 3, current) == expected.replace("kept", current).split()


def test_without_any_point_there_is_nothing_to_say() -> None:
    assert states("", 1, 1, "INSUFFICIENT_DATA") == ["INSUFFICIENT_DATA"] * 4


def test_silence_between_points_is_not_missing() -> None:
    assert states("X  X   X", 3, 3, "OK") == ["ALARM"] * 4
    assert states("0     X", 1, 1, "OK") == ["ALARM"] * 4


@pytest.mark.parametrize("current", STATES)
def test_a_young_series_does_not_alarm_before_m_datapoints(current: AlarmState) -> None:
    assert states("XX", 3, 3, current) == [current] * 4
    assert states("X", 2, 3, current) == [current] * 4
    assert states("0", 3, 3, current) == ["OK"] * 4


def test_only_the_last_n_periods_count() -> None:
    assert states("XXX0", 1, 1, "ALARM") == ["OK"] * 4
    assert states("000X", 1, 1, "OK") == ["ALARM"] * 4


def oracle(marks: str, alarm: Alarm, current: AlarmState) -> AlarmState:
    """By trying every meaning the missing marks could have."""
    last = marks.replace(" ", "")[-alarm.evaluation_periods :]
    filled = {"breaching": last.replace("-", "X"), "notBreaching": last.replace("-", "0")}.get(
        alarm.treat_missing, last
    )
    worst, best = filled.replace("-", "X"), filled.replace("-", "0")
    if best.count("X") >= alarm.datapoints_to_alarm:
        return "ALARM"
    if "0" in filled:
        return "OK"
    if alarm.treat_missing == "ignore":
        return current
    if "X" not in filled:
        return "INSUFFICIENT_DATA"
    return "ALARM" if worst.count("X") >= alarm.datapoints_to_alarm else current


@given(
    marks=st.text("0X- ", max_size=9),
    n=st.integers(1, 6),
    m=st.integers(1, 6),
    policy=st.sampled_from(POLICIES),
    current=st.sampled_from(STATES),
    shuffled=st.randoms(use_true_random=False),
)
def test_evaluation_agrees_with_the_oracle(
    marks: str, n: int, m: int, policy: MissingData, current: AlarmState, shuffled: Any
) -> None:
    alarm = msgspec.structs.replace(
        LOW, evaluation_periods=n, datapoints_to_alarm=min(m, n), treat_missing=policy, period=3600
    )
    points = series(marks)
    shuffled.shuffle(points)
    found = evaluate(alarm, points, current)
    assert found.state == oracle(marks, alarm, current)
    assert len(found.datapoints) == min(n, len(points))
    assert [entry.time for entry in found.datapoints] == sorted(entry.time for entry in found.datapoints)


@given(value=st.floats(-10, 10), threshold=st.floats(-10, 10), operator=st.sampled_from(THRESHOLD_OPERATORS))
def test_every_operator_means_what_it_says(value: float, threshold: float, operator: Operator) -> None:
    alarm = msgspec.structs.replace(LOW, operator=operator, threshold=threshold)
    less, equal = value < threshold, value == threshold
    expected = {
        "LessThanThreshold": less,
        "LessThanOrEqualToThreshold": less or equal,
        "GreaterThanThreshold": not less and not equal,
        "GreaterThanOrEqualToThreshold": not less,
    }[operator]
    assert evaluate(alarm, [point(AT, value)], "OK").state == ("ALARM" if expected else "OK")


@pytest.mark.parametrize(
    ("statistic", "expected"), [("Average", 2.0), ("Sum", 8.0), ("Minimum", 1.0), ("Maximum", 5.0), ("SampleCount", 4)]
)
def test_statistics_are_over_the_samples_of_a_period(statistic: Any, expected: float) -> None:
    points = [
        statistic_set(AT, total=3, minimum=1, maximum=1, count=3),
        point(AT + timedelta(minutes=9), 5),
        point(AT + timedelta(minutes=5), None),
    ]
    alarm = msgspec.structs.replace(LOW, statistic=statistic)
    (datapoint,) = evaluate(alarm, points, "OK").datapoints
    assert datapoint.value == expected
    assert datapoint.time == AT + timedelta(minutes=9)


def test_periods_are_aligned_to_the_epoch() -> None:
    alarm = msgspec.structs.replace(LOW, evaluation_periods=5)
    points = [point(AT + timedelta(minutes=minutes), 1.0) for minutes in (0, 9, 10, 19, 20)]
    assert len(evaluate(alarm, points, "OK").datapoints) == 3


def test_reasons_are_sentences_with_the_numbers() -> None:
    alarm = Alarm("low", "f2", "ns", {}, "LessThanOrEqualToThreshold", 0.625, period=600, treat_missing="breaching")
    assert evaluate(alarm, [point(AT, 0.41)], "OK").reason == (
        "f2 was 0.41 at 12:00, LessThanOrEqualToThreshold 0.625 (1 of 1 datapoints)"
    )
    assert evaluate(alarm, [point(AT, 0.7)], "OK").reason == (
        "f2 was 0.7 at 12:00, not LessThanOrEqualToThreshold 0.625 (0 of 1 datapoints)"
    )
    assert evaluate(alarm, [point(AT, None)], "OK").reason == (
        "f2 was missing at 12:00, treated as breaching (1 of 1 datapoints)"
    )
    assert evaluate(alarm, [], "OK").reason == "f2 has no datapoint yet"
    several = msgspec.structs.replace(alarm, evaluation_periods=5, datapoints_to_alarm=2)
    reason = evaluate(several, [point(AT + day * 24 * HOUR, 0.1 * day) for day in range(5)], "OK").reason
    assert reason == (
        "f2 was 0.2 at 2026-11-24 12:00, 0.3 at 2026-11-25 12:00, 0.4 at 2026-11-26 12:00 and 2 before, "
        "LessThanOrEqualToThreshold 0.625 (5 of 5 datapoints)"
    )


def test_a_datapoint_is_described_as_plain_data() -> None:
    (datapoint,) = evaluate(LOW, [point(AT, 0.25)], "OK").datapoints
    assert describe(datapoint) == {"time": "2026-11-22T12:00:00Z", "value": 0.25, "breaching": True}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "two\nlines"),
        ("name", "x" * 256),
        ("metric", ""),
        ("namespace", ""),
        ("statistic", "Median"),
        ("operator", "Equals"),
        ("treat_missing", "maybe"),
        ("period", 0),
        ("evaluation_periods", 0),
        ("datapoints_to_alarm", 2),
        ("datapoints_to_alarm", 0),
        ("threshold", float("nan")),
    ],
)
def test_an_alarm_that_cannot_work_names_its_field(field: str, value: Any) -> None:
    with pytest.raises(InputError, match=field):
        check_alarm(msgspec.structs.replace(LOW, **{field: value}))


@pytest.mark.parametrize(
    "target", ["", "mail:a@b", "ftp://host/x", "http://", "file:///etc/passwd", "https://h:99999/", "http://h/\x00"]
)
@pytest.mark.parametrize("field", ["alarm_actions", "ok_actions", "insufficient_data_actions"])
def test_an_action_must_be_a_target(field: str, target: str) -> None:
    with pytest.raises(InputError, match="can only go to"):
        check_alarm(msgspec.structs.replace(LOW, **{field: (target,)}))


def test_a_refused_target_is_not_repeated() -> None:
    with pytest.raises(InputError) as caught:
        check_alarm(msgspec.structs.replace(LOW, alarm_actions=("slick://xoxb-secret-token",)))
    assert "secret" not in str(caught.value)


def test_a_good_alarm_passes() -> None:
    alarm = msgspec.structs.replace(LOW, alarm_actions=("log", "https://hooks.example.com/x"))
    assert check_alarm(alarm) is alarm
    assert alarm.actions("ALARM") == alarm.alarm_actions
    assert alarm.actions("OK") == alarm.actions("INSUFFICIENT_DATA") == ()
