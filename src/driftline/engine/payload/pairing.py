"""Both sides of the same records beside each other, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from driftline.engine.payload.parts import MAX_COLUMNS, Mask, Part, Places, Side
from driftline.engine.texts import typed


@dataclass(frozen=True)
class Rows:
    """Rows with the same columns: one side or both; row i of the one belongs to row i of the other."""

    output: Part | None
    input: Part | None

    @property
    def request(self) -> Places:
        """The record of each row."""
        part = self.output if self.output is not None else self.input
        return np.zeros(0, dtype=np.int64) if part is None else part.request


@dataclass(frozen=True)
class _Lists:
    """How many values the list of each record holds, and which are not below a key; 0 where there is no list."""

    lengths: Places
    bare: Mask


def paired(output: Side, entered: Side, captured: tuple[Mask, Mask]) -> Iterator[Rows]:
    """The rows of outputs and inputs. ``captured`` says of which records each side was captured at all.

    Records whose sides have different numbers of rows get the fault ``row_count`` in ``output``. Where one side alone
    could be decoded it stands alone if its columns have names; where they are known by place only it is left out, as
    its place is counted from the other side's columns.
    """
    requests = len(captured[0])
    settle(output, entered, requests)
    outs, ins = _total(output, requests), _total(entered, requests)
    together = (outs > 0) & (ins > 0)
    output.fault("row_count", np.flatnonzero(together & (outs != ins)))
    same = together & (outs == ins)
    for one in output.parts:
        for other in entered.parts:
            both = same & (one.counts(requests) > 0) & (other.counts(requests) > 0)
            if both.any():
                yield Rows(one.only(both[one.request]), other.only(both[other.request]))
    for one in _alone(output, outs > 0, ins > 0, captured[1]):
        yield Rows(one, None)
    for other in _alone(entered, ins > 0, outs > 0, captured[0]):
        yield Rows(None, other)


def _alone(side: Side, here: Mask, there: Mask, other_captured: Mask) -> Iterator[Part]:
    for part in side.parts:
        chosen = here & ~there
        if part.names is None:
            chosen &= ~other_captured
        if chosen[part.request].any():
            yield part.only(chosen[part.request])


def _total(side: Side, requests: int) -> Places:
    return sum((part.counts(requests) for part in side.parts), np.zeros(requests, dtype=np.int64))


def settle(output: Side, entered: Side, requests: int) -> None:
    """Decide which flat lists are one row and which are as many rows as they hold values.

    A list is as many rows as it has values where the other side has so many rows, and one row where the other side has
    one. Of two lists, both are rows when both stand below a key, or when they are of one length and one of them does;
    else both are one row.
    """
    if not any(part.flat for side in (output, entered) for part in side.parts):
        return
    fixed = [_fixed(side, requests) for side in (output, entered)]
    lists = [_lists(side, requests) for side in (output, entered)]
    for side, other, own, theirs in (
        (output, fixed[1], lists[0], lists[1]),
        (entered, fixed[0], lists[1], lists[0]),
    ):
        as_rows = _as_rows(own, theirs, other)
        flat = [part for part in side.parts if part.flat]
        side.parts = [part for part in side.parts if not part.flat]
        for part in flat:
            _settle(part, as_rows, side, requests)


def _fixed(side: Side, requests: int) -> Places:
    return sum((part.counts(requests) for part in side.parts if not part.flat), np.zeros(requests, dtype=np.int64))


def _lists(side: Side, requests: int) -> _Lists:
    lengths, bare = np.zeros(requests, dtype=np.int64), np.zeros(requests, dtype=np.bool_)
    for part in side.parts:
        if part.flat:
            lengths += part.counts(requests)
            bare[part.request] |= part.bare
    return _Lists(lengths, bare)


def _as_rows(own: _Lists, theirs: _Lists, fixed: Places) -> Mask:
    beside_list = np.where(
        own.bare == theirs.bare, ~own.bare, (own.lengths == theirs.lengths) & ~(own.bare & theirs.bare)
    )
    beside_rows = (fixed == own.lengths) | (~own.bare & (fixed != 1))
    found: Mask = np.where(fixed > 0, beside_rows, np.where(theirs.lengths > 0, beside_list, ~own.bare))
    return found


def _settle(part: Part, as_rows: Mask, side: Side, requests: int) -> None:
    tall = as_rows[part.request]
    if tall.any():
        rows = part.only(tall)
        side.parts.append(Part(rows.request, [typed(column) for column in rows.columns], rows.names))
    lengths = part.counts(requests)
    wide = np.where(as_rows, 0, lengths)
    side.fault("too_wide", np.flatnonzero(wide > MAX_COLUMNS))
    for width in np.unique(wide[(wide > 0) & (wide <= MAX_COLUMNS)]).tolist():
        some = part.only((wide == width)[part.request])
        values = some.columns[0]
        places = range(width)
        columns = [typed(values.take(pa.array(np.arange(place, len(values), width)))) for place in places]
        side.parts.append(Part(some.request[::width], columns, None if part.names is None else _numbered(part, width)))


def _numbered(part: Part, width: int) -> tuple[str, ...]:
    name = (part.names or ("",))[0]
    return (name,) if width == 1 else tuple(f"{name}.{place}" for place in range(width))
