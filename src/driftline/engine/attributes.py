"""Where the numbers stand in an endpoint's output: a zero-based CSV column, or a JMESPath into a JSON document."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from typing import Any

import jmespath
import msgspec
from jmespath.exceptions import ArityError, JMESPathError, JMESPathTypeError

from driftline.core.errors import InputError

_STEP = re.compile(r'\.?([A-Za-z_][A-Za-z0-9_]*)|\.?"((?:[^"\\]|\\.)+)"|\[(\*|-?\d+|)\]')


class OutputAttributes(msgspec.Struct, frozen=True):
    """``probability`` and ``inference`` locate the score and the predicted label; a score above
    ``probability_threshold`` is a positive where there is no predicted label.

    With ``classes``, the names of a multiclass model's classes in its own order, ``probability`` locates one number a
    class: the first of as many CSV columns, a CSV column that holds a JSON array, or a JMESPath that gives an array
    for each prediction.
    """

    probability: str | None = None
    probability_threshold: float = 0.5
    inference: str | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.probability is None and self.inference is None:
            raise InputError(
                "nothing says where the prediction stands in the output",
                hint="give --probability-attribute (and --probability-threshold), --inference-attribute, or both",
            )
        for attribute in (self.probability, self.inference):
            if attribute is not None and json_path(attribute) is None:
                compiled(attribute)
        if self.classes and self.probability is None:
            raise InputError("classes are named, but no probabilities", hint="give --probability-attribute too")
        if len(self.classes) == 1:
            raise InputError("one class is none to choose between", hint="name every class, in the model's order")


def column_index(attribute: str) -> int | None:
    """The zero-based CSV column, or None for a JMESPath."""
    return int(attribute) if attribute.isascii() and attribute.isdigit() else None


def json_path(attribute: str) -> str | None:
    """A JMESPath of names, indices and ``[*]`` as DuckDB's JSON path; a bare number is an index into an array.

    None for any other JMESPath: :func:`compiled` evaluates it document by document, which is many times slower.

    >>> json_path("predictions[*].score"), json_path("0"), json_path('"my label"[-1]')
    ('$."predictions"[*]."score"', '$[0]', '$."my label"[#-1]')
    >>> json_path("predictions[?ok].score") is None
    True
    """
    if column_index(attribute) is not None:
        return f"$[{int(attribute)}]"
    path, position = "$", 0
    while position < len(attribute):
        match = _STEP.match(attribute, position)
        step = None if match is None else _step(match, position, len(attribute))
        if match is None or step is None:
            return None
        path += step
        position = match.end()
    # Nested projections give lists of lists, which a JSON path would flatten.
    return None if path == "$" or path.count("[*]") > 1 else path


@cache
def compiled(attribute: str) -> Any:
    """A JMESPath, ready to search documents. Raises :class:`InputError` for a text that is none, with the place."""
    try:
        expression = jmespath.compile(attribute)
        # A function that does not exist is only found out in a search.
        with suppress(JMESPathTypeError, ArityError):
            expression.search({})
        return expression
    except JMESPathError as error:
        raise InputError(
            f"attribute {attribute!r} is no JMESPath",
            evidence=" ".join(str(error).split())[:200],
            hint="use a CSV column such as 0, or a JMESPath such as predictions[*].score (jmespath.org)",
        ) from None


def _step(match: re.Match[str], start: int, length: int) -> str | None:
    name, quoted, index = match.groups()
    if index is not None:
        # A flattening [] reads like [*] where objects stand in the list, that is, before a name.
        if not index and match.end() == length:
            return None
        return f"[{'#' if index.startswith('-') else ''}{index or '*'}]"
    if match[0].startswith(".") != (start > 0):
        return None
    text = name or msgspec.json.decode(f'"{quoted}"', type=str)
    return None if '"' in text else f'."{text}"'
