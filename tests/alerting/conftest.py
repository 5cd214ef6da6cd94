"""A fresh store for every test, on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from driftline.storage.database import Store, migrate, open_store


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with open_store(database) as opened:
        migrate(opened)
        yield opened
