"""Bodies that cannot be decoded are counted and shown; everything else is decoded as if they were not there."""

from __future__ import annotations

import base64
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from driftline.core.errors import InputError
from driftline.core.window import Window, parse_time
from driftline.engine.payload import Decoding
from driftline.engine.rejects import MEANING

WINDOW = Window(parse_time("2026-11-22T10:00Z"), parse_time("2026-11-22T11:00Z"))


def b64(data: bytes) -> tuple[str, str]:
    return "BASE64", base64.b64encode(data).decode()


WIDE = ",".join("1" * 10_001)
BAD: dict[str, Any] = {
    "no_rows": ["", "\n\r\n", [], ("JSON", " \n"), {"instances": []}, [[], []], {"columns": ["a"], "data": []},
                {"inputs": {"a": []}}, b64(b"")],
    "broken_quotes": ['"a', '1,"a"b', 'a,"b""', '"a\n1,2'],
    "ragged": ["1,2\n3", '"a,b",1\n2', [[1, 2], [3]], [{"a": 1}, 2], {"columns": ["a"], "data": [[1, 2]]},
               {"inputs": {"a": [1, 2], "b": [3]}}, {"outputs": [{"name": "p", "shape": [3], "data": [1, 2]}]},
               {"outputs": [{"shape": [1], "data": [1]}]}, {"outputs": [{"name": "p", "shape": [], "data": [1]}]},
               {"outputs": [{"name": "p", "shape": [1], "data": [1]}, {"name": "q", "shape": [2], "data": [1, 2]}]},
               ("JSON", '{"a": 1}\n{"predictions": [1]}'), "x,y,z\n1,2\n3,4"],
    "not_json": [("JSON", "{"), ("JSON", "{'a': 1}"), ("JSON", '{"a": 1}\nx'), ("JSON", '"\\ud800"'), b64(b"{")],
    "not_text": [("BASE64", "%%%"), b64(b"\xff\xfe\x00"), ("BASE64", "abc")],
    "libsvm": [b64(b"1 3:0.5 7:1.25"), b64(b"0 1:1\n1 2:1\n")],
    "too_deep": [("JSON", "[" * 65 + "]" * 65), ("JSON", '{"a":' * 5000 + "1" + "}" * 5000),
                 ("JSON", "[" * 100_000 + "]" * 100_000)],
    "too_wide": [WIDE, f"{WIDE}\n{WIDE}", ("JSON", f"[{WIDE}]"), ("JSON", f"[[{WIDE}]]"),
                 {f"k{n}": n for n in range(10_001)}],
    "unknown_encoding": [("XML", "<a/>"), ("csv", "1,2")],
}  # fmt: skip


@pytest.mark.parametrize("reason", BAD)
def test_bad_outputs(captures: Any, reason: str) -> None:
    bodies = BAD[reason]
    assert reason in MEANING
    for body in bodies:
        made = captures(({"a": 1}, "0.5"), ({"a": 2}, body), ({"a": 3}, "0.7"))
        assert made.rejects == {("captured outputs", reason): 1}, body
        (reject,) = made.found.rejects
        assert len(reject.samples) == 1
        assert reject.samples[0].startswith(f"{captures.folder}/a.jsonl:2: "), body
        values = [value for columns in made.columns for value in columns["a"]]
        assert sorted(values) == [1, 2, 3], body


def test_all_bad_bodies_together(captures: Any) -> None:
    bodies = [(reason, body) for reason, some in BAD.items() for body in some]
    made = captures(*[({"a": 1}, body) for _, body in bodies], ({"a": 1}, "0.5"))
    assert made.rejects == {("captured outputs", reason): len(some) for reason, some in BAD.items()}
    assert all(len(reject.samples) == min(3, reject.count) for reject in made.found.rejects)
    assert made.found.usable == len(bodies) + 1
    made = captures(*[(body, body) for _, body in bodies])
    assert (made.found.records, made.found.usable, made.columns) == (len(bodies), 0, [])
    sides = ("captured outputs", "captured inputs")
    assert made.rejects == {(side, reason): len(some) for reason, some in BAD.items() for side in sides}


def test_a_side_alone(captures: Any) -> None:
    """What has names of its own may stand alone; places are counted from the other side, so they may not."""
    assert captures(({"a": 1}, None)).columns == [{"a": [1]}]
    assert captures(("1,2", None)).columns == [{"_c0": [1], "_c1": [2]}]
    assert captures((None, "0.5")).columns == [{"_c0": [0.5]}]
    assert captures(({"a": 1}, "")).columns == [{"a": [1]}]
    made = captures(("1,2", ""))
    assert (made.columns, made.rejects) == ([], {("captured outputs", "no_rows"): 1})


