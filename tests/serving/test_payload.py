"""Bodies to rows and answers to bodies."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.errors import DriftlineError, InputError
from driftline.serving.errors import MediaTypeError
from driftline.serving.payload import CSV, JSON, answer_type, body_type, format_answer, parse

NAN = math.nan


def rows(body: bytes | str, media_type: str = CSV, n_features: int = 2) -> list[list[float]]:
    packed = parse(body.encode() if isinstance(body, str) else body, media_type, n_features)
    parsed: list[list[float]] = np.frombuffer(packed, dtype="<f4").reshape(-1, n_features).tolist()
    return parsed


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("1,2", [[1, 2]]),
        ("1,2\n", [[1, 2]]),
        ("1,2\r\n", [[1, 2]]),
        ("1,2\n3,4", [[1, 2], [3, 4]]),
        ("1,2\r\n3,4\r\n", [[1, 2], [3, 4]]),
        ('"1","-2.5"\n3,4', [[1, -2.5], [3, 4]]),
        (" 1 ,\t2", [[1, 2]]),
        ("+1,.5", [[1, 0.5]]),
        ("1.,01", [[1, 1]]),
        ("1e2,-2.5E-1", [[100, -0.25]]),
        (",2", [[NAN, 2]]),
        (",", [[NAN, NAN]]),
        ('"",nan', [[NAN, NAN]]),
        ("NaN,1", [[NAN, 1]]),
        ("\ufeff1,2", [[1, 2]]),
        ("-0,0", [[0, 0]]),
    ],
)
def test_csv(body: str, expected: list[list[float]]) -> None:
    np.testing.assert_array_equal(rows(body), expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("[[1,2],[3,4.5]]", [[1, 2], [3, 4.5]]),
        ("[1,2]", [[1, 2]]),
        (' {"instances": [[1, 2]]} ', [[1, 2]]),
        ('{"instances":[[1,2],[3,4]]}', [[1, 2], [3, 4]]),
        ('{"instances":[{"features":[1,null]},[3,4]]}', [[1, NAN], [3, 4]]),
        ("[null,2]", [[NAN, 2]]),
        ("[[1,2],[3,null]]", [[1, 2], [3, NAN]]),
        ('{"instances":[[1,2]],"parameters":{}}', [[1, 2]]),
    ],
)
def test_json(body: str, expected: list[list[float]]) -> None:
    np.testing.assert_array_equal(rows(body, JSON), expected)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("", "empty"),
        ("\n", "empty"),
        ("1", "row 1 has 1 columns"),
        ("1,2,3", "row 1 has 3 columns"),
        ("1,2\n\n3,4", "row 2 has 1 columns"),
        ("1,2\n3", "row 2 has 1 columns"),
        ("1,2],[3,4", "row 1 has 4 columns"),
        ("1,2]\n[3,4", "row 1, column 2"),
        ("1_0,2", "row 1, column 1"),
        ("0x1,2", "row 1, column 1"),
        ("1,2\n3,abc", "row 2, column 2"),
        ("1,true", "row 1, column 2"),
        ("inf,1", "row 1, column 1"),
        ("1e999,1", "row 1, column 1"),
        ("1,1e39", "row 1, column 2"),
        ("9" * 400 + ",1", "row 1, column 1"),
        ("1,٣", "row 1, column 2"),
        ("1;2", "row 1 has 1 columns"),
        ('1,"2', "row 1: broken quotes"),
        ("a,b\n1,2", "row 1, column 1"),
        (b"\xff,1", "not UTF-8"),
    ],
)
def test_csv_errors_name_the_place(body: bytes | str, where: str) -> None:
    with pytest.raises(InputError, match=where):
        rows(body)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("", "not valid JSON"),
        ("[1,2", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "no rows"),
        ("{}", "no rows"),
        ("3", "no rows"),
        ('{"instances":{}}', "no rows"),
        ("[[]]", "row 1 has 0 columns"),
        ("[[1,2],3]", "row 2 is not a list"),
        ('[[1,2],{"x":[1,2]}]', "row 2 is not a list"),
        ("[[1,2],[3]]", "row 2 has 1 columns"),
        ("[true,1]", "row 1, column 1"),
        ('[1,"2"]', "row 1, column 2"),
        ("[[1,2],[1,1e39]]", "row 2, column 2"),
        ("[1,1e999]", "not valid JSON"),
        ("[1,NaN]", "not valid JSON"),
        ("[1" + "0" * 400 + ",2]", "row 1, column 1"),
    ],
)
def test_json_errors_name_the_place(body: str, where: str) -> None:
    with pytest.raises(InputError, match=where):
        rows(body, JSON)


def test_content_types() -> None:
    assert body_type("text/csv; charset=utf-8") == CSV
    assert body_type("Application/JSON") == JSON
    for wrong in ("", "image/png", "application/jsonlines"):
        with pytest.raises(MediaTypeError) as caught:
            body_type(wrong)
        assert caught.value.http_status == 415
    assert answer_type("text/html, application/json;q=0.5", CSV) == JSON
    assert answer_type("text/html", CSV) == CSV


floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(st.lists(floats, min_size=3, max_size=3), min_size=1, max_size=5), st.booleans(), st.booleans())
def test_what_is_written_is_read(values: list[list[float]], crlf: bool, quoted: bool) -> None:
    buffer = io.StringIO()
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(buffer, lineterminator="\r\n" if crlf else "\n", quoting=quoting).writerows(values)
    assert rows(buffer.getvalue(), CSV, 3) == values
    assert rows(json.dumps(values), JSON, 3) == values
    assert rows(json.dumps({"instances": values}), JSON, 3) == values


@given(floats)
def test_answers_keep_every_digit(value: float) -> None:
    assert float(format_answer([value], CSV)) == value
    assert json.loads(format_answer([value], JSON)) == {"predictions": [{"score": value}]}


def test_answer_shapes() -> None:
    assert format_answer([[0.5, 0.25], [1.0, 0.0]], CSV) == b"0.5,0.25\n1.0,0.0"
    assert format_answer([[0.5, 0.25]], JSON) == b'{"predictions":[{"scores":[0.5,0.25]}]}'
    assert format_answer([NAN], JSON) == b'{"predictions":[{"score":null}]}'


_number = st.sampled_from(
    ["1", "-2.5", "1e5", "", "nan", "x", "1_0", '"3"', "]", "[", "\n", "\r\n", ",", " ", "{", "é"]
)


@settings(max_examples=400)
@given(st.lists(_number, max_size=12).map(",".join) | st.text(max_size=40), st.sampled_from([CSV, JSON]))
def test_any_text_gives_whole_rows_or_our_error(body: str, media_type: str) -> None:
    _whole_rows_or_error(body.encode("utf-8", "surrogatepass"), media_type)


_json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["instances", "features"]), inner),
    max_leaves=12,
)


@settings(max_examples=300)
@given(_json_values)
def test_any_document_gives_whole_rows_or_our_error(document: Any) -> None:
    _whole_rows_or_error(json.dumps(document).encode(), JSON)


def _whole_rows_or_error(body: bytes, media_type: str) -> None:
    refused: DriftlineError | None = None
    try:
        packed = parse(body, media_type, 2)
    except DriftlineError as error:
        packed, refused = b"", error
    assert (refused is None) == bool(packed)
    assert refused is None or (refused.http_status, bool(refused.hint)) == (400, True)
    assert len(packed) % 8 == 0
    assert not np.isinf(np.frombuffer(packed, dtype="<f4")).any()
