"""What a model answers to the records of a file: texts of CSV, or JSON documents, one a record."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.errors import DriftlineError, InputError
from driftline.engine.csv_blocks import joined_lines
from driftline.engine.texts import Array
from driftline.serving.batching import predicted
from driftline.serving.errors import PredictionError
from driftline.serving.payload import CSV, JSON, format_answer, parse
from driftline.serving.runtime import Model

_ROW = re.compile(r"row (\d+)")
_NO_NUMBER = r"\b(?:nan|inf)\b|-inf\b"


def answers_to_lines(model: Model, lines: Array, media_type: str, source: str, first: int) -> list[Any]:
    """The predictions for lines that are rows of CSV, or of JSON documents; they begin at line ``first`` of a file.

    Raises :class:`InputError` that names file and line.
    """
    body = joined_lines(lines).to_pybytes()
    if media_type == JSON:
        body = b"[%b]" % body.replace(b"\n", b",")
    try:
        return answers(model, body, media_type)
    except DriftlineError as error:
        raise _placed(error, source, first, len(lines)) from None


def answers(model: Model, body: bytes, media_type: str) -> list[Any]:
    """The predictions for a body, parsed as an endpoint does."""
    rows = parse(body, media_type, model.n_features)
    try:
        return predicted(model, rows)
    except DriftlineError:
        raise
    except Exception as error:  # the model's library may raise anything
        raise PredictionError(
            "the model failed on these rows",
            evidence=f"{type(error).__name__}: {error}"[:300],
            hint="compare the values with the training data",
        ) from None


def _placed(error: DriftlineError, source: str, first: int, count: int) -> DriftlineError:
    found = _ROW.match(error.what)
    if found is None:
        what = f"{source}, lines {first} to {first + count - 1}: {error.what}"
    else:
        what = f"{source}, line {first + int(found[1]) - 1}: the row{error.what[found.end() :]}"
    kind = PredictionError if isinstance(error, PredictionError) else InputError
    return kind(what, evidence=error.evidence, hint=error.hint)


def cells_of_answers(values: list[Any]) -> Array:
    """Predictions as CSV cells, written as an endpoint writes them.

    >>> cells_of_answers([0.25, 0.5]).to_pylist(), cells_of_answers([[0.25, 0.75]]).to_pylist()
    (['0.25', '0.5'], ['0.25,0.75'])
    """
    return pc.split_pattern(pa.array([format_answer(values, CSV).decode()]), "\n").flatten()


def documents_of_answers(values: list[Any], *, listed: bool) -> Array:
    """Predictions as JSON documents, one a row; ``listed`` gives each the form that an endpoint's answer has.

    >>> documents_of_answers([0.25], listed=False).to_pylist()
    ['{"score":0.25}']
    >>> documents_of_answers([[0.5, 0.5]], listed=True).to_pylist()
    ['{"predictions":[{"scores":[0.5,0.5]}]}']
    """
    several = isinstance(values[0], list)
    numbers = pc.replace_substring_regex(cells_of_answers(values), _NO_NUMBER, "null")
    before, after = ('{"scores":[', "]}") if several else ('{"score":', "}")
    if listed:
        before, after = '{"predictions":[' + before, after + "]}"
    return pc.binary_join_element_wise(before, numbers, after, "")
