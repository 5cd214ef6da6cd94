"""Names are found alike on every database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.storage import endpoints, search
from driftline.storage.database import Store, open_store
from driftline.testing import START

NAMES = ("churn", "Churn-EU", "no-churn", "upsell", "a_b", "a%b")


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with open_store(database) as opened, opened.write() as db:
        for name in NAMES:
            endpoints.create(db, name, model_path="", model=ModelDescription(), capture=CaptureSettings(), now=START)
    with open_store(database) as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CHURN", ["Churn-EU", "churn", "no-churn"]),
        ("a_b", ["a_b"]),
        ("a%b", ["a%b"]),
        ("%", ["a%b"]),
        ("nothing", []),
    ],
)
def test_names_are_found_whatever_their_case(store: Store, text: str, expected: list[str]) -> None:
    with store.read() as db:
        found = [one.name for one in search.endpoints_named(db, text)]
    # Databases sort big and small letters differently.
    assert sorted(found) == expected
    assert not expected or found[-1] == expected[-1]


def test_a_run_is_looked_up_by_its_key(store: Store) -> None:
    with store.read() as db:
        assert search.runs_named(db, "0123") == []
        assert search.runs_named(db, "é" * 10) == []
        assert search.runs_named(db, "abc") == []
