"""An hour of captures in many small files against the same hour compacted: what reading it again costs, in turn."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from driftline.core.window import HOUR, Window, partition
from driftline.engine.attributes import OutputAttributes
from driftline.engine.compacted.hour import compact, look
from driftline.engine.files import list_files
from driftline.engine.local import LocalEngine
from driftline.pipeline import DataQualityRun, ModelQualityRun, run_monitor

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
WINDOW = Window(START, START + HOUR)
ATTRIBUTES = OutputAttributes(probability="0")
LINE = (
    '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"%s","encoding":"CSV"},'
    '"endpointOutput":{"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT","data":"%.6f",'
    '"encoding":"CSV"}},'
    '"eventMetadata":{"eventId":"%s","inferenceId":"order-%09d","inferenceTime":"%s"},"eventVersion":"0"}\n'
)
LABEL = (
    '{"groundTruthData":{"data":"%d","encoding":"CSV"},"eventMetadata":{"eventId":"order-%09d"},"eventVersion":"0"}\n'
)
Timed = tuple[float, float]


def world(root: Path, records: int, files: int) -> Path:
    """An hour of records in so many files, and their labels in one for each minute; the hour's folder."""
    random = np.random.default_rng(0)
    captures, labels = (root / name / partition(START) for name in ("captures/AllTraffic", "labels"))
    captures.mkdir(parents=True)
    labels.mkdir(parents=True)
    for number, places in enumerate(np.array_split(np.arange(records), files)):
        rows = random.normal(size=(len(places), 20))
        scores = random.random(len(places))
        lines = []
        for place, row, score in zip(places.tolist(), rows.tolist(), scores.tolist(), strict=True):
            event = uuid.UUID(bytes=random.bytes(16))
            moment = f"{START + place / records * HOUR:%Y-%m-%dT%H:%M:%SZ}"
            lines.append(LINE % (",".join(f"{cell:.4f}" for cell in row), score, event, place, moment))
        minute, second = divmod(int(places[0] / records * 3600), 60)
        (captures / f"{minute:02d}-{second:02d}-{number % 1000:03d}-{uuid.uuid4()}.jsonl").write_text("".join(lines))
    for minute, places in enumerate(np.array_split(np.arange(records), 60)):
        truth = "".join(LABEL % (place % 3 == 0, place) for place in places.tolist())
        (labels / f"{minute:02d}-00-000-{uuid.uuid4()}.jsonl").write_text(truth)
    return captures


def timed(work: Callable[[], object]) -> Timed:
    """Seconds by the wall and by the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def load(files: list[str], spill: Path) -> None:
    """What model quality reads of captures."""
    with LocalEngine(spill=str(spill), memory_limit="512MB") as engine:
        engine.load_captures(files, ATTRIBUTES, WINDOW)


def works(root: Path, captures: Path, files: list[str]) -> dict[str, Callable[[], object]]:
    """The readings that are measured."""
    later = WINDOW.end + timedelta(days=1)
    where, truth = str(captures), str(root / "labels")
    quality = ModelQualityRun(where, truth, "BinaryClassification", ATTRIBUTES, window=WINDOW, as_of=later)
    unlabelled = ModelQualityRun(where, None, "BinaryClassification", ATTRIBUTES, window=WINDOW, as_of=later)
    columns = DataQualityRun(where, window=WINDOW, as_of=later)
    return {
        "reading what model quality needs": lambda: load(files, root / "spill"),
        "model quality, no labels yet": lambda: run_monitor(unlabelled),
        "model quality with labels": lambda: run_monitor(quality),
        "data quality": lambda: run_monitor(columns),
    }


def compare(before: list[Timed], after: list[Timed]) -> dict[str, object]:
    """Medians of both sides, and of the ratio round by round."""
    found: dict[str, object] = {}
    for place, unit in enumerate(("wall s", "CPU s")):
        sides = [[one[place] for one in side] for side in (before, after)]
        ratios = sorted(old / new for old, new in zip(*sides, strict=True))
        found |= {f"{name}, {unit}": round(statistics.median(side), 2) for name, side in zip(NAMES, sides, strict=True)}
        found[f"times faster, {unit[:-2]}"] = f"{statistics.median(ratios):.1f} ({ratios[0]:.1f}–{ratios[-1]:.1f})"
    return found


NAMES = ("originals", "compacted")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        hour = world(root, options.records, options.files)
        originals = list_files(hour, None)
        made: list[Path] = []
        seconds = timed(lambda: made.append(compact(look(hour))))
        beside = root / "compacted/AllTraffic" / partition(START)
        beside.mkdir(parents=True)
        (beside / made[0].name).hardlink_to(made[0])
        made[0].unlink()
        sides = (
            works(root, root / "captures", originals),
            works(root, root / "compacted", [str(beside / made[0].name)]),
        )
        found: dict[str, object] = {
            "records": options.records,
            "files": len(originals),
            "bytes of originals, MB": round(sum(Path(one).stat().st_size for one in originals) / 1e6, 1),
            "bytes compacted, MB": round((beside / made[0].name).stat().st_size / 1e6, 1),
            "compacting, wall and CPU s": [round(one, 1) for one in seconds],
        }
        for work in sides[0]:
            rounds = [(timed(sides[0][work]), timed(sides[1][work])) for _ in range(options.rounds)]
            found[work] = compare([old for old, _ in rounds], [new for _, new in rounds])
    sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
