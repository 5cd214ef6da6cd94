"""For whoever writes an analyzer or tests a monitor: the laws of states, a clock that stands still, and data makers.

Needs no test framework: every check is a plain function that raises :class:`AssertionError` saying which law broke.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from driftline.core import records
from driftline.core.laws import (
    SPLITS,
    check_identity,
    check_laws,
    check_merge,
    check_no_rows,
    check_order,
    check_saving,
    check_splits,
    check_untouched,
    one_batch,
    same,
    split,
)
from driftline.core.records import CaptureData, CaptureRecord, EventMetadata, GroundTruthRecord, Payload
from driftline.core.window import partition
from driftline.monitors.quality.binary import BinaryQuality

__all__ = [
    "SPLITS",
    "START",
    "FakeClock",
    "capture",
    "check_identity",
    "check_laws",
    "check_merge",
    "check_no_rows",
    "check_order",
    "check_saving",
    "check_splits",
    "check_untouched",
    "judged_batch",
    "labelled_batch",
    "one_batch",
    "prediction_batch",
    "quality_captures",
    "same",
    "split",
    "write_captures",
    "write_labels",
]
START = datetime(2026, 11, 22, 10, tzinfo=UTC)


class FakeClock:
    """A clock that stands still until it is moved. Calling it gives seconds since the epoch, as ``time.time`` does.

    >>> clock = FakeClock()
    >>> clock.advance(90)
    >>> clock.moment.isoformat()
    '2026-11-22T10:01:30+00:00'
    >>> clock.set(datetime(2026, 11, 23, tzinfo=UTC))
    >>> clock()
    1795392000.0
    """

    def __init__(self, start: datetime | float = START) -> None:
        self._seconds = _seconds(start)

    def __call__(self) -> float:
        return self._seconds

    @property
    def moment(self) -> datetime:
        """The time as an aware UTC datetime."""
        return records.utc(self._seconds)

    def set(self, moment: datetime | float) -> None:
        """Stand at a moment: a datetime, or seconds since the epoch."""
        self._seconds = _seconds(moment)

    def advance(self, length: timedelta | float) -> None:
        """Go on by a length of time, or by a number of seconds."""
        self._seconds += length.total_seconds() if isinstance(length, timedelta) else length


def _seconds(moment: datetime | float) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)


def prediction_batch(
    n: int,
    seed: int = 0,
    *,
    positives: float = 0.3,
    skill: float = 1.0,
    distinct: int | None = None,
    predicted: bool = False,
    scored: bool = True,
) -> pa.RecordBatch:
    """``n`` predictions with their labels, as an engine hands them to the binary model-quality monitor.

    A share ``positives`` of the labels is 1; their scores lie ``skill`` standard deviations higher before they are
    squeezed into (0, 1). ``distinct`` rounds the scores to that many values, which makes ties. ``predicted`` adds a
    predicted label, which agrees with the score above 0.5 in nine rows of ten; without ``scored`` there are no scores.
    """
    random = np.random.default_rng(seed)
    labels = random.random(n) < positives
    scores = 1 / (1 + np.exp(-(random.normal(size=n) + skill * (labels - 0.5))))
    if distinct is not None:
        scores = np.floor(scores * distinct) / distinct
    decided = (scores > 0.5) ^ (random.random(n) < 0.1)
    nothing = pa.nulls(n, pa.string())
    return pa.RecordBatch.from_pydict(
        {
            "id": pa.array([f"record-{seed}-{number}" for number in range(n)], pa.string()),
            "row": pa.array(np.zeros(n, dtype=np.int64)),
            "score": pa.array(scores) if scored else pa.nulls(n, pa.float64()),
            "prediction": _zero_one(decided) if predicted else nothing,
            "label": _zero_one(labels),
        }
    )


def labelled_batch(
    labels: Any, *, predictions: Any = None, scores: Any = None, weights: Any = None, start: int = 0
) -> pa.RecordBatch:
    """Rows of any problem as an engine hands them to a model-quality monitor, numbered from ``start``.

    Labels and predictions are text, numbers or None; without ``weights`` there is no such column.
    """
    n = len(labels)
    columns = {
        "id": pa.nulls(n, pa.string()),
        "row": pa.array(np.arange(start, start + n)),
        "score": pa.nulls(n, pa.float64()) if scores is None else pa.array(scores, pa.float64()),
        "prediction": pa.nulls(n, pa.string()) if predictions is None else _texts_or_numbers(predictions),
        "label": _texts_or_numbers(labels),
    }
    if weights is not None:
        columns["weight"] = pa.array(weights, pa.float64())
    return pa.RecordBatch.from_pydict(columns)


def _texts_or_numbers(values: Any) -> pa.Array[Any]:
    return pa.array(values) if len(values) else pa.array([], pa.string())


def judged_batch(n: int, seed: int = 0, **options: Any) -> pa.RecordBatch:
    """The rows of :func:`prediction_batch` (same options) as the analyzers of classifiers see them: ``actual``,
    ``predicted``, ``score``, ``positive``, ``group`` and ``weight``."""
    return BinaryQuality(seed=seed).judged(prediction_batch(n, seed, **options))[0]


def _zero_one(values: Any) -> pa.StringArray:
    return pa.array(np.where(values, "1", "0").tolist(), pa.string())


def capture(
    output: str | bytes,
    event_id: str,
    *,
    inference_id: str | None = None,
    time: datetime = START,
    content_type: str = "text/csv",
    request: str | None = None,
) -> CaptureRecord:
    """The capture record of one answer; its encoding follows from the content type, as in a live capture."""
    body = output.encode() if isinstance(output, str) else output
    answer = records.payload(body, content_type, "OUTPUT", records.encoding_of(content_type))
    asked = None if request is None else Payload(request, "CSV", "text/csv", "INPUT")
    metadata = EventMetadata(event_id, inference_id=inference_id, inference_time=time)
    return CaptureRecord(CaptureData(endpoint_input=asked, endpoint_output=answer), metadata)


def write_captures(folder: str | Path, captured: Iterable[CaptureRecord], *, name: str = "00-00-000") -> list[Path]:
    """Append capture records to ``{folder}/yyyy/mm/dd/hh/{name}.jsonl`` by the hour of their inference; the files."""
    return _append(folder, ((record.event_metadata.inference_time or START, record) for record in captured), name)


def write_labels(
    folder: str | Path,
    labels: Mapping[str, str] | Iterable[GroundTruthRecord],
    *,
    collected: datetime = START,
    name: str = "labels",
) -> list[Path]:
    """Append labels, given by id or as records, to ``{folder}/yyyy/mm/dd/hh/{name}.jsonl`` of the hour they were
    collected in; the files."""
    made: Iterable[GroundTruthRecord] = (
        (records.label(key, value) for key, value in labels.items()) if isinstance(labels, Mapping) else labels
    )
    return _append(folder, ((collected, record) for record in made), name)


def _append(
    folder: str | Path, timed: Iterable[tuple[datetime, CaptureRecord | GroundTruthRecord]], name: str
) -> list[Path]:
    written: dict[Path, list[bytes]] = {}
    for moment, record in timed:
        path = Path(folder) / partition(moment.astimezone(UTC)) / f"{name}.jsonl"
        written.setdefault(path, []).append(records.encode_line(record))
    for path, lines in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.writelines(lines)
    return sorted(written)


def quality_captures(
    batch: pa.RecordBatch, *, start: datetime = START, every: timedelta = timedelta(seconds=1)
) -> Iterator[CaptureRecord]:
    """The rows of :func:`prediction_batch` as capture records, one a row: the score is the answer's only column."""
    for number, (key, score) in enumerate(
        zip(batch.column("id").to_pylist(), batch.column("score").to_pylist(), strict=True)
    ):
        yield capture(repr(score), f"event-{key}", inference_id=key, time=start + number * every)
