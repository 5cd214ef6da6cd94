"""Probabilities of several classes in captures and in tables: every place they can stand in, and every bad row."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftline.core.errors import InputError
from driftline.engine.attributes import OutputAttributes
from driftline.engine.batches import batch_rows
from driftline.engine.local import LocalEngine
from driftline.engine.rejects import MEANING
from driftline.engine.tables import Columns, PredictionTable
from driftline.testing import capture, write_captures, write_labels

CLASSES = ("a", "b", "c")
V, W = [0.25, 0.25, 0.5], [1.0, 0.0, 0.0]


def read(folder: Path, body: str, path: str, kind: str = "text/csv", inference: str | None = None) -> Any:
    """The vectors by row, and the rejects, of one captured answer."""
    files = write_captures(folder, [capture(body, "e", content_type=kind)])
    with LocalEngine() as engine:
        attributes = OutputAttributes(probability=path, inference=inference, classes=CLASSES)
        found = engine.load_captures([str(file) for file in files], attributes, None)
        engine.without_labels()
        rows = sorted((r["row"], r["score"]) for batch in engine.joined() for r in batch.to_pylist())
    return rows, {reject.reason: reject.count for reject in found.rejects}


CSV = [
    ("0", "0.25,0.25,0.5", [V]),
    ("0", " 0.25 , 0.25,0.5\r\n", [V]),
    ("1", "cat,0.25,0.25,0.5", [V]),
    ("0-2", "0.25,0.25,0.5", [V]),
    ("1-3", "cat,0.25,0.25,0.5,x", [V]),
    ("3,0,1", "0.25,0.5,x,0.25", [V]),
    ("0,2-3", "0.25,x,0.25,0.5", [V]),
    ("0", "0.25,0.25,0.5\n1,0,0", [V, W]),
    ("2,1,0", "0.5,0.25,0.25\n0,0,1\n", [V, W]),
    ("0", "[0.25, 0.25, 0.5]", [V]),
    ("0", "[0.25, 0.25, 0.5]\n[1, 0, 0]", [V, W]),
    ("0", '"[0.25, 0.25, 0.5]"', [V]),
    ("1", 'cat,"[0.25, 0.25, 0.5]",x\ndog,"[1,0,0]",y', [V, W]),
    ("0-2", '"0.25","0.25","0.5"', [V]),
]
JSON = [
    ("p", {"p": V}, [V]),
    ("p", {"p": [V, W]}, [V, W]),
    ("predictions[*].p", {"predictions": [{"p": V}, {"p": W}]}, [V, W]),
    ("predictions[].p", {"predictions": [{"p": V}, {"p": W}]}, [V, W]),
    ("predictions[?ok].p", {"predictions": [{"p": V, "ok": 1}, {"p": W}]}, [V]),
    ("predictions[0].p", {"predictions": [{"p": V}, {"p": W}]}, [V]),
    ("predictions[*].[p.x, p.y, p.z]", {"predictions": [{"p": {"x": 0.25, "y": 0.25, "z": 0.5}}]}, [V]),
    ("[p.x, p.y, p.z]", {"p": {"x": 0.25, "y": 0.25, "z": 0.5}}, [V]),
    ("p[*].value", {"p": [{"value": 0.25}, {"value": 0.25}, {"value": 0.5}]}, [V]),
    ("p", {"p": ["0.25", "0.25", "0.5"]}, [V]),
    ("@", [V, W], [V, W]),
    ("[*]", [V, W], [V, W]),
    ("0", V, [V]),
    ("0-2", [V, W], [V, W]),
]


@pytest.mark.parametrize(("path", "body", "wanted"), CSV)
def test_vectors_in_csv(tmp_path: Path, path: str, body: str, wanted: list[list[float]]) -> None:
    assert read(tmp_path / "csv", body, path) == (list(enumerate(wanted)), {})
    if not body.startswith("["):
        encoded = read(tmp_path / "base64", body, path, "application/octet-stream")
        assert encoded in ((list(enumerate(wanted)), {}),)


@pytest.mark.parametrize(("path", "body", "wanted"), JSON)
def test_vectors_in_json(tmp_path: Path, path: str, body: Any, wanted: list[list[float]]) -> None:
    assert read(tmp_path, json.dumps(body), path, "application/json") == (list(enumerate(wanted)), {})


BAD: list[tuple[Any, str]] = [
    ([0.25, 0.75], "not_a_distribution"),
    ([0.25, 0.25, 0.25, 0.25], "not_a_distribution"),
    ([0.5, 0.5, 0.5], "not_a_distribution"),
    ([0.3, 0.3, 0.3], "not_a_distribution"),
    ([-0.5, 0.5, 1.0], "not_a_distribution"),
    ([0.5, 0.5, "x"], "not_a_distribution"),
    ([0.5, 0.5, "nan"], "not_a_distribution"),
    ([0.5, 0.5, "inf"], "not_a_distribution"),
    ([0.5, 0.5, None], "not_a_distribution"),
    ([], "no_value"),
    (None, "no_value"),
]


@pytest.mark.parametrize(("vector", "reason"), BAD, ids=[str(vector) for vector, _ in BAD])
def test_bad_vectors_are_refused_and_the_others_keep_their_rows(tmp_path: Path, vector: Any, reason: str) -> None:
    good = [(0, V), (2, W)]
    body = json.dumps({"p": [{"v": V}, {"v": vector}, {"v": W}]})
    assert read(tmp_path / "json", body, "p[*].v", "application/json") == (good, {reason: 1})
    if vector and len(vector) <= 3:
        cells = ["" if cell is None else str(cell) for cell in vector]
        lines = "\n".join([",".join(map(str, V)), ",".join(cells), ",".join(map(str, W))])
        assert read(tmp_path / "csv", lines, "0-2") == (good, {reason: 1})
        assert read(tmp_path / "one", ",".join(cells), "0-2") == ([], {reason: 1})


def test_a_refused_vector_is_shown_with_its_line_and_keeps_the_labels_of_its_request(tmp_path: Path) -> None:
    records = [capture("0.25,0.25,0.5", "e0"), capture("0.5,0.5,0.5", "e1"), capture("1,0,0\n0.9,0,0\n0,1,0", "e2")]
    files = [str(file) for file in write_captures(tmp_path / "captures", records)]
    labels = [str(file) for file in write_labels(tmp_path / "labels", {"e0": "a", "e1": "b", "e2": "a\nb\nc"})]
    with LocalEngine() as engine:
        found = engine.load_captures(files, OutputAttributes(probability="0", classes=CLASSES), None)
        engine.load_labels(labels)
        rows = [(r["id"], r["row"], r["label"]) for batch in engine.joined() for r in batch.to_pylist()]
        assert engine.mismatches() == ()
    assert sorted(rows) == [("e0", 0, "a"), ("e2", 0, "a"), ("e2", 2, "c")]
    (reject,) = found.rejects
    assert (reject.reason, reject.count) == ("not_a_distribution", 2)
    assert any(sample.startswith(f"{files[0]}:2: ") for sample in reject.samples)
    assert "0.001" in MEANING["not_a_distribution"]


def test_a_prediction_beside_the_vector(tmp_path: Path) -> None:
    body = json.dumps({"p": [{"v": V, "is": "b"}, {"v": W, "is": "c"}]})
    assert read(tmp_path, body, "p[*].v", "application/json", inference="p[*].is")[0] == [(0, V), (1, W)]
    assert read(tmp_path / "lost", json.dumps({"p": [{"v": V}, {"v": W, "is": "c"}]}), "p[*].v", "application/json",
                inference="p[*].is") == ([], {"no_value": 2})  # fmt: skip


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"probability": "0-2"}, "3 probability columns and 0 classes", "--classes"),
    ({"probability": "0,1", "classes": CLASSES}, "2 probability columns and 3 classes", "--classes"),
    ({"probability": "2-0", "classes": CLASSES}, "names no columns", "lower column first"),
    ({"probability": "p", "classes": ("a",)}, "1 classes are named", "every class once"),
    ({"probability": "p", "classes": ("a", "b", "a")}, "'a' is named twice", "every class once"),
    ({"probability": "p", "classes": tuple(map(str, range(1001)))}, "1,001 classes", "every class once"),
    ({"inference": "p", "classes": CLASSES}, "classes are named, but no probabilities", "--probability-attribute"),
    ({"inference": "0,1"}, "is no JMESPath", "CSV column"),
]


@pytest.mark.parametrize(("given", "what", "hint"), WRONG)
def test_attributes_that_do_not_go_together(given: dict[str, Any], what: str, hint: str) -> None:
    with pytest.raises(InputError, match=what) as error:
        OutputAttributes(**given)
    assert hint in error.value.hint


def test_names_are_needed_for_several_classes_and_only_for_them() -> None:
    with pytest.raises(InputError, match="which class each probability belongs to") as error:
        OutputAttributes(probability="p").check("MulticlassClassification")
    assert "--classes" in error.value.hint
    with pytest.raises(InputError, match="make no sense for BinaryClassification"):
        OutputAttributes(probability="p", classes=CLASSES).check("BinaryClassification")
    OutputAttributes(inference="p").check("MulticlassClassification")
    OutputAttributes(probability="p").check("Regression")


def test_many_classes_make_smaller_batches() -> None:
    assert [batch_rows(classes) for classes in (0, 32, 1000)] == [131072, 131072, 4194]


COLUMNS = Columns(label="label", probability=("x", "y", "z"), classes=CLASSES)
LISTS = Columns(label="label", probability="p", classes=CLASSES)


def table_rows(data: Any, columns: Columns) -> tuple[list[Any], dict[str, tuple[int, tuple[str, ...]]]]:
    table = PredictionTable(data, columns)
    try:
        rows = [(r["row"], r["score"], str(r["label"])) for batch in table.batches() for r in batch.to_pylist()]
        return rows, {reject.reason: (reject.count, reject.samples) for reject in table.rejects()}
    finally:
        table.close()


GOOD = [(0, V, "a"), (1, W, "b")]
WIDE = {"x": [0.25, 1.0], "y": [0.25, 0.0], "z": [0.5, 0.0], "label": ["a", "b"]}
LONG = {"p": [V, W], "label": ["a", "b"]}


def test_every_kind_of_table_gives_the_same_rows(tmp_path: Path) -> None:
    fixed = pa.array([V, W], pa.list_(pa.float64(), 3))
    long = [pd.DataFrame(LONG), pl.DataFrame(LONG), pa.table(LONG), pa.table({"p": fixed, "label": ["a", "b"]})]
    long += [pl.DataFrame(LONG).with_columns(pl.col("p").list.to_array(3))]
    long += [pd.DataFrame({"p": [np.array(V, dtype=np.float32), np.array(W, dtype=np.float32)], "label": ["a", "b"]})]
    wide = [pd.DataFrame(WIDE), pl.DataFrame(WIDE), pa.table(WIDE)]
    for data in wide:
        assert table_rows(data, COLUMNS) == (GOOD, {})
    for data in long:
        assert table_rows(data, LISTS) == (GOOD, {})
    pq.write_table(pa.table(WIDE), tmp_path / "wide.parquet")
    pq.write_table(pa.table(LONG), tmp_path / "long.parquet")
    (tmp_path / "wide.csv").write_text("x,y,z,label\n0.25,0.25,0.5,a\n1,0,0,b\n")
    (tmp_path / "long.csv").write_text('p,label\n"[0.25, 0.25, 0.5]",a\n"[1,0,0]",b\n')
    for name, data in (("wide", WIDE), ("long", LONG)):
        lines = [json.dumps({key: values[row] for key, values in data.items()}) for row in range(2)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        for kind in ("parquet", "csv", "jsonl"):
            columns = COLUMNS if name == "wide" else LISTS
            assert table_rows(tmp_path / f"{name}.{kind}", columns) == (GOOD, {}), f"{name}.{kind}"


def test_whole_labels_stay_numbers_on_the_quick_way() -> None:
    table = pa.table({"p": pa.array([V, W], pa.list_(pa.float64(), 3)), "label": [1, 2]})
    assert table_rows(table, LISTS) == ([(0, V, "1"), (1, W, "2")], {})


@pytest.mark.parametrize(("vector", "reason"), BAD, ids=[str(vector) for vector, _ in BAD])
def test_bad_rows_of_tables_are_refused_with_samples(tmp_path: Path, vector: Any, reason: str) -> None:
    good = [(0, V, "a"), (2, W, "b")]
    path = tmp_path / "t.jsonl"
    lines = [{"p": V, "label": "a"}, {"p": vector, "label": "b"}, {"p": W, "label": "b"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    expected = "not_a_distribution" if vector == [] else reason
    rows, rejects = table_rows(path, LISTS)
    assert rows == good
    assert list(rejects) == [expected]
    assert rejects[expected][1][0].startswith(f"{path}:2: ")
    if vector and len(vector) == 3:
        cells = ["" if cell is None else str(cell) for cell in vector]
        path = tmp_path / "t.csv"
        path.write_text(f"x,y,z,label\n0.25,0.25,0.5,a\n{','.join(cells)},b\n1,0,0,b\n")
        rows, rejects = table_rows(path, COLUMNS)
        assert rows == good
        assert sum(count for count, _ in rejects.values()) == 1
    if vector is not None and all(isinstance(cell, float) for cell in vector):
        rows, rejects = table_rows(pa.table({"p": [V, vector, W], "label": ["a", "b", "b"]}), LISTS)
        assert rows == good
        assert rejects[expected] == (1, ("the table: row 2",))


def test_names_of_classes_are_those_of_the_columns() -> None:
    assert Columns(label="label", probability=("x", "y")).classes == ("x", "y")
    with pytest.raises(InputError, match="3 probability columns and 2 classes"):
        Columns(label="label", probability=("x", "y", "z"), classes=("a", "b"))
    with pytest.raises(InputError, match="1 classes are named"):
        Columns(label="label", probability=("x",))
    with pytest.raises(InputError, match="no column 'nowhere'") as error:
        table_rows(pa.table(WIDE), Columns(label="label", probability=("x", "y", "nowhere")))
    assert "--probability" in error.value.hint


def test_the_last_of_several_encodings(tmp_path: Path) -> None:
    """A body in BASE64 that is JSON is read as JSON."""
    body = base64.b64encode(json.dumps({"p": V}).encode()).decode()
    record = {
        "captureData": {"endpointOutput": {"data": body, "encoding": "BASE64", "mode": "OUTPUT"}},
        "eventMetadata": {"eventId": "e"},
        "eventVersion": "0",
    }
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(record) + "\n")
    with LocalEngine() as engine:
        engine.load_captures([str(path)], OutputAttributes(probability="p", classes=CLASSES), None)
        engine.without_labels()
        assert [row["score"] for batch in engine.joined() for row in batch.to_pylist()] == [V]
