"""Captures with their labels, written to train with."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from driftline.core.errors import InputError
from driftline.core.records import CaptureRecord, EventMetadata, GroundTruthData, GroundTruthRecord, encode_line
from driftline.core.window import Window
from driftline.engine.export import Written
from driftline.pipeline.export import export_merged
from driftline.testing import START, capture, write_captures, write_labels

HOUR = timedelta(hours=1)


class Folder:
    """Captures and labels of one endpoint."""

    def __init__(self, root: Path) -> None:
        self.root, self.captures, self.labels = root, root / "captures", root / "labels"

    def put(self, *records: CaptureRecord) -> None:
        write_captures(self.captures / "AllTraffic", records)

    def label(self, *, at: timedelta = HOUR, name: str = "07-30-250-x", **labels: str) -> None:
        write_labels(self.labels, labels, collected=START + at, name=name)

    def table(self, **options: Any) -> list[dict[str, Any]]:
        target = self.root / "out.parquet"
        export_merged(self.captures, self.labels, target, **options)
        rows: list[dict[str, Any]] = pq.read_table(target).to_pylist()
        return sorted(rows, key=lambda row: (row["event_id"], row["row"]))

    def lines(self, **options: Any) -> list[dict[str, Any]]:
        target = self.root / "out.jsonl"
        export_merged(self.captures, self.labels, target, **options)
        return [json.loads(line) for line in target.read_text().splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.captures.mkdir()
    return made


def test_a_row_has_all_that_training_needs(folder: Folder) -> None:
    folder.put(capture("0.8", "e1", inference_id="a", request="1,x,3"), capture("0.2", "e2", request="4,y,6"))
    folder.label(a="1", e2="0")
    first, second = folder.table()
    assert first == {
        "id": "a",
        "event_id": "e1",
        "row": 0,
        "inference_time": START.replace(tzinfo=None),
        "input": "1,x,3",
        "output": "0.8",
        "label": "1",
        "label_time": (START + HOUR).replace(minute=7, second=30, microsecond=250000, tzinfo=None),
    }
    assert (second["id"], second["label"]) == ("e2", "0")


def test_the_cells_of_the_input_can_be_columns(folder: Folder) -> None:
    folder.put(capture("0.8", "e1", request='1,"a, ""b""",'), capture("0.1", "e2", request="7"), capture("0.5", "e3"))
    folder.label(e1="1", e2="0", e3="0")
    rows = folder.table(columns=True)
    assert [[row[f"input_{place}"] for place in range(3)] for row in rows] == [
        ["1", 'a, "b"', None],
        ["7", None, None],
        [None, None, None],
    ]
    assert "input" not in rows[0]


def test_a_request_of_several_rows_is_split_where_all_sides_agree(folder: Folder) -> None:
    folder.put(
        capture("0.1\n0.9\n", "e1", request="1,2\n3,4"),
        capture("0.1\n0.9\n", "e2", request="1,2\n3,4"),
        capture("0.3\n0.4", "e3"),
    )
    folder.label(e1="0\n1", e2="0", e3="1\n0")
    rows = [(row["event_id"], row["row"], row["input"], row["output"], row["label"]) for row in folder.table()]
    assert rows == [
        ("e1", 0, "1,2", "0.1", "0"),
        ("e1", 1, "3,4", "0.9", "1"),
        ("e2", 0, "1,2\n3,4", "0.1\n0.9\n", "0"),
        ("e3", 0, None, "0.3", "1"),
        ("e3", 1, None, "0.4", "0"),
    ]


def test_json_and_other_bodies_stay_whole(folder: Folder) -> None:
    folder.put(
        capture('{"scores": [1, 2]}', "e1", content_type="application/json"),
        capture(b"\xff\xfe", "e2", content_type="image/png"),
        capture(b"plain", "e3", content_type="text/plain"),
    )
    folder.label(e1="1", e2="0", e3="1")
    assert [row["output"] for row in folder.table()] == ['{"scores": [1, 2]}', "//4=", "plain"]


def test_repeats_count_once_and_the_newest_label_wins(folder: Folder) -> None:
    folder.put(*[capture("0.8", "e1", inference_id="a")] * 3, capture("0.7", "e2", inference_id="a"))
    folder.label(a="0")
    folder.label(a="1", at=2 * HOUR, name="any")
    rows = folder.table()
    assert [(row["event_id"], row["label"]) for row in rows] == [("e1", "1"), ("e2", "1")]
    # The file is none of ours, so the hour is all that its place tells.
    assert rows[0]["label_time"] == (START + 2 * HOUR).replace(minute=0, tzinfo=None)


def test_a_window_and_what_has_no_label(folder: Folder) -> None:
    folder.put(*[capture("0.5", f"e{number}", time=START + number * HOUR) for number in range(5)])
    folder.label(at=9 * HOUR, e1="1", e4="0")
    window = Window(START + HOUR, START + 3 * HOUR)
    assert [row["event_id"] for row in folder.table(window=window)] == ["e1"]
    rows = folder.table(window=window, unlabelled=True)
    assert [(row["event_id"], row["label"], row["label_time"] is None) for row in rows] == [
        ("e1", "1", False),
        ("e2", None, True),
    ]


def test_merged_records_are_captures_with_their_ground_truth(folder: Folder) -> None:
    record = capture("0.8", "e1", inference_id="a", request="1,2")
    folder.put(record, record, capture("0.7", "e2"))
    folder.label(a="1")
    [line] = folder.lines()
    assert line == {**json.loads(encode_line(record)), "groundTruthData": {"data": "1", "encoding": "CSV"}}
    assert {row["eventMetadata"]["eventId"] for row in folder.lines(unlabelled=True)} == {"e1", "e2"}


def test_without_any_label_there_is_nothing_unless_asked_for(folder: Folder) -> None:
    folder.put(capture("0.8", "e1"))
    target = folder.root / "x.parquet"
    assert export_merged(folder.captures, folder.labels, target) == Written(0, 0)
    assert export_merged(folder.captures, folder.labels, target, unlabelled=True) == Written(1, 0)
    assert pq.read_table(target).num_rows == 1


def test_labels_that_are_json_are_read_as_in_a_run(folder: Folder) -> None:
    folder.put(capture("0.8\n0.1", "e1"))
    write_labels(folder.labels, [GroundTruthRecord(GroundTruthData("[1, 0]", "JSON"), EventMetadata("e1"))])
    assert [row["label"] for row in folder.table()] == ["1", "0"]


def test_broken_lines_are_passed_over(folder: Folder) -> None:
    folder.put(capture("0.8", "e1"))
    [file] = folder.captures.rglob("*.jsonl")
    with file.open("a") as lines:
        lines.write('not json\n{"eventMetadata": {}}\n{"captureData": {"endpointOu')
    folder.label(e1="1")
    assert len(folder.table()) == len(folder.lines()) == 1


def test_what_cannot_be_exported_says_so_and_leaves_nothing(folder: Folder) -> None:
    with pytest.raises(InputError, match=r"let it end in \.parquet or \.jsonl"):
        export_merged(folder.captures, folder.labels, folder.root / "out.csv")
    with pytest.raises(InputError, match="no captures"):
        export_merged(folder.captures, folder.labels, folder.root / "out.parquet", window=Window(START, START + HOUR))
    assert sorted(path.name for path in folder.root.iterdir()) == ["captures"]
