"""The rows that one side of captured records was decoded to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.engine.texts import Array, typed

Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
MAX_COLUMNS = 10_000
MAX_DEPTH = 64


@dataclass(frozen=True)
class Part:
    """Rows with the same columns. ``request`` is the place of each row's record among those decoded, ascending.

    ``names`` is None where columns are known by their place alone. A ``flat`` part is a list of values a record, as one
    column: whether it is one row or as many rows as values is only known from the record's other side; alone it is
    one row where it is ``bare``, else a row a value.
    """

    request: Places
    columns: list[Array]
    names: tuple[str, ...] | None = None
    flat: bool = False
    bare: bool = False

    def only(self, chosen: Mask) -> Part:
        """The chosen rows. Fewer texts may all be numbers, so their type is looked at again."""
        if chosen.all():
            return self
        mask = pa.array(chosen)
        columns = [column.filter(mask) for column in self.columns]
        if not self.flat:
            columns = [typed(column) if pa.types.is_string(column.type) else column for column in columns]
        return Part(self.request[chosen], columns, self.names, self.flat, self.bare)

    def counts(self, requests: int) -> Places:
        """How many rows each of so many records has here."""
        return np.bincount(self.request, minlength=requests).astype(np.int64)


@dataclass
class Side:
    """What became of the bodies of one side: every record is in one part, has a fault, or was not captured.

    ``undecided`` says that a first line could be names or data.
    """

    parts: list[Part] = field(default_factory=list)
    faults: dict[str, list[Places]] = field(default_factory=dict)
    undecided: bool = False

    def fault(self, reason: str, requests: Any) -> None:
        """Say what speaks against the bodies of some records."""
        if len(requests):
            self.faults.setdefault(reason, []).append(np.asarray(requests, dtype=np.int64))

    def add(self, other: Side) -> None:
        """Take over what was found elsewhere."""
        self.parts += other.parts
        for reason, found in other.faults.items():
            self.faults.setdefault(reason, []).extend(found)


def spread(lengths: Any, requests: Places) -> Places:
    """The record of every row, of lists of these lengths."""
    return np.repeat(requests, np.asarray(lengths, dtype=np.int64))


def uneven(values: Places, lengths: Places) -> Mask:
    """Which lists, of these lengths and none empty, hold different values."""
    if not len(lengths):
        return np.zeros(0, dtype=np.bool_)
    starts = (np.cumsum(lengths) - lengths).astype(np.int64)
    found: Mask = np.minimum.reduceat(values, starts) != np.maximum.reduceat(values, starts)
    return found
