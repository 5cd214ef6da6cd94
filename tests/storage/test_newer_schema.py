"""Versions side by side on one database: a newer one has added to the schema, and this one goes on working with it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, select, text

from driftline.core.errors import SetupError
from driftline.storage.database import Store, migrate, open_store
from driftline.storage.tables import metadata, schema_revisions
from driftline.storage.version import MIGRATIONS, head, standing

FIRST = "0006"
"""The first revision that says for which versions it is."""
ADDS = """
def upgrade():
    op.create_table("futures", sa.Column("name", sa.Text(), primary_key=True))
    op.add_column("endpoints", sa.Column("colour", sa.Text()))
    op.add_column("executions", sa.Column("weight", sa.Float(), nullable=False, server_default="1"))
"""


def newer(folder: Path, revision: str, since: str | None, body: str = ADDS) -> Path:
    """The migrations of this version and one more, as a newer version would have them."""
    copied = shutil.copytree(MIGRATIONS, folder / f"of-{revision}", dirs_exist_ok=True)
    before = head(MIGRATIONS)
    said = "" if since is None else f'compatible_since = "{since}"\n'
    (copied / "versions" / f"v{revision}_more.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f'revision = "{revision}"\ndown_revision = "{before}"\n{said}{body}'
    )
    return copied


@pytest.fixture
def store(new_database: Callable[[], str]) -> Iterator[Store]:
    with open_store(new_database()) as opened:
        yield opened


def test_a_newer_schema_that_this_version_can_work_on_is_accepted(store: Store, tmp_path: Path) -> None:
    migrate(store, newer(tmp_path, "0099", FIRST))
    migrate(store)
    with store.read() as connection:
        found = standing(connection)
        assert (found.found, found.known, found.compatible_since) == ("0099", head(), FIRST)
        assert not found.behind
        assert found.usable
        assert inspect(connection).has_table("futures")


@pytest.mark.parametrize("since", ["0099", None])
def test_a_newer_schema_for_newer_versions_only_is_refused(store: Store, tmp_path: Path, since: str | None) -> None:
    migrate(store, newer(tmp_path, "0099", since))
    with pytest.raises(SetupError, match="newer driftline") as caught:
        migrate(store)
    assert "its schema is 0099" in str(caught.value)
    assert f"this one knows {head()}" in str(caught.value)
    assert "upgrade driftline" in caught.value.hint


def test_two_versions_that_migrate_at_once_are_safe(new_database: Callable[[], str], tmp_path: Path) -> None:
    url, future, failed = new_database(), newer(tmp_path, "0099", FIRST), []
    barrier = threading.Barrier(4)

    def begin(migrations: Path) -> None:
        try:
            with open_store(url) as store:
                barrier.wait()
                migrate(store, migrations)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=begin, args=(place,)) for place in (MIGRATIONS, future) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with open_store(url) as store, store.read() as connection:
        assert standing(connection).found == "0099"
        said = connection.execute(select(schema_revisions).order_by(schema_revisions.c.revision)).all()
        assert [tuple(row) for row in said] == [*((one, FIRST) for one in known()), ("0099", FIRST)]


def known() -> list[str]:
    """The revisions that say for which versions they are."""
    found = [path.name[1:5] for path in (MIGRATIONS / "versions").glob("v[0-9]*.py")]
    return sorted(one for one in found if one >= FIRST)


def test_a_rolling_upgrade_takes_one_revision_after_the_other(store: Store, tmp_path: Path) -> None:
    migrate(store)
    with store.read() as connection:
        assert standing(connection).usable
    migrate(store, newer(tmp_path, "0099", FIRST))
    with store.read() as connection:
        assert connection.execute(text("SELECT weight FROM executions")).all() == []


# The rule of docs/nodes.md, by what a migration does to a database and not by how it is written.


class Shape(dict[str, dict[str, dict[str, Any]]]):
    """Every table's columns."""

    @classmethod
    def of(cls, connection: Connection) -> Shape:
        looked = inspect(connection)
        names = [name for name in looked.get_table_names() if name != "alembic_version"]
        return cls({name: {one["name"]: dict(one) for one in looked.get_columns(name)} for name in names})


