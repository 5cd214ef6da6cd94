"""A 30-day window from what was kept of its hours, against reading every capture again."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from driftline.core.window import HOUR, Window, partition
from driftline.engine.attributes import OutputAttributes
from driftline.pipeline import ModelQualityRun, run_model_quality

START = datetime(2026, 10, 1, tzinfo=UTC)
LINE = (
    '{"captureData":{"endpointInput":{"data":"%s","encoding":"CSV","mode":"INPUT"},"endpointOutput":{"data":"%.6f",'
    '"encoding":"CSV","mode":"OUTPUT"}},"eventMetadata":{"eventId":"e%d","inferenceTime":"%s"},"eventVersion":"0"}\n'
)
LABEL = '{"groundTruthData":{"data":"%d","encoding":"CSV"},"eventMetadata":{"eventId":"e%d"},"eventVersion":"0"}\n'


def world(folder: Path, hours: int, rows: int) -> None:
    """``rows`` captures and their labels in each hour."""
    random = np.random.default_rng(0)
    features = ",".join(["0.123"] * 20)
    for hour in range(hours):
        moment = START + hour * HOUR
        scores = random.random(rows)
        said = f"{moment:%Y-%m-%dT%H:}30:00Z"
        first = hour * rows
        captures = "".join(LINE % (features, score, first + i, said) for i, score in enumerate(scores))
        labels = "".join(LABEL % (score > 0.5, first + i) for i, score in enumerate(scores))
        for name, text in (("captures", captures), ("labels", labels)):
            path = folder / name / partition(moment) / "00.jsonl"
            path.parent.mkdir(parents=True)
            path.write_text(text)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rows", type=int, default=1500, help="captures in an hour")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, hours = Path(name), options.days * 24
        world(folder, hours, options.rows)
        window = Window(START, START + hours * HOUR)

        def run(pieces: str | None, part: Window = window) -> float:
            asked = ModelQualityRun(
                captures=str(folder / "captures"),
                labels=str(folder / "labels"),
                problem_type="BinaryClassification",
                attributes=OutputAttributes(probability="0"),
                window=part,
                as_of=window.end + timedelta(days=1),
                pieces=pieces,
            )
            began = time.perf_counter()
            run_model_quality(asked)
            return time.perf_counter() - began

        first = run(str(folder / "pieces"))
        pairs = [(run(str(folder / "pieces")), run(None)) for _ in range(options.runs)]
        kept, read = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(again / saved for saved, again in pairs)
        size = sum(path.stat().st_size for path in (folder / "pieces").rglob("*.piece"))
        found = {
            "captures": hours * options.rows,
            "first run, which keeps its hours, s": round(first, 2),
            "from kept hours, s": round(kept, 3),
            "reading every capture, s": round(read, 2),
            "times faster": round(ratio, 1),
            "kept, MB": round(size / 1e6, 1),
        }
        sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
