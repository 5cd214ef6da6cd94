"""Nested Arrow columns to flat ones: structs by their keys, lists by their places."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.engine.names import distinct
from driftline.engine.payload.parts import MAX_COLUMNS, Places
from driftline.engine.texts import Array, typed


class TooWideError(ValueError):
    """There are more columns than a row may have."""


def flatten(column: Array, name: str) -> dict[str, Array]:
    """The columns of values in a nested one, by dotted names: ``customer.age``, ``scores.0``; typed.

    A list has as many columns as the longest has values; shorter ones miss the rest. Raises :class:`TooWideError`.

    >>> sorted(flatten(pa.array([{"a": ["1", "2"]}, {"a": ["3"]}]), "x"))
    ['x.a.0', 'x.a.1']
    """
    found: dict[str, Array] = {}
    waiting = [(name, column)]
    while waiting:
        path, nested = waiting.pop()
        if pa.types.is_struct(nested.type):
            below = [
                (_below(path, field.name), part) for field, part in zip(nested.type, nested.flatten(), strict=True)
            ]
        elif pa.types.is_list(nested.type):
            below = [(_below(path, str(place)), part) for place, part in enumerate(by_places(nested))]
        else:
            found[distinct([*found, path])[-1] if path in found else path] = typed(nested)
            below = []
        waiting += reversed(below)
        if len(found) + len(waiting) > MAX_COLUMNS:
            raise TooWideError
    return found


def by_places(lists: Array) -> list[Array]:
    """The first values of all lists, the second ones, and so on; null where a list has no such place."""
    lengths = lengths_of(lists)
    width = int(lengths.max(initial=0))
    if width > MAX_COLUMNS:
        raise TooWideError
    starts = np.cumsum(lengths) - lengths
    values = lists.flatten()
    return [
        values.take(
            pa.array(starts + place, mask=lengths <= place) if len(values) else pa.nulls(len(lists), pa.int64())
        )
        for place in range(width)
    ]


def lengths_of(lists: Array) -> Places:
    """How many values each list holds; a null holds none."""
    found: Places = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def strided(values: Array, width: int) -> list[Array]:
    """The columns of values that stand row by row, ``width`` in each."""
    return [values.take(pa.array(np.arange(place, len(values), width))) for place in range(width)]


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
