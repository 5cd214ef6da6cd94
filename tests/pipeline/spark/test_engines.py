"""Both engines, one body: what one machine finds of captures and labels, Spark finds too."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
import xgboost

from driftline.core.analysis_settings import BiasConfig, ShapConfig
from driftline.core.facets import Choice, parse_facet
from driftline.core.records import CaptureData, CaptureRecord, EventMetadata, Payload, encode_line
from driftline.core.window import HOUR, Window, partition
from driftline.engine.attributes import OutputAttributes
from driftline.pipeline import AttributionRun, BiasRun, DataQualityRun, ModelQualityRun, Run
from driftline.pipeline.data_tables import baseline_data_quality
from driftline.testing import START, write_labels

Engine = Callable[[Run], Run]
Documents = Callable[[Run], dict[str, Any]]
Same = Callable[[Any, Any], None]
HOURS = 3
NAMES = ("age", "plan", "visits")
NAMES_OF_ALL = ("label", "score", *NAMES)


class World:
    """Random captures and labels of three hours: bodies of one row and of several, in every encoding, events that are
    captured twice in a file or in several, records that cannot be used, labels that are missing, given anew, of several
    lines, or of too many."""

    def __init__(self, root: Path, seed: int, *, kind: str, as_json: bool = False) -> None:
        self.draw = random.Random(seed)
        self.root, self.kind, self.as_json = root, kind, as_json
        self.rows_of: dict[str, int] = {}
        lines = [self.record(number) for number in range(160)]
        sound = [line for line in lines if line[2]]
        lines += self.draw.sample(sound, 24)
        for moment, line, _ in lines:
            self.append(f"captures/AllTraffic/{partition(moment)}", line)
        self.damage()
        self.write_labels()

    def append(self, folder: str, line: bytes) -> None:
        path = self.root / folder / f"{self.draw.choice('abcd')}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(line)

    def record(self, number: int) -> tuple[Any, bytes, bool]:
        event, asked = f"event-{number}", f"id-{number // 2}" if self.draw.random() < 0.5 else None
        rows = self.rows_of.setdefault(asked or event, self.draw.choice([1, 1, 1, 2, 4]))
        moment = START + timedelta(seconds=self.draw.randrange(HOURS * 3600))
        output, sound = self.output(rows)
        entered = "\n".join(self.inputs() for _ in range(rows))
        data = CaptureData(Payload(entered, "CSV", "text/csv", "INPUT"), self.payload(output))
        record = CaptureRecord(data, EventMetadata(event, inference_id=asked, inference_time=moment))
        return moment, encode_line(record), sound

    def inputs(self) -> str:
        age, plan, visits = self.draw.randrange(20, 70), self.draw.choice(["basic", "plus"]), self.draw.randrange(9)
        return f"{age},{plan},{visits}"

    def output(self, rows: int) -> tuple[str, bool]:
        odd = self.draw.random() < 0.06
        values = [self.values() for _ in range(rows)]
        if odd:
            values[-1] = (values[-1][0], "high")
        if self.as_json:
            return json.dumps({"predictions": [{"score": score, "label": label} for label, score in values]}), not odd
        return "\n".join(f"{label},{_text(score)}" for label, score in values), not odd

    def values(self) -> tuple[str, Any]:
        if self.kind == "Regression":
            return f"{self.draw.gauss(0, 1):.4f}", 0.5
        if self.kind == "MulticlassClassification":
            parts = [self.draw.random() for _ in range(3)]
            score = [round(part / sum(parts), 6) for part in parts]
            return "abc"[score.index(max(score))], score
        score = round(self.draw.random(), 4)
        return str(int(score > 0.5)), score

    def payload(self, output: str) -> Payload:
        encoding = "JSON" if self.as_json else "CSV"
        if self.draw.random() < 0.15:
            output, encoding = base64.b64encode(output.encode()).decode(), "BASE64"
        return Payload(output, encoding, "application/json" if self.as_json else "text/csv", "OUTPUT")

    def damage(self) -> None:
        files = sorted((self.root / "captures").rglob("*.jsonl"))
        for place, file in enumerate(files):
            lines = file.read_bytes().splitlines(keepends=True)
            if place % 3 == 0:
                lines.insert(len(lines) // 2, b"{broken\n")
            if place % 4 == 1:
                lines.append(lines[-1][:50])
            if place % 5 == 2:
                lines.insert(0, b'{"captureData": {}, "eventMetadata": {"eventId": "empty-%d"}}\n' % place)
            file.write_bytes(b"".join(lines))

    def write_labels(self) -> None:
        for collected in range(2):
            given = {key: self.label(rows) for key, rows in self.rows_of.items() if self.draw.random() < 0.6}
            given |= {"nobody": "1"}
            moment = START + HOURS * HOUR + collected * HOUR
            write_labels(self.root / "labels", given, collected=moment, name=self.draw.choice("xyz"))
        with next((self.root / "labels").rglob("*.jsonl")).open("ab") as file:
            file.write(
                b'{"groundTruthData": {"data": "", "encoding": "CSV"}, "eventMetadata": {"eventId": "e"}}\n{"half'
            )

    def label(self, rows: int) -> str:
        wanted = rows if self.draw.random() < 0.9 else rows + 1
        choices = {"Regression": ["0.5", "-1", "x"], "MulticlassClassification": ["a", "b", "c"]}
        return "\n".join(self.draw.choice(choices.get(self.kind, ["0", "1", "1", "maybe"])) for _ in range(wanted))


def _text(score: Any) -> str:
    return ",".join(map(str, score)) if isinstance(score, list) else str(score)


def attributes_of(kind: str, *, as_json: bool) -> OutputAttributes:
    classes = tuple("abc") if kind == "MulticlassClassification" else ()
    if as_json:
        probability, label = "predictions[*].score", "predictions[*].label"
    else:
        probability, label = "1-3" if classes else "1", "0"
    return OutputAttributes(None if kind == "Regression" else probability, 0.5, label, classes)


def quality_run(root: Path, kind: str, *, as_json: bool = False, **options: Any) -> ModelQualityRun:
    return ModelQualityRun(
        captures=str(root / "captures"),
        labels=str(root / "labels"),
        problem_type=kind,
        attributes=attributes_of(kind, as_json=as_json),
        as_of=START + 9 * HOUR,
        **options,
    )


@pytest.mark.parametrize(
    ("kind", "as_json", "hours"),
    [
        ("BinaryClassification", False, None),
        pytest.param("MulticlassClassification", True, 2, marks=pytest.mark.long),
        pytest.param("Regression", False, 1, marks=pytest.mark.long),
    ],
)
def test_model_quality_of_random_captures(
    tmp_path: Path, engine: Engine, documents: Documents, assert_same: Same, kind: str, as_json: bool, hours: int | None
) -> None:
    World(tmp_path, len(kind) + as_json, kind=kind, as_json=as_json)
    window = None if hours is None else Window(START, START + hours * HOUR)
    segments = ("plan", "age:30,50") if as_json else ()
    run = quality_run(
        tmp_path, kind, as_json=as_json, window=window, segments=segments, names=NAMES, names_of_inputs=True
    )
    wanted = documents(run)
    assert wanted["result"]["counts"]["duplicate_events"] > 3
    reasons = {one["reason"] for one in wanted["result"]["rejects"]}
    assert {"broken_line", "half_line", "row_count", "no_label"} <= reasons
    assert_same(documents(engine(run)), wanted)


def test_bias_of_random_captures_with_kept_pieces(
    tmp_path: Path, engine: Engine, documents: Documents, assert_same: Same
) -> None:
    World(tmp_path, 31, kind="BinaryClassification")
    run = BiasRun(
        captures=str(tmp_path / "captures"),
        labels=str(tmp_path / "labels"),
        bias=BiasConfig("label", Choice(("1",)), (parse_facet("age>=45"), parse_facet("plan=plus")), group="visits"),
        attributes=attributes_of("BinaryClassification", as_json=False),
        names=NAMES,
        names_of_inputs=True,
        window=Window(START, START + 2 * HOUR),
        as_of=START + 9 * HOUR,
    )
    wanted = documents(run)
    assert wanted["result"]["counts"]["judged"] > 50
    for name in ("by_engine", "by_this_machine"):
        kept = msgspec.structs.replace(run, pieces=str(tmp_path / name))
        found = documents(engine(kept) if name == "by_engine" else kept)
        assert_same(found["analysis.json"], wanted["analysis.json"])
        if name == "by_engine":
            first = found
    assert_same(first, found)
    # What either engine keeps serves the other.
    again = documents(msgspec.structs.replace(run, pieces=str(tmp_path / "by_engine")))
    assert again["result"]["counts"]["capture_files_read"] == 0
    assert_same(again["analysis.json"], wanted["analysis.json"])


def test_data_quality_of_random_captures(
    tmp_path: Path, engine: Engine, documents: Documents, assert_same: Same
) -> None:
    World(tmp_path, 7, kind="BinaryClassification")
    run = DataQualityRun(
        captures=str(tmp_path / "captures"), names=NAMES_OF_ALL, window=Window(START, START + 2 * HOUR)
    )
    table = pa.table(
        {"label": [0, 1] * 50, "score": [0.5, 0.25] * 50, "age": [*range(30, 40)] * 10, "plan": ["plus"] * 100}
    )
    before = baseline_data_quality(table)
    run = msgspec.structs.replace(
        run, baseline=before.statistics, constraints=before.constraints, segments=("plan",), exclude=("visits",)
    )
    wanted = documents(run)
    violated = {one["constraint_check_type"]: one for one in wanted["result"]["violations"]}
    assert violated["data_type_check"]["samples"]
    assert wanted["result"]["counts"]["duplicate_events"] > 5
    assert_same(documents(engine(run)), wanted)


def test_attribution_of_random_captures(
    tmp_path: Path, engine: Engine, documents: Documents, assert_same: Same
) -> None:
    World(tmp_path, 8, kind="BinaryClassification")
    random = np.random.default_rng(3)
    features = np.column_stack([random.integers(20, 70, 200), random.integers(0, 9, 200)])
    learnt = xgboost.DMatrix(features, features[:, 0] + features[:, 1] > 50, feature_names=["age", "visits"])
    xgboost.train({"max_depth": 2, "objective": "binary:logistic"}, learnt, 4).save_model(tmp_path / "model.json")
    run = AttributionRun(
        captures=str(tmp_path / "captures"),
        shap=ShapConfig(),
        model=str(tmp_path / "model.json"),
        names=NAMES,
        names_of_inputs=True,
        exclude=("plan",),
        rows=60,
    )
    wanted = documents(run)
    assert wanted["result"]["counts"]["explained_rows"] == 60
    assert_same(documents(engine(run)), wanted)
