"""What the columns of decoded rows are called, outputs first."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pyarrow as pa

from driftline.engine.names import by_place, distinct
from driftline.engine.payload.pairing import Rows
from driftline.engine.payload.parts import Part

_SIDES = b"driftline.sides"


class Sides(msgspec.Struct, frozen=True):
    """The columns of both sides: their own names (of a header, the keys of JSON), or how many there are without any."""

    output: tuple[str, ...] | int = 0
    input: tuple[str, ...] | int = 0

    @property
    def widths(self) -> tuple[int, int]:
        """How many columns are outputs and how many inputs."""
        first, second = (side if isinstance(side, int) else len(side) for side in (self.output, self.input))
        return first, second

    def metadata(self) -> dict[bytes, bytes]:
        """As metadata of a schema, see :func:`sides_of`."""
        return {_SIDES: msgspec.json.encode(self)}


def sides(rows: Rows) -> Sides:
    """The sides of decoded rows."""
    return Sides(_side(rows.output), _side(rows.input))


def sides_of(batch: pa.RecordBatch) -> Sides:
    """The sides of a decoded batch, which its schema tells."""
    return msgspec.json.decode((batch.schema.metadata or {})[_SIDES], type=Sides)


def column_names(found: Sides, given: Sequence[str] = (), *, of_inputs: bool = False) -> tuple[str, ...]:
    """The names of outputs and inputs in one row.

    A side that has names of its own keeps them. One that has none takes them from ``given``, if these are as many as
    all columns, or as the inputs; else its columns are called by their place among all of them. With ``of_inputs`` the
    given names are those of inputs only: where they are too many, the first is not taken for an output's. A name that
    both sides have becomes ``output.NAME`` and ``input.NAME``.

    >>> column_names(Sides(1, 2)), column_names(Sides(1, 2), ("age", "plan")), column_names(Sides(1, ("age",)))
    (('_c0', '_c1', '_c2'), ('_c0', 'age', 'plan'), ('_c0', 'age'))
    >>> column_names(Sides(1, 2), ("id", "age", "plan"), of_inputs=True)
    ('_c0', '_c1', '_c2')
    """
    outs, ins = found.widths
    fallback = by_place(outs + ins)
    if len(given) == outs + ins and not of_inputs:
        fallback = tuple(given)
    elif len(given) == ins:
        fallback = fallback[:outs] + tuple(given)
    first = fallback[:outs] if isinstance(found.output, int) else found.output
    second = fallback[outs:] if isinstance(found.input, int) else found.input
    shared = set(first) & set(second)
    both = [f"output.{name}" if name in shared else name for name in first]
    both += [f"input.{name}" if name in shared else name for name in second]
    return distinct(both)


def _side(part: Part | None) -> tuple[str, ...] | int:
    if part is None:
        return 0
    return len(part.columns) if part.names is None else tuple(part.names)
