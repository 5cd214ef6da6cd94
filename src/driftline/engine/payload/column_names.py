"""What the columns of decoded rows are called, outputs first."""

from __future__ import annotations

from collections.abc import Sequence

from driftline.engine.names import by_place, distinct
from driftline.engine.payload.pairing import Rows
from driftline.engine.payload.parts import Part


def column_names(rows: Rows, given: Sequence[str] = ()) -> tuple[str, ...]:
    """The names of outputs and inputs in one row.

    A side that has names of its own (a header, the keys of JSON) keeps them. One that has none takes them from
    ``given``, if these are as many as all columns, or as the inputs; else its columns are called by their place among
    all of them. A name that both sides have becomes ``output.NAME`` and ``input.NAME``.
    """
    outs, ins = _width(rows.output), _width(rows.input)
    fallback = by_place(outs + ins)
    if len(given) == outs + ins:
        fallback = tuple(given)
    elif len(given) == ins:
        fallback = fallback[:outs] + tuple(given)
    first = _own(rows.output) or fallback[:outs]
    second = _own(rows.input) or fallback[outs:]
    shared = set(first) & set(second)
    both = [f"output.{name}" if name in shared else name for name in first]
    both += [f"input.{name}" if name in shared else name for name in second]
    return distinct(both)


def _width(part: Part | None) -> int:
    return 0 if part is None else len(part.columns)


def _own(part: Part | None) -> tuple[str, ...] | None:
    return None if part is None else part.names
