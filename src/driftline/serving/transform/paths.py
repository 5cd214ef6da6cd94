"""The JSONPaths of filters: names, places and slices, of CSV columns or of JSON documents."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import msgspec

from driftline.core.errors import InputError
from driftline.engine.payload.documents import quoted

_NAME = re.compile(r"\.([A-Za-z_][\w-]*)", re.ASCII)
_NAMES = re.compile(r"""\.?\[\s*((?:'[^']*'|"[^"]*")(?:\s*,\s*(?:'[^']*'|"[^"]*"))*)\s*\]""")
_PLACES = re.compile(r"\.?\[\s*(-?\d{1,9}(?:\s*,\s*-?\d{1,9})*)\s*\]", re.ASCII)
_SLICE = re.compile(r"\.?\[\s*(-?\d{1,9})?\s*:\s*(-?\d{1,9})?\s*\]", re.ASCII)
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_HINT = "write $, $[0], $[0,2,-1], $[1:], $.name, $['name'] or $['one','two']"


class Names(NamedTuple):
    """One child, or an object of several."""

    names: tuple[str, ...]


class Places(NamedTuple):
    """One element of a list, or a list of several; negative ones are counted from the end."""

    places: tuple[int, ...]


class Slice(NamedTuple):
    """The elements from a place to before another."""

    start: int | None
    end: int | None


Step = Names | Places | Slice


@lru_cache(maxsize=256)
def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path from the root; raises :class:`InputError` with the character that is not understood.

    >>> parse_path("$"), parse_path("$.rows[0]")
    ((), (Names(names=('rows',)), Places(places=(0,))))
    >>> parse_path("$[1:]"), parse_path("$['id','SageMakerOutput']")
    ((Slice(start=1, end=None),), (Names(names=('id', 'SageMakerOutput')),))
    """
    if not text.startswith("$"):
        raise InputError(f"the filter {text[:80]!r} does not begin with $", hint=_HINT)
    position, steps = 1, []
    while position < len(text):
        step, position = _step(text, position)
        steps.append(step)
    return tuple(steps)


def _step(text: str, position: int) -> tuple[Step, int]:
    if found := _NAME.match(text, position):
        return Names((found[1],)), found.end()
    if found := _NAMES.match(text, position):
        return Names(tuple(one or two for one, two in _QUOTED.findall(found[1]))), found.end()
    if found := _PLACES.match(text, position):
        return Places(tuple(map(int, found[1].split(",")))), found.end()
    if found := _SLICE.match(text, position):
        start, end = (None if part is None else int(part) for part in found.groups())
        return Slice(start, end), found.end()
    raise InputError(
        f"the filter {text[:80]!r} is not understood at character {position + 1}",
        evidence=text[position : position + 20],
        hint=_HINT,
    )


def chosen_columns(text: str, width: int) -> list[int] | None:
    """The places of the CSV columns that a filter keeps of rows of so many; None where it keeps them as they are.

    >>> chosen_columns("$[1:]", 3), chosen_columns("$[0,-1]", 3), chosen_columns("$", 3)
    ([1, 2], [0, 2], None)
    """
    steps = parse_path(text)
    if not steps:
        return None
    if len(steps) > 1 or isinstance(steps[0], Names):
        hint = "choose columns by their places: $[0], $[0,2,-1] or $[1:]"
        raise InputError(f"the filter {text[:80]!r} has names, and CSV columns have none", hint=hint)
    if isinstance(steps[0], Slice):
        return list(range(width))[slice(*steps[0])]
    outside = [place for place in steps[0].places if not -width <= place < width]
    if outside:
        evidence = f"the rows have {width} columns"
        raise InputError(f"the filter {text[:80]!r} chooses a column that is not there", evidence=evidence, hint=_HINT)
    return [place % width for place in steps[0].places]


def document_sql(text: str, document: str = "d") -> str:
    """The SQL of what a filter keeps of a JSON document; null where the document has nothing there.

    >>> document_sql("$.rows[-1]")
    'json_extract(json_extract(d, \\'$."rows"\\'), \\'$[#-1]\\')'
    """
    found = document
    for step in parse_path(text):
        found = _step_sql(step, found)
    return found


def _step_sql(step: Step, document: str) -> str:
    if isinstance(step, Names):
        if len(step.names) == 1:
            return _child(document, step.names[0])
        pairs = ", ".join(f"{quoted(name)}, {_child(document, name)}" for name in step.names)
        return f"json_object({pairs})"
    if isinstance(step, Places):
        items = [f"json_extract({document}, '$[{'#' if place < 0 else ''}{place}]')" for place in step.places]
        return items[0] if len(items) == 1 else f"json_array({', '.join(items)})"
    start = 1 if step.start is None else step.start + (step.start >= 0)
    # Both ends of a slice in SQL belong to it, and places are counted from 1.
    end = "NULL" if step.end is None else str(step.end - (step.end < 0))
    listed = f"CAST({document} AS JSON[])"
    return f"to_json(list_slice({listed}, {start}, coalesce({end}, len({listed}))))"


def _child(document: str, name: str) -> str:
    if set(name) & set('"\\'):
        raise InputError(f"the filter's name {name[:80]!r} cannot be looked for", hint="use names without quotes")
    path = "$." + msgspec.json.encode(name).decode()
    return f"json_extract({document}, {quoted(path)})"
