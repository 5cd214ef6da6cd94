"""The local engine on content that breaks readers: every refused record is named with its file and line."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from driftline.core.errors import InputError
from driftline.core.records import label
from driftline.core.sampling import hash_ids
from driftline.core.window import Window, parse_time
from driftline.engine.attributes import OutputAttributes
from driftline.engine.expressions import json_path
from driftline.engine.files import list_files
from driftline.engine.local import LocalEngine
from driftline.engine.reading import Found
from driftline.engine.rejects import MEANING, Reject
from driftline.testing import START, capture, write_captures, write_labels

SCORE = OutputAttributes(probability="0")


def record(event: str, data: str = "0.5", encoding: str = "CSV", **metadata: Any) -> bytes:
    output = {"endpointOutput": {"data": data, "encoding": encoding}}
    meta = {"eventId": event, "inferenceTime": "2026-11-22T10:00:00Z"} | metadata
    return json.dumps({"captureData": output, "eventMetadata": meta}).encode()


def read(
    files: list[str], attributes: OutputAttributes = SCORE, window: Window | None = None
) -> tuple[list[dict[str, Any]], Found]:
    with LocalEngine(threads=1) as engine:
        found = engine.load_captures(files, attributes, window)
        engine.without_labels()
        rows = [row for batch in engine.joined() for row in batch.to_pylist()]
    return sorted(rows, key=lambda row: (row["id"], row["row"])), found


def read_bytes(folder: Path, data: bytes, **options: Any) -> tuple[list[str], dict[str, tuple[int, list[int]]]]:
    """The ids that can be used, and for each reason the count and the lines."""
    path = folder / "a.jsonl"
    path.write_bytes(data)
    rows, found = read([str(path)], **options)
    for reject in found.rejects:
        assert reject.reason in MEANING
        assert all(sample.startswith(f"{path}:") for sample in reject.samples)
    return [row["id"] for row in rows], {
        reject.reason: (
            reject.count,
            [int(sample[len(str(path)) + 1 :].partition(":")[0]) for sample in reject.samples],
        )
        for reject in found.rejects
    }


A, D = record("a"), record("d")
CASES: dict[str, tuple[bytes, list[str], dict[str, tuple[int, list[int]]]]] = {
    "empty file": (b"", [], {}),
    "blank lines": (b"\n\n  \n\t\n\r\n" + A + b"\n\r\n\n", ["a"], {}),
    "no last newline": (A + b"\n" + D, ["a", "d"], {}),
    "crlf": (A + b"\r\n" + D + b"\r\n", ["a", "d"], {}),
    "half last line": (A + b"\n\n" + D[:40], ["a"], {"half_line": (1, [3])}),
    "only half a line": (D[:40], [], {"half_line": (1, [1])}),
    "half and broken": (b"{\n" + A + b"\n" + D[:40], ["a"], {"broken_line": (1, [1]), "half_line": (1, [3])}),
    "no records": (
        A + b'\nnull\n123\n\n"x"\n[1,2]\n{}\n' + D,
        ["a", "d"],
        {"broken_line": (5, [2, 3, 5])},
    ),
    "garbage": (A + b'\ngarbage{\n}}}\n{"a":\n' + D + b"\n", ["a", "d"], {"broken_line": (3, [2, 3, 4])}),
    "two on a line": (A + b"\n" + record("b") + record("c") + b"\n" + D, ["a", "d"], {"broken_line": (1, [2])}),
    "invalid utf-8": (A + b"\n" + A.replace(b'"a"', b'"\xff"') + b"\n" + D, ["a", "d"], {"broken_line": (1, [2])}),
    "nul bytes": (A + b"\n\x00\x00\n" + D + b"\n", ["a", "d"], {"broken_line": (1, [2])}),
    "lone surrogate": (
        A + b"\n" + A.replace(b'"a"', b'"\\ud800"') + b"\n" + D,
        ["a", "d"],
        {"broken_line": (1, [2])},
    ),
    "deep nesting": (A + b"\n" + b"[" * 5000 + b"]" * 5000 + b"\n" + D, ["a", "d"], {"broken_line": (1, [2])}),
    "no event id": (A + b"\n" + record("").replace(b'"eventId": "", ', b""), ["a"], {"no_event_id": (1, [2])}),
    "empty event id": (A + b"\n" + record(""), ["a"], {"no_event_id": (1, [2])}),
    "no output": (b'\n{"captureData": {}, "eventMetadata": {"eventId": "x"}}', [], {"no_output": (1, [2])}),
    "unknown encoding": (A + b"\n" + record("x", encoding="XML"), ["a"], {"unknown_encoding": (1, [2])}),
    "no value": (A + b"\n" + record("x", ",1") + b"\n" + record("y", ""), ["a"], {"no_value": (2, [2, 3])}),
    "no number": (record("x", "high") + b"\n" + record("y", "nan"), [], {"not_a_number": (2, [1, 2])}),
    "broken base64": (record("x", "%%%", "BASE64"), [], {"no_value": (1, [1])}),
    "broken json": (record("x", '{"a": ', "JSON"), [], {"no_value": (1, [1])}),
    "nul escape in an id": (record("b\x00x"), ["b\x00x"], {}),
    "nul escape in a value": (record("x", "\x000.5"), [], {"not_a_number": (1, [1])}),
    "fields of other kinds": (
        b'{"captureData": {"endpointOutput": {"data": 0.5, "encoding": "CSV"}}, "eventMetadata": {"eventId": 7}}',
        ["7"],
        {},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_refused_line_is_named(tmp_path: Path, name: str) -> None:
    data, ids, rejects = CASES[name]
    assert read_bytes(tmp_path, data) == (ids, rejects)


def test_a_byte_order_mark_hides_no_record_in_silence(tmp_path: Path) -> None:
    # The reader skips the mark with one thread and refuses the line with several; either way the line is accounted for.
    ids, rejects = read_bytes(tmp_path, b"\xef\xbb\xbf" + A + b"\n" + D + b"\n")
    assert (ids, rejects) in [(["a", "d"], {}), (["d"], {"broken_line": (1, [1])})]


def test_a_record_without_a_time_is_named_when_times_matter(tmp_path: Path) -> None:
    window = Window(parse_time("2026-11-22T10:00Z"), parse_time("2026-11-22T11:00Z"))
    data = A + b"\n" + record("x", inferenceTime="soon") + b"\n" + record("y", inferenceTime="2026-11-22T11:00:00Z")
    assert read_bytes(tmp_path, data, window=window) == (["a"], {"no_time": (1, [2])})
    assert read_bytes(tmp_path, data)[0] == ["a", "x", "y"]


def test_times_with_an_offset_are_in_utc(tmp_path: Path) -> None:
    window = Window(parse_time("2026-11-22T10:00Z"), parse_time("2026-11-22T11:00Z"))
    times = {"x": "2026-11-22T12:30:00+02:00", "y": "2026-11-22T10:30:00+02:00", "z": "2026-11-22T08:15:00.5-0200"}
    data = b"\n".join(record(event, inferenceTime=time) for event, time in times.items())
    assert read_bytes(tmp_path, data, window=window) == (["x", "z"], {})


def test_a_line_of_many_megabytes(tmp_path: Path) -> None:
    output = {"endpointInput": {"data": "x" * 40_000_000}, "endpointOutput": {"data": "0.5", "encoding": "CSV"}}
    huge = json.dumps({"captureData": output, "eventMetadata": {"eventId": "huge"}}).encode()
    assert read_bytes(tmp_path, A + b"\n" + huge + b"\n{\n" + D) == (["a", "d", "huge"], {"broken_line": (1, [3])})


@pytest.mark.parametrize(
    ("body", "column", "score"),
    [
        ("0.5", "0", 0.5), ("0.5\r\n", "0", 0.5), (" 0.5 ,1", "0", 0.5), ('"0.5",1', "0", 0.5), ('a,"0.5"', "1", 0.5),
        (',"0.5"', "1", 0.5), ('"",0.5', "1", 0.5), ('"a,""b",0.7', "1", 0.7), ('"say ""hi""",0.1', "1", 0.1),
        ('"a\nb",0.5', "1", 0.5), ('"a\r\nb","x,y",0.5\r\n', "2", 0.5), ('0.1,0.5,"z"', "1", 0.5), ("+.5e0", "0", 0.5),
        ("inf", "0", float("inf")), ("-Infinity", "0", float("-inf")), ("1e-320", "0", 1e-320), (",,,0.5", "3", 0.5),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["CSV", "BASE64"])
