"""Keys that all nodes of a database have: the first settles them, and who has another one is told."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from driftline.core.errors import SetupError
from driftline.storage.capture_key import read_or_make
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.storage.shared_keys import agree


def keys(layout: Layout) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in (layout.capture_key, layout.access_key, layout.s3_key))


def test_nodes_agree_whoever_comes_first(store: Store, tmp_path: Path) -> None:
    layouts = [Layout(tmp_path / f"node-{number}") for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda layout: agree(store, layout), layouts))
    assert len({keys(layout) for layout in layouts}) == 1
    assert len(set(keys(layouts[0]))) == 3
    assert stat.S_IMODE(layouts[0].capture_key.stat().st_mode) == 0o600
    agree(store, layouts[0])


def test_a_key_that_is_there_is_offered_first(store: Store, tmp_path: Path) -> None:
    old, new = Layout(tmp_path / "old"), Layout(tmp_path / "new")
    ours = read_or_make(old.capture_key)
    agree(store, old)
    agree(store, new)
    assert new.capture_key.read_bytes() == ours
    assert keys(old) == keys(new)


def test_another_key_is_refused_with_what_to_do_and_without_the_key(store: Store, tmp_path: Path) -> None:
    first, other = Layout(tmp_path / "first"), Layout(tmp_path / "other")
    agree(store, first)
    read_or_make(other.capture_key)
    with pytest.raises(SetupError, match=r"capture\.key is another key") as caught:
        agree(store, other)
    said = str(caught.value)
    assert "move the file away and start again" in said
    assert other.capture_key.read_bytes().hex() not in said
    assert first.capture_key.read_bytes().hex() not in said
    other.capture_key.rename(tmp_path / "away")
    agree(store, other)
    assert keys(other) == keys(first)
