"""Databases that hold rows, brought forward: nothing is lost, and new columns hold what the code expects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from driftline.resources.executions import Execution
from driftline.storage import alarms, baseline_versions, baselines, endpoints, executions, metrics, schedules
from driftline.storage.database import Store, migrate, open_store
from driftline.storage.types import EPOCH
from driftline.storage.version import MIGRATIONS, head

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
MICROS = (NOW - EPOCH).total_seconds() * 1e6
# What the first schema held, written as that version wrote it.
ROWS: dict[str, dict[str, Any]] = {
    "counters": {"name": "endpoint_revision", "value": 3},
    "endpoints": {
        "name": "churn",
        "model_path": "models/churn/a/model.json",
        "model": '{"framework":"xgboost","task":"binary","features":3,"outputs":1,"size":10,"digest":"d"}',
        "capture": '{"percent":20}',
        "variant": "AllTraffic",
        "revision": 3,
        "deleted": False,
        "created": MICROS,
        "updated": MICROS,
    },
    "baselines": {
        "name": "b",
        "monitor": "model-quality",
        "statistics": b"{}",
        "constraints": b"{}",
        "created": MICROS,
    },
    "schedules": {
        "name": "hourly",
        "endpoint": "churn",
        "monitor": "model-quality",
        "cron": "0 * * * *",
        "start_offset": "PT0S",
        "end_offset": "PT0S",
        "baseline": "b",
        "problem_type": "BinaryClassification",
        "attributes": '{"probability_attribute":"0"}',
        "state": "active",
        "created": MICROS,
        "last_tick": MICROS,
        "next_tick": MICROS + 3_600_000_000,
    },
}


def upgrade(store: Store, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with store.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def columns(connection: Connection, table: str) -> dict[str, Any]:
    return dict(connection.execute(text(f"SELECT * FROM {table}")).mappings().one())


def test_the_newest_revision_is_that_of_alembic() -> None:
    assert head() == ScriptDirectory(str(MIGRATIONS)).get_current_head()


@pytest.fixture
def old(new_database: Callable[[], str]) -> Iterator[Store]:
    """A database of the first schema with a row in every table that later ones change."""
    with open_store(new_database()) as store:
        upgrade(store, "0001")
        with store.write() as connection:
            for table, row in ROWS.items():
                names = ", ".join(row)
                connection.execute(
                    text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row
                )
        yield store


def test_rows_of_the_first_schema_are_kept(old: Store) -> None:
    migrate(old)
    with old.read() as connection:
        for table, row in ROWS.items():
            found = columns(connection, table)
            assert {
                name: bytes(found[name]) if isinstance(found[name], memoryview) else found[name] for name in row
            } == row


def test_the_code_reads_what_it_finds_after_the_migration(old: Store) -> None:
    migrate(old)
    with old.read() as connection:
        schedule = schedules.get(connection, "hourly")
        endpoint = endpoints.get(connection, "churn")
        assert [row.name for row in baselines.listing(connection)] == ["b"]
        assert alarms.listing(connection) == []
        assert metrics.listing(connection) == []
    assert endpoint.capture.percent == 20
    assert (schedule.next_tick, schedule.attributes) == (
        datetime(2026, 11, 22, 11, tzinfo=UTC),
        {"probability_attribute": "0"},
    )


def test_a_baseline_of_the_first_schema_is_its_first_version(old: Store) -> None:
    migrate(old)
    with old.write() as connection:
        [row] = baseline_versions.listing(connection, "b")
        assert (row.version, row.monitor, row.author, row.created) == (1, "model-quality", "", NOW)
        assert baseline_versions.document(connection, "b", 1) == b"{}"
        found = baselines.get(connection, "b")
        assert baselines.put(connection, found) == 1


def test_new_columns_have_their_defaults(old: Store) -> None:
    migrate(old)
    with old.read() as connection:
        schedule, endpoint = columns(connection, "schedules"), columns(connection, "endpoints")
    assert {name: schedule[name] for name in ("catch_up", "time_limit", "memory_limit", "rejudge_step")} == {
        "catch_up": "all",
        "time_limit": 1800.0,
        "memory_limit": 2 << 30,
        "rejudge_step": 0.05,
    }
    assert (endpoint["upstream"], endpoint["retention"]) == (None, None)


def test_runs_of_the_first_schema_can_be_claimed_and_finished(old: Store) -> None:
    with old.write() as connection:
        connection.execute(
            text(
                "INSERT INTO executions (id, schedule, endpoint, window_start, window_end, revision, tick, status,"
                " report, created, attempts, message, reasons, violations, steps, counts, statistics, rejects)"
                " VALUES ('r', 'hourly', 'churn', 0, 1, 1, 1, 'Pending', 'x', 1, 0, '',"
                " '[]', '[]', '[]', '{}', '{}', '[]')"
            )
        )
    migrate(old)
    with old.write() as connection:
        claimed = executions.claim(
            connection, owner="o", now=NOW, real=NOW, lease=NOW - datetime(2026, 11, 22, 9, tzinfo=UTC)
        )
    assert isinstance(claimed, Execution)
    assert (claimed.id, claimed.status, claimed.attempts) == ("r", "InProgress", 1)
