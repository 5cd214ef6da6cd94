"""Random records against a slow decoder written from the description, body by body and value by value."""

from __future__ import annotations

import base64
import csv
import io
import itertools
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CELLS = st.one_of(
    st.integers(-5, 10**20).map(str),
    st.sampled_from(["6.5", "1e3", "-0.0", "nan", "inf", "007", "", "x", "a,b", 'say "hi"', "a\nb", "ü木"]),
    st.sampled_from(["true", "0x1F", "2026-11-22", "+1"]),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
LEAVES = st.one_of(
    st.integers(-5, 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["6", "6.5", "x", "", "ü", True, None, "a,b\n", '"']),
)
KEYS = st.sampled_from(["a", "b", "A", "ü.x"])
VALUES = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, min_size=1, max_size=3),
    max_leaves=6,
)
Row = dict[str, str | None]


@st.composite
def csv_body(draw: st.DrawFn, rows: int) -> tuple[tuple[str, str], list[list[str]]]:
    width = draw(st.integers(1, 3))
    table = [[draw(CELLS) for _ in range(width)] for _ in range(rows)]
    # A row of one empty cell at the end is no row, and a body of it alone is no body.
    if width == 1:
        table = [[cell or "0"] for (cell,) in table]
    text = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    csv.writer(text, lineterminator=draw(st.sampled_from(["\n", "\r\n"])), quoting=quoting).writerows(table)
    body = text.getvalue().rstrip("\r\n") + draw(st.sampled_from(["", "\n"]))
    return draw(encoded("CSV", body)), table


@st.composite
def encoded(draw: st.DrawFn, encoding: str, body: str) -> tuple[str, str]:
    sniffed = encoding == "JSON" or not re.match(r"\s*[\[{]|[^\s,]+([ \t]+\d+:[^\s,]+)+\s*($|[\r\n])", body)
    if sniffed and body.lstrip()[:1] not in '"-0123456789tfn' and draw(st.integers(0, 3)) == 0:
        return "BASE64", base64.b64encode(body.encode()).decode()
    return encoding, body


@st.composite
def object_body(draw: st.DrawFn, rows: int) -> tuple[tuple[str, str], list[dict[str, Any]]]:
    keys = st.sampled_from(["a", "b", "c d", "e", "F"])
    table = [draw(st.dictionaries(keys, VALUES, min_size=1, max_size=4)) for _ in range(rows)]
    forms: list[Any] = [{"instances": table}, table, {"predictions": table}, {"dataframe_records": table}]
    body = json.dumps(draw(st.sampled_from(forms + table[:1] * (rows == 1))), ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 3)) == 0:
        body = "\n".join(json.dumps(row) for row in table)
    return draw(encoded("JSON", body)), table


def text_of(value: Any) -> str | None:
    """A value as the text that its type is told by."""
    if value is None or isinstance(value, str):
        return value or None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def kind_of(text: str) -> str:
    if re.fullmatch(r"-?\d+", text):
        return "int"
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf(inity)?)", text, re.IGNORECASE):
        return "float" if re.search("[.eEnN]", text) else "sign"
    return "text"


def type_of(texts: list[str]) -> str:
    kinds = {kind_of(text.strip()) for text in texts}
    if not kinds:
        return "null"
    if kinds == {"int"} and all(-(2**63) <= int(text) < 2**63 for text in texts):
        return "int64"
    return "double" if kinds == {"float"} else "string"


def same(text: str | None, value: Any) -> bool:
    if text is None or value is None:
        return text is None and value is None
    if isinstance(value, str):
        # The database writes a number of JSON in its own way.
        return value == text or (kind_of(text) == kind_of(value) == "float" and float(text) == float(value))
    return float(text) == float(value) or (math.isnan(value) and math.isnan(float(text)))


def check_columns(made: Any, wanted: dict[tuple[str, int], Row]) -> None:
    """Every value as it was written, and every column of the type that its texts have."""
    seen = set()
    for columns, types, rows in zip(made.columns, made.types, made.rows, strict=True):
        for name, values in columns.items():
            texts = [wanted[key].get(name) for key in rows]
            assert all(map(same, texts, values)), (name, texts, values)
            present = [text for text in texts if text is not None]
            assert not present or types[name] == type_of(present), (name, texts)
        for key in rows:
            assert {name for name, text in wanted[key].items() if text is not None} <= columns.keys()
        seen.update(rows)
    assert seen == wanted.keys()


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_csv_as_a_csv_reader_reads_it(captures: Any, data: st.DataObject) -> None:
    lines: list[str] = []
    wanted: dict[tuple[str, int], Row] = {}
    for number in range(data.draw(st.integers(1, 8))):
        rows = data.draw(st.sampled_from([1, 1, 2, 3]))
        (answer, outs), (request, ins) = data.draw(csv_body(rows)), data.draw(csv_body(rows))
        lines.append(captures.line(f"e{number}", request, answer))
        for row in range(rows):
            cells = [cell.strip() and cell for cell in (*outs[row], *ins[row])]
            wanted[(f"e{number}", row)] = {f"_c{place}": cell or None for place, cell in enumerate(cells)}
    made = captures.decode(captures.write(*lines), header=False)
    assert made.found.rejects == ()
    # Layouts differ in their numbers of columns: of each side, so both are compared by place.
    check_columns(made, wanted)


def flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from flat(below, f"{name}.{key}")
    elif isinstance(value, list):
        for place, below in enumerate(value):
            yield from flat(below, f"{name}.{place}")
    else:
        yield name, value


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_objects_lose_no_value(captures: Any, data: st.DataObject) -> None:
    """Where a key has a value of one kind everywhere, its columns are as written; else nothing is lost by its text."""
    lines, tables = [], []
    for number in range(data.draw(st.integers(1, 6))):
        request, table = data.draw(object_body(data.draw(st.sampled_from([1, 1, 2, 3]))))
        lines.append(captures.line(f"e{number}", request, {"predictions": [[0.5]] * len(table)}))
        tables.append(table)
    made = captures.decode(captures.write(*lines))
    assert made.found.rejects == ()
    assert made.found.usable == sum(map(len, tables))
    for columns, rows in zip(made.columns, made.rows, strict=True):
        for place, (event, row) in enumerate(rows):
            found = " ".join(str(values[place]) for values in columns.values() if values[place] is not None)
            for _, value in itertools.chain(*(flat(v, k) for k, v in tables[int(event[1:])][row].items())):
                if isinstance(value, str) and value:
                    assert value in found or json.dumps(value, ensure_ascii=False)[1:-1] in found
                elif isinstance(value, int):
                    assert str(value).lower() in found


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_flat_objects_are_as_written(captures: Any, data: st.DataObject) -> None:
    lines: list[str] = []
    wanted: dict[tuple[str, int], Row] = {}
    keys = st.sampled_from(["a", "b", "c d", "ü", "A", ""])
    for number in range(data.draw(st.integers(1, 8))):
        table = data.draw(st.lists(st.dictionaries(keys, LEAVES, min_size=1, max_size=4), min_size=1, max_size=3))
        body = "\n".join(map(json.dumps, table)) if data.draw(st.booleans()) else json.dumps({"instances": table})
        lines.append(captures.line(f"e{number}", ("JSON", body), None))
        for row, cells in enumerate(table):
            wanted[(f"e{number}", row)] = {key: text_of(value) for key, value in cells.items()}
    made = captures.decode(captures.write(*lines))
    assert made.found.rejects == ()
    check_columns(made, wanted)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_lists_and_tensors_and_tables_are_one_table(captures: Any, data: st.DataObject) -> None:
    """The same rows in every form of lists give the same columns, but for their names."""
    rows, width = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    table = [[data.draw(LEAVES) for _ in range(width)] for _ in range(rows)]
    names = [f"n{place}" for place in range(width)]
    tensor = {"name": "t", "shape": [rows, width], "datatype": "BYTES"}
    forms: list[Any] = [
        {"instances": table},
        table,
        {"columns": names, "data": table},
        {"dataframe_split": {"columns": names, "data": table}},
        {"inputs": [tensor | {"data": table}]},
        {"inputs": [tensor | {"data": list(itertools.chain(*table))}]},
        {"inputs": {name: list(column) for name, column in zip(names, zip(*table, strict=True), strict=True)}},
        ("JSON", "\n".join(map(json.dumps, table))) if rows > 1 else table,
    ]
    texts = [[text_of(value) for value in column] for column in zip(*table, strict=True)]
    for form in forms:
        made = captures((form, None))
        assert made.found.rejects == (), form
        (columns,), (types,) = made.columns, made.types
        for column, values, kind in zip(texts, columns.values(), types.values(), strict=True):
            assert all(map(same, column, values)), form
            assert kind == type_of([text for text in column if text is not None]), form


def test_threads_and_spilling_do_not_matter(captures: Any, tmp_path: Path) -> None:
    from driftline.engine.payload import Decoding

    lines = [captures.line(f"e{n}", f"{n},x{n}" if n % 3 else {"a": n}, f"0.{n}") for n in range(2000)]
    path = captures.write(*lines)
    found = []
    for options in ({"threads": 1}, {"threads": 4}, {"memory_limit": "200MB", "spill": str(tmp_path / "spill")}):
        with Decoding([str(path)], None, **options) as decoding:  # type: ignore[arg-type]
            found.append(sorted(str(row) for batch in decoding.batches() for row in batch.to_pylist()))
    assert found[0] == found[1] == found[2]
