"""JMESPath expressions: checked when they are given, and as a JSON path of DuckDB where they are simple enough."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

from driftline.core.errors import InputError

_STEP = re.compile(r'\.?([A-Za-z_][A-Za-z0-9_]*)|\.?"((?:[^"\\]|\\.)+)"|\[(\*|-?[1-9]\d{0,8}|0)\]', re.ASCII)
_HINT = "use a CSV column such as 0, or a JMESPath such as predictions[*].score (jmespath.org)"


def json_path(expression: str) -> str | None:
    """A JMESPath of names, indices and one ``[*]`` as DuckDB's JSON path; a bare number is an index into an array.

    None for any other expression: :func:`compiled` evaluates it document by document, which is several times slower.

    >>> json_path("predictions[*].score"), json_path("0"), json_path('"my label"[-1]')
    ('$."predictions"[*]."score"', '$[0]', '$."my label"[#-1]')
    >>> json_path("predictions[?ok].score") is None
    True
    """
    if expression.isascii() and expression.isdigit():
        return f"$[{int(expression)}]"
    path, position = "$", 0
    while position < len(expression):
        match = _STEP.match(expression, position)
        step = None if match is None else _step(match, position)
        if match is None or step is None:
            return None
        path += step
        position = match.end()
    # Nested projections give lists of lists, which a JSON path would flatten.
    return None if path == "$" or path.count("[*]") > 1 else path


def _step(match: re.Match[str], start: int) -> str | None:
    name, quoted, index = match.groups()
    if index is not None:
        return f"[{'#' if index.startswith('-') else ''}{index}]"
    if match[0].startswith(".") != (start > 0):
        return None
    try:
        text = name or msgspec.json.decode(f'"{quoted}"', type=str)
    except msgspec.DecodeError:
        return None
    # A quoted star is a wildcard to DuckDB, a quote ends its name, and dots and brackets in it are taken for steps.
    return None if set(text) & set('"*\\.[]') else f'."{text}"'


@lru_cache(maxsize=256)
def compiled(expression: str) -> Any:
    """A JMESPath, ready to search documents.

    Raises :class:`InputError` for a text that is none, with the place, and for a function that does not exist or has
    another number of arguments: wherever it stands, though a search might never come to it.
    """
    try:
        with warnings.catch_warnings():
            # A literal such as `a` without quotes is an old way of writing a text, which works.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            found = jmespath.compile(expression)
    except (JMESPathError, RecursionError) as error:
        place = getattr(error, "lex_position", None)
        at = "" if place is None else f" at character {min(place, len(expression)) + 1}"
        raise InputError(
            f"attribute {expression[:200]!r} is no JMESPath{at}",
            evidence=" ".join(str(error).split())[:200],
            hint=_HINT,
        ) from None
    for call in _calls(found.parsed):
        _check_call(expression, call["value"], len(call["children"]))
    return found


def _calls(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "function_expression":
            yield node
        for child in node.get("children", ()):
            yield from _calls(child)


def _check_call(expression: str, name: str, arguments: int) -> None:
    known = Functions.FUNCTION_TABLE.get(name)
    place = f" at character {expression.find(name + '(') + 1}"
    if known is None:
        raise InputError(
            f"attribute {expression[:200]!r} is no JMESPath{place}: there is no function {name}()",
            evidence=f"its functions are {', '.join(sorted(Functions.FUNCTION_TABLE))}",
            hint=_HINT,
        )
    signature = known["signature"]
    several = bool(signature) and bool(signature[-1].get("variadic"))
    if arguments < len(signature) or (arguments > len(signature) and not several):
        raise InputError(
            f"attribute {expression[:200]!r} is no JMESPath{place}: {name}() has {arguments} arguments",
            evidence=f"it takes {len(signature)}{' or more' if several else ''}",
            hint=_HINT,
        )