def test_cells(tmp_path: Path, body: str, column: str, score: float, encoding: str) -> None:
    data = base64.b64encode(body.encode()).decode() if encoding == "BASE64" else body
    path = tmp_path / "a.jsonl"
    path.write_bytes(record("x", data, encoding))
    rows, found = read([str(path)], OutputAttributes(probability=column))
    assert (found.rejects, [(row["row"], row["score"]) for row in rows]) == ((), [(0, score)])


DOCUMENTS = [
    ("score", '{"score": 0.5}', [0.5]),
    ("score", '{"score": "0.5"}', [0.5]),
    ("score", '{"score": [0.5, 0.6]}', [0.5, 0.6]),
    ("a.b[0]", '{"a": {"b": [0.5, 0.6]}}', [0.5]),
    ("a.b[-1]", '{"a": {"b": [0.5, 0.6]}}', [0.6]),
    ("predictions[*].score", '{"predictions": [{"score": 0.5}, {"score": 1}]}', [0.5, 1.0]),
    ("predictions[].score", '{"predictions": [{"score": 0.5}]}', [0.5]),
    ('"my score"', '{"my score": 0.5}', [0.5]),
    ('"it\'s"', '{"it\'s": 0.5}', [0.5]),
    ("0", "[0.5, 0.9]", [0.5]),
    ("[*]", "[0.5, 0.9]", [0.5, 0.9]),
    ("[*][1]", "[[0.1, 0.5], [0.2, 0.6]]", [0.5, 0.6]),
    ("score", '{"score": 0.5}\n{"score": 0.6}\n', [0.5, 0.6]),
]