def broken(before: Shape, after: Shape) -> list[str]:
    """What a version that knows ``before`` would stumble over."""
    found = [f"the table {name} is gone" for name in before if name not in after]
    for name, columns in before.items():
        now = after.get(name, {})
        found += [f"the column {name}.{one} is gone" for one in columns if name in after and one not in now]
        for one, column in now.items():
            was = columns.get(one)
            must = not column["nullable"] and column["default"] is None
            if was is None and must:
                found.append(f"the column {name}.{one} must be given by who does not know it")
            elif was is not None and was["nullable"] and not column["nullable"]:
                found.append(f"the column {name}.{one} may not be left out any more")
            elif was is not None and str(was["type"]) != str(column["type"]):
                found.append(f"the column {name}.{one} is of another type")
    return found


def judged(store: Store, migrations: Path, since_before: str) -> list[str]:
    """What is wrong with a migration. One that says that older versions must go before it may break them."""
    with store.read() as connection:
        before = Shape.of(connection)
    migrate(store, migrations)
    with store.read() as connection:
        since = standing_since(connection, head(migrations))
        if not since_before <= since <= head(migrations):
            return ["it does not say since which revision a version can work on it"]
        return [] if since > since_before else broken(before, Shape.of(connection))


BAD = {
    "drop_table": 'op.drop_table("mutes")',
    "drop_column": 'op.drop_column("alarms", "acknowledged")',
    "rename_column": 'op.alter_column("alarms", "reason", new_column_name="why")',
    "rename_table": 'op.rename_table("mutes", "silences")',
    "must_be_given": 'op.add_column("mutes", sa.Column("colour", sa.Text(), nullable=False))',
    "must_not_be_left_out": 'op.alter_column("schedules", "baseline", nullable=False)',
    "another_type": 'op.alter_column("mutes", "reason", type_=sa.LargeBinary(), postgresql_using="reason::bytea")',
}


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize("name", BAD)
def test_what_an_older_version_would_stumble_over_is_found(store: Store, tmp_path: Path, name: str) -> None:
    migrate(store)
    bad = newer(tmp_path, "0099", FIRST, f"\ndef upgrade():\n    {BAD[name]}\n")
    assert judged(store, bad, FIRST) != []


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_what_only_adds_is_allowed(store: Store, tmp_path: Path) -> None:
    migrate(store)
    assert judged(store, newer(tmp_path, "0098", FIRST), FIRST) == []


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_what_takes_away_must_say_who_has_to_go_before(store: Store, tmp_path: Path) -> None:
    migrate(store)
    gone = "\ndef upgrade():\n    " + BAD["drop_column"] + "\n"
    assert judged(store, newer(tmp_path, "0099", "0099", gone), FIRST) == []


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_a_migration_must_say_for_whom_it_is(store: Store, tmp_path: Path) -> None:
    migrate(store)
    assert judged(store, newer(tmp_path, "0099", None), FIRST) != []


def standing_since(connection: Connection, revision: str) -> str:
    """The oldest revision whose versions can work on one."""
    said = select(schema_revisions.c.compatible_since).where(schema_revisions.c.revision == revision)
    return str(connection.execute(said).scalar_one_or_none() or "")


def test_migrations_only_add(new_database: Callable[[], str], tmp_path: Path) -> None:
    """Every migration after the first that says for whom it is, one by one, as a rolling upgrade meets it."""
    since_before = FIRST
    with open_store(new_database()) as store:
        for revision in known():
            upto = tmp_path / revision
            shutil.copytree(MIGRATIONS, upto)
            for path in (upto / "versions").glob("v[0-9]*.py"):
                if path.name[1:5] > revision:
                    path.unlink()
            if revision == FIRST:
                migrate(store, upto)
            assert judged(store, upto, since_before) == [], revision
            with store.read() as connection:
                since_before = standing_since(connection, revision)
        with store.read() as connection:
            assert Shape.of(connection).keys() == metadata.tables.keys()
