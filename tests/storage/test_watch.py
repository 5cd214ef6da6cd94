"""A database that is away: who asks hears it at once, and the log says it once a minute."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection

from driftline.core.errors import AwayError
from driftline.storage.database import Store
from driftline.storage.watch import LOST_SECONDS, TOLD_SECONDS, Outage, Watch

LOG = logging.getLogger("driftline.test-watch")


class Asked:
    """A store that answers, refuses, or says nothing until it is let go."""

    def __init__(self) -> None:
        self.away: AwayError | None = None
        self.remote, self.name, self.error = True, "postgresql://host/name", ""
        self.hangs: threading.Event | None = None

    @contextmanager
    def probe(self) -> Iterator[None]:
        if self.hangs is not None:
            self.hangs.wait(10)
        if self.error:
            raise AwayError("the database cannot be used", evidence=self.error)
        yield


class Time:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def clock() -> Time:
    return Time()


def watching(asked: Any, clock: Time, heard: list[int]) -> Watch:
    return Watch(asked, lambda _: None, lambda: heard.append(1), every=0.01, log=LOG, monotonic=clock)


def test_what_is_refused_is_away_until_it_answers(asked: Asked, clock: Time, caplog: Any) -> None:
    heard: list[int] = []
    watch = watching(asked, clock, heard)
    watch.once()
    assert (asked.away, heard) == (None, [1])
    asked.error = "connection refused"
    watch.once()
    assert asked.away is not None
    assert asked.away.since is not None
    assert asked.away.evidence == "connection refused"
    assert "has been away since" in asked.away.what
    for _ in range(100):
        clock.now += TOLD_SECONDS / 50
        watch.once()
        watch.look()
    asked.error = ""
    watch.once()
    assert (asked.away, heard) == (None, [1, 1])
    told = [record.getMessage() for record in caplog.records]
    assert [line.split(" (")[1].split(")")[0] for line in told[:-1]] == ["0 s", "60 s", "120 s"]
    assert told[-1] == "the database is back after 120 s"


def test_a_question_that_stays_unanswered_is_noticed_by_another(asked: Asked, clock: Time) -> None:
    heard: list[int] = []
    watch = watching(asked, clock, heard)
    asked.hangs = threading.Event()
    thread = threading.Thread(target=watch.once)
    thread.start()
    while watch._asked is None:
        threading.Event().wait(0.001)
    watch.look()
    assert asked.away is None
    clock.now += LOST_SECONDS + 0.1
    watch.look()
    assert asked.away is not None
    assert "has not answered for 2 s" in asked.away.evidence
    asked.hangs.set()
    thread.join()
    assert (asked.away, heard) == (None, [1])


def test_a_file_is_never_held_to_be_away(asked: Asked, clock: Time) -> None:
    asked.remote = False
    watch = watching(asked, clock, [])
    watch._asked = clock.now - 60
    watch.look()
    assert asked.away is None


def test_while_it_is_away_only_a_probe_asks(store: Store) -> None:
    since = datetime(2026, 11, 25, 17, tzinfo=UTC)
    store.away = AwayError("it is away", evidence="seen", hint="wait", since=since)
    for ask in (store.read, store.write):
        with pytest.raises(AwayError, match="it is away") as caught, ask():
            pass
        assert (caught.value.since, caught.value.http_status) == (since, 503)
    with store.probe() as connection:
        assert isinstance(connection, Connection)
    store.away = None
    with store.read():
        pass


def test_an_outage_is_told_by_one_of_many_threads(caplog: Any) -> None:
    outage, error = Outage(LOG), AwayError("gone")
    threads = [threading.Thread(target=outage.lasts, args=(error,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outage.over()
    outage.over()
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
