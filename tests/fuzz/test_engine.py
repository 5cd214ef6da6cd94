"""Capture and label files of any content are read, or refused with a reason; the run goes on either way."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.errors import DriftlineError
from driftline.core.verdict import Verdict
from driftline.core.window import Window, partition
from driftline.engine.attributes import OutputAttributes
from driftline.pipeline import ModelQualityRun, run_model_quality

HOUR = datetime(2026, 11, 22, 10, tzinfo=UTC)
WINDOW = Window(HOUR, HOUR + timedelta(hours=1))
WHOLE: dict[str, Any] = {
    "captureData": {
        "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2", "encoding": "CSV"},
        "endpointOutput": {"observedContentType": "text/csv", "mode": "OUTPUT", "data": "0.7", "encoding": "CSV"},
    },
    "eventMetadata": {"eventId": "e", "inferenceId": "i", "inferenceTime": "2026-11-22T10:10:00Z"},
    "eventVersion": "0",
    "groundTruthData": {"data": "1", "encoding": "CSV"},
}
SCALARS = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "\x00", "é", "1e999", "nan", "0.2,0.8", "[1", '{"a":1}', "////", [], {}, [[1]], 10**30]
)
numbers = itertools.count()


@st.composite
def line(draw: st.DrawFn) -> bytes:
    """A record in which some fields are something else or missing, or bytes that are no record at all."""
    record = json.loads(json.dumps(WHOLE))
    for _ in range(draw(st.integers(0, 3))):
        place = record
        while True:
            key = draw(st.sampled_from(sorted(place)))
            if isinstance(place[key], dict) and place[key] and draw(st.booleans()):
                place = place[key]
                continue
            if draw(st.booleans()):
                place[key] = draw(SCALARS)
            else:
                del place[key]
            break
        if not record:
            break
    text = json.dumps(record).encode()
    if draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.binary(max_size=6)) + text[at + draw(st.integers(0, 6)) :]
    return draw(st.sampled_from([text, text, text, b"\xff\xfe", b"", b"\x00" * 20, b"[" * 2000]))


def folder(root: Path, lines: list[bytes]) -> str:
    place = root / partition(HOUR)
    place.mkdir(parents=True)
    (place / "x.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return str(root)


@settings(max_examples=max(1, settings.default.max_examples // 4))  # each is a whole run
@given(
    captures=st.lists(line(), min_size=1, max_size=5),
    labels=st.lists(line(), max_size=5),
    attribute=st.sampled_from(["0", "1", "predictions[*].score", "a[?b > `1`].c", "length(@)", "-1", "@"]),
)
def test_any_lines_end_in_a_verdict_or_an_error_of_ours(
    tmp_path: Path, captures: list[bytes], labels: list[bytes], attribute: str
) -> None:
    root = tmp_path / str(next(numbers))
    try:
        result = run_model_quality(
            ModelQualityRun(
                captures=folder(root / "captures", captures),
                labels=folder(root / "labels", labels),
                problem_type="BinaryClassification",
                attributes=OutputAttributes(probability=attribute),
                window=WINDOW,
                as_of=WINDOW.end,
                constraints=None,
                report=None,
            ),
            now=WINDOW.end,
        )
    except DriftlineError:
        return
    assert result.judgement.verdict in set(Verdict)
