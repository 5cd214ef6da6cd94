"""Tables from files, folders, manifests and Arrow, with the names and the damage that real files have."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftline.core.errors import InputError
from driftline.core.window import Window, parse_time
from driftline.engine.datasets import Dataset

TEXT = "age,plan,score\n30,a,0.5\n,b,1.5\n40,,2.5\n"
WANTED = {"age": [30, None, 40], "plan": ["a", "b", None], "score": [0.5, 1.5, 2.5]}


def read(data: Any, **options: Any) -> dict[str, list[Any]]:
    """All columns of all batches; every batch must have the same ones."""
    batches = list(Dataset(data, **options).batches())
    return pa.Table.from_batches(batches).to_pydict() if batches else {}


def file(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    rows = [dict(zip(WANTED, values, strict=True)) for values in zip(*WANTED.values(), strict=True)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    table = pa.table(WANTED)
    pq.write_table(table, tmp_path / "t.parquet")
    assert read(file(tmp_path, TEXT)) == WANTED
    assert read(file(tmp_path, TEXT.replace("\n", "\r\n"), "crlf.CSV")) == WANTED
    assert read(file(tmp_path, b"\xef\xbb\xbf" + TEXT.encode(), "mark.csv")) == WANTED
    assert read(file(tmp_path, TEXT.rstrip("\n"), "no-end.csv")) == WANTED
    assert read(file(tmp_path, lines, "t.jsonl")) == WANTED
    assert read(file(tmp_path, lines, "t.json")) == WANTED
    assert read(tmp_path / "t.parquet") == WANTED
    assert read(str(tmp_path / "t.parquet")) == WANTED
    assert read(table) == WANTED
    assert read(table.to_batches()[0]) == WANTED
    assert read(pl.DataFrame(WANTED)) == WANTED
    assert read(pa.RecordBatchReader.from_batches(table.schema, table.to_batches())) == WANTED


def test_tables_of_pandas_without_their_index() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=["r", "s"])
    assert read(frame) == {"a": [1, 2], "b": ["x", None]}
    with pytest.raises(InputError, match="DataFrame cannot be read"):
        read(pd.DataFrame({"a": [1, "x"]}))
    with pytest.raises(InputError, match="a list is no table"):
        Dataset([1, 2])


@pytest.mark.parametrize(
    ("text", "header", "names", "columns"),
    [
        ("a,b\n1,2\n", None, (), {"a": [1], "b": [2]}),
        ("a,b\nx,y\n", None, (), {"a": ["x"], "b": ["y"]}),
        ("1,b\n2,c\n", None, (), {"_c0": [1, 2], "_c1": ["b", "c"]}),
        ("a,a\nx,y\n", None, (), {"_c0": ["a", "x"], "_c1": ["a", "y"]}),
        ("a,a,\n1,2,3\n", True, (), {"a": [1], "a.1": [2], "_c2": [3]}),
        ("a,b\n1,2\n", False, (), {"_c0": ["a", "1"], "_c1": ["b", "2"]}),
        ("1,2\n", None, ("p", "q"), {"p": [1], "q": [2]}),
        ("1,2\n", None, ("p",), {"_c0": [1], "_c1": [2]}),
        ("a,b\n1,2\n", None, ("p", "q"), {"a": [1], "b": [2]}),
        ('"a, b","c\nd"\n1,2\n', None, (), {"a, b": [1], "c\nd": [2]}),
        (' a , "b"\n1,2\n', None, (), {"a": [1], "b": [2]}),
        ("x\n1\n\n3\n\n\n", None, (), {"x": [1, None, 3]}),
        ("\n\nx,y\n1,2\n", None, (), {"x": [1], "y": [2]}),
        ("a,b\n", None, (), {}),
        ("", None, (), {}),
        ("\n\n", None, (), {}),
    ],
)
def test_headers(
    tmp_path: Path, text: str, header: bool | None, names: tuple[str, ...], columns: dict[str, list[Any]]
) -> None:
    assert read(file(tmp_path, text), header=header, names=names) == columns


def test_cells_with_everything(tmp_path: Path) -> None:
    path = file(tmp_path, 'id,text\n1,"a, ""b""\nc"\n2,"ü\r\n木"\n3,\n')
    assert read(path) == {"id": [1, 2, 3], "text": ['a, "b"\nc', "ü\r\n木", None]}


def test_types_by_the_text_of_values(tmp_path: Path) -> None:
    path = file(tmp_path, "a,b,c,d\n6,1.5,0x1F,2026-11-22\n6.5,nan,1,2026-11-23\n")
    (batch,) = Dataset(path).batches()
    assert [str(kind) for kind in batch.schema.types] == ["string", "double", "string", "string"]
    assert batch.column("a").to_pylist() == ["6", "6.5"]


def test_typed_columns_pass_untouched(tmp_path: Path) -> None:
    table = pa.table(
        {
            "i": pa.array([1, None], pa.int8()),
            "f": pa.array([1.5, float("nan")], pa.float32()),
            "d": pa.array(["a", None]).dictionary_encode(),
            "t": pa.array([0, 1], pa.timestamp("ms")),
            "s": pa.array([{"x": 1, "y": {"z": "q"}}, None]),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    (batch,) = Dataset(tmp_path / "t.parquet").batches()
    assert batch.schema.names == ["i", "f", "d", "t", "s.x", "s.y.z"]
    assert batch.schema.field("i").type == pa.int8()
    assert batch.schema.field("f").type == pa.float32()
    assert pa.types.is_dictionary(batch.schema.field("d").type)
    assert batch.column("s.y.z").to_pylist() == ["q", None]


def test_large_files_come_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftline.engine.text_blocks._BLOCK", 1000)
    values = list(range(5000))
    path = file(tmp_path, "n,text\n" + "".join(f'{n},"x\n""{n}"""\n' for n in values))
    batches = list(Dataset(path).batches())
    assert len(batches) > 20
    table = pa.Table.from_batches(batches)
    assert table.column("n").to_pylist() == values
    assert table.column("text").to_pylist() == [f'x\n"{n}"' for n in values]
    lines = file(tmp_path, "".join(json.dumps({"n": n}) + "\n" for n in values), "t.jsonl")
    assert pa.Table.from_batches(list(Dataset(lines).batches())).column("n").to_pylist() == values


