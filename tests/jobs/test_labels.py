from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.core.errors import InputError, TooLargeError
from driftline.core.records import decode_label, encode_line, label
from driftline.engine.attributes import OutputAttributes
from driftline.jobs import labels
from driftline.jobs.labels import put_labels
from driftline.pipeline import ModelQualityRun, run_model_quality
from driftline.storage.layout import Layout
from driftline.testing import capture, write_captures

NOW = datetime(2026, 11, 22, 10, 41, 7, 250_000, tzinfo=UTC).timestamp()
LINE = '{"groundTruthData":{"data":"%s","encoding":"CSV"},"eventMetadata":{"eventId":"%s"},"eventVersion":"0"}\n'


def as_json(value: str, encoding: str = "JSON") -> str:
    """A ground-truth record whose label is this JSON value."""
    data = f'{{"data":{value},"encoding":"{encoding}"}}'
    return f'{{"groundTruthData":{data},"eventMetadata":{{"eventId":"a"}},"eventVersion":"0"}}'


def stored(layout: Layout, path: str | None) -> dict[str, str]:
    assert path is not None
    records = [decode_label(line) for line in (layout.data / path).read_bytes().splitlines()]
    return {record.event_metadata.event_id: record.ground_truth_data.data for record in records}


def test_a_file_of_records_lands_in_the_hour_of_collection(layout: Layout) -> None:
    body = (LINE % ("1", "o-17") + "\r\n\n" + LINE % ("0", "o-18")).encode()
    receipt = put_labels(layout, "churn", b"\xef\xbb\xbf" + body, "jsonl", NOW)
    assert receipt.accepted == 2
    assert receipt.path is not None
    assert receipt.path.startswith("labels/churn/2026/11/22/10/41-07-250-")
    assert receipt.path.endswith(".jsonl")
    assert (layout.data / receipt.path).read_text() == LINE % ("1", "o-17") + LINE % ("0", "o-18")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "not a ground-truth record"),
        ("[]", "not a ground-truth record"),
        ('{"eventMetadata":{"eventId":"a"}}', "groundTruthData"),
        (LINE % ("", "a"), "label is empty"),
        (LINE % ("1", ""), "an id must be"),
        ((LINE % ("1", "a")).replace("CSV", "XML"), "no encoding"),
        (LINE % ("1", "a\\u0007b"), "an id must be"),
        (as_json("null"), "the label is null"),
        (as_json('"null"'), "the label is null"),
        (as_json("{}"), "cannot be an object"),
        (as_json("[]"), "rows without a label"),
        (as_json("[0, null]"), "rows without a label"),
        (as_json("[0, [1]]"), "rows without a label"),
        (as_json('" "'), "the label is empty"),
        (as_json('"\\"\\""'), "the label is empty"),
        (as_json("NaN"), "not a ground-truth record"),
        (as_json("1e999"), "cannot be kept"),
        (as_json("[1]", "CSV"), "an array is a label only in JSON"),
        (as_json("1", "BASE64"), "must be text"),
        (as_json('"%%"', "BASE64"), "not text in BASE64"),
        (as_json('"/w=="', "BASE64"), "not text in BASE64"),
        (as_json('"IA=="', "BASE64"), "the label is empty"),
        (as_json('"bnVsbA=="', "BASE64"), "the label is null"),
    ],
)
def test_one_bad_line_refuses_all_and_is_named(layout: Layout, bad: str, reason: str) -> None:
    body = LINE % ("1", "a") + "\n" + bad.strip() + "\n" + LINE % ("1", "c")
    with pytest.raises(InputError, match="line 3") as caught:
        put_labels(layout, "churn", body.encode(), "jsonl", NOW)
    assert reason in str(caught.value)
    assert list((layout.data / "labels").rglob("*")) == []


@pytest.mark.parametrize(
    ("value", "encoding", "text"),
    [
        ("1", "JSON", "1"),
        ("1.0", "JSON", "1.0"),
        ("-2.5e-3", "CSV", "-2.5e-3"),
        ("12345678901234567890123", "JSON", "12345678901234567890123"),
        ("true", "JSON", "true"),
        ("false", "CSV", "false"),
        ('"yes"', "JSON", "yes"),
        ('"[0, 1]"', "JSON", "[0, 1]"),
        ('[0, true, "x"]', "JSON", '[0, true, "x"]'),
        ('"[1, null]"', "CSV", "[1, null]"),
        ('"MQ=="', "BASE64", "MQ=="),
    ],
)
def test_a_label_is_text_or_a_json_value(layout: Layout, value: str, encoding: str, text: str) -> None:
    receipt = put_labels(layout, "churn", as_json(value, encoding).encode(), "jsonl", NOW)
    assert stored(layout, receipt.path) == {"a": text}
    record = json.loads((layout.data / str(receipt.path)).read_text())
    assert record["groundTruthData"] == {"data": text, "encoding": encoding}


