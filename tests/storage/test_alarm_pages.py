"""What pages ask of alarms, on each kind of database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from driftline.resources.alarms import Alarm, AlarmState, Transition
from driftline.resources.metrics import Series, point
from driftline.resources.mutes import Mute
from driftline.storage import alarm_pages, alarms, deliveries, form_choices, metrics, mutes
from driftline.storage.database import Store

NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def put(store: Store, name: str, state: AlarmState = "INSUFFICIENT_DATA", metric: str = "f2") -> None:
    series = Series("n", metric, {"Endpoint": "Churn_1"})
    with store.write() as db:
        alarms.put(db, name, series, Alarm(name, metric, "n", series.dimensions), NOW)
        if state != "INSUFFICIENT_DATA":
            alarms.move(db, Transition(f"to-{name}", name, "INSUFFICIENT_DATA", state, NOW, "because"))


def names(store: Store, *, state: AlarmState | None = None, words: str = "", page: int = 1) -> list[str]:
    with store.read() as db:
        return [status.name for status in alarm_pages.listing(db, state=state, words=words, page=page)]


def test_alarms_come_in_the_order_of_their_urgency(store: Store) -> None:
    put(store, "a", "OK")
    put(store, "b")
    put(store, "c", "ALARM")
    put(store, "d", "ALARM")
    assert names(store) == ["c", "d", "b", "a"]
    for state in get_args(AlarmState):
        assert names(store, state=state) == [
            name for name in names(store) if name in {"OK": "a", "ALARM": "cd"}.get(state, "b")
        ]
    with store.read() as db:
        assert alarm_pages.counts(db, "") == {"ALARM": 2, "INSUFFICIENT_DATA": 1, "OK": 1}
        assert [status.name for status in alarm_pages.several(db, ["d", "none", "a"])] == ["a", "d"]


def test_words_are_looked_for_as_they_stand(store: Store) -> None:
    put(store, "low 100%", metric="Recall")
    put(store, "other")
    for words, found in (("100%", 1), ("RECALL", 1), ("churn_1", 2), ("churn-1", 0), ("%", 1), ("_", 2), (" ", 2)):
        assert len(names(store, words=words)) == found, words


def test_a_page_has_one_more_where_another_follows(store: Store) -> None:
    for number in range(alarm_pages.PAGE + 2):
        put(store, f"{number:03}")
    assert len(names(store)) == alarm_pages.PAGE + 1
    assert names(store, page=2) == ["050", "051"]
    assert names(store, page=3) == []


def test_a_history_is_read_by_pages(store: Store) -> None:
    put(store, "low")
    with store.write() as db:
        for number in range(alarm_pages.PAGE + 1):
            change = Transition(f"t{number}", "low", "OK", "ALARM", NOW + number * MINUTE, "because")
            alarms.move(db, change)
            deliveries.enqueue(db, change.id, "log", {}, NOW + number * MINUTE)
    with store.read() as db:
        first, second = alarm_pages.changes(db, "low", 1), alarm_pages.changes(db, "low", 2)
        assert (first[0].id, len(first), [one.id for one in second]) == ("t50", 51, ["t0"])
        assert [one.transition for one in alarm_pages.told(db, ["t3", "t5"])] == ["t5", "t3"]
        assert alarm_pages.told(db, []) == alarm_pages.changes(db, "none", 1) == []


def test_mutes_that_are_over_are_not_current(store: Store) -> None:
    put(store, "low")
    with store.write() as db:
        for number, alarm in enumerate((None, "low", "other", "low")):
            end = NOW + (number if number < 3 else -1) * MINUTE + MINUTE
            mutes.add(db, Mute(f"m{number}", alarm, NOW - MINUTE, end, "", "me", NOW))
    with store.read() as db:
        assert [mute.id for mute in alarm_pages.current_mutes(db, NOW)] == ["m0", "m1", "m2"]
        assert [mute.id for mute in alarm_pages.current_mutes(db, NOW, "low")] == ["m0", "m1"]


@pytest.mark.parametrize("schedule", ["none", ""])
def test_without_runs_no_metric_is_offered(store: Store, schedule: str) -> None:
    with store.write() as db:
        metrics.add(db, [(Series("n", "f2", {}), point(NOW, 0.5))])
    with store.read() as db:
        assert form_choices.metric_names(db, schedule) == []
        assert form_choices.schedule_names(db, schedule) == form_choices.baseline_names(db, "bias") == []
