"""Nodes by name: one data folder each."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftline.core.errors import ConflictError, InputError, SetupError
from driftline.storage import nodes
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.storage.node_file import node_of
from driftline.storage.nodes import Node

NOW = datetime(2026, 11, 25, 17, tzinfo=UTC)


def test_a_folder_stays_who_it_is_under_another_name(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        [first] = set(pool.map(lambda _: node_of(layout), range(16)))
    named = node_of(layout, "web-1")
    assert (named.name, named.folder) == ("web-1", first.folder)
    assert node_of(layout) == named
    assert [path.name for path in tmp_path.iterdir()] == ["node.json"]
    assert node_of(Layout(tmp_path / "other")).folder != first.folder


def test_what_is_no_name_or_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be the name of a node"):
        node_of(Layout(tmp_path), "../x")
    Layout(tmp_path).node.write_text(json.dumps({"name": "x"}))
    with pytest.raises(SetupError, match="does not say which node this is") as caught:
        node_of(Layout(tmp_path))
    assert "remove it" in caught.value.hint


def test_a_name_belongs_to_one_folder_until_it_is_forgotten(store: Store) -> None:
    with store.write() as db:
        nodes.enter(db, "web-1", "folder-a", version="1", now=NOW)
        nodes.enter(db, "web-1", "folder-a", version="2", now=NOW + timedelta(hours=1))
        with pytest.raises(ConflictError, match="is the node web-1") as caught:
            nodes.enter(db, "web-1", "folder-b", version="2", now=NOW)
        assert "--node" in caught.value.hint
        [node] = nodes.listing(db)
        assert (node.version, node.seen) == ("2", NOW + timedelta(hours=1))
        nodes.forget(db, "web-1")
        nodes.enter(db, "web-1", "folder-b", version="2", now=NOW)


def test_what_a_shipper_tells_leaves_the_name_with_its_folder(store: Store) -> None:
    with store.write() as db:
        nodes.enter(db, "web-1", "folder-a", version="1", now=NOW)
        nodes.tell(db, Node("web-1", "1", NOW, NOW, NOW, 3, 100))
        with pytest.raises(ConflictError):
            nodes.enter(db, "web-1", "folder-b", version="1", now=NOW)
        assert nodes.captured_until(db, NOW) == NOW


def test_a_node_that_an_older_version_told_of_is_taken_over(store: Store) -> None:
    with store.write() as db:
        nodes.tell(db, Node("web-1", "1", NOW, NOW))
        nodes.enter(db, "web-1", "folder-a", version="1", now=NOW)


def test_signs_of_life_of_any_scheduler_count(store: Store) -> None:
    with store.write() as db:
        assert nodes.last_sign(db, nodes.SCHEDULER) is None
        for name, seconds in (("a", 5), ("b", 9), ("a", 7)):
            nodes.sign(db, name, nodes.SCHEDULER, NOW + timedelta(seconds=seconds))
        assert nodes.last_sign(db, nodes.SCHEDULER) == NOW + timedelta(seconds=9)
        nodes.forget(db, "b")
        assert nodes.last_sign(db, nodes.SCHEDULER) == NOW + timedelta(seconds=7)
