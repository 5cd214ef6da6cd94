from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError

from driftline.core.errors import SetupError
from driftline.storage import baselines
from driftline.storage.database import Store, migrate, open_store
from driftline.storage.tables import counters, metadata

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_migrations_make_exactly_the_tables_of_the_code(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(store: Store) -> None:
    with store.write() as connection:
        baselines.put(connection, baselines.Baseline("b", "model-quality", b"{}", b"{}", NOW))
    migrate(store)
    with store.read() as connection:
        assert [found.name for found in baselines.listing(connection)] == ["b"]


def test_processes_that_start_together_migrate_once(new_database: Callable[[], str]) -> None:
    script = "import sys; from driftline.storage.database import *\nwith open_store(sys.argv[1]) as s: migrate(s)"
    command = [sys.executable, "-c", script, new_database()]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert [code for _, code in ended] == [0] * 4, ended


def test_a_failing_migration_leaves_nothing_behind(new_database: Callable[[], str]) -> None:
    with open_store(new_database()) as store:
        with store.write() as connection:
            connection.execute(text("CREATE TABLE schedules (other INTEGER)"))
        with pytest.raises(SetupError, match="cannot be used"):
            migrate(store)
        with store.read() as connection:
            names = set(inspect(connection).get_table_names())
    assert names == {"schedules"}


def test_a_newer_database_is_refused_with_what_to_do(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SetupError, match="newer driftline") as caught:
        migrate(store)
    assert "upgrade driftline" in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "driftline.db"
    path.write_bytes(b"PNG something else entirely")
    with pytest.raises(SetupError, match="not a driftline database"):
        open_store(path)
    assert path.read_bytes().startswith(b"PNG")


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "driftline.db"
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4096)
    with pytest.raises(SetupError, match="cannot be used"):
        open_store(path)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot write the database file") as caught:
        open_store(tmp_path / "file" / "driftline.db")
    assert "choose a data folder" in caught.value.hint


def test_a_folder_is_not_a_database(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="IsADirectory"):
        open_store(tmp_path)


def test_a_url_of_an_unknown_kind_is_refused_without_its_password() -> None:
    with pytest.raises(SetupError) as caught:
        open_store("nosuch://user:s3cret@host/db")
    assert "s3cret" not in str(caught.value)
    assert "postgresql+psycopg" in caught.value.hint


def test_sqlite_is_durable_and_checks_references(tmp_path: Path) -> None:
    with open_store(tmp_path / "driftline.db") as store, store.read() as connection:
        answers = [connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("journal_mode", "synchronous")]
        assert answers == ["wal", 2]
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1


def test_a_write_that_raises_is_rolled_back(store: Store) -> None:
    def write_and_fail() -> None:
        with store.write() as connection:
            baselines.put(connection, baselines.Baseline("b", "model-quality", b"", b"", NOW))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with store.read() as connection:
        assert baselines.listing(connection) == []


def test_a_broken_rule_is_not_called_a_broken_machine(store: Store) -> None:
    insert = text("INSERT INTO counters VALUES ('a', 1)")
    with store.write() as connection:
        connection.execute(insert)
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(insert)


def test_a_reader_sees_one_snapshot_and_blocks_no_writer(store: Store) -> None:
    count = text("SELECT count(*) FROM counters")
    with store.read() as reader:
        assert reader.execute(count).scalar_one() == 0
        with store.write() as writer:
            writer.execute(text("INSERT INTO counters VALUES ('a', 1)"))
        assert reader.execute(count).scalar_one() == 0
    with store.read() as reader:
        assert reader.execute(count).scalar_one() == 1


def test_many_writers_wait_for_each_other(store: Store) -> None:
    def grow() -> None:
        for _ in range(10):
            with store.write() as connection:
                # SQLite has one writer at a time anyway, and gives no other rows than these to lock.
                seen = connection.execute(select(counters.c.value).with_for_update()).scalar_one()
                connection.execute(text("UPDATE counters SET value = :new"), {"new": seen + 1})

    with store.write() as connection:
        connection.execute(text("INSERT INTO counters VALUES ('a', 0)"))
    threads = [threading.Thread(target=grow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as connection:
        assert connection.execute(text("SELECT value FROM counters")).scalar_one() == 40