def test_batches_are_of_bounded_size(tmp_path: Path) -> None:
    numbers = np.arange(300_000)
    pq.write_table(pa.table({"n": numbers}), tmp_path / "t.parquet")
    for data in (tmp_path / "t.parquet", pa.table({"n": numbers}), file(tmp_path, "\n".join(map(str, numbers)))):
        batches = list(Dataset(data).batches())
        assert max(batch.num_rows for batch in batches) <= 131_072
        assert sum(batch.num_rows for batch in batches) == 300_000


def test_broken_lines_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftline.engine.text_blocks._BLOCK", 64)
    good = [f"{n},x" for n in range(100)]
    good[50], good[60], good[70], good[80] = "50", "1,2,3", '"a\nb",1,2', "80"
    path = file(tmp_path, "n,t\n" + "\n".join(good) + "\n")
    data = Dataset(path)
    assert sum(batch.num_rows for batch in data.batches()) == 96
    (reject,) = data.rejects()
    assert (reject.source, reject.reason, reject.count) == (str(path), "broken_line", 4)
    assert reject.samples[:2] == (f"{path}:52: 50", f"{path}:62: 1,2,3")


def test_broken_lines_of_json(tmp_path: Path) -> None:
    path = file(tmp_path, '{"a": 1}\n\n[1]\n{"a": \n"x"\n{"a": {"b": 2}}\n', "t.jsonl")
    data = Dataset(path)
    (batch,) = data.batches()
    assert batch.to_pydict() == {"a": ["1", '{"b":2}']}
    (reject,) = data.rejects()
    assert (reject.count, [sample.split(":")[1] for sample in reject.samples]) == (3, ["3", "4", "5"])


def test_text_that_is_none_names_file_and_line(tmp_path: Path) -> None:
    for name, head in (("t.csv", b"a,b\n1,2\n"), ("t.jsonl", b'{"a": 1}\n{"a": 1}\n')):
        path = file(tmp_path, head + b"3,\xff\n", name)
        with pytest.raises(InputError, match=f"{name}:3: not UTF-8"):
            read(path)


def test_a_quote_that_is_never_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftline.engine.text_blocks._BLOCK", 100)
    monkeypatch.setattr("driftline.engine.text_blocks._LONGEST_ROW", 1000)
    path = file(tmp_path, 'a,b\n1,2\n3,"4\n' + "5,6\n" * 1000)
    with pytest.raises(InputError, match=r"t\.csv:3: a row of more than"):
        read(path)