@pytest.mark.parametrize(("path", "document", "scores"), DOCUMENTS)
@pytest.mark.parametrize("encoding", ["JSON", "BASE64"])
def test_documents(tmp_path: Path, path: str, document: str, scores: list[float], encoding: str) -> None:
    data = base64.b64encode(document.encode()).decode() if encoding == "BASE64" else document
    file = tmp_path / "a.jsonl"
    file.write_bytes(record("x", data, encoding))
    rows, found = read([str(file)], OutputAttributes(probability=path))
    assert (found.rejects, [row["score"] for row in rows]) == ((), scores)
    assert [row["row"] for row in rows] == list(range(len(scores)))


@pytest.mark.parametrize("missing", ['{"label": "0"}', '{"score": 0.9}'])
def test_a_row_that_lacks_a_field_never_shifts_the_others(tmp_path: Path, missing: str) -> None:
    document = '{"predictions": [{"score": 0.1, "label": "0"}, ' + missing + ', {"score": 0.3, "label": "1"}]}'
    file = tmp_path / "a.jsonl"
    file.write_bytes(record("x", document, "JSON"))
    both = OutputAttributes(probability="predictions[*].score", inference="predictions[*].label")
    rows, found = read([str(file)], both)
    assert rows == []
    assert [(reject.reason, reject.count) for reject in found.rejects] == [("no_value", 3)]


@pytest.mark.parametrize(
    "attribute", ["", "a b", "a[", "a[x]", "a.", ".a", "a[0]b", "nosuch(", "nosuch(a)", '"a', "a-b"]
)
def test_attributes_that_cannot_be_read_are_refused(attribute: str) -> None:
    with pytest.raises(InputError, match="is no JMESPath"):
        OutputAttributes(probability=attribute)


