"""Every reader of outside bytes ends in a result or in one of driftline's own errors."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from driftline.core.analysis_config import parse_facet, parse_positive, read_analysis_config
from driftline.core.constraint_documents import read_any_constraints
from driftline.core.cron import Cron
from driftline.core.documents import read_constraints
from driftline.core.errors import DriftlineError
from driftline.core.table_statistics_reader import read_statistics
from driftline.core.window import parse_duration, parse_time
from driftline.engine.search import Search
from driftline.jobs.attributes import output_attributes
from driftline.jobs.labels import put_labels
from driftline.pipeline import read_calibration
from driftline.serving.archive import model_member
from driftline.serving.legacy_pickle import read_booster
from driftline.serving.onnx_bytes import class_labels, has_external_data, is_model
from driftline.serving.payload import CSV, JSON, answer_type, body_type, parse
from driftline.storage.layout import Layout

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
ODD = ["", "\x00", "\ud800", "﻿", "\u2028", "1e999", "-0", "NaN", "9" * 400, "[" * 3000, '{"a":' * 3000, "\r", "é" * 9]
TEXT = st.text(max_size=60) | st.sampled_from(ODD)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def ends_well(function: Callable[..., Any], *arguments: Any) -> None:
    """Nothing but a result or an error of ours."""
    with suppress(DriftlineError):
        function(*arguments)


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A valid document with some bytes taken out, put in or changed."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 12))
        data[place : place + length] = draw(st.binary(max_size=12))
    return bytes(data)


CONSTRAINTS = json.dumps(
    {
        "version": 0.0,
        "binary_classification_constraints": {
            "recall": {"threshold": 0.5, "comparison_operator": "LessThanThreshold"},
            "auc": {"threshold": 1, "comparison_operator": "LessThanThreshold"},
        },
    },
    indent=1,
).encode()
DOCUMENTS = (
    st.binary(max_size=80)
    | damaged(CONSTRAINTS)
    | JSON_VALUES.map(lambda value: as_bytes(json.dumps(value)))
    | JSON_VALUES.map(lambda value: as_bytes(json.dumps({"version": 0.0, "regression_constraints": value})))
    | TEXT.map(as_bytes)
)


@given(DOCUMENTS)
def test_constraints(data: bytes) -> None:
    ends_well(read_constraints, data, "constraints.json")


TABLE_CONSTRAINTS = json.dumps(
    {
        "features": [
            {
                "name": "age",
                "inferred_type": "String",
                "string_constraints": {"domains": ["a"]},
                "monitoring_config_overrides": {"distribution_constraints": {"comparison_threshold": 0.1}},
            }
        ],
        "monitoring_config": {"driftline_drift": {"minimum_sample": 5}},
    },
    indent=1,
).encode()
TABLE_STATISTICS = json.dumps(
    {
        "dataset": {"item_count": 3},
        "features": [
            {
                "name": "age",
                "inferred_type": "Integral",
                "numerical_statistics": {
                    "common": {"num_present": 3, "num_missing": 0},
                    "mean": 1.5,
                    "distribution": {"kll": {"buckets": [], "sketch": {"data": [[1.0, 2.5]]}}},
                },
            }
        ],
    }
).encode()


@given(
    DOCUMENTS | damaged(TABLE_CONSTRAINTS) | JSON_VALUES.map(lambda value: as_bytes(json.dumps({"features": [value]})))
)
def test_constraints_of_any_monitor(data: bytes) -> None:
    ends_well(read_any_constraints, data, "constraints.json")


ANALYSIS = json.dumps(
    {
        "pre_training_bias_metrics": {
            "label": "y",
            "label_value_or_threshold": "1",
            "facets": {"sex": [{"value_or_threshold": "f", "metrics": [{"name": "CI", "value": 0.1}], "rows": [1, 2]}]},
        },
        "explanations": {"kernel_shap": {"label0": {"global_shap_values": {"a": 1}, "expected_value": 0}}},
    }
).encode()
CONFIGURATION = json.dumps(
    {
        "headers": ["y", "sex"],
        "label": "y",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": 1, "value_or_threshold": ["f"]}],
        "methods": {"pre_training_bias": {"methods": "all"}, "shap": {"baseline": [[1]], "seed": 3}},
    },
    indent=1,
).encode()


@given(damaged(ANALYSIS), st.sampled_from(["bias", "attribution"]))
def test_analyses(data: bytes, monitor: Any) -> None:
    ends_well(read_any_constraints, data, "analysis.json", monitor)


@given(
    DOCUMENTS
    | damaged(CONFIGURATION)
    | JSON_VALUES.map(lambda value: as_bytes(json.dumps({"bias": value, "attribution": {}})))
    | JSON_VALUES.map(lambda value: as_bytes(json.dumps({"methods": {"shap": {"baseline": value}}, "label": value})))
)
def test_analysis_configurations(data: bytes) -> None:
    ends_well(read_analysis_config, data, "analysis_config.json")


@given(TEXT | st.text(alphabet='ab=<>," 1.e-', max_size=20))
def test_facets(text: str) -> None:
    ends_well(parse_facet, text)
    ends_well(parse_positive, text)


@given(
    DOCUMENTS
    | damaged(TABLE_STATISTICS)
    | JSON_VALUES.map(lambda value: as_bytes(json.dumps({"dataset": {"item_count": 1}, "features": [value]})))
)
def test_statistics_of_a_table(data: bytes) -> None:
    ends_well(read_statistics, data, "statistics.json")


@given(DOCUMENTS | JSON_VALUES.map(lambda value: as_bytes(json.dumps({"binary_classification_metrics": value}))))
def test_statistics(data: bytes) -> None:
    ends_well(read_calibration, data, "statistics.json")


CRON_WORDS = st.text(alphabet="0123456789*/,-?LW#@ MONJANcron()", max_size=30) | TEXT


@given(CRON_WORDS | st.lists(CRON_WORDS, min_size=5, max_size=6).map(" ".join))
@example("* * 31 2 *")
@example("0 0 29 2 1#5")
@example("*/0 * * * *")
@example("cron(0 0 ? * * 9999999999)")
def test_cron(text: str) -> None:
    def use() -> None:
        cron = Cron(text)
        tick = cron.next(NOW)
        cron.previous(NOW)
        if tick is not None:
            cron.window(tick)

    ends_well(use)


@given(TEXT | st.text(alphabet="-+0123456789PTDHMSYW.:Z ", max_size=30))
@example("P99999999999999999999D")
@example("-PT" + "9" * 300 + "S")
@example("0001-01-01T00:00:00+23:59")
@example("9999-12-31T23:59:59-23:59")
def test_durations_and_times(text: str) -> None:
    ends_well(parse_duration, text)
    ends_well(parse_time, text)


NAMES = ("probability_attribute", "inference_attribute", "probability_threshold", "classes", "minimum_sample", "x")


@given(st.dictionaries(st.sampled_from(NAMES) | TEXT, JSON_VALUES, max_size=4))
def test_attributes(given: dict[str, Any]) -> None:
    with suppress(msgspec.DecodeError):  # what no JSON can hold does not get here
        known = msgspec.json.decode(json.dumps(given))
        ends_well(lambda: output_attributes(known).check("BinaryClassification"))


EXPRESSIONS = st.text(alphabet="abs[]{}().*|&@!<>=?:,'`\"0129- ", max_size=40) | TEXT


@given(EXPRESSIONS, JSON_VALUES)
@example("a[?b>`1`]", {"a": [{"b": "x"}, {"b": 2}]})
@example("sum(@)", ["a"])
@example("sort_by(@, &a)", [{"a": 1}, {"a": "b"}])
@example("@[::0]", [1])
def test_jmespath(expression: str, document: Any) -> None:
    ends_well(lambda: Search(expression).values(json.dumps(document)))


@given(TEXT, st.binary(max_size=80) | TEXT.map(as_bytes) | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_payloads(header: str, body: bytes) -> None:
    ends_well(body_type, header)
    answer_type(header, CSV)
    for media_type in (CSV, JSON):
        ends_well(parse, body, media_type, 3)


LINES = st.lists(
    TEXT
    | JSON_VALUES.map(json.dumps)
    | st.builds(
        lambda data, encoding, event: json.dumps(
            {
                "groundTruthData": {"data": data, "encoding": encoding},
                "eventMetadata": {"eventId": event},
                "eventVersion": "0",
            }
        ),
        JSON_VALUES,
        st.sampled_from(["CSV", "JSON", "BASE64"]) | TEXT,
        TEXT | JSON_VALUES,
    ),
    max_size=4,
).map("\n".join)


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
@given(text=LINES | TEXT.map(lambda cells: f"id,label\n{cells}"), raw=st.binary(max_size=60))
def test_labels(tmp_path: Path, kind: str, text: str, raw: bytes) -> None:
    for body in (as_bytes(text), raw):
        ends_well(put_labels, Layout(tmp_path), "churn", body, kind, NOW.timestamp())


def packed(compressed: bool) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz" if compressed else "w") as archive:
        for name, data in (("model.json", b"{}" * 400), ("code/x.py", b"1"), (".hidden", b"2")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def header_with(field: slice, value: bytes) -> bytes:
    """A tar of one member in whose header a field is replaced, with a checksum that is right."""
    data = bytearray(packed(compressed=False))
    data[field] = value
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\x00 " % sum(data[:512])
    return bytes(data)


@given(st.binary(max_size=80) | damaged(packed(compressed=True)) | damaged(packed(compressed=False)))
@example(gzip.compress(packed(compressed=False))[:-9])
@example(header_with(slice(124, 136), b"\x80" + b"\xff" * 11))
@example(header_with(slice(156, 157), b"x"))
@example(header_with(slice(0, 4), b"\xff\xfe\x00\x01"))
def test_archives(data: bytes) -> None:
    ends_well(model_member, data, "model.tar.gz")


@given(st.binary(max_size=80).map(b"\x80\x03".__add__) | damaged(pickle.dumps({"a": [1, (2.5, b"x" * 9)]}, protocol=3)))
@example(b"\x80\x03" + b"(" * 5000 + b"t" * 5000 + b".")
@example(b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f")
@example(b"\x80\x03B\xff\xff\xff\x7f")
@example(b"\x80\x03r\xff\xff\xff\x7f")
@example(b"\x80\x03I" + b"9" * 5000 + b"\n.")
def test_legacy_pickles(data: bytes) -> None:
    ends_well(read_booster, data, "xgboost-model")


FIELDS = st.lists(
    st.builds(lambda key, body: bytes([key, len(body)]) + body, st.integers(0, 127), st.binary(max_size=20)), max_size=6
).map(b"".join)


@given(st.binary(max_size=80) | FIELDS | FIELDS.map(lambda inner: b"\x08\x07:" + bytes([min(len(inner), 127)]) + inner))
@example(b"\xff" * 500)
@example(b":\xff\xff\xff\xff\x7f")
def test_onnx_bytes(data: bytes) -> None:
    assert is_model(data) in {True, False}
    class_labels(data)
    with suppress(ValueError, IndexError, RecursionError):  # as it is documented; the runtime makes them its own error
        has_external_data(data + b"location")


def test_small_bodies_take_little_memory() -> None:
    bombs: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (model_member, (gzip.compress(b"\0" * (64 << 20)), "bomb")),
        (model_member, (header_with(slice(124, 136), b"77777777777\x00"), "bomb")),
        (read_booster, (b"\x80\x03B\xff\xff\xff\x7f", "bomb")),
        (parse, (b"[" * 100_000, JSON, 3)),
        (parse_duration, ("P" + "9" * 100_000 + "D",)),
        (read_constraints, (b'{"a":' * 100_000, "bomb")),
        (read_any_constraints, (b'{"features":' * 100_000, "bomb")),
        (read_statistics, (b'{"features":' * 100_000, "bomb")),
    ]
    for function, arguments in bombs:
        tracemalloc.start()
        ends_well(function, *arguments)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 100 << 20, (function, peak)
