"""The public helpers for tests: the clock and the data makers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftline.core.records import decode_capture, decode_label, label
from driftline.testing import (
    START,
    FakeClock,
    capture,
    prediction_batch,
    quality_captures,
    write_captures,
    write_labels,
)


def test_the_clock_stands_still_until_moved() -> None:
    clock = FakeClock(100.0)
    assert clock() == clock() == 100.0
    clock.advance(timedelta(minutes=1))
    clock.advance(0.5)
    assert clock() == 160.5
    clock.set(START)
    assert clock.moment == START
    assert clock() == START.timestamp()


def test_predictions_are_repeatable_and_as_asked() -> None:
    assert prediction_batch(50, 3).equals(prediction_batch(50, 3))
    assert not prediction_batch(50, 3).equals(prediction_batch(50, 4))
    ties = prediction_batch(500, 1, distinct=4)
    assert len(set(ties.column("score").to_pylist())) <= 4
    assert prediction_batch(20, 1, scored=False).column("score").null_count == 20
    assert prediction_batch(20, 1, predicted=True).column("prediction").null_count == 0
    assert set(prediction_batch(200, 1, positives=0.0).column("label").to_pylist()) == {"0"}


def test_captures_go_into_the_folder_of_their_hour(tmp_path: Path) -> None:
    late = datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC)
    other_zone = datetime.fromisoformat("2026-11-23T01:30:00+02:00")
    written = write_captures(
        tmp_path,
        [
            capture("0.5", "a", time=late),
            capture("0.6", "b", time=late + timedelta(microseconds=1)),
            capture("0.7", "c", time=other_zone),
        ],
    )
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        "2026/11/22/23/00-00-000.jsonl",
        "2026/11/23/00/00-00-000.jsonl",
    ]
    lines = written[0].read_bytes().splitlines()
    assert [decode_capture(line).event_metadata.event_id for line in lines] == ["a", "c"]


def test_labels_from_a_mapping_or_from_records(tmp_path: Path) -> None:
    (path,) = write_labels(tmp_path, {"a": "1", "b": "0"})
    assert write_labels(tmp_path, [label("c", "1")]) == [path]
    records = [decode_label(line) for line in path.read_bytes().splitlines()]
    assert [record.event_metadata.event_id for record in records] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("body", "content_type", "encoding"),
    [("1", "text/csv", "CSV"), ("[1]", "application/json", "JSON"), (b"\xff", "text/csv", "BASE64")],
)
def test_a_capture_has_the_encoding_of_its_content_type(body: str | bytes, content_type: str, encoding: str) -> None:
    answer = capture(body, "a", content_type=content_type).capture_data.endpoint_output
    assert answer is not None
    assert answer.encoding == encoding


def test_quality_captures_keep_scores_exactly() -> None:
    batch = prediction_batch(20, 6)
    scores = [
        float(record.capture_data.endpoint_output.data)
        for record in quality_captures(batch)
        if record.capture_data.endpoint_output
    ]
    assert scores == batch.column("score").to_pylist()
