"""What monitors say of an hour is the same from its original files, from the compacted one, and from some of each."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost

from driftline.core.analysis_settings import BiasConfig, Choice, FacetConfig, ShapConfig
from driftline.core.window import HOUR, Window
from driftline.engine.attributes import OutputAttributes
from driftline.engine.compacted.hour import Folder, compact, look
from driftline.engine.files import list_files
from driftline.engine.record_lines import record_lines
from driftline.pipeline import AttributionRun, BiasRun, DataQualityRun, ModelQualityRun, Run, RunResult, run_monitor
from driftline.pipeline.export import export_merged
from driftline.pipeline.pieces import fingerprint
from driftline.testing import START, write_labels

WINDOW = Window(START, START + HOUR)
HOUR_FOLDER = START.strftime("AllTraffic/%Y/%m/%d/%H")
Dice = random.Random


def record(event: str, answer: Any, asked: Any, dice: Dice, **more: Any) -> bytes:
    moment = START + timedelta(seconds=dice.randrange(-60, 3660))
    sides = {"endpointOutput": answer, "endpointInput": asked}
    metadata = {"eventId": event, "inferenceTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ")} | more
    found = {"captureData": {name: side for name, side in sides.items() if side is not None}, "eventMetadata": metadata}
    return json.dumps(found, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")


def side(data: Any, encoding: Any = "CSV") -> dict[str, Any]:
    return {"data": data, "encoding": encoding, "mode": "ANY"}


def good(event: str, dice: Dice) -> bytes:
    cells = [str(dice.randrange(2)), f"{dice.random():.3f}", dice.choice(["a", "b", "é✓"])]
    more = {"inferenceId": f"id-{event}"} if dice.random() < 0.5 else {}
    return record(event, side(f"{dice.random():.4f}"), side(",".join(cells[:2])), dice, **more)


ODD: list[Callable[[str, Dice], bytes]] = [
    lambda event, dice: b"",
    lambda event, dice: b" \t\x0b\x0c",
    lambda event, dice: b"not json",
    lambda event, dice: b"\xff\xfe\x00",
    lambda event, dice: b"5",
    lambda event, dice: b"[" + good(event, dice) + b"]",
    lambda event, dice: good(event, dice) + good(event + "x", dice),
    lambda event, dice: good(event, dice) + b"\r",
    lambda event, dice: b"\xef\xbb\xbf" + good(event, dice),
    lambda event, dice: good("again", dice),
    lambda event, dice: record(event, None, side("1,0.5"), dice),
    lambda event, dice: record(event, None, None, dice),
    lambda event, dice: record("", side("0.5"), side("1,0.5"), dice),
    lambda event, dice: record(event, side("0.5"), side("1,0.5"), dice, inferenceTime="soon"),
    lambda event, dice: record(event, side("0.5"), side("1,0.5"), dice, inferenceTime="2026-11-22T12:01:00+02:00"),
    lambda event, dice: record(event, side("MC4x\n", "BASE64"), side("MSwwLjI=", "BASE64"), dice),
    lambda event, dice: record(event, side("/w==", "BASE64"), side("1,0.5", "THRIFT"), dice),
    lambda event, dice: record(event, side({"score": 0.25}, "JSON"), side("1,0.5"), dice),
    lambda event, dice: record(event, side(0.75), side("2,7"), dice),
    lambda event, dice: record(event, [1], 5, dice),
    lambda event, dice: record(event, side("0.1\n0.9"), side("1,0.5\n2,0.25"), dice),
    lambda event, dice: record(event, side("0.1"), side(f"1,{'9' * 200_000}"), dice),
    lambda event, dice: record(event, side("\ud800"), side("a\x00b,1"), dice),
    lambda event, dice: record(event, side('"0.5'), side('1,"x'), dice),
    lambda event, dice: b'{"captureData":{"endpointOutput":' + json.dumps(side("0.5")).encode(),
]


def write_hour(root: Path, seed: int, files: int = 12) -> Path:
    """An hour of captures in many files with all that can be wrong with them; its folder."""
    dice, folder = random.Random(seed), root / "captures" / HOUR_FOLDER
    folder.mkdir(parents=True)
    for number in range(files):
        lines = [
            dice.choice(ODD)(f"{number}-{place}", dice) if dice.random() < 0.3 else good(f"{number}-{place}", dice)
            for place in range(dice.randrange(0, 40))
        ]
        ends = b"\r\n" if number % 5 == 4 else b"\n"
        content = b"".join(line + ends for line in lines)
        if number % 3 == 1:
            content += good(f"{number}-last", dice)[: dice.choice([40, None])]
        (folder / f"{number:02d}-00-000-it's {number}[é].jsonl").write_bytes(content)
    return folder


def runs(root: Path, model: Path) -> dict[str, Run]:
    captures, labels = str(root / "captures"), str(root / "labels")
    attributes = OutputAttributes(probability="0")
    timed: dict[str, Any] = {"window": WINDOW, "as_of": WINDOW.end + timedelta(days=1), "minimum_sample": 1}
    bias = BiasConfig("label", Choice(("1",)), (FacetConfig("input_0", Choice(("1",))),), probability="0")
    return {
        "quality": ModelQualityRun(captures, labels, "BinaryClassification", attributes, **timed),
        "untimed": ModelQualityRun(captures, labels, "BinaryClassification", attributes, minimum_sample=1),
        "data": DataQualityRun(captures, **timed),
        "bias": BiasRun(
            captures, labels, bias, attributes, names=("input_0", "input_1"), names_of_inputs=True, **timed
        ),
        "attribution": AttributionRun(
            captures, ShapConfig(), model=str(model), names=("a", "b"), names_of_inputs=True, **timed
        ),
    }


def told(run: Run, report: Path) -> tuple[RunResult, dict[str, bytes]]:
    """What a run says, without how long it took and how many files it opened; its documents."""
    result = run_monitor(msgspec.structs.replace(run, report=str(report)), now=WINDOW.end)
    counts = {name: count for name, count in result.counts.items() if name != "capture_files_read"}
    documents = {path.name: path.read_bytes() for path in report.glob("*.json")}
    return msgspec.structs.replace(result, steps=(), counts=counts), documents


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = np.random.default_rng(1).random((200, 2))
    data = xgboost.DMatrix(rows, rows.sum(axis=1) > 1, feature_names=["a", "b"])
    path = tmp_path_factory.mktemp("model") / "model.json"
    xgboost.train({"objective": "binary:logistic", "max_depth": 2, "nthread": 1}, data, 5).save_model(path)
    return path


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
def test_every_monitor_says_the_same(tmp_path: Path, model: Path, seed: int) -> None:
    folder = write_hour(tmp_path, seed)
    dice = random.Random(seed)
    keys = [f"{number}-{place}" for number in range(12) for place in range(40)]
    labels = {dice.choice(["", "id-"]) + key: str(dice.randrange(2)) for key in keys if dice.random() < 0.8}
    write_labels(tmp_path / "labels", labels)
    asked, files = runs(tmp_path, model), sorted(folder.glob("*.jsonl"))
    contents = {path: path.read_bytes() for path in files}
    wanted = {name: told(run, tmp_path / "of originals" / name) for name, run in asked.items()}
    assert {"broken_line", "half_line"} <= {one.reason for one in wanted["quality"][0].rejects}
    mark, lines = fingerprint(list_files(folder, None)), list(record_lines(list_files(folder, None), WINDOW))
    half = {path.name: path.stat().st_size for path in files[::2]}
    compact(Folder(folder, half, ()))
    assert len(list_files(folder, None)) == 1 + len(files) - len(half)
    for path in files[::2]:
        path.unlink()
    assert fingerprint(list_files(folder, None)) == mark
    same(tmp_path / "half and half", asked, wanted)
    compact(look(folder))
    for path in files[1::2]:
        path.unlink()
    (one,) = list_files(folder, None)
    assert (fingerprint([one]), list(record_lines([one], WINDOW))) == (mark, lines)
    same(tmp_path / "compacted", asked, wanted)
    table = pq.read_table(one)
    for path, content in contents.items():
        mine = table.filter(pa.compute.equal(table["file"], path.name)).sort_by("number")
        assert b"".join(mine["line"].to_pylist()) == content


def same(reports: Path, asked: dict[str, Run], wanted: dict[str, tuple[RunResult, dict[str, bytes]]]) -> None:
    for name, run in asked.items():
        assert told(run, reports / name) == wanted[name], f"{reports.name}: {name}"


def test_kept_hours_of_originals_hold_after_compaction(tmp_path: Path, model: Path) -> None:
    folder = write_hour(tmp_path, 5)
    write_labels(tmp_path / "labels", {"id-1-1": "1"})
    asked = runs(tmp_path, model)
    kept = {"pieces": str(tmp_path / "pieces"), "decoded": str(tmp_path / "decoded")}
    chosen = [msgspec.structs.replace(asked[name], **kept) for name in ("quality", "data", "bias")]
    first = [run_monitor(run, now=WINDOW.end) for run in chosen]
    compact(look(folder))
    for path in folder.glob("*.jsonl"):
        path.unlink()
    again = [run_monitor(run, now=WINDOW.end) for run in chosen]
    assert [one.counts["capture_files_read"] for one in again] == [0, 0, 0]
    assert [(one.statistics, one.rejects) for one in again] == [(one.statistics, one.rejects) for one in first]


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_an_export_is_the_same(tmp_path: Path, form: str) -> None:
    folder = write_hour(tmp_path, 7)
    # Of an event captured twice with other bodies an export may keep either.
    for path in folder.glob("*.jsonl"):
        path.write_bytes(b"".join(line for line in path.read_bytes().splitlines(True) if b'"again"' not in line))
    write_labels(tmp_path / "labels", {f"{number}-{place}": "1" for number in range(12) for place in range(40)})

    def exported(name: str) -> list[str]:
        target = tmp_path / f"{name}.{form}"
        export_merged(tmp_path / "captures", tmp_path / "labels", target, window=WINDOW, unlabelled=True)
        found = pq.read_table(target).to_pylist() if form == "parquet" else target.read_text().splitlines()
        return sorted(map(str, found))

    wanted = exported("originals")
    compact(look(folder))
    for path in folder.glob("*.jsonl"):
        path.unlink()
    assert exported("compacted") == wanted
    assert len(wanted) > 100
