"""Points from outside: what is kept, what is refused, and the alarms that see them at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from driftline import Alarm, InputError, NewPoint, Series, Service, StatisticSet, Window
from driftline.alerting.metrics import MODEL_QUALITY
from driftline.testing import START, FakeClock

NAMESPACE = "features"
TABLE = {"Table": "visits"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path, clock=FakeClock()) as service:
        yield service


def test_a_point_moves_an_alarm_at_once(service: Service) -> None:
    watched = Alarm("stale", "age", NAMESPACE, TABLE, "GreaterThanThreshold", 60.0, period=60)
    service.put_alarm(watched)
    sets = StatisticSet(total=150.0, minimum=10.0, maximum=90.0, count=2.0)
    [change] = service.put_metrics([NewPoint("age", statistics=sets, dimensions=TABLE, namespace=NAMESPACE)])
    assert (change.alarm, change.to_state, change.datapoints[0].value) == ("stale", "ALARM", 75.0)
    assert service.put_metrics([NewPoint("age", 70.0, dimensions=TABLE, namespace=NAMESPACE)]) == [], "still so"
    later = NewPoint("age", 1.0, dimensions=TABLE, namespace=NAMESPACE, time=START + MINUTE)
    assert [change.to_state for change in service.put_metrics([later])] == ["OK"]
    points = service.metric_points(Series(NAMESPACE, "age", TABLE))
    assert [(point.time, point.value, point.count) for point in points] == [
        (START, 75.0, 2.0),
        (START, 70.0, 1.0),
        (START + MINUTE, 1.0, 1.0),
    ]


def test_a_point_without_a_value_is_a_missing_one(service: Service) -> None:
    service.put_alarm(Alarm("gone", "age", NAMESPACE, TABLE, "LessThanThreshold", 0.0, treat_missing="breaching"))
    [change] = service.put_metrics([NewPoint("age", dimensions=TABLE, namespace=NAMESPACE)])
    assert (change.to_state, change.datapoints[0].value) == ("ALARM", None)


def test_a_point_of_a_schedule_goes_where_its_monitor_s_go(service: Service) -> None:
    service.put_metrics([NewPoint("f2", 0.5, dimensions={"MonitoringSchedule": "hourly"})])
    assert [series.namespace for series in service.list_metrics()] == [MODEL_QUALITY]


@pytest.mark.parametrize(
    "wrong",
    [
        NewPoint(""),
        NewPoint("a\nb"),
        NewPoint("a" * 256),
        NewPoint("a", float("nan")),
        NewPoint("a", 1e120),
        NewPoint("a", 1.0, StatisticSet(1.0, 1.0, 1.0, 1.0)),
        NewPoint("a", statistics=StatisticSet(1.0, 2.0, 1.0, 1.0)),
        NewPoint("a", statistics=StatisticSet(1.0, 1.0, 1.0, 0.0)),
        NewPoint("a", statistics=StatisticSet(float("inf"), 1.0, 1.0, 1.0)),
        NewPoint("a", 1.0, dimensions={"": "x"}),
        NewPoint("a", 1.0, dimensions={"x": ""}),
        NewPoint("a", 1.0, dimensions={f"d{number}": "x" for number in range(31)}),
        NewPoint("a", 1.0, time=START.replace(tzinfo=None)),
        NewPoint("a", 1.0, namespace="\x00"),
    ],
)
def test_all_points_are_kept_or_none(service: Service, wrong: NewPoint) -> None:
    with pytest.raises(InputError):
        service.put_metrics([NewPoint("good", 1.0), wrong])
    assert service.list_metrics() == []


def test_a_call_has_a_limit(service: Service) -> None:
    with pytest.raises(InputError, match="too many"):
        service.put_metrics([NewPoint("a", 1.0)] * 1001)


def test_periods_can_begin_with_the_window(service: Service) -> None:
    service.put_metrics([NewPoint("a", float(n), namespace="n", time=START + n * 10 * MINUTE) for n in range(6)])
    window = Window(START + 5 * MINUTE, START + 65 * MINUTE)
    series = Series("n", "a")
    counted = service.metric_points(series, window, 1800, from_start=True)
    assert [(point.time - START, point.sum) for point in counted] == [(5 * MINUTE, 6.0), (35 * MINUTE, 9.0)]
    assert [point.time - START for point in service.metric_points(series, window, 1800)] == [30 * MINUTE]
