"""Documents: what is written reads back, hand-edited files work, and broken ones are refused with line and reason."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.documents import (
    Constraint,
    Interval,
    Metric,
    ModelQualityConstraints,
    Violation,
    constraints_document,
    dump,
    metric_document,
    read_constraints,
    violations_document,
)
from driftline.core.errors import InputError

VALID = b"""{
  "version": 0.0,
  "binary_classification_constraints": {
    "recall": {
      "threshold": 0.57,
      "comparison_operator": "LessThanThreshold"
    },
    "f2": {
      "comparison_operator": "GreaterThanThreshold", "note": "recall and \\"threshold\\"",
      "threshold": 1
    }
  }
}
"""
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
found = st.dictionaries(
    names,
    st.builds(
        Constraint,
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(["LessThanThreshold", "GreaterThanThreshold"]),
        st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=10)),
    ),
    max_size=5,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(problem=st.sampled_from(["BinaryClassification", "MulticlassClassification", "Regression"]), constraints=found)
def test_constraints_read_back(problem: Any, constraints: dict[str, Constraint]) -> None:
    written = ModelQualityConstraints(problem, constraints)
    assert read_constraints(dump(constraints_document(written)), "c.json") == written


def test_an_edited_file_works() -> None:
    read = read_constraints(b"\xef\xbb\xbf" + VALID.replace(b"\n", b"\r\n"), "c.json")
    assert read.constraints == {
        "recall": Constraint(0.57, "LessThanThreshold"),
        "f2": Constraint(1.0, "GreaterThanThreshold"),
    }


def test_an_empty_section_is_no_error() -> None:
    assert read_constraints(b'{"regression_constraints": {}}', "c.json").constraints == {}


BROKEN = [
    (b'"LessThanThreshold"', b'"LessThan"', "line 6: constraint recall: 'LessThan' is not an operator"),
    (b'"GreaterThanThreshold"', b"[]", "line 9: constraint f2: [] is not an operator"),
    (b"0.57", b'"0.57"', "line 5: constraint recall: '0.57' is not a finite number"),
    (b'"threshold": 1', b'"threshold": true', "line 10: constraint f2: True is not a finite number"),
    (b'"threshold": 1', b'"threshold": NaN', "line 10: constraint f2: nan is not a finite number"),
    (b'"threshold": 1', b'"threshold": Infinity', "line 10: constraint f2: inf is not a finite number"),
    (b'"threshold": 1', b'"threshold": null', "line 10: constraint f2: None is not a finite number"),
    (b'"threshold": 1', b'"threshold": 1' + b"0" * 400, "line 10: constraint f2: "),
    (b'"threshold": 0.57,', b"", "line 4: constraint recall: None is not a finite number"),
    (b'{\n      "threshold": 0.57,', b'3, "x": {', "line 4: constraint recall: expected an object"),
    (b"0.57,", b"0.57", "line 6: not valid JSON"),
    (b'Threshold"\n    },', b'Threshold"\n    }', "line 8: not valid JSON"),
    (b"  }\n}\n", b"  }\n", "line 13: not valid JSON"),
    (b'"threshold": 1', b'"threshold": "a\x0bb\xe2\x80\xa8c"', "line 10: "),
    (b'"version": 0.0', b'"a\x1cb": 0.0', "line 2: not valid JSON"),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN)
def test_a_broken_file_is_refused_with_its_line(old: bytes, new: bytes, message: str) -> None:
    assert old in VALID
    with pytest.raises(InputError) as error:
        read_constraints(VALID.replace(old, new, 1), "my/c.json")
    assert error.value.what.startswith("my/c.json, " + message)
    assert error.value.hint


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1: not valid JSON"),
        (b"{\n", "line 2: not valid JSON"),
        (b"\n\n\n", "line 4: not valid JSON"),
        (b"[]", "must hold a JSON object"),
        (b"null", "must hold a JSON object"),
        (b"{}", "holds no model-quality constraints"),
        (b'{"features": []}', "holds no model-quality constraints"),
        (b'{"binary_classification_constraints": []}', "must be an object"),
        (b'{"binary_classification_constraints": null}', "must be an object"),
        (b'{"regression_constraints": {}, "binary_classification_constraints": {}}', "model-quality constraints"),
        (b"\xff\xfe{}", "is not UTF-8 text"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"regression_constraints": {"a": {"threshold": ' + b"9" * 5000 + b"}}}", ""),
        (
            b'{"regression_constraints": {"a": {"threshold": 1, '
            b'"comparison_operator": "LessThanThreshold", "suggestion": 5}}}',
            "suggestion",
        ),
        (b'{"regression_constraints": {"\\ud800": {"threshold": 1, "comparison_operator": "LessThanThreshold"}}}', ""),
    ],
)
def test_what_is_no_constraints_file_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_constraints(data, "c.json")
    assert message in error.value.what
    str(error.value).encode()


def test_a_name_written_with_escapes_is_found() -> None:
    entry = b'{"threshold": "x", "comparison_operator": "LessThanThreshold"}'
    data = b'{"regression_constraints": {\n\n"\\u00fcber": ' + entry + b"}}"
    with pytest.raises(InputError, match="line 3: constraint über"):
        read_constraints(data, "c.json")


def test_a_name_that_stands_elsewhere_first_is_not_mistaken() -> None:
    entry = b'{"threshold": 1, "comparison_operator": "LessThanThreshold"}'
    data = b'{"recall": 1,\n"regression_constraints": {\n"f2": ' + entry + b',\n"recall": 7}}'
    with pytest.raises(InputError, match="line 4: constraint recall"):
        read_constraints(data, "c.json")


def check_only_inputerror(data: bytes) -> None:
    try:
        read = read_constraints(data, "c.json")
    except InputError as error:
        str(error).encode()
        return
    assert all(math.isfinite(constraint.threshold) for constraint in read.constraints.values())
    assert read_constraints(dump(constraints_document(read)), "again") == read


@settings(max_examples=300, deadline=None, derandomize=True)
@given(edits=st.lists(st.tuples(st.integers(0, len(VALID)), st.integers(0, 3), st.binary(max_size=3)), max_size=3))
def test_an_edited_file_is_read_or_refused(edits: list[tuple[int, int, bytes]]) -> None:
    data = VALID
    for place, cut, put in edits:
        data = data[:place] + put + data[place + cut :]
    check_only_inputerror(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["threshold", "comparison_operator", "recall", "suggestion"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(section=json_values, indent=st.sampled_from([None, 1]))
def test_any_json_is_read_or_refused(section: Any, indent: int | None) -> None:
    check_only_inputerror(json.dumps({"binary_classification_constraints": section}, indent=indent).encode())


def test_numbers_that_json_cannot_hold_become_their_names() -> None:
    document = json.loads(dump({"a": math.nan, "b": [math.inf, {"c": -math.inf}], "d": (1.5, None, "é")}))
    assert document == {"a": "NaN", "b": ["Infinity", {"c": "-Infinity"}], "d": [1.5, None, "é"]}
    assert dump({}).endswith(b"}\n")


def test_a_metric_as_it_is_published() -> None:
    assert metric_document(Metric(0.5)) == {"value": 0.5, "standard_deviation": "NaN"}
    full = metric_document(Metric(0.5, 0.01, Interval(0.4, 0.6, 0.95, "m"), None))
    assert full["confidence_interval"] == {"lower": 0.4, "upper": 0.6, "level": 0.95, "method": "m"}
    assert metric_document(Metric(None, error="no rows")) == {
        "value": None,
        "standard_deviation": "NaN",
        "error": "no rows",
    }


def test_violations_as_they_are_published() -> None:
    assert violations_document([]) == {"violations": []}
    assert violations_document(
        [Violation(metric_name="f2", constraint_check_type="LessThanThreshold", description="text")]
    ) == {"violations": [{"metric_name": "f2", "constraint_check_type": "LessThanThreshold", "description": "text"}]}
