"""Originals are read in the same groups and with the same places, wherever their lines stand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from driftline.engine.compacted.hour import Folder, compact
from driftline.engine.files import list_files
from driftline.engine.sources import RECORD_FIELDS, Sources, used
from driftline.engine.sql import MOMENT
from driftline.testing import START, capture, write_captures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(20):
        records = [
            capture("0.5", f"{number}-{place}", time=START + timedelta(seconds=place), request="1,2")
            for place in range(1 + number % 4)
        ]
        (path,) = write_captures(tmp_path, records, name=f"{number:02d}")
    return path.parent


def rows(sources: Sources, statement: str) -> list[Any]:
    with duckdb.connect(":memory:") as db:
        db.execute(MOMENT)
        given = used(statement, sources.parameters() | {"longest": 1 << 24})
        return sorted(db.execute(statement, given).fetchall())


def found(files: list[str], most: int) -> list[list[Any]]:
    """By group of the originals: the records with their fields."""
    groups = Sources.of(files).groups(most)
    return [rows(one, f"SELECT * FROM {one.scan(inputs=True)}") for one in groups]


def grown(path: Path) -> Path:
    with path.open("ab") as file:
        file.write(path.read_bytes().splitlines(True)[0].replace(b'"5-0"', b'"5-late"'))
    return path


@pytest.mark.parametrize("most", [1, 1500, 1 << 20])
def test_groups_are_of_the_same_originals(folder: Path, most: int) -> None:
    files = list_files(folder, None)
    wanted = found(files, most)
    assert len(wanted) == {1: 20, 1500: len(wanted), 1 << 20: 1}[most]
    some = {path.name: path.stat().st_size for path in map(Path, files) if int(path.stem) % 3}
    compact(Folder(folder, some, ()))
    for name in some:
        (folder / name).unlink()
    assert found(list_files(folder, None), most) == wanted
    every = Sources.of(list_files(folder, None))
    fields = 'eventMetadata.eventId, captureData.endpointInput."data"'
    by_lines = rows(every, f"SELECT {fields} FROM {every.rows(RECORD_FIELDS)}")
    assert by_lines == sorted((row[4], row[2]) for group in wanted for row in group)


def test_a_grown_original_is_read_from_its_file_alone(folder: Path) -> None:
    files = list_files(folder, None)
    compact(Folder(folder, {Path(one).name: Path(one).stat().st_size for one in files}, ()))
    late = grown(folder / "05.jsonl")
    sources = Sources.of(list_files(folder, None))
    assert (sources.lines, sources.compacted, [one.without for one in sources.parts]) == (
        [str(late)], [], [("05.jsonl",)],
    )  # fmt: skip
    events = [row[0] for row in rows(sources, f"SELECT event_id FROM {sources.scan()}")]
    assert len(events) == len(set(events)) == sum(1 + number % 4 for number in range(20)) + 1


def test_places_are_those_of_the_original(folder: Path) -> None:
    files = list_files(folder, None)
    query = "SELECT filename, place, event_id FROM {}"
    wanted = [rows(one, query.format(one.scan(located=True))) for one in Sources.of(files).groups(1)]
    compact(Folder(folder, {Path(one).name: Path(one).stat().st_size for one in files}, ()))
    sources = Sources.of(list_files(folder, None))
    alone = [rows(one, query.format(one.scan(located=True))) for one in map(sources.only, files)]
    assert alone == wanted
    assert rows(sources, query.format(sources.scan(located=True))) == [row for some in wanted for row in some]
    assert [sources.sample(files[3], place) for place in (1, 4)] == [
        Sources.of([files[3]]).sample(files[3], place) for place in (1, 4)
    ]
    assert sources.sample(files[0], 9) == f"{files[0]}: record 9"
