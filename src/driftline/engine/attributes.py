"""Where the numbers stand in an endpoint's output: a zero-based CSV column, or a JMESPath into a JSON document."""

from __future__ import annotations

import re

import msgspec

from driftline.core.errors import InputError

_STEP = re.compile(r'\.?([A-Za-z_][A-Za-z0-9_]*)|\.?"((?:[^"\\]|\\.)+)"|\[(\*|-?\d+|)\]')


class OutputAttributes(msgspec.Struct, frozen=True):
    """``probability`` and ``inference`` locate the score and the predicted label; a score above
    ``probability_threshold`` is a positive where there is no predicted label."""

    probability: str | None = None
    probability_threshold: float = 0.5
    inference: str | None = None

    def __post_init__(self) -> None:
        if self.probability is None and self.inference is None:
            raise InputError(
                "nothing says where the prediction stands in the output",
                hint="give --probability-attribute (and --probability-threshold), --inference-attribute, or both",
            )
        for attribute in (self.probability, self.inference):
            if attribute is not None:
                json_path(attribute)


def column_index(attribute: str) -> int | None:
    """The zero-based CSV column, or None for a JMESPath."""
    return int(attribute) if attribute.isascii() and attribute.isdigit() else None


def json_path(attribute: str) -> str:
    """A JMESPath of names, indices and ``[*]`` as DuckDB's JSON path; a bare number is an index into an array.

    >>> json_path("predictions[*].score"), json_path("0"), json_path('"my label"[-1]')
    ('$."predictions"[*]."score"', '$[0]', '$."my label"[#-1]')
    """
    if column_index(attribute) is not None:
        return f"$[{int(attribute)}]"
    path, position = "$", 0
    while position < len(attribute):
        match = _STEP.match(attribute, position)
        if match is None:
            raise _unreadable(attribute, position)
        path += _step(match, attribute)
        position = match.end()
    if path == "$":
        raise _unreadable(attribute, 0)
    return path


def _step(match: re.Match[str], attribute: str) -> str:
    name, quoted, index = match.groups()
    if index is not None:
        # An empty [] flattens; on the arrays of scalars or objects that models answer with it reads like [*].
        return f"[{'#' if index.startswith('-') else ''}{index or '*'}]"
    text = name or msgspec.json.decode(f'"{quoted}"', type=str)
    if '"' in text:
        raise _unreadable(attribute, match.start())
    return f'."{text}"'


def _unreadable(attribute: str, position: int) -> InputError:
    return InputError(
        f"attribute {attribute!r} cannot be read at character {position + 1}",
        hint="use a CSV column such as 0, or a JMESPath of names, indices and [*] such as predictions[*].score",
    )
