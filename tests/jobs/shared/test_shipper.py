"""What is shipped when, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from driftline.core.uris import object_uri
from driftline.core.window import Window
from driftline.jobs.shared import Shared, room
from driftline.jobs.shared.cache import Cache
from driftline.jobs.shared.ledger import Owed
from driftline.jobs.shared.targets import Target
from driftline.storage import spool
from driftline.storage.buckets import open_objects
from tests.jobs.shared.conftest import HOUR, Node

NewNode = Callable[..., Node]


def test_closed_segments_go_at_once_and_open_ones_after_an_age(node: NewNode) -> None:
    one = node(age=3600.0)
    closed, still = one.segment(), one.segment("other")
    for segment in (closed, still):
        segment.append(b'{"a": 1}\n')
    closed.close()
    one.until(lambda: one.there(closed.path) and one.shipper.progress.files == 1)
    assert one.there(still.path) is None
    still.append(b'{"a": 2}\n')
    still.close()
    one.until(lambda: one.there(still.path))
    assert one.there(still.path) == still.path.read_bytes() == b'{"a": 1}\n{"a": 2}\n'
    one.until(lambda: one.shipper.said.files == 0)
    assert one.shipper.said.shipped_bytes == 27
    assert set(one.ledger.owed()) == {
        Owed(name, "captures", HOUR.timestamp()) for name in ("churn", "other")
    }  # fmt: skip


def test_an_open_segment_goes_up_to_its_last_line_end_and_whole_later(node: NewNode) -> None:
    one = node(age=0.0)
    segment = one.segment()
    segment.append(b"1\n2\n")
    with segment.path.open("ab") as file:
        file.write(b"half")
    one.until(lambda: one.shipper.said.uploads)
    assert one.there(segment.path) == b"1\n2\n"
    for _ in range(5):
        one.shipper.look()
    assert one.shipper.said.uploads == 1
    with segment.path.open("ab") as file:
        file.write(b" line\n")
    segment.close()
    one.until(lambda: one.there(segment.path) == b"1\n2\nhalf line\n")


def test_labels_go_at_once_and_others_are_told_of_their_hour(node: NewNode) -> None:
    one = node()
    hour = one.put("labels/churn/2026/11/22/10/05-00-000-x.jsonl")
    old = one.put("labels/churn/2026/10/01/23/05-00-000-x.jsonl")
    beside = one.put("labels/churn/all.jsonl")
    one.put("labels/churn/2026/11/22/10/.half.tmp")
    one.until(lambda: all(map(one.there, (hour, old, beside))))
    one.until(lambda: one.shipper.said.bytes == 0)
    hours = {owed.hour for owed in one.ledger.owed()}
    assert {HOUR.timestamp(), (HOUR - timedelta(days=51, hours=11)).timestamp()} < hours
    assert len(hours) == 3
    assert not list(one.bucket.rglob(".*"))


def test_what_came_while_nobody_shipped_is_found_wherever_it_is(node: NewNode) -> None:
    one = node()
    one.until(lambda: one.shipper.progress.captured_until)
    late = one.put("captures/churn/AllTraffic/2026/09/01/00/00-00-000-x.jsonl")
    assert not list(one.shipper.backlog.waiting())
    one.new_shipper()
    one.until(lambda: one.there(late))


def test_captured_until_follows_the_clock_where_nothing_is_captured(node: NewNode) -> None:
    one = node()
    one.until(lambda: one.shipper.progress.captured_until)
    assert one.shipper.progress.captured_until == HOUR + timedelta(minutes=10)
    one.now += 5 * 3600 + 0.7
    one.shipper.look()
    assert one.shipper.progress.captured_until == HOUR + timedelta(minutes=10)
    one.until(lambda: one.shipper.progress.captured_until == HOUR + timedelta(hours=5, minutes=10))


def test_captured_until_waits_for_what_is_open_and_for_what_a_crash_left(node: NewNode) -> None:
    one = node(age=3600.0)
    left = one.put("captures/churn/AllTraffic/2026/11/22/07/30-01-000-x.jsonl", b"1\n")
    one.until(lambda: one.there(left) and one.shipper.progress.captured_until)
    segment = one.segment()
    segment.append(b"1\n")
    one.now += 1200
    one.until(lambda: one.shipper.backlog.moment == one.now)
    assert one.shipper.progress.captured_until == HOUR + timedelta(minutes=10)
    segment.close()
    one.until(lambda: one.shipper.progress.captured_until == HOUR + timedelta(minutes=30))


def test_captured_until_is_where_the_oldest_file_is_that_cannot_be_sent(node: NewNode, faulty_bucket: Any) -> None:
    one = node()
    faulty_bucket.fault = "unavailable"
    one.put("captures/churn/AllTraffic/2026/11/22/07/30-01-000-x.jsonl", b"1\n")
    one.until(lambda: one.shipper.progress.captured_until)
    assert one.shipper.progress.captured_until == HOUR - timedelta(hours=2, minutes=29, seconds=59)
    faulty_bucket.fault = None
    one.until(lambda: one.shipper.progress.captured_until == HOUR + timedelta(minutes=10))


def test_open_files_that_were_shipped_hold_nothing_up(node: NewNode) -> None:
    one = node(age=0.0)
    segment = one.segment()
    segment.append(b"1\n")
    one.until(lambda: one.there(segment.path))
    one.now += 1200
    one.until(lambda: one.shipper.progress.captured_until == HOUR + timedelta(minutes=30))
    segment.close()


def test_an_empty_file_holds_nothing_up(node: NewNode) -> None:
    one = node()
    one.put("captures/churn/AllTraffic/2026/11/22/07/30-01-000-x.jsonl", b"")
    one.until(lambda: one.shipper.progress.captured_until == HOUR + timedelta(minutes=10))


@pytest.mark.parametrize("alone", [False, True])
def test_destinations_get_captures_with_and_without_a_store(node: NewNode, alone: bool) -> None:
    one = node(destinations_only=alone)
    path = one.put("captures/churn/AllTraffic/2026/11/22/10/05-00-000-x.jsonl")
    one.put("captures/other/AllTraffic/2026/11/22/10/05-00-000-x.jsonl")
    label = one.put("labels/churn/2026/11/22/10/05-00-000-x.jsonl")
    one.shipper.send_to([Target(object_uri(f"s3://{one.bucket.name}/seen/churn"), "captures/churn", False)])
    sent = one.bucket / "seen/churn/AllTraffic/2026/11/22/10/05-00-000-x.jsonl"
    one.until(lambda: sent.exists() and one.shipper.said.uploads == (1 if alone else 4))
    assert (one.there(path), one.there(label)) == ((None, None) if alone else (b"{}\n", b"{}\n"))
    assert len(list((one.bucket / "seen").rglob("*.jsonl"))) == 1
    assert len(one.ledger.owed()) == (0 if alone else 3)


def test_what_was_fetched_is_not_sent_on(node: NewNode) -> None:
    first, second = node("first"), node("second")
    path = first.put("captures/churn/AllTraffic/2026/11/22/10/05-00-000-x.jsonl", b"1\n")
    first.until(lambda: first.there(path))
    assert second.store is not None
    shared = Shared(second.layout, open_objects(second.layout), second.store.place)
    shared.have_hours(second.layout.captures("churn"), Window(HOUR, HOUR + timedelta(hours=1)))
    path.write_bytes(b"1\n2\n")
    first.until(lambda: first.there(path) == b"1\n2\n")
    second.until(lambda: second.shipper.progress.captured_until)
    assert second.shipper.said.uploads == 0
    assert first.there(path) == b"1\n2\n"


def test_a_lost_ledger_neither_sends_old_copies_nor_forgets_what_is_new(node: NewNode) -> None:
    one = node()
    copy = one.put("captures/churn/AllTraffic/2026/11/22/10/05-00-000-x.jsonl", b"1\n")
    mine = one.put("captures/churn/AllTraffic/2026/11/22/10/06-00-000-y.jsonl", b"1\n")
    whole = one.bucket / "some/where/captures/churn/AllTraffic/2026/11/22/10/05-00-000-x.jsonl"
    whole.parent.mkdir(parents=True)
    whole.write_bytes(b"1\n2\n")
    one.until(lambda: one.there(mine) and one.ledger.knows(one.shipper._targets()[0].name))
    assert whole.read_bytes() == b"1\n2\n"
    assert one.ledger.entry(one.prefix, one.layout.relative(copy)).origin == "adopted"  # type: ignore[union-attr]
    one.ledger.file.unlink()
    more = one.put("captures/churn/AllTraffic/2026/11/22/10/07-00-000-z.jsonl", b"1\n")
    one.until(lambda: one.there(more) and one.ledger.knows(one.prefix))
    assert len(one.ledger.entries(one.prefix)) == 3
    assert one.shipper.said.uploads == 2


def test_cached_hours_go_oldest_first_and_only_what_is_stored(node: NewNode) -> None:
    one = node()
    paths = [one.put(f"captures/churn/AllTraffic/2026/11/22/0{hour}/00-00-000-x.jsonl", b"12\n") for hour in range(5)]
    one.until(lambda: all(map(one.there, paths)) and not one.shipper.said.files)
    assert one.store is not None
    again: list[str] = []
    cache = Cache(one.layout.data, one.shipper._uploader._objects, one.ledger, one.store, again.append)
    assert cache.size() == 15
    paths[0].write_bytes(b"12\n34\n")
    stored = one.bucket / "some/where" / one.layout.relative(paths[1])
    stored.write_bytes(b"1")
    assert cache.free(5, [], 1e9) == 6
    assert [path.exists() for path in paths] == [True, True, False, False, True]
    assert again == [one.layout.relative(paths[1].parent)]
    one.shipper.backlog._next_full = 0.0
    one.until(lambda: stored.read_bytes() == b"12\n")
    paths[4].unlink()
    cache.prune(1e12)
    assert set(one.ledger.entries(one.prefix)) == {one.layout.relative(path) for path in paths[:2]}


def test_the_cache_is_kept_within_its_bound(node: NewNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "CACHE_EVERY", 0.1)
    one = node(cache=1000)
    paths = [
        one.put(f"captures/churn/AllTraffic/2026/11/22/0{hour}/00-00-000-x.jsonl", b"x" * 400) for hour in range(6)
    ]
    one.until(lambda: sum(path.exists() for path in paths) == 2)
    assert [path.exists() for path in paths] == [False] * 4 + [True] * 2
    assert all(map(one.there, paths))
    assert not one.shipper.said.full


def test_the_spool_is_full_until_it_drains(node: NewNode, faulty_bucket: Any) -> None:
    one = node(spool=1000)
    one.until(lambda: one.ledger.knows(one.prefix))
    faulty_bucket.fault = "refuse"
    path = one.put("captures/churn/AllTraffic/2026/11/22/10/05-00-000-x.jsonl", b"x" * 1000)
    one.until(lambda: spool.full(one.layout.data) and one.shipper.said.failures)
    one.shipper.look()
    said = spool.figures(one.layout)
    assert said is not None
    assert one.shipper.said.trouble.startswith(
        f"the spool is full, captures are dropped: cannot write {one.prefix}/captures/churn"
    )
    assert (said.files, said.bytes, said.full) == (1, 1000, True)
    faulty_bucket.fault = None
    one.until(lambda: one.there(path) and not spool.full(one.layout.data))
    assert one.shipper.said.trouble == ""
    assert one.shipper.said.retries >= 1


def test_locks_of_this_file_system_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert room.locks_work(tmp_path)
    monkeypatch.setattr(room.fcntl, "flock", lambda *_: None)
    assert not room.locks_work(tmp_path)
    assert list(tmp_path.iterdir()) == []
