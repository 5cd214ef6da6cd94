"""Prediction tables from CSV, JSON lines and Parquet, with the names and the damage that real files have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftline.core.errors import InputError
from driftline.engine.tables import Columns, PredictionTable

COLUMNS = Columns(label="label", prediction="prediction", probability="probability")


def read(
    file: Path, columns: Columns = COLUMNS
) -> tuple[list[tuple[Any, ...]], dict[str, tuple[int, tuple[str, ...]]], int]:
    """Score, prediction and label of the usable rows; the rejects; the number of rows."""
    table = PredictionTable(file, columns)
    try:
        rows = [
            (row["score"], spelled(row["prediction"]), spelled(row["label"]))
            for batch in table.batches()
            for row in batch.to_pylist()
        ]
        return rows, {reject.reason: (reject.count, reject.samples) for reject in table.rejects()}, table.rows()
    finally:
        table.close()


def spelled(value: object) -> str | None:
    """Clean columns of whole numbers come as numbers, all others as text."""
    return None if value is None else str(value)


def csv_file(folder: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


WANTED = [(0.1, "0", "0"), (0.9, "1", "1"), (float("inf"), "1", "0")]


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    text = "probability,prediction,label\n0.1,0,0\n0.9,1,1\ninf,1,0\n"
    rows = [
        {"probability": p, "prediction": d, "label": t} for p, d, t in [("0.1", 0, 0), ("0.9", 1, 1), ("inf", 1, 0)]
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    typed = pa.table({"probability": [0.1, 0.9, float("inf")], "prediction": [0, 1, 1], "label": [0, 1, 0]})
    pq.write_table(typed, tmp_path / "t.parquet")
    assert read(csv_file(tmp_path, text)) == (WANTED, {}, 3)
    assert read(csv_file(tmp_path, text.replace("\n", "\r\n"), "crlf.CSV")) == (WANTED, {}, 3)
    assert read(csv_file(tmp_path, b"\xef\xbb\xbf" + text.encode(), "bom.csv")) == (WANTED, {}, 3)
    assert read(csv_file(tmp_path, lines, "t.jsonl")) == (WANTED, {}, 3)
    assert read(csv_file(tmp_path, lines, "t.json")) == (WANTED, {}, 3)
    assert read(tmp_path / "t.parquet") == (WANTED, {}, 3)


def test_ugly_names(tmp_path: Path) -> None:
    names = Columns(label='the "true" label', prediction="it's; DROP TABLE t", probability="p, %")
    text = '"p, %","it\'s; DROP TABLE t","the ""true"" label"\n0.1,0,0\n0.9,1,1\ninf,1,0\n'
    folder = tmp_path / "it's [a] *folder*"
    folder.mkdir()
    assert read(csv_file(folder, text, "t [1]'.csv"), names) == (WANTED, {}, 3)


def test_only_what_is_named_is_read(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "probability,prediction,label\n0.1,0,0\nhigh,1,1\n")
    assert read(path, Columns(label="label", prediction="prediction"))[0] == [(None, "0", "0"), (None, "1", "1")]
    rows, rejects, count = read(path, Columns(label="label", probability="probability"))
    assert (rows, count) == ([(0.1, None, "0")], 2)
    assert rejects == {"not_a_number": (1, (f"{path}:3: high,1,1",))}


def test_refused_rows_are_named(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "probability,prediction,label\n0.1,0,0\n,1,1\n0.5,1,\n0.5,,1\nnan,1,1\nx,1,1\n0.9,1,1\n0.3, ,1\n",
        "t.CSV",
    )
    rows, rejects, count = read(path)
    assert (rows, count) == ([(0.1, "0", "0"), (0.9, "1", "1")], 8)
    places = {reason: (n, [sample.split(":")[1] for sample in samples]) for reason, (n, samples) in rejects.items()}
    assert places == {"no_value": (3, ["3", "5", "9"]), "no_label": (1, ["4"]), "not_a_number": (2, ["6", "7"])}


def test_short_and_long_rows_are_counted(tmp_path: Path) -> None:
    good = "0.1,0,0\n" * 5
    path = csv_file(tmp_path, f"probability,prediction,label\n{good}0.5,1\n{good}")
    rows, rejects, _ = read(path)
    assert rows == [(0.1, "0", "0")] * 10
    assert sum(count for count, _ in rejects.values()) == 1
    assert any(sample.startswith(f"{path}:7") for _, samples in rejects.values() for sample in samples)


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_a_missing_column_is_named(tmp_path: Path, name: str) -> None:
    text = "probability,prediction\n0.1,0\n" if name.endswith("csv") else '{"probability": 0.1, "prediction": 0}\n'
    path = csv_file(tmp_path, text, name)
    with pytest.raises(InputError, match=r"no column 'label' \(label\)") as error:
        read(path)
    assert str(path) in error.value.what
    assert error.value.evidence == "the columns are: probability, prediction"
    assert error.value.hint == "name the column with --label"


def test_header_only(tmp_path: Path) -> None:
    assert read(csv_file(tmp_path, "probability,prediction,label\n")) == ([], {}, 0)
    assert read(csv_file(tmp_path, "probability,prediction,label", "bare.csv")) == ([], {}, 0)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.csv", b""),
        ("empty.jsonl", b""),
        ("empty.parquet", b""),
        ("text.parquet", b"probability,prediction,label\n0.1,0,0\n"),
        ("broken.jsonl", b'{"probability": 0.1, "prediction": 0, "label": 0}\n{"probability": 0.1, '),
        ("half.parquet", b"PAR1xxxx"),
        ("unknown.xlsx", b"PK"),
        ("latin.csv", "probability,prédiction,label\n0.1,0,0\n".encode("latin-1")),
        ("binary.csv", bytes(range(256))),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_name(tmp_path: Path, name: str, data: bytes) -> None:
    path = csv_file(tmp_path, data, name)
    with pytest.raises(InputError) as error:
        read(path)
    assert name in error.value.what
    assert error.value.hint
    str(error.value).encode()


def test_a_value_that_is_no_utf8_is_an_error_or_a_refused_row(tmp_path: Path) -> None:
    path = csv_file(tmp_path, b"probability,prediction,label\n0.1,0,0\n0.2,caf\xe9,1\n0.9,1,1\n")
    try:
        rows, rejects, _ = read(path)
    except InputError as error:
        assert str(path) in str(error)  # noqa: PT017
        return
    assert (0.1, "0", "0") in rows
    assert sum(count for count, _ in rejects.values()) == 1


def test_no_file_and_no_columns(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(InputError, match="no file"):
            read(path)
    with pytest.raises(InputError, match="neither a prediction nor a probability"):
        Columns(label="label")


def test_json_values_of_mixed_kinds_are_texts(tmp_path: Path) -> None:
    lines = [
        '{"prediction": 1, "label": "1"}',
        '{"prediction": "0", "label": 0}',
        '{"prediction": true, "label": false}',
    ]
    path = csv_file(tmp_path, "\n".join(lines), "t.jsonl")
    rows, rejects, _ = read(path, Columns(label="label", prediction="prediction"))
    assert (rows, rejects) == ([(None, "1", "1"), (None, "0", "0"), (None, "true", "false")], {})


def test_rows_after_quoted_line_breaks_and_blank_lines_are_named_rightly(tmp_path: Path) -> None:
    path = csv_file(tmp_path, 'note,prediction,label\n"a\nb",1,1\n"c, d",0,0\n\nx,1,\n')
    rows, rejects, _ = read(path, Columns(label="label", prediction="prediction"))
    assert rows == [(None, "1", "1"), (None, "0", "0")]
    assert rejects["no_label"][0] == 1


def test_many_rows_keep_their_order(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "probability,label\n" + "".join(f"{n / 50000!r},{n % 2}\n" for n in range(50_000)))
    table = PredictionTable(path, Columns(label="label", probability="probability"))
    try:
        rows = [
            row
            for batch in table.batches()
            for row in zip(
                *map(list, (batch.column("row").to_pylist(), batch.column("score").to_pylist())), strict=True
            )
        ]
    finally:
        table.close()
    assert rows == [(n, n / 50000) for n in range(50_000)]