@pytest.mark.parametrize("attribute", ["*.a", "sum(a)", "a | b", "[?a]", '"a\\"b"', "a[]", "a[*].b[*]", "a[0:2]"])
def test_a_jmespath_that_is_no_json_path_is_searched_document_by_document(attribute: str) -> None:
    assert json_path(attribute) is None
    assert OutputAttributes(probability=attribute).probability == attribute


def test_something_must_be_read() -> None:
    with pytest.raises(InputError, match="nothing says where"):
        OutputAttributes()


NAMES = [
    "a[1].jsonl",
    "a*b?.jsonl",
    "a'b\"c.jsonl",
    "{x,y}.jsonl",
    "]x[.jsonl",
    " a  b.jsonl",
    "ü木.jsonl",
    "[!a].jsonl",
    "$files.jsonl",
    "%20#.jsonl",
]


def test_file_names_are_taken_as_they_are(tmp_path: Path) -> None:
    odd = tmp_path / "year=2026" / "it's [a] *folder*"
    odd.mkdir(parents=True)
    for number, name in enumerate(NAMES):
        (odd / name).write_bytes(record(f"e{number}") + b"\n{\n")
    (odd / "other.txt").write_bytes(b"{")
    files = list_files(tmp_path, None)
    assert files == sorted(str(odd / name) for name in NAMES)
    rows, found = read(files)
    assert len(rows) == len(NAMES)
    assert [(reject.reason, reject.count, len(reject.samples)) for reject in found.rejects] == [
        ("broken_line", len(NAMES), 3)
    ]
    for name in NAMES:
        assert read([str(odd / name)])[1].rejects[0].samples == (f"{odd / name}:2: {{",)


def test_a_file_that_goes_away_is_an_error_of_the_input(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="cannot be read"):
        read(list_files(tmp_path, None))
    with LocalEngine() as engine, pytest.raises(InputError, match="cannot be read"):
        engine.load_labels(list_files(tmp_path, None))


def test_folders(tmp_path: Path) -> None:
    assert list_files(tmp_path, None) == []
    with pytest.raises(InputError, match="no folder"):
        list_files(tmp_path / "missing", None)
    (tmp_path / "a.jsonl").write_bytes(A)
    assert list_files(tmp_path / "a.jsonl", None) == [str(tmp_path / "a.jsonl")]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser can read every folder")
def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(InputError, match="cannot be read"):
        list_files(tmp_path, None)


def test_pruning_never_loses_a_record_of_the_window(tmp_path: Path) -> None:
    ticks = ["2026-11-22T09:59:59.999999Z", "2026-11-22T10:00:00Z", "2026-11-22T10:59:59.999999Z",
             "2026-11-22T11:00:00Z", "2026-12-31T23:59:59.999999Z", "2027-01-01T00:00:00Z"]  # fmt: skip
    write_captures(tmp_path / "churn" / "AllTraffic", [capture("0.5", text, time=parse_time(text)) for text in ticks])
    write_captures(tmp_path / "2026" / "11", [capture("0.5", "under a name like a year", time=START)])
    for start, end in [(1, 3), (0, 3), (1, 2), (0, 1), (3, 5), (4, 5), (0, 5)]:
        window = Window(parse_time(ticks[start]), parse_time(ticks[end]))
        rows, _ = read(list_files(tmp_path / "churn", window), window=window)
        assert [row["id"] for row in rows] == ticks[start:end]
    window = Window(parse_time(ticks[1]), parse_time(ticks[3]))
    assert len(list_files(tmp_path / "churn", window)) == 1
    assert list_files(tmp_path / "churn", Window(window.start, window.start)) == list_files(tmp_path / "churn", window)


