"""Files of any content are read, or refused with a reason; the run goes on either way."""

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
from driftline.engine.datasets import Dataset
from driftline.engine.local import LocalEngine
from driftline.engine.payload import Decoding, Reading
from driftline.engine.rejects import MEANING
from driftline.pipeline import ModelQualityRun, run_model_quality
from driftline.pipeline.decoded import DecodedCaptures

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
BODIES = st.sampled_from(
    [
        "",
        "1,2",
        "1,2\n3",
        '"a',
        '"a"b',
        "\ufeff1",
        "a,b\n1,2",
        "\r\r\n",
        "\x00",
        "{",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "[[1],[2]]",
        "[1,[2]]",
        "null",
        '{"a":1}\n{"b":2}',
        '{"instances":[1,{"a":2}]}',
        '{"instances":{"a":[1]}}',
        '{"inputs":[{"name":"x","shape":[1],"data":[1]}]}',
        '{"inputs":[{"name":5,"shape":["x"],"data":[[1]]}]}',
        '{"inputs":[{"data":[1]}]}',
        '{"inputs":{"a":[1],"b":[[2]]}}',
        '{"columns":[1,1],"data":[[1,2]]}',
        '{"columns":[],"data":[[]]}',
        '{"dataframe_split":{"columns":["a"],"data":[1]}}',
        '{"features":[]}',
        '{"features":5}',
        '{"":{"":[{}]}}',
        '{"a":1,"A":{"b":[]}}',
        '{"predictions":null}',
        '{"a":{}}',
        "[{}]",
        "[[]]",
        "[null,1]",
        "1 2:3",
        "MSwyCg==",
        "eyJhIjoxfQ==",
        "/w==",
    ]
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


@st.composite
def payload(draw: st.DrawFn) -> bytes:
    """A record with odd bodies on one side or both."""
    sides = draw(st.sampled_from([("endpointInput",), ("endpointOutput",), ("endpointInput", "endpointOutput")]))
    encodings = st.sampled_from(["CSV", "JSON", "BASE64", "csv", None])
    bodies = BODIES | st.text(max_size=12) | st.text(alphabet='[]{}",:1a\n', max_size=12)
    data = {side: {"data": draw(bodies), "encoding": draw(encodings)} for side in sides}
    event = draw(st.sampled_from(["a", "b", "c", "d"]))
    return json.dumps({"captureData": data, "eventMetadata": WHOLE["eventMetadata"] | {"eventId": event}}).encode()


@given(lines=st.lists(payload() | line(), min_size=1, max_size=6), names=st.sampled_from([(), ("a", "b")]))
def test_any_bodies_are_columns_or_refused(tmp_path: Path, lines: list[bytes], names: tuple[str, ...]) -> None:
    root = Path(folder(tmp_path / str(next(numbers)), lines))
    files = [str(path) for path in root.rglob("*.jsonl")]
    with Decoding(files, WINDOW, Reading(names=names), threads=1) as decoding:
        batches = list(decoding.batches())
        found = decoding.found()
    assert found.usable == sum(batch.num_rows for batch in batches)
    assert all(reject.reason in MEANING and reject.count > 0 for reject in found.rejects)
    assert all(reject.samples for reject in found.rejects)
    for batch in batches:
        batch.validate(full=True)
        assert len(set(batch.schema.names[4:])) == batch.num_columns - 4


@settings(max_examples=max(1, settings.default.max_examples // 4))
@given(
    lines=st.lists(payload() | line(), min_size=1, max_size=6),
    attribute=st.sampled_from(["0", "1", "predictions[*].score", "a[?b > `1`].c", "@"]),
)
def test_records_decoded_before_are_read_as_their_lines(tmp_path: Path, lines: list[bytes], attribute: str) -> None:
    root = tmp_path / str(next(numbers))
    files = [str(path) for path in Path(folder(root / "captures", lines)).rglob("*.jsonl")]
    attributes = OutputAttributes(probability=attribute)
    found = []
    for decoded in (None, root / "decoded", root / "decoded"):
        with LocalEngine(threads=1) as engine:
            with DecodedCaptures(decoded, threads=1).records(files, WINDOW) as records:
                told = engine.load_captures(files, attributes, WINDOW, records)
            engine.without_labels()
            rows = sorted(str(row) for batch in engine.joined() for row in batch.to_pylist())
            found.append((told, rows))
    assert found[0] == found[1] == found[2]


@given(
    content=st.lists(st.binary(max_size=8) | BODIES.map(str.encode), max_size=6).map(b"\n".join),
    suffix=st.sampled_from([".csv", ".jsonl", ".parquet", ".json"]),
    header=st.sampled_from([True, False, None]),
)
def test_any_file_is_a_table_or_refused(tmp_path: Path, content: bytes, suffix: str, header: bool | None) -> None:
    path = tmp_path / f"{next(numbers)}{suffix}"
    path.write_bytes(content)
    try:
        data = Dataset(path, header=header)
        for batch in data.batches():
            batch.validate(full=True)
            assert len(set(batch.schema.names)) == batch.num_columns
        assert all(reject.count and reject.samples for reject in data.rejects())
    except DriftlineError:
        return