def test_a_short_file_with_an_open_quote_ends_well(tmp_path: Path) -> None:
    path = file(tmp_path, 'a,b\n1,2\n3,"4\n5,6\n')
    data = Dataset(path)
    rows = sum(batch.num_rows for batch in data.batches())
    assert 1 <= rows <= 2


def test_folders(tmp_path: Path) -> None:
    for hour, value in ((9, 1), (10, 2), (11, 3)):
        file(tmp_path, f"n\n{value}\n", f"2026/11/22/{hour:02d}/a.csv")
    file(tmp_path, "", "_SUCCESS")
    file(tmp_path, "x", "2026/11/22/10/.a.csv.crc")
    assert read(tmp_path) == {"n": [1, 2, 3]}
    window = Window(parse_time("2026-11-22T10:00Z"), parse_time("2026-11-22T11:00Z"))
    assert read(tmp_path, window=window) == {"n": [2]}
    later = Window(parse_time("2027-11-22T10:00Z"), parse_time("2027-11-22T11:00Z"))
    assert read(tmp_path, window=later) == {}
    assert Dataset(tmp_path).kind == "CSV"


def test_what_is_no_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file or folder"):
        Dataset(tmp_path / "gone.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no files"):
        Dataset(tmp_path / "empty")
    with pytest.raises(InputError, match="of no known kind"):
        Dataset(file(tmp_path, "x", "some/t.xlsx"))
    file(tmp_path, "a\n1\n", "mixed/a.csv")
    file(tmp_path, "{}\n", "mixed/b.jsonl")
    with pytest.raises(InputError, match="several kinds"):
        Dataset(tmp_path / "mixed")
    with pytest.raises(InputError, match=r"x\.parquet cannot be read"):
        read(file(tmp_path, "PAR1", "x.parquet"))


def test_manifests(tmp_path: Path) -> None:
    file(tmp_path, "n\n1\n", "data/a.csv")
    file(tmp_path, "n\n2\n", "data/b.csv")
    names = ["b.csv", "a.csv"]
    relative = file(tmp_path, json.dumps([{"prefix": "data/"}, *names]), "m.manifest")
    absolute = file(tmp_path, json.dumps([{"prefix": f"{tmp_path}/data/"}, *names]), "input/2026/11/22/10/m.json")
    assert read(relative) == read(absolute) == {"n": [2, 1]}
    assert read(tmp_path / "input") == {"n": [2, 1]}
    assert read(file(tmp_path, json.dumps([{"prefix": f"file://{tmp_path}/data/"}, "a.csv"]), "f.json")) == {"n": [1]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"prefix": "s3://bucket/"}, "a.csv"]', "names files that are elsewhere"),
        ('[{"prefix": "gone/"}, "a.csv"]', "names 1 files that are not there"),
        ('[{"prefix": 5}, "a.csv"]', "is no manifest"),
        ('[{"prefix": "x"}, 5]', "is no manifest"),
        ('{"prefix": "x"}', "is no manifest"),
        ("[]", "is no manifest"),
        ("[", "is no manifest"),
        ("\xff", "is no manifest"),
    ],
)
def test_broken_manifests(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Dataset(file(tmp_path, content, "m.manifest"))


def test_a_table_may_be_read_again(tmp_path: Path) -> None:
    data = Dataset(file(tmp_path, "a,b\n1,2\n3\n"))
    for _ in range(2):
        assert sum(batch.num_rows for batch in data.batches()) == 1
        assert [reject.count for reject in data.rejects()] == [1]


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is closed to root")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = file(tmp_path, TEXT)
    path.chmod(0)
    with pytest.raises(InputError, match="cannot be read"):
        read(path)


@pytest.mark.shared
def test_published_tables(published: Path) -> None:
    headed = Dataset(published / "churn" / "training-dataset-with-header.csv")
    (batch,) = headed.batches()
    assert (batch.num_rows, batch.num_columns, batch.schema.names[:2]) == (2333, 70, ["Churn", "Account Length"])
    (plain,) = Dataset(published / "churn" / "validation.csv", names=batch.schema.names).batches()
    assert plain.schema.names == batch.schema.names