def test_the_newest_label_wins_by_path_then_line(tmp_path: Path) -> None:
    write_captures(tmp_path / "c", [capture("0.5", "a"), capture("0.6", "b"), capture("0.7", "c")])
    write_labels(tmp_path / "l", [label("a", "first"), label("b", "x"), label("a", "second")], name="m")
    write_labels(tmp_path / "l", [label("b", "newest"), label("c", "only")], name="n")
    write_labels(tmp_path / "l", [label("b", "oldest")], name="a")
    with LocalEngine() as engine:
        engine.load_captures(list_files(tmp_path / "c", None), SCORE, None)
        found = engine.load_labels(list_files(tmp_path / "l", None))
        rows = {row["id"]: row["label"] for batch in engine.joined() for row in batch.to_pylist()}
    assert rows == {"a": "second", "b": "newest", "c": "only"}
    assert (found.records, found.usable, found.duplicates) == (6, 3, 3)


def test_a_label_of_another_number_of_rows_is_refused(tmp_path: Path) -> None:
    bodies = {"two": "0.1\n0.2", "three": "0.1\n0.2\n0.3", "one": "0.5", "faulty": "0.1\nx"}
    write_captures(tmp_path / "c", [capture(body, key) for key, body in bodies.items()])
    write_captures(
        tmp_path / "c", [capture("0.4\n0.6", "e1", inference_id="shared"), capture("0.45", "e2", inference_id="shared")]
    )
    write_labels(tmp_path / "l", {"two": "1\n0", "three": "1\n0", "one": "1\n0", "faulty": "1\n0", "shared": "0\n1"})
    with LocalEngine() as engine:
        engine.load_captures(list_files(tmp_path / "c", None), SCORE, None)
        engine.load_labels(list_files(tmp_path / "l", None))
        rows = {(r["id"], r["row"], r["score"]): r["label"] for batch in engine.joined() for r in batch.to_pylist()}
        mismatches = engine.mismatches()
    assert {key: value for key, value in rows.items() if value is not None} == {
        ("two", 0, 0.1): "1", ("two", 1, 0.2): "0", ("faulty", 0, 0.1): "1",
        # One label fits one of two requests that share an id; the other stays without.
        ("shared", 0, 0.4): "0", ("shared", 1, 0.6): "1",
    }  # fmt: skip
    assert len(rows) == 10
    assert mismatches == (
        Reject("labels", "row_count", 3, ("label for id one", "label for id shared", "label for id three")),
    )


def test_refused_labels_are_named(tmp_path: Path) -> None:
    write_captures(tmp_path / "c", [capture("0.5", "a")])
    good = b'{"groundTruthData": {"data": "1"}, "eventMetadata": {"eventId": "a"}}\n'
    (tmp_path / "l.jsonl").write_bytes(
        b"{\n" + good + good.replace(b'"1"', b'" "') + good.replace(b'"a"', b'""') + b"\n" + good[:30]
    )
    with LocalEngine() as engine:
        engine.load_captures(list_files(tmp_path / "c", None), SCORE, None)
        found = engine.load_labels([str(tmp_path / "l.jsonl")])
        assert [row["label"] for batch in engine.joined() for row in batch.to_pylist()] == ["1"]
    assert (found.records, found.usable) == (5, 1)
    named = {reject.reason: [sample.split(":")[1] for sample in reject.samples] for reject in found.rejects}
    assert named == {"broken_line": ["1"], "half_line": ["6"], "no_label": ["3"], "no_event_id": ["4"]}


def test_the_ids_of_labels_are_told_by_file(tmp_path: Path) -> None:
    (first,) = write_labels(tmp_path, {"a": "1", "b": "0"}, name="first")
    (second,) = write_labels(tmp_path, {}, name="second") or [tmp_path / "empty.jsonl"]
    second.touch()
    (third,) = write_labels(tmp_path, {"b": "1"}, name="it's [odd]")
    with LocalEngine() as engine:
        found = engine.label_ids([str(first), str(second), str(third)])
        assert engine.label_ids([]) == {}
    hashes = {name: int(hash_ids(pa.array([name]))[0]) for name in "ab"}
    assert {file: set(values.tolist()) for file, values in found.items()} == {
        str(first): set(hashes.values()),
        str(second): set(),
        str(third): {hashes["b"]},
    }
