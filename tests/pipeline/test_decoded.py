"""Decoded captures that are kept: the same batches as decoding again, without reading a capture twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from driftline.core.errors import InputError
from driftline.core.window import HOUR, Window
from driftline.engine.files import list_files
from driftline.engine.payload import Reading
from driftline.engine.rejects import Reject
from driftline.pipeline.decoded import DecodedCaptures
from driftline.pipeline.pieces import cut
from driftline.storage.layout import Layout
from driftline.testing import START, capture, write_captures

WINDOW = Window(START, START + HOUR)


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    """An hour with answers of one column, of two, some texts, and one that cannot be decoded."""
    answers = ["0.5", "0.6", "1,x", "2,y", "3,z", '"a']
    records = [
        capture(answer, f"e{n}", time=START + timedelta(minutes=n), request=f"{n},{n}.5")
        for n, answer in enumerate(answers * 3)
    ]
    write_captures(tmp_path / "captures", records)
    return tmp_path / "captures"


def rows_of(kept: DecodedCaptures, captures: Path, window: Window = WINDOW) -> list[str]:
    batches = kept.batches(list_files(captures, window), window)
    return sorted(f"{batch.schema.types} {row}" for batch in batches for row in batch.to_pylist())


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_an_hour_is_decoded_once(tmp_path: Path, captures: Path) -> None:
    fresh = DecodedCaptures(None)
    wanted = rows_of(fresh, captures)
    assert len(wanted) == 15
    kept = DecodedCaptures(tmp_path / "decoded")
    assert rows_of(kept, captures) == wanted
    assert (kept.reused, kept.found()) == (False, fresh.found())
    again = DecodedCaptures(tmp_path / "decoded")
    assert rows_of(again, captures) == wanted
    assert (again.reused, again.found()) == (True, fresh.found())
    (reject,) = again.found().rejects
    assert isinstance(reject, Reject)
    assert (reject.source, reject.reason, reject.count, len(reject.samples)) == (
        "captured outputs", "broken_quotes", 3, 3,
    )  # fmt: skip


def test_parts_of_one_schema_each(tmp_path: Path, captures: Path) -> None:
    rows_of(DecodedCaptures(tmp_path / "decoded"), captures)
    (hour,) = (tmp_path / "decoded" / "2026" / "11" / "22" / "10").iterdir()
    names = parts(hour)
    assert names[0] == "manifest.json"
    assert [name.split("-")[:2] for name in names[1:]] == [["part", "0"], ["part", "1"], ["records", "0"]]


def test_new_captures_are_decoded(tmp_path: Path, captures: Path) -> None:
    kept = DecodedCaptures(tmp_path / "decoded")
    rows_of(kept, captures)
    before = parts(tmp_path / "decoded")
    write_captures(captures, [capture("0.9", "new", time=START, request="1,2.5")])
    assert len(rows_of(kept, captures)) == 16
    assert not kept.reused
    after = parts(tmp_path / "decoded")
    assert len(after) == len(before)
    assert set(after) & set(before) == {"manifest.json"}
    assert len(rows_of(kept, captures)) == 16
    assert kept.reused


@pytest.mark.parametrize("damage", ["part gone", "part cut", "manifest cut", "manifest gone", "other format"])
def test_what_is_damaged_is_made_again(tmp_path: Path, captures: Path, damage: str) -> None:
    kept = DecodedCaptures(tmp_path / "decoded")
    wanted = rows_of(kept, captures)
    (manifest,) = (tmp_path / "decoded").rglob("manifest.json")
    path = manifest if "manifest" in damage else next(manifest.parent.glob("part-0*"))
    if damage == "other format":
        document = msgspec.json.decode(manifest.read_bytes())
        manifest.write_bytes(msgspec.json.encode(document | {"format": 0}))
    elif damage.endswith("gone"):
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:50])
    assert rows_of(kept, captures) == wanted
    assert not kept.reused
    assert rows_of(kept, captures) == wanted
    assert kept.reused


def test_nobody_waits_for_the_end(tmp_path: Path, captures: Path) -> None:
    """What was not decoded to its end is not kept, and leaves nothing."""
    kept = DecodedCaptures(tmp_path / "decoded")
    batches: Any = kept.batches(list_files(captures, WINDOW), WINDOW)
    next(batches)
    batches.close()
    assert parts(tmp_path / "decoded") == []
    with pytest.raises(RuntimeError, match="last batch"):
        kept.found()


def test_names_are_given_when_it_is_read(tmp_path: Path, captures: Path) -> None:
    reading = Reading(names=("p", "a", "b"))
    plain, named = DecodedCaptures(tmp_path / "decoded"), DecodedCaptures(tmp_path / "decoded", reading)
    assert "_c0" in rows_of(plain, captures)[0]
    assert rows_of(named, captures) == rows_of(DecodedCaptures(None, reading), captures)
    assert "'p': 0.5" in "".join(rows_of(named, captures))
    assert (plain.reused, named.reused) == (False, True)


def test_columns_of_one_schema_and_other_sides_are_kept_apart(tmp_path: Path) -> None:
    """Three columns with names by place: two outputs and an input, or one and two."""
    records = [capture("1,2", "a", request="3"), capture("1", "b", request="2,3")]
    write_captures(tmp_path / "c", records)
    reading = Reading(names=("x", "y"))
    wanted = rows_of(DecodedCaptures(None, reading), tmp_path / "c")
    assert {text.partition("{")[2].count("'x'") for text in wanted} == {0, 1}
    rows_of(DecodedCaptures(tmp_path / "decoded"), tmp_path / "c")
    kept = DecodedCaptures(tmp_path / "decoded", reading)
    assert rows_of(kept, tmp_path / "c") == wanted
    assert kept.reused


def test_a_first_line_that_only_names_can_tell_from_data(tmp_path: Path) -> None:
    """What was decoded without the names is no use to who has them, nor the other way round; records are to both."""
    write_captures(tmp_path / "c", [capture("a,b\nx,y", "e", request="a,b\nx,y")])
    plain = DecodedCaptures(tmp_path / "decoded")
    named = DecodedCaptures(tmp_path / "decoded", Reading(names=("a", "b")))
    assert [len(rows_of(one, tmp_path / "c")) for one in (plain, named, named, plain)] == [2, 1, 1, 2]
    assert named.reused
    assert not plain.reused
    with named.records(list_files(tmp_path / "c", WINDOW), WINDOW) as records:
        assert records is not None
        assert records.read_all().column("body").to_pylist() == ["a,b\nx,y"]
    assert named.reused


def test_who_comes_second_waits_for_the_first(tmp_path: Path, captures: Path) -> None:
    first, others = DecodedCaptures(tmp_path / "decoded"), [DecodedCaptures(tmp_path / "decoded") for _ in range(2)]
    going = first.batches(list_files(captures, WINDOW), WINDOW)
    rows = [next(going).num_rows]
    with ThreadPoolExecutor() as executor:
        waiting = [executor.submit(rows_of, other, captures) for other in others]
        rows += [batch.num_rows for batch in going]
        assert [len(one.result()) for one in waiting] == [sum(rows)] * 2
    assert [one.reused for one in (first, *others)] == [False, True, True]


def test_records_are_those_of_the_lines(tmp_path: Path, captures: Path) -> None:
    """Also those that cannot be decoded: model quality may still know what to do with them."""
    files = list_files(captures, WINDOW)
    for reused in (False, True):
        kept = DecodedCaptures(tmp_path / "decoded")
        with kept.records(files, WINDOW) as records:
            assert records is not None
            table = records.read_all()
        assert sorted(table.column("body").to_pylist()) == sorted(["0.5", "0.6", "1,x", "2,y", "3,z", '"a'] * 3)
        assert kept.reused == reused
    with DecodedCaptures(None).records(files, WINDOW) as records:
        assert records is None
    with DecodedCaptures(tmp_path / "decoded").records(files, None) as records:
        assert records is None


def test_pieces_of_a_window(tmp_path: Path, captures: Path) -> None:
    window = Window(START + timedelta(minutes=3), START + HOUR + timedelta(minutes=5))
    kept = DecodedCaptures(tmp_path / "decoded")
    found = [rows_of(kept, captures, piece) for piece in cut(window)]
    assert [len(rows) for rows in found] == [12, 0]
    assert [len(rows_of(kept, captures, piece)) for piece in cut(window)] == [12, 0]
    assert kept.reused


def test_a_file_that_grows_meanwhile_is_not_taken_for_whole(tmp_path: Path, captures: Path) -> None:
    kept = DecodedCaptures(tmp_path / "decoded")
    batches: Iterator[pa.RecordBatch] = kept.batches(list_files(captures, WINDOW), WINDOW)
    next(batches)
    write_captures(captures, [capture("0.9", "new", time=START, request="1,2.5")])
    assert sum(batch.num_rows for batch in batches) > 0
    assert parts(tmp_path / "decoded") == []


def test_a_full_disk_keeps_nothing_and_fails_nothing(
    tmp_path: Path, captures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = rows_of(DecodedCaptures(None), captures)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("pyarrow.parquet.ParquetWriter.write_batch", full)
        assert rows_of(DecodedCaptures(tmp_path / "decoded"), captures) == wanted
    assert parts(tmp_path / "decoded") == []
    (tmp_path / "a file").write_text("")
    assert rows_of(DecodedCaptures(tmp_path / "a file"), captures) == wanted


def test_captures_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(DecodedCaptures(tmp_path).batches([str(tmp_path / "gone.jsonl")], WINDOW))


def test_names_that_are_ours_too(tmp_path: Path) -> None:
    """A feature may be called as one of the first four columns; it is kept under that name."""
    body = '{"id": 7, "time": "x"}'
    write_captures(tmp_path / "c", [capture(body, "e", content_type="application/json")])
    kept = DecodedCaptures(tmp_path / "decoded")
    for reused in (False, True):
        (batch,) = kept.batches(list_files(tmp_path / "c", WINDOW), WINDOW)
        assert batch.schema.names == ["id", "event", "row", "time", "id", "time"]
        assert [column.to_pylist() for column in batch.columns[4:]] == [[7], ["x"]]
        assert kept.reused == reused


def test_where_it_stands(tmp_path: Path) -> None:
    assert Layout(tmp_path).decoded("churn") == tmp_path / "decoded" / "churn"
    with pytest.raises(InputError, match="cannot be the name"):
        Layout(tmp_path).decoded("../churn")


def test_what_is_kept_can_be_looked_at_without_decoding(tmp_path: Path, captures: Path) -> None:
    files, kept = list_files(captures, WINDOW), DecodedCaptures(tmp_path / "decoded")
    assert list(kept.kept(files, WINDOW, 100)) == []
    assert not (tmp_path / "decoded").exists()
    wanted = rows_of(kept, captures)
    batches = list(kept.kept(files, WINDOW, 16))
    assert sorted(f"{batch.schema.types} {row}" for batch in batches for row in batch.to_pylist()) == wanted
    assert all(batch.num_rows * batch.num_columns <= 16 for batch in batches)
    write_captures(captures, [capture("0.7", "later", request="1,2")], name="more")
    assert list(kept.kept(list_files(captures, WINDOW), WINDOW, 100)) == []