def test_sides_with_different_numbers_of_rows(captures: Any) -> None:
    differ = [("1,2\n3,4", "0.5"), ("1,2", "0.5\n0.6"), ({"instances": [[1, 2], [3, 4]]}, {"predictions": [1, 2, 3]})]
    made = captures(*differ, ("1,2", "0.5"), ({"instances": [1, 2, 3]}, {"predictions": [1, 2]}))
    assert made.rejects == {("captures", "row_count"): 4}
    assert made.rows == [[("e3", 0)]]


def test_records_that_are_refused_as_a_whole(captures: Any) -> None:
    good = captures.line("a", "1", "2")
    path = captures.write(
        good,
        "{",
        captures.line("", "1", "2"),
        captures.line("b", None, None),
        captures.line("c", "1", "2", time="soon"),
        b"\xff",
        "[" * 5000 + "]" * 5000,
        '{"captureData": {"endpointInput": 5}, "eventMetadata": {"eventId": "d"}}',
    )
    made = captures.decode(path)
    assert made.rejects == {
        ("captures", "broken_line"): 3, ("captures", "no_event_id"): 1, ("captures", "no_payload"): 2,
    }  # fmt: skip
    samples = {reject.reason: reject.samples for reject in made.found.rejects}
    assert [sample.split(":")[1] for sample in samples["broken_line"]] == ["2", "6", "7"]
    assert [sorted(rows) for rows in made.rows] == [[("a", 0), ("c", 0)]]
    timed = captures.decode(path, window=WINDOW)
    assert timed.rejects[("captures", "no_time")] == 2
    assert timed.rows == [[("a", 0)]]


def test_a_line_that_ends_in_its_middle(captures: Any) -> None:
    path = captures.write(captures.line("a", "1", "2"))
    path.write_bytes(path.read_bytes() + captures.line("b", "1", "2").encode()[:60])
    assert captures.decode(path).rejects == {("captures", "half_line"): 1}


def test_windows_are_half_open(captures: Any) -> None:
    times = {"a": "2026-11-22T09:59:59.999999Z", "b": "2026-11-22T10:00:00Z", "c": "2026-11-22T12:59:59+02:00",
             "d": "2026-11-22T11:00:00Z"}  # fmt: skip
    path = captures.write(*(captures.line(event, "1", "2", time=time) for event, time in times.items()))
    made = captures.decode(path, window=WINDOW)
    assert sorted(event for rows in made.rows for event, _ in rows) == ["b", "c"]
    assert made.found.records == 2


def test_an_event_counts_once(captures: Any) -> None:
    lines = [captures.line("a", "1", "2"), captures.line("b", "3", "4"), captures.line("a", "1", "2")]
    first = captures.write(*lines, name="a.jsonl")
    second = captures.write(lines[0], captures.line("c", "5", "6"), lines[1], name="b.jsonl")
    made = captures.decode(first, second)
    assert sorted(event for rows in made.rows for event, _ in rows) == ["a", "b", "c"]
    assert (made.found.records, made.found.usable, made.found.duplicates) == (6, 3, 3)


def test_a_broken_line_hides_no_repeated_event(captures: Any) -> None:
    line = captures.line("a", "1", "2")
    made = captures.decode(captures.write(line, "{", line, captures.line("", "1", "2"), line))
    assert (made.rows, made.found.duplicates) == ([[("a", 0)]], 2)


