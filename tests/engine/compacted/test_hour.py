"""An hour's folder: what is compacted and when, that nothing is lost on the way, and what may go afterwards."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from driftline.core.errors import InputError, SetupError
from driftline.engine.compacted import hour, writing
from driftline.engine.compacted.form import ORIGINALS, originals_of
from driftline.engine.compacted.hour import LEAST, compact, look, originals_in
from driftline.engine.compacted.standing import marks
from driftline.engine.files import list_files
from driftline.engine.sources import Sources, each_line


def line(event: str) -> bytes:
    sides = {"endpointOutput": {"data": "0.5", "encoding": "CSV"}, "endpointInput": {"data": "1,a", "encoding": "CSV"}}
    metadata = {"eventId": event, "inferenceId": f"id-{event}", "inferenceTime": "2026-11-22T10:00:00Z"}
    return json.dumps({"captureData": sides, "eventMetadata": metadata}).encode() + b"\n"


def write(folder: Path, count: int = LEAST, first: int = 0) -> dict[str, bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    made = {f"{number:02d}.jsonl": line(f"e{number}") * 3 for number in range(first, first + count)}
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "2026/11/22/10"


def test_a_compacted_file_holds_all_lines_and_fields(folder: Path) -> None:
    made = write(folder) | {"08.jsonl": b"", "09.jsonl": b"\r\n\n no\xff\r\n\n", "10.jsonl": line("x")[:-1]}
    for name, content in made.items():
        (folder / name).write_bytes(content)
    path = compact(look(folder))
    table = pq.read_table(path)
    names = ["file", "number", "place", "line", "output", "output_encoding", "input", "input_encoding"]
    assert table.column_names == [*names, "event_id", "inference_id", "moment"]
    assert b"".join(table["line"].to_pylist()) == b"".join(content for _, content in sorted(made.items()))
    odd = [row for row in table.to_pylist() if row["file"] == "09.jsonl"]
    assert [(row["number"], row["place"]) for row in odd] == [(1, None), (2, None), (3, 1), (4, None)]
    assert table.to_pylist()[-1]["event_id"] == "x"
    assert {one.name: one.size for one in originals_of(path)} == {name: len(content) for name, content in made.items()}
    assert [(one.records, one.half) for one in originals_of(path)][-3:] == [(0, False), (1, False), (1, False)]
    assert b"".join(each_line(Sources.of([str(path)]))) == b"".join(table["line"].to_pylist())


def test_the_name_is_that_of_what_it_holds(folder: Path, tmp_path: Path) -> None:
    write(folder)
    write(tmp_path / "again")
    assert compact(look(folder)).name == compact(look(tmp_path / "again")).name


def test_files_that_are_open_large_or_links_are_read_beside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, LEAST + 2)
    (folder / "link.jsonl").symlink_to(folder / "00.jsonl")
    monkeypatch.setattr(hour, "MOST_BYTES", 1000)
    (folder / "00.jsonl").write_bytes(line("e") * 10)
    with (folder / "01.jsonl").open("ab") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        found = look(folder)
    assert (sorted(found.loose), found.due) == ([f"{n:02d}.jsonl" for n in range(2, LEAST + 2)], True)
    path = compact(found)
    beside = [str(folder / name) for name in ("00.jsonl", "01.jsonl")]
    assert list_files(folder, None) == [*beside, str(path), str(folder / "link.jsonl")]


def test_too_few_files_are_left_as_they_are(folder: Path) -> None:
    write(folder, LEAST - 1)
    assert not look(folder).due
    assert not look(folder / "absent").due


def test_files_that_come_later_are_merged_when_there_are_many(folder: Path) -> None:
    made = write(folder)
    old = compact(look(folder))
    (folder / "00.jsonl").unlink()
    made |= write(folder, LEAST - 1, first=50)
    assert (look(folder).due, len(list_files(folder, None))) == (False, LEAST)
    made |= write(folder, 1, first=40)
    before = sorted(marks(list_files(folder, None)))
    new = compact(look(folder))
    assert list_files(folder, None) == [str(new)]
    assert look(folder).superseded == (str(old),)
    assert sorted(marks([str(new)])) == before
    assert b"".join(each_line(Sources.of([str(new)]))) == b"".join(made[name] for name in sorted(made))
    settled = originals_in(folder, time.time() + 1)
    assert settled == {old.name, *(name for name in made if name != "00.jsonl")}


def test_a_file_that_has_grown_since_counts_for_more_than_its_copy(folder: Path) -> None:
    made = write(folder)
    path = compact(look(folder))
    grown = folder / "03.jsonl"
    with grown.open("ab") as file:
        file.write(line("late"))
    files = list_files(folder, None)
    assert files == [str(grown), str(path)]
    wanted = dict(made, **{"03.jsonl": grown.read_bytes()})
    assert b"".join(each_line(Sources.of(files))) == b"".join(wanted[name] for name in sorted(wanted))
    assert dict(marks(files))[str(grown)] == grown.stat().st_size
    assert "03.jsonl" not in originals_in(folder, time.time() + 1)


def test_originals_may_go_only_where_a_settled_compacted_file_holds_them(folder: Path) -> None:
    made = write(folder)
    compact(look(folder))
    write(folder, 1, first=60)
    assert originals_in(folder, time.time() - 60) == set()
    assert originals_in(folder, time.time() + 1) == set(made)


@pytest.mark.parametrize("step", ["_write", "_check", "_unchanged", "_synced"])
def test_a_failure_at_any_step_leaves_the_originals(folder: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    made = write(folder)

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, step, fail)
    with pytest.raises(SetupError, match="No space left on device"):
        compact(look(folder))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == made


def test_a_file_that_changes_meanwhile_is_not_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder)
    parsed = writing.parsed

    def append_after(*given: Any) -> Any:
        found = parsed(*given)
        with (folder / "02.jsonl").open("ab") as file:
            file.write(line("late"))
        return found

    monkeypatch.setattr(writing, "parsed", append_after)
    with pytest.raises(InputError, match="changed while it was compacted"):
        compact(look(folder))
    assert len(list(folder.iterdir())) == LEAST


def test_what_is_not_read_back_as_it_was_is_thrown_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder)
    parsed = writing.parsed

    def other_field(*given: Any) -> Any:
        table, originals, content = parsed(*given)
        place = table.column_names.index("event_id")
        return table.set_column(place, table.schema.field(place), table["inference_id"]), originals, content

    monkeypatch.setattr(writing, "parsed", other_field)
    with pytest.raises(InputError, match="not what was read"):
        compact(look(folder))
    assert len(list(folder.iterdir())) == LEAST


def test_a_process_that_dies_before_the_rename_leaves_nothing_that_is_read(folder: Path) -> None:
    made = write(folder)
    script = (
        "import sys, time; from pathlib import Path; from driftline.engine.compacted import hour, writing\n"
        "writing._unchanged = lambda *_: (print('there', flush=True), time.sleep(60))\n"
        "hour.compact(hour.look(Path(sys.argv[1])))"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "there\n"
        child.kill()
    assert list_files(folder, None) == [str(folder / name) for name in sorted(made)]
    (left,) = (path for path in folder.iterdir() if path.name not in made)
    long_ago = time.time() - 2 * 86_400
    os.utime(left, (long_ago, long_ago))
    path = compact(look(folder))
    assert list_files(folder, None) == [str(path)]
    assert not left.exists()


def test_a_compacted_file_that_cannot_be_read_says_so(folder: Path) -> None:
    write(folder)
    path = compact(look(folder))
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({ORIGINALS: b'{"format":99,"originals":[]}'}), path)
    with pytest.raises(InputError, match="of a newer form"):
        list_files(folder, None)
    path.write_bytes(b"PAR1 but no more")
    with pytest.raises(InputError, match="cannot be read"):
        list_files(folder, None)
