"""Versions of constraints, on both databases: nothing that was in force is lost, and nobody overwrites unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest

from driftline.core.errors import ConflictError, NotFoundError
from driftline.storage import baseline_versions, baselines
from driftline.storage.baseline_versions import Edit, VersionRow
from driftline.storage.baselines import Baseline
from driftline.storage.database import Store

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def baseline(constraints: bytes) -> Baseline:
    return Baseline("b", "model-quality", b"{}", constraints, NOW)


def put(store: Store, constraints: bytes, edit: Edit | None = None) -> int:
    with store.write() as db:
        return baselines.put(db, baseline(constraints), edit)


def test_every_put_makes_a_version(store: Store) -> None:
    assert put(store, b"{}") == 1
    assert put(store, b"\x00\xff", Edit(NOW + timedelta(hours=1), "ann", "the shop was closed")) == 2
    with store.read() as db:
        assert baseline_versions.listing(db, "b") == [
            VersionRow("b", 2, "model-quality", "ann", "the shop was closed", NOW + timedelta(hours=1), 2),
            VersionRow("b", 1, "model-quality", "", "", NOW, 2),
        ]
        assert baseline_versions.listing(db, "b", limit=1, offset=1) == [baseline_versions.get(db, "b", 1)]
        assert [baseline_versions.document(db, "b", number) for number in (1, 2)] == [b"{}", b"\x00\xff"]
        assert baselines.get(db, "b").constraints == b"\x00\xff"
        assert baselines.rows(db, limit=5)[0].constraints == b"\x00\xff"
        assert baselines.rows(db, limit=5, offset=1) == []


def test_what_changes_nothing_makes_no_version(store: Store) -> None:
    assert [put(store, text) for text in (b"1", b"1", b"2", b"1")] == [1, 1, 2, 3]


def test_an_edit_of_an_old_version_is_refused_and_changes_nothing(store: Store) -> None:
    put(store, b"1")
    assert put(store, b"2", Edit(NOW, since=1)) == 2
    with pytest.raises(ConflictError, match="was changed meanwhile") as error:
        put(store, b"3", Edit(NOW, since=1))
    assert "version 1 was edited, and the newest is version 2" in error.value.evidence
    with store.read() as db:
        assert baselines.get(db, "b").constraints == b"2"
        assert baseline_versions.newest(db, "b") == 2


def test_of_two_who_edit_at_once_one_is_refused(store: Store) -> None:
    put(store, b"0")
    ready, ends = Barrier(2), []

    def edit(text: bytes) -> None:
        ready.wait()
        try:
            ends.append(put(store, text, Edit(NOW, since=1)))
        except ConflictError:
            ends.append(0)

    threads = [Thread(target=edit, args=(text,)) for text in (b"1", b"2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == [0, 2]


def test_what_is_not_there_is_said(store: Store) -> None:
    with store.read() as db:
        assert baseline_versions.newest(db, "b") == 0
        assert baseline_versions.listing(db, "b") == []
        for look in (baseline_versions.get, baseline_versions.document):
            with pytest.raises(NotFoundError, match="no version 7"):
                look(db, "b", 7)
        with pytest.raises(NotFoundError, match="no baseline b"):
            baselines.check(db, "b")


def test_versions_go_with_their_baseline(store: Store) -> None:
    put(store, b"1")
    with store.write() as db:
        assert baselines.remove(db, "b")
        assert baseline_versions.newest(db, "b") == 0


def test_a_note_is_kept_as_far_as_it_can_be(store: Store) -> None:
    put(store, b"1", Edit(NOW, "ann", "a\x00b\ud800" + "x" * 1000))
    with store.read() as db:
        [row] = baseline_versions.listing(db, "b")
    assert row.note.startswith("a\\x00b\\ud800x")
    assert len(row.note) == 300