def test_an_event_counts_once_however_files_are_grouped(captures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftline.engine.payload.decoding._AT_ONCE", 1)
    test_an_event_counts_once(captures)
    test_records_that_are_refused_as_a_whole(captures)


def test_ids(captures: Any) -> None:
    path = captures.write(captures.line("e", "1\n2", "3\n4", inference_id="ü"), captures.line("f", "1", "2"))
    made = captures.decode(path)
    assert made.ids == ["ü", "ü", "f"]
    assert made.rows == [[("e", 0), ("e", 1), ("f", 0)]]


def test_keys_have_types_of_their_own(captures: Any) -> None:
    path = captures.write(captures.line("e", "1", "2"))
    with Decoding([str(path)], None) as decoding:
        (batch,) = decoding.batches()
    assert batch.schema.names[:4] == ["id", "event", "row", "time"]
    assert batch.schema.types[:4] == [pa.string(), pa.string(), pa.int64(), pa.timestamp("us", "UTC")]
    assert batch.column("time")[0].as_py() == parse_time("2026-11-22T10:00:00Z")


def test_files_without_records(captures: Any) -> None:
    assert captures.decode().found.records == 0
    assert captures.decode(captures.write(), captures.write("", name="b.jsonl")).found.records == 0


def test_a_file_that_has_gone(captures: Any) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        captures.decode(captures.folder / "gone.jsonl")


def test_found_is_known_at_the_end(captures: Any) -> None:
    path = captures.write(captures.line("e", "1", "2"))
    with Decoding([str(path)], None) as decoding, pytest.raises(RuntimeError, match="last batch"):
        decoding.found()


@pytest.mark.parametrize("form", ["csv", "object", "list"])
def test_two_thousand_columns(captures: Any, form: str) -> None:
    body: Any = {f"k{n}": n for n in range(2000)} if form == "object" else list(range(2000))
    made = captures(*[(",".join(map(str, body)) if form == "csv" else body, "0.5")] * 20)
    assert made.found.rejects == ()
    assert len(made.columns[0]) == 2001
    assert all(values == [place] * 20 for place, values in enumerate(list(made.columns[0].values())[1:]))


def test_keys_that_are_data(captures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every record has keys of its own: together they are too many; in smaller groups they may not be."""
    monkeypatch.setattr("driftline.engine.payload.json_rows.MAX_COLUMNS", 100)
    made = captures(*[({f"k{n}-{m}": m for m in range(9)}, "0.5") for n in range(24)])
    assert made.found.usable == 24
    assert all(len(columns) <= 100 for columns in made.columns)
    made = captures(*[({f"k{n}-{m}": m for m in range(90)}, "0.5") for n in range(100)])
    assert made.rejects == {("captured inputs", "too_wide"): 100}
    assert made.columns == []


def test_many_rows_in_one_request(captures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftline.engine.payload.decoding.table_rows", lambda columns: 1000)
    made = captures(("\n".join(map(str, range(2500))), "\n".join(map(str, range(2500)))))
    assert [len(rows) for rows in made.rows] == [1000, 1000, 500]
    assert [row for rows in made.rows for _, row in rows] == list(range(2500))
    assert [value for columns in made.columns for value in columns["_c1"]] == list(range(2500))


def test_long_bodies_are_taken_in_turn(captures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftline.engine.payload.decoding._BYTES", 1000)
    made = captures(*[("x" * 900 + str(n), "0.5") for n in range(20)])
    assert len(made.rows) > 5
    assert sorted(values for columns in made.columns for values in columns["_c1"]) == sorted(
        "x" * 900 + str(n) for n in range(20)
    )


def test_small_bodies_take_little_memory(captures: Any) -> None:
    bombs = [
        ("JSON", "[" * 200_000),
        ("JSON", "[[" + "[]," * 100_000 + "[]]]"),
        ("JSON", "{" + '"a":{' * 100_000),
        ("JSON", "[" + "1," * 100_000 + "1]"),
        ("CSV", "," * 200_000),
        ("CSV", '"' * 199_999),
        ("CSV", "\n" * 200_000),
    ]
    tracemalloc.start()
    made = captures(*[({"a": 1}, bomb) for bomb in bombs])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20
    assert made.found.records == len(bombs)


def test_half_of_the_bodies_broken(captures: Any) -> None:
    """A parser that stumbles must not be asked about every body apart."""
    bodies = [("1,2", '"a' if n % 2 else "0.5") for n in range(2000)]
    made = captures(*bodies)
    assert made.rejects == {("captured outputs", "broken_quotes"): 1000}
    assert made.found.usable == 1000


def test_json_numbers_are_not_rounded_to_integers(captures: Any) -> None:
    text = '{"a": 123456789012345678901234567890, "b": 1e400, "c": -0, "d": NaN, "e": 0.1e1}'
    assert json.loads(text)["e"] == 1.0
    made = captures((("JSON", text), "1"))
    assert made.columns[0]["a"] == ["123456789012345678901234567890"]
    assert made.columns[0]["e"] == [1.0]


def test_reading_stops_where_nobody_reads_on(tmp_path: Path, captures: Any) -> None:
    path = captures.write(captures.line("e", "1", "2"))
    with Decoding([str(path)], None) as decoding:
        batches = decoding.batches()
        next(batches)
        batches.close()