@pytest.mark.parametrize("value", ["0", "false", '"0"', "[0]"])
def test_runs_read_what_was_put(layout: Layout, value: str) -> None:
    """Four ways to say the same label; the engine reads each as a negative."""
    write_captures(layout.captures("churn") / "AllTraffic", [capture("0.1", "e", inference_id="a")])
    put_labels(layout, "churn", as_json(value).encode(), "jsonl", NOW)
    run = ModelQualityRun(
        captures=str(layout.captures("churn")),
        labels=str(layout.labels("churn")),
        problem_type="BinaryClassification",
        attributes=OutputAttributes("0"),
    )
    assert run_model_quality(run).item_count == 1


def test_a_record_spread_over_lines_is_refused(layout: Layout) -> None:
    with pytest.raises(InputError, match="line 1"):
        put_labels(layout, "churn", (LINE % ("1", "a")).replace(",", ",\n").encode(), "jsonl", NOW)


def test_text_that_is_not_utf8_names_its_line(layout: Layout) -> None:
    for kind in ("csv", "jsonl"):
        with pytest.raises(InputError, match="line 2: not UTF-8"):
            put_labels(layout, "churn", b"id,label\n\xff,1\n", kind, NOW)  # type: ignore[arg-type]


def test_a_csv_becomes_records_with_quotes_and_order_kept(layout: Layout) -> None:
    body = b'\xef\xbb\xbfother,inference_id,ground_truth\r\n1,"a,1",yes\r\n2,"b ""q""","two\nlines"\r\n\r\n3,c, \r\n'
    receipt = put_labels(layout, "churn", body, "csv", NOW)
    assert (receipt.accepted, receipt.without_label) == (2, 1)
    assert stored(layout, receipt.path) == {"a,1": "yes", 'b "q"': "two\nlines"}


@pytest.mark.parametrize("names", ["id,label", "event_id,ground_truth", "inferenceId,groundTruth", " id , label "])
def test_the_usual_names_are_found(layout: Layout, names: str) -> None:
    assert put_labels(layout, "churn", f"{names}\na,1\n".encode(), "csv", NOW).accepted == 1


def test_columns_may_be_named(layout: Layout) -> None:
    body = b"id,inference_id,churned\n1,a,yes\n"
    receipt = put_labels(layout, "churn", body, "csv", NOW, id_column="inference_id", label_column="churned")
    assert stored(layout, receipt.path) == {"a": "yes"}


@pytest.mark.parametrize(
    ("body", "options", "reason"),
    [
        ("", {}, "no column 'id'"),
        ("a,b\n1,2\n", {}, "no column 'id'"),
        ("id,b\n1,2\n", {}, "no column 'label'"),
        ("id,event_id,label\n1,2,3\n", {}, "2 columns that could be the id"),
        ("id,id,label\n1,2,3\n", {}, "the id"),
        ("id,label\n1,2\n", {"label_column": "truth"}, "no column 'truth'"),
        ("id,label\n1,2\n3\n", {}, "line 3: 1 cells"),
        ("id,label\n1,2\n,1\n", {}, "line 3: an id must be"),
        ('id,label\n1,2\n3,"1" x\n', {}, "line 3: not valid CSV"),
        ('id,label\n1,2\n3,"1\n', {}, "not valid CSV"),
    ],
)
def test_a_csv_that_cannot_be_used_says_where(layout: Layout, body: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        put_labels(layout, "churn", body.encode(), "csv", NOW, **options)
    assert reason in str(caught.value)
    assert list((layout.data / "labels").rglob("*")) == []


def test_nothing_to_store_stores_nothing(layout: Layout) -> None:
    assert put_labels(layout, "churn", b"\n\n", "jsonl", NOW) == labels.LabelReceipt(0)
    assert put_labels(layout, "churn", b"id,label\na,\n", "csv", NOW) == labels.LabelReceipt(0, 1)
    assert list((layout.data / "labels").rglob("*")) == []


def test_too_much_at_once_is_refused(layout: Layout) -> None:
    with pytest.raises(TooLargeError, match="too many at once"):
        put_labels(layout, "churn", b"x" * 11, "jsonl", NOW, most_bytes=10)


def test_an_endpoint_name_cannot_leave_the_folder(layout: Layout) -> None:
    with pytest.raises(InputError, match="name of an endpoint"):
        put_labels(layout, "../churn", b"", "jsonl", NOW)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: text.strip() == text)


@given(st.dictionaries(TEXTS, TEXTS, min_size=1))
def test_any_label_survives_both_ways(tmp_path_factory: pytest.TempPathFactory, truth: dict[str, str]) -> None:
    layout = Layout(tmp_path_factory.mktemp("labels"))
    lines = b"".join(encode_line(label(key, value)) for key, value in truth.items())
    assert stored(layout, put_labels(layout, "e", lines, "jsonl", NOW).path) == truth
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in pair) for pair in truth.items()]
    table = "\n".join(["id,label", *quoted]).encode()
    assert stored(layout, put_labels(layout, "e", table, "csv", NOW).path) == truth


def test_a_hundred_thousand_labels_take_about_a_second(tmp_path: Path) -> None:
    body = ("id,label\n" + "".join(f"o-{number},{number % 2}\n" for number in range(100_000))).encode()
    started = time.perf_counter()
    assert put_labels(Layout(tmp_path), "churn", body, "csv", NOW).accepted == 100_000
    assert time.perf_counter() - started < 5
