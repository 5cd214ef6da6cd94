"""The local engine against a slow reader written from the format's description, on random folders."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jmespath
import pytest

from driftline.core.window import Window, format_time, partition
from driftline.engine.attributes import OutputAttributes, column_index
from driftline.engine.files import list_files
from driftline.engine.local import LocalEngine
from driftline.engine.reading import Found

START = datetime(2026, 11, 22, 9, tzinfo=UTC)
Row = tuple[str, int, float | None, str | None, str | None]
CSV_ATTRIBUTES = OutputAttributes(probability="1", inference="0")
JSON_ATTRIBUTES = OutputAttributes(probability="predictions[*].score", inference="predictions[*].label")


class Folder:
    """A random folder of captures and labels, with odd but valid content, and some that must be refused."""

    def __init__(self, root: Path, seed: int, *, as_json: bool, crowded: bool) -> None:
        self.draw = random.Random(seed)
        self.root = root
        self.as_json = as_json
        self.ids = [f"o-{n}" for n in range(12 if crowded else 80)] + ["ünï,木", 'q"uote', "a b", "o-1 "]
        self.rows_of: dict[str, int] = {}
        records = [self.capture(number) for number in range(self.draw.randint(1, 60))]
        records += [record for record in records if self.draw.random() < 0.1]
        self.draw.shuffle(records)
        self.write(root / "captures", records)
        labels = [self.label() for _ in range(self.draw.randint(0, 60))]
        self.write(root / "labels", labels)

    def rows(self, key: str) -> int:
        """Requests of one id have one number of rows, so that one label fits them all."""
        return self.rows_of.setdefault(key, self.draw.choice([1, 1, 1, 2, 5]))

    def capture(self, number: int) -> tuple[datetime, dict[str, Any]]:
        moment = START + timedelta(
            microseconds=self.draw.choice([0, 1, 3_600_000_000 - 1, self.draw.randrange(4 * 3600 * 10**6)])
        )
        inference_id = self.draw.choice(self.ids) if self.draw.random() < 0.7 else None
        event = f"event-{number}"
        body = self.body(self.rows(inference_id or event))
        encoding, kind = ("JSON", "application/json") if self.as_json else ("CSV", "text/csv")
        if self.draw.random() < 0.15:
            body, encoding = base64.b64encode(body.encode()).decode(), "BASE64"
        output = {"observedContentType": kind, "mode": "OUTPUT", "data": body, "encoding": encoding}
        zone = self.draw.choice([format_time(moment), moment.isoformat(), moment.astimezone(None).isoformat()])
        metadata = {"eventId": event, "inferenceTime": zone}
        if inference_id is not None:
            metadata["inferenceId"] = inference_id
        record: dict[str, Any] = {
            "captureData": {"endpointOutput": output},
            "eventMetadata": metadata,
            "eventVersion": "0",
        }
        self.damage(record)
        return moment, record

    def damage(self, record: dict[str, Any]) -> None:
        chance = self.draw.random()
        if chance < 0.03:
            del record["captureData"]["endpointOutput"]
        elif chance < 0.06:
            record["captureData"]["endpointOutput"]["encoding"] = "XML"
        elif chance < 0.09:
            del record["eventMetadata"]["inferenceTime"]
        elif chance < 0.12:
            del record["eventMetadata"]["eventId"]

    def body(self, rows: int) -> str:
        values = [self.values() for _ in range(rows)]
        if self.as_json:
            return json.dumps({"predictions": [{"label": label, "score": score} for label, score in values]})
        end = self.draw.choice(["\n", "\r\n"])
        lines = [
            ",".join(self.cell(value) for value in (label, score, 'x,"y') if value is not None)
            for label, score in values
        ]
        return end.join(lines) + self.draw.choice(["", "\n", "\r\n"])

    def values(self) -> tuple[str, Any]:
        score: Any = self.draw.choice([repr(self.draw.random()), "1e-3", "-0.5", "1", "inf", "-inf", "nan", "high", ""])
        if self.as_json:
            score = self.draw.choice([self.draw.random(), 1, "0.25", "high"])
        return self.draw.choice(["0", "1", "cat"]), score

    def cell(self, value: str) -> str:
        if '"' in value or "," in value:
            quoted = value.replace('"', '""')
            return f'"{quoted}"' if self.draw.random() < 0.5 else "z"
        style = self.draw.random()
        return f'"{value}"' if style < 0.2 else (f" {value}  " if style < 0.4 else value)

    def label(self) -> tuple[datetime, dict[str, Any]]:
        key = self.draw.choice([*self.ids, *(f"event-{n}" for n in range(20))])
        rows = self.rows(key) if self.draw.random() < 0.9 else self.draw.randint(1, 6)
        data = "\n".join(self.draw.choice(["0", "1", " 1"]) for _ in range(rows)) + self.draw.choice(["", "\n"])
        if self.draw.random() < 0.05:
            data = self.draw.choice(["", " ", "\n"])
        record = {
            "groundTruthData": {"data": data, "encoding": "CSV"},
            "eventMetadata": {"eventId": key},
            "eventVersion": "0",
        }
        return START + timedelta(hours=self.draw.randrange(4)), record

    def write(self, root: Path, records: list[tuple[datetime, dict[str, Any]]]) -> None:
        root.mkdir()
        for moment, record in records:
            path = (
                root
                / "churn"
                / "AllTraffic"
                / partition(moment)
                / self.draw.choice(["a.jsonl", "b c.jsonl", "[x]*.jsonl"])
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            line = json.dumps(record, ensure_ascii=self.draw.random() < 0.5)
            with path.open("ab") as file:
                file.write(
                    self.draw.choice([b"", b"", b"\n", b"  \n"]) + line.encode() + self.draw.choice([b"\n", b"\r\n"])
                )


def records_of(root: Path) -> list[dict[str, Any]]:
    """Every record under a folder, by path and line."""
    return [
        json.loads(line)
        for path in sorted(root.rglob("*.jsonl"), key=str)
        for line in path.read_bytes().split(b"\n")
        if line.strip()
    ]


def values_of(body: str, encoding: str, attributes: OutputAttributes) -> list[tuple[str | None, str | None]]:
    """Score and prediction of every row of a body, as texts."""
    if encoding == "BASE64":
        body = base64.b64decode(body).decode()
    wanted = (attributes.probability, attributes.inference)
    if encoding == "JSON" or (encoding == "BASE64" and body.lstrip()[:1] in ("[", "{")):
        document = json.loads(body)
        columns = [jmespath.search(path, document) for path in wanted if path is not None]
        texts = [[None if v is None else str(v).strip() or None for v in column] for column in columns]
        return [(one, other) for one, other in zip(*texts, strict=True)]
    lines = list(csv.reader(io.StringIO(body.rstrip("\r\n")), strict=True, skipinitialspace=False))
    found = []
    for cells in lines:
        texts = []
        for attribute in wanted:
            place = column_index(attribute or "")
            texts.append((cells[place].strip(" ") or None) if place is not None and place < len(cells) else None)
        found.append((texts[0], texts[1]))
    return found


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def labels_of(root: Path, counts: Counter[str]) -> dict[str, list[str]]:
    """The newest label of every id, row by row."""
    labels: dict[str, list[str]] = {}
    for record in records_of(root / "labels"):
        data = record["groundTruthData"]["data"].rstrip("\r\n").strip(" ")
        counts["labels" if data else "label no_label"] += 1
        if data:
            labels[record["eventMetadata"]["eventId"]] = [line.strip(" ") for line in data.split("\n")]
    return labels


def fault_of(record: dict[str, Any], window: Window | None) -> str | None:
    """What speaks against a record before its values are looked at."""
    output = record["captureData"].get("endpointOutput")
    if window is not None and "inferenceTime" not in record["eventMetadata"]:
        return "no_time"
    if output is None:
        return "no_output"
    return None if output["encoding"] in ("CSV", "JSON", "BASE64") else "unknown_encoding"


def value_fault(score: str | None, said: str | None) -> str | None:
    if score is None or said is None:
        return "no_value"
    return "not_a_number" if math.isnan(number(score)) else None


def expected(root: Path, attributes: OutputAttributes, window: Window | None) -> tuple[Counter[Row], Counter[str]]:
    """The joined rows, and how many records, rows, labels and repeats there are of each kind."""
    counts: Counter[str] = Counter()
    labels = labels_of(root, counts)
    rows: Counter[Row] = Counter()
    seen = set()
    for record in records_of(root / "captures"):
        metadata = record["eventMetadata"]
        event, time = metadata.get("eventId"), metadata.get("inferenceTime")
        if window is not None and event is not None and time is not None and datetime.fromisoformat(time) not in window:
            continue
        counts["records"] += 1
        fault = "no_event_id" if event is None else "duplicates" if event in seen else fault_of(record, window)
        seen.add(event)
        if fault is not None:
            counts[fault] += 1
            continue
        output, key = record["captureData"]["endpointOutput"], metadata.get("inferenceId") or event
        values = values_of(output["data"], output["encoding"], attributes)
        truth = labels.get(key, [])
        for row, (score, said) in enumerate(values):
            if (fault := value_fault(score, said)) is not None:
                counts[fault] += 1
                continue
            answer = truth[row] if len(truth) == len(values) else None
            rows[(key, row, number(score or ""), said, answer)] += 1
    return rows, counts


def read(root: Path, attributes: OutputAttributes, window: Window | None) -> tuple[Counter[Row], Found, Found | None]:
    with LocalEngine(threads=2) as engine:
        found = engine.load_captures(list_files(root / "captures", window), attributes, window)
        files = list_files(root / "labels", None)
        labels = engine.load_labels(files) if files else None
        if labels is None:
            engine.without_labels()
        rows = Counter(tuple(row.values()) for batch in engine.joined() for row in batch.to_pylist())
    return rows, found, labels


@pytest.mark.parametrize("as_json", [False, True], ids=["csv", "json"])
@pytest.mark.parametrize("part", [0, 1, *(pytest.param(part, marks=pytest.mark.long) for part in range(2, 6))])
def test_random_folders(tmp_path: Path, part: int, as_json: bool) -> None:
    attributes = JSON_ATTRIBUTES if as_json else CSV_ATTRIBUTES
    for seed in range(part * 5, part * 5 + 5):
        root = tmp_path / str(seed)
        root.mkdir()
        Folder(root, seed, as_json=as_json, crowded=seed % 2 == 0)
        hour = Window(START + timedelta(hours=1), START + timedelta(hours=2))
        for window in (
            None,
            hour,
            Window(START, START + timedelta(minutes=7)),
            Window(START, START + timedelta(hours=9)),
        ):
            files = list_files(root / "captures", window)
            if not files:
                continue
            wanted, counts = expected(root, attributes, window)
            rows, found, labels = read(root, attributes, window)
            context = (seed, window)
            refused = {reject.reason: reject.count for reject in found.rejects}
            reasons = {"no_event_id", "no_time", "no_output", "unknown_encoding", "no_value", "not_a_number"}
            if window is not None:
                # Records without a time are looked for in the folders of the window's hours only.
                del_without_time(refused, counts)
            else:
                assert found.records == counts["records"], context
                assert found.duplicates == counts["duplicates"], context
            assert refused == {reason: counts[reason] for reason in reasons if counts[reason]}, context
            assert rows == wanted, context
            assert found.usable == sum(wanted.values()), context
            if labels is not None:
                assert labels.usable + labels.duplicates == counts["labels"], context
                assert sum(reject.count for reject in labels.rejects) == counts["label no_label"], context
                assert labels.records == counts["labels"] + counts["label no_label"], context


def del_without_time(refused: dict[str, int], counts: Counter[str]) -> None:
    for reason in ("no_event_id", "no_time"):
        refused.pop(reason, None)
        del counts[reason]


def test_threads_and_spilling_do_not_matter(tmp_path: Path) -> None:
    Folder(tmp_path, 77, as_json=False, crowded=True)
    wanted, _ = expected(tmp_path, CSV_ATTRIBUTES, None)
    for threads in (1, 4):
        with LocalEngine(threads=threads, spill=str(tmp_path / "spill"), memory_limit="2GB") as engine:
            engine.load_captures(list_files(tmp_path / "captures", None), CSV_ATTRIBUTES, None)
            engine.load_labels(list_files(tmp_path / "labels", None))
            assert Counter(tuple(row.values()) for batch in engine.joined() for row in batch.to_pylist()) == wanted
