"""Sensitive columns are hidden in every form of body, others are not, and what is uncertain is not recorded."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.core.errors import InputError
from driftline.core.records import decode_capture
from driftline.resources.endpoints import CaptureSettings, SensitiveColumn, sensitive_column
from driftline.serving.capture_log import CaptureCount, CaptureLog
from driftline.serving.capture_records import Exchange
from driftline.serving.endpoints import EndpointConfig
from driftline.serving.sensitive import Curtain
from driftline.serving.sensitive_values import keyed_hash

JSON, CSV = "application/json", "text/csv"


def _hidden(rules: list[str], body: bytes | str, kind: str, folder: Path, side: Any = "input") -> bytes | str:
    settings = CaptureSettings(sensitive=tuple(map(sensitive_column, rules)))
    return Curtain(folder / "capture.key").body(body.encode() if isinstance(body, str) else body, kind, side, settings)


def _json(rules: list[str], value: Any, folder: Path) -> Any:
    found = _hidden(rules, json.dumps(value), JSON, folder)
    assert isinstance(found, bytes), found
    return json.loads(found)


def _hash(value: str, folder: Path) -> str:
    return hmac.new((folder / "capture.key").read_bytes(), value.encode(), hashlib.sha256).hexdigest()[:16]


def test_csv_keeps_the_place_of_every_other_cell(tmp_path: Path) -> None:
    found = _hidden(["input:0:drop", "input:1:mask", "input:3:hash"], "a,b,c,d\n1, 2 ,3, d \r\n", CSV, tmp_path)
    code = _hash("d", tmp_path)
    assert found == f",***,c,{code}\n,***,3,{code}\r\n".encode()


def test_quoted_cells_are_hidden_whole(tmp_path: Path) -> None:
    body = 'x,"Mr ""A"", jr\nline two",3\ny,"plain",4'
    found = _hidden(["input:1:hash"], body, CSV, tmp_path)
    first, second = _hash('Mr "A", jr\nline two', tmp_path), _hash("plain", tmp_path)
    assert found == f"x,{first},3\ny,{second},4".encode()
    assert _hidden(["input:1:hash"], "y,plain,4", CSV, tmp_path) == f"y,{second},4".encode()


def test_missing_values_stay_missing(tmp_path: Path) -> None:
    assert _hidden(["input:1:mask"], '1,,3\n\n4,"",6\n', CSV, tmp_path) == b"1,,3\n\n4,,6\n"
    assert _json(["input:a:mask"], {"a": None, "b": 1}, tmp_path) == {"a": None, "b": 1}


@pytest.mark.parametrize(
    ("rules", "body", "kind", "why"),
    [
        (["input:3:hash"], "1;2;3;secret", CSV, "no column 3"),
        (["input:1:hash"], "1,2\nsecret", CSV, "no column 1"),
        (["input:1:hash"], '1,"2"\nsecret', CSV, "no column 1"),
        (["input:0:hash"], '1,se"cret', CSV, "a quote stands within a cell"),
        (["input:0:hash"], '"secret', CSV, "a quote stands within a cell"),
        (["input:ssn:hash"], "ssn\nsecret", CSV, "CSV has no keys"),
        (["input:0:hash"], "secret", "image/png", "neither CSV nor JSON"),
        (["input:0:hash"], b"\xff\xfesecret", CSV, "UnicodeDecodeError"),
        (["input:a:hash"], '{"a": "secret"', JSON, "no JSON"),
        (["input:a:hash"], b'{"a": "secret\xff"}', JSON, "no JSON"),
        (["input:a:hash"], '["secret"]', JSON, "no object"),
        (["input:a:hash"], '{"instances": [["secret"]]}', JSON, "without names"),
        (["input:2:hash"], '{"a": "secret"}', JSON, "no row that is an array"),
        (["input:2:hash"], '[[1, 2, 3], ["secret"]]', JSON, "no column 2"),
        (["input:0:hash"], '[[["secret", 1]]]', JSON, "too deep"),
        (["input:0:hash"], '[["secret"], 1]', JSON, "beside each other"),
        (["input:0:hash"], '{"inputs": [{"name": "x", "shape": [1, 1], "data": ["secret"]}]}', JSON, "name it instead"),
        (["input:a:hash"], "[" * 5000 + "]" * 5000, JSON, "RecursionError"),
        (["input:a:hash"], "", JSON, "no object"),
    ],
)  # fmt: skip
def test_what_is_uncertain_is_not_recorded(
    rules: list[str], body: bytes | str, kind: str, why: str, tmp_path: Path
) -> None:
    found = _hidden(rules, body, kind, tmp_path)
    if body:
        assert isinstance(found, str)
        assert why in found
        assert "secret" not in found
    else:
        assert found in (b"", "it is no JSON: Input data was truncated")


def test_a_key_is_hidden_wherever_it_is(tmp_path: Path) -> None:
    rules = ["input:ssn:drop", "input:who.name:mask", "input:x.y:mask"]
    body = {
        "ssn": "1",
        "age": 3,
        "who": {"name": "N", "of": [1, 2]},
        "instances": [{"ssn": 2, "who": {"name": "M"}}, {"age": 4}],
        "who.name": "dotted",
        "x": [{"y": 1}, {"y": None}],
    }
    assert _json(rules, body, tmp_path) == {
        "age": 3,
        "who": {"name": "***", "of": [1, 2]},
        "instances": [{"who": {"name": "***"}}, {"age": 4}],
        "who.name": "***",
        "x": [{"y": "***"}, {"y": None}],
    }


def test_a_key_is_hidden_in_columns_tables_and_tensors(tmp_path: Path) -> None:
    assert _json(["input:ssn:mask"], {"inputs": {"ssn": [1, 2], "age": [3, 4]}}, tmp_path) == {
        "inputs": {"ssn": ["***", "***"], "age": [3, 4]}
    }
    split = {"dataframe_split": {"columns": ["age", "ssn"], "index": [0, 1], "data": [[3, "a"], [4, "b"]]}}
    assert _json(["input:ssn:drop"], split, tmp_path) == {
        "dataframe_split": {"columns": ["age", "ssn"], "index": [0, 1], "data": [[3, None], [4, None]]}
    }
    assert _json(["input:1:drop"], split, tmp_path) == _json(["input:ssn:drop"], split, tmp_path)
    tensors = {"inputs": [{"name": "ssn", "shape": [2], "data": ["a", "b"]}, {"name": "age", "data": [3, 4]}]}
    assert _json(["input:ssn:mask"], tensors, tmp_path)["inputs"] == [
        {"name": "ssn", "shape": [2], "data": ["***", "***"]},
        {"name": "age", "data": [3, 4]},
    ]


@pytest.mark.parametrize(
    ("body", "hidden"),
    [
        ({"instances": [[1, 2, 3], [4, 5, 6]]}, {"instances": [[1, "***", 3], [4, "***", 6]]}),
        ([[1, 2], [3, 4]], [[1, "***"], [3, "***"]]),
        ([1, 2, 3], [1, "***", 3]),
        ({"instances": [{"features": [1, 2]}]}, {"instances": [{"features": [1, "***"]}]}),
        ([[1, [2, 3]], [4, [5]]], [[1, ["***", "***"]], [4, ["***"]]]),
    ],
)
def test_a_place_is_hidden_in_every_row(body: Any, hidden: Any, tmp_path: Path) -> None:
    assert _json(["input:1:mask"], body, tmp_path) == hidden


def test_a_column_of_answers_is_hidden_whole(tmp_path: Path) -> None:
    assert _json(["input:0:mask"], {"predictions": [0.1, 0.2]}, tmp_path) == {"predictions": ["***", "***"]}
    assert _json(["input:0:mask"], 0.25, tmp_path) == "***"


def test_a_column_named_in_both_ways_is_hidden_in_bodies_of_both_kinds(tmp_path: Path) -> None:
    rules = ["input:1:mask", "input:ssn:mask"]
    assert _hidden(rules, "3,secret", CSV, tmp_path) == b"3,***"
    assert _json(rules, {"age": 3, "ssn": "secret"}, tmp_path) == {"age": 3, "ssn": "***"}
    assert _json(rules, {"ssn": "secret", "tags": ["x"]}, tmp_path) == {"ssn": "***", "tags": ["x"]}
    assert _json(rules, [[3, "secret"]], tmp_path) == [[3, "***"]]
    assert isinstance(_hidden(rules, '[["secret"]]', JSON, tmp_path), str)
    assert isinstance(_hidden(rules, '"secret"', JSON, tmp_path), str)


def test_json_lines_are_hidden_one_by_one(tmp_path: Path) -> None:
    found = _hidden(["input:a:mask"], '{"a":1,"b":2}\n{"b":3,"a":4}\n', "application/jsonlines", tmp_path)
    assert found == b'{"a":"***","b":2}\n{"b":3,"a":"***"}'


def test_equal_values_have_equal_hashes_in_any_form(tmp_path: Path) -> None:
    code = _json(["input:a:hash"], {"a": "75", "b": "75"}, tmp_path)["a"]
    assert code == _hash("75", tmp_path)
    assert len(code) == 16
    assert _json(["input:a:hash"], {"a": 75}, tmp_path)["a"] == code
    assert _hidden(["input:0:hash"], '"75"', CSV, tmp_path) == code.encode()
    assert _json(["input:a:hash"], {"a": "76"}, tmp_path)["a"] != code
    other = tmp_path / "other"
    assert _json(["input:a:hash"], {"a": "75"}, other)["a"] != code, "another folder has another key"


def test_the_hash_is_that_of_the_standard() -> None:
    # RFC 4231, test case 2.
    assert keyed_hash(b"Jefe", "what do ya want for nothing?") == "5bdcc146bf60754e"


def test_rules_of_one_side_leave_the_other_alone(tmp_path: Path) -> None:
    assert _hidden(["output:0:mask"], "1,2", CSV, tmp_path) == b"1,2"
    assert _hidden(["output:0:mask"], "1,2", CSV, tmp_path, "output") == b"***,2"


def test_without_a_key_nothing_is_hashed(tmp_path: Path) -> None:
    settings = CaptureSettings(sensitive=(SensitiveColumn("input", 0, "hash"),))
    assert Curtain(None).body(b"1", CSV, "input", settings) == "there is no key for hashes"
    (tmp_path / "capture.key").write_bytes(b"short")
    assert Curtain(tmp_path / "capture.key").body(b"1", CSV, "input", settings) == "SetupError"


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters='",\n'), max_size=6)


@given(rows=st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=5), column=st.integers(0, 2))
def test_any_csv_is_read_back_with_only_that_column_changed(rows: list[list[str]], column: int) -> None:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    settings = CaptureSettings(sensitive=(SensitiveColumn("input", column, "mask"),))
    found = Curtain(None).body(written.getvalue().encode(), CSV, "input", settings)
    assert isinstance(found, bytes), found
    read = list(csv.reader(io.StringIO(found.decode(), newline="")))
    wanted = [[("***" if cell.strip() else "") if i == column else cell for i, cell in enumerate(row)] for row in rows]
    assert read == wanted


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3) | st.just("SECRET"),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abk"), inner, max_size=3),
        max_leaves=15,
    )
)
def test_under_a_hidden_key_nothing_is_left_in_any_json(value: Any) -> None:
    settings = CaptureSettings(sensitive=(SensitiveColumn("input", "k", "mask"),))
    found = Curtain(None).body(json.dumps(value).encode(), JSON, "input", settings)

    def under(node: Any, *, inside: bool) -> list[Any]:
        if isinstance(node, dict):
            return [leaf for key, one in node.items() for leaf in under(one, inside=inside or key == "k")]
        if isinstance(node, list):
            return [leaf for one in node for leaf in under(one, inside=inside)]
        return [node] if inside else []

    if isinstance(found, bytes):
        assert set(under(json.loads(found), inside=False)) <= {"***", None}


@pytest.mark.parametrize(
    "text", ["", "input", "input:3", "input::hash", "query:3:hash", "input:3:burn", "input:3:hash:"]
)
def test_a_rule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        CaptureSettings(sensitive=(sensitive_column(text),))


def test_a_column_is_named_once() -> None:
    with pytest.raises(InputError, match="named twice"):
        CaptureSettings(sensitive=(SensitiveColumn("input", 1, "hash"), SensitiveColumn("input", 1, "mask")))
    with pytest.raises(InputError, match="is no column"):
        CaptureSettings(sensitive=(SensitiveColumn("input", -1, "hash"),))
    with pytest.raises(InputError, match="too many"):
        CaptureSettings(sensitive=tuple(SensitiveColumn("input", place, "mask") for place in range(1001)))


def _captured(folder: Path, log: CaptureLog) -> tuple[list[Any], list[CaptureCount]]:
    log.close()
    lines = [line for file in sorted(folder.rglob("*.jsonl")) for line in file.read_bytes().splitlines()]
    return [decode_capture(line).capture_data for line in lines], log.drain_counters()


def test_the_log_hides_and_counts_what_it_withholds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = CaptureLog(tmp_path / "captures", lambda: 1_800_000_000.0, key_file=tmp_path / "capture.key")
    rules = (SensitiveColumn("input", 0, "mask"), SensitiveColumn("output", 0, "drop"))
    config = EndpointConfig("churn", None, capture=CaptureSettings(sensitive=rules))
    good, bad = Exchange(b"s3cret,2", CSV, b"0.5,1", CSV), Exchange(b"s3cret", "text/html", b"0.5", CSV)
    log.append(config, [good, bad])
    assert (good.body, good.answer) == (b"s3cret,2", b"0.5,1"), "what is answered is not touched"
    assert good.event_id is not None
    (one, two), (count,) = _captured(tmp_path, log)
    assert (one.endpoint_input.data, one.endpoint_output.data) == ("***,2", ",1")
    assert (two.endpoint_input, two.endpoint_output.data) == (None, "")
    assert (count.captured, count.sampled_out, count.dropped, count.withheld) == (2, 0, 0, 1)
    assert "input: it is neither CSV nor JSON" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_sampled_out_request_withholds_nothing(tmp_path: Path) -> None:
    log = CaptureLog(tmp_path, lambda: 1_800_000_000.0)
    rules = (SensitiveColumn("input", 0, "mask"),)
    log.append(
        EndpointConfig("churn", None, capture=CaptureSettings(0, sensitive=rules)), [Exchange(b"", "x", b"", "x")]
    )
    assert [(count.sampled_out, count.withheld) for count in log.drain_counters()] == [(1, 0)]
