"""Preprocessing scripts: what they are given, what becomes of what they give, and what is kept of their words."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.core.records import encode_line
from driftline.scripts.errors import ScriptError
from driftline.scripts.host import ScriptLimits
from driftline.scripts.preprocess import Preprocessor
from driftline.scripts.protocol import INTEGER, NUMBER, TEXT, TRUTH
from driftline.scripts.shaping import Columns
from driftline.scripts.spool import Spool
from driftline.testing import capture

Script = Callable[[str], Path]


def record(number: int, data: str = "1,2.5,x") -> bytes:
    """One captured event as a line."""
    return encode_line(capture("0.75", f"event-{number}", request=data))


def table(path: Path, records: Iterable[bytes] = (), **options: Any) -> pa.Table:
    return pa.Table.from_batches(Preprocessor(path, **options).batches(records))


def test_a_record_has_the_parts_that_scripts_know(handler: Script) -> None:
    path = handler("""
        r = inference_record
        assert r.as_dict()["extra"] == [1, {"a": None}]
        assert r.batch_transform_output is None
        return {
            "in": r.endpoint_input.data, "encoding": r.endpoint_input.encoding, "mode": r.endpoint_output.mode,
            "type": r.endpoint_output.observedContentType, "truth": r.ground_truth.data,
            "id": r.event_metadata.event_id, "time": r.event_metadata.event_time,
            "custom": r.event_metadata.custom_attribute[0], "version": r.event_version,
        }
    """)
    line = json.loads(record(1)) | {"extra": [1, {"a": None}], "groundTruthData": {"data": "1", "encoding": "CSV"}}
    line["eventMetadata"]["customAttributes"] = ["läuft"]
    assert table(path, [json.dumps(line).encode()]).to_pylist() == [
        {"in": "1,2.5,x", "encoding": "CSV", "mode": "OUTPUT", "type": "text/csv", "truth": "1", "id": "event-1"}
        | {"time": "2026-11-22T10:00:00Z", "custom": "läuft", "version": "0"}
    ]


def test_a_dict_a_list_of_them_and_none_at_all(script: Script) -> None:
    path = script("""
        def preprocess_handler(inference_record):
            number = int(inference_record.event_metadata.event_id.split("-")[1])
            return [{}, {"n": number, "k": 0}, {"k": 1.5}] if number == 2 else [] if number == 1 else {"n": number}
    """)
    preprocessor = Preprocessor(path)
    [found] = preprocessor.batches(record(number) for number in range(4))
    assert found.to_pydict() == {"n": [0, None, 2, None, 3], "k": [None, None, 0.0, 1.5, None]}
    report = preprocessor.report
    assert (report.records, report.rows, report.dropped, report.refused) == (4, 5, 1, 0)
    assert report.seconds > 0
    assert report.peak_memory > 1 << 20


def test_lines_of_a_table_come_as_text(script: Script) -> None:
    path = script("""
        def preprocess_handler(line):
            a, b = line.split(";")
            return {"a": int(a), "b": b}
    """)
    found = pa.Table.from_batches(Preprocessor(path).lines(["1;ä\n", "2;\r\n", "3;x y"]))
    assert found.to_pydict() == {"a": [1, 2, 3], "b": ["ä", "", "x y"]}
    assert found.schema.types == [pa.int64(), pa.string()]


def test_records_may_come_in_arrow_batches(handler: Script) -> None:
    lines = pa.RecordBatch.from_pydict({"line": [record(1), record(2).decode().encode()]})
    assert table(handler("return {'id': inference_record.event_metadata.event_id}"), [lines]).num_rows == 2


def test_many_records_keep_their_order_and_one_schema(handler: Script) -> None:
    path = handler("""
        n = int(inference_record.event_metadata.event_id.split("-")[1])
        return {"n": n, "late": "x"} if n == 4999 else {"n": n + 0.5 if n == 2500 else n}
    """)
    batches = list(Preprocessor(path).batches(record(number) for number in range(5000)))
    found = pa.Table.from_batches(batches)
    expected = np.arange(5000, dtype=float)
    expected[2500] += 0.5
    np.testing.assert_array_equal(found["n"].to_numpy(), expected)
    assert found["late"].null_count == 4999
    assert found.column_names == ["n", "late"]


def test_what_is_printed_and_logged_is_kept(handler: Script) -> None:
    preprocessor = Preprocessor(handler("print('said é'); logger.warning('logged %d', 7); return []"))
    [found] = preprocessor.batches([record(1)])
    assert (found.num_rows, preprocessor.report.log) == (0, "said é\nWARNING logged 7\n")


def test_megabytes_of_words_are_cut(handler: Script) -> None:
    preprocessor = Preprocessor(handler("print('x' * 9_000_000); return {'a': 1}"), ScriptLimits(output=1000))
    assert len(list(preprocessor.batches([record(1)]))) == 1
    assert preprocessor.report.log.startswith("x" * 1000 + "\n[cut here: 8999001 more bytes were written]")


def test_lines_that_are_no_records_are_counted_and_shown(handler: Script) -> None:
    bad = [b"", b"{", b"\xff\xfe", b"[]", b'{"captureData": 3}', b"[" * 100_000]
    preprocessor = Preprocessor(handler("return {'a': 1}"))
    [found] = preprocessor.batches([record(1), *bad, record(2)])
    report = preprocessor.report
    assert (found.num_rows, report.records, report.refused, len(report.samples)) == (2, 8, 6, 3)
    assert report.samples[1].startswith("record 3: not a capture record")


def test_no_records_are_a_batch_without_rows(handler: Script) -> None:
    assert [batch.num_rows for batch in Preprocessor(handler("return {}")).batches([])] == [0]


def test_a_script_has_a_bare_environment_and_its_own_folder(
    handler: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DRIFTLINE_DATABASE", "postgresql://secret")
    monkeypatch.setenv("PYTHONSTARTUP", "x")
    (tmp_path / "beside.py").write_text("WORD = 'neighbour'\n")
    (tmp_path / "json.py").write_text("raise RuntimeError('shadowed')\n")
    path = handler("""
        import beside, json
        return {"all": " ".join(sorted(os.environ)), "mine": os.environ["MINE"], "word": beside.WORD,
                "files": len(os.listdir()), "in": sys.stdin.read()}
    """)
    [row] = table(path, [record(1)], environment={"MINE": "yes"}).to_pylist()
    assert "DRIFTLINE_DATABASE" not in row["all"]
    assert (row["mine"], row["word"], row["files"], row["in"]) == ("yes", "neighbour", 0, "")


def test_values_of_numpy_count_as_numbers(handler: Script) -> None:
    body = "import numpy as np\nreturn {'f': np.float32(0.5), 'i': np.int64(3), 'b': np.bool_(True), 's': np.str_('t')}"
    assert table(handler(body), [record(1)]).to_pylist() == [{"f": 0.5, "i": 3, "b": True, "s": "t"}]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ("[1, None, 3]", pa.int64(), [1, None, 3]),
        ("[1, 2.5, None]", pa.float64(), [1.0, 2.5, None]),
        ("[2**70, -1]", pa.float64(), [float(2**70), -1.0]),
        ("[float('inf'), -1e308]", pa.float64(), [math.inf, -1e308]),
        ("[True, None]", pa.bool_(), [True, None]),
        ("[True, 1]", pa.string(), ["true", "1"]),
        ("[1, 'x', 2.5, False, None, '']", pa.string(), ["1", "x", "2.5", "false", None, ""]),
        ("[None, None]", pa.string(), [None, None]),
        ("['', '🎈' * 3]", pa.string(), ["", "🎈🎈🎈"]),
    ],
)
def test_a_column_is_what_its_values_are(handler: Script, values: str, kind: Any, expected: list[Any]) -> None:
    found = table(handler(f"return [{{'ключ': value}} for value in {values}]"), [record(1)])
    assert (found.schema.field("ключ").type, found["ключ"].to_pylist()) == (kind, expected)


def test_nan_stays_a_number(handler: Script) -> None:
    assert math.isnan(table(handler("return {'a': float('nan')}"), [record(1)])["a"][0].as_py())


CELLS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=5)
ROWS = st.lists(st.dictionaries(st.sampled_from(["a", "b", ""]), CELLS, max_size=3), max_size=12)


@given(ROWS, st.lists(st.integers(0, 12), max_size=4))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_rows_are_the_same_however_they_are_cut_into_batches(rows: list[dict[str, Any]], cuts: list[int]) -> None:
    def through(parts: list[list[dict[str, Any]]]) -> pa.Table:
        with Spool() as spool:
            for part in parts:
                columns = Columns(1 << 30)
                for row in part:
                    columns.add(row)
                if columns.rows:
                    spool.add(columns.parts(), columns.rows)
            return pa.Table.from_batches(spool.batches())

    bounds = [0, *sorted(cuts), len(rows)]
    whole = through([rows])
    cut = through([rows[start:end] for start, end in pairwise(bounds)])
    assert whole.schema == cut.schema
    for name in whole.column_names:
        kinds = {_kind(row[name]) for row in rows if row.get(name) is not None}
        if len(kinds) == 1 and NUMBER not in kinds:
            assert whole[name].to_pylist() == [row.get(name) for row in rows]
    assert str(whole.to_pylist()) == str(cut.to_pylist())  # as text, where NaN equals NaN


def _kind(value: Any) -> int:
    order = ((bool, TRUTH), (int, INTEGER), (float, NUMBER), (str, TEXT))
    return next(kind for python, kind in order if isinstance(value, python))


def test_a_result_in_the_middle_of_which_it_breaks_gives_nothing(handler: Script) -> None:
    path = handler("if inference_record.event_metadata.event_id == 'event-3000': return {}['x']\nreturn {'a': 1}")
    preprocessor = Preprocessor(path)
    given = preprocessor.batches(record(number) for number in range(5000))
    with pytest.raises(ScriptError, match=r"pre\.py: preprocess_handler raised KeyError: 'x' at line 4") as caught:
        next(given)
    assert caught.value.evidence.startswith("record 3001, event event-3000: {")
    assert (preprocessor.report.records, preprocessor.report.rows) == (3000, 3000)
