"""CSV bodies to typed rows: bodies with the same number of cells are parsed together, as if they were one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.engine.csv_blocks import joined_lines, parse_block
from driftline.engine.names import cells_of, could_be_names, distinct, is_number
from driftline.engine.payload.parts import MAX_COLUMNS, Mask, Part, Places, Side, spread, uneven
from driftline.engine.texts import Array, content_of

# Cells without a quote at their start, or in quotes with inner ones written twice; nothing may stand behind a quote.
_CELL = r'(?:"(?:[^"]|"")*"|[^",\n][^,\n]*|)'
_WELL_QUOTED = rf"^{_CELL}(?:[,\n]{_CELL})*$"
_QUOTED_CELL = r'(^|[,\n])"(?:[^"]|"")*"'
_MOST_HEADERS = 64
_MARK = "\ufeff"


@dataclass(frozen=True)
class _Bodies:
    """Texts, the same with quoted cells emptied, and the records they are of."""

    text: Array
    shape: Array
    request: Places

    def only(self, chosen: Mask) -> _Bodies:
        if chosen.all():
            return self
        mask = pa.array(chosen)
        return _Bodies(self.text.filter(mask), self.shape.filter(mask), self.request[chosen])


def decode_csv(bodies: Array, requests: Places, *, header: bool | None = None, names: Sequence[str] = ()) -> Side:
    """The rows of CSV bodies, none of them null.

    ``header`` says whether every body begins with a line of names; None looks: such a line has different cells, none
    empty or a number, and either there are numbers below it or all are among ``names``.
    """
    side = Side()
    texts = bodies.combine_chunks() if isinstance(bodies, pa.ChunkedArray) else bodies
    quick = _quick(texts)
    if quick is not None:
        side.parts.append(Part(requests, quick))
        return side
    found = _checked(_cleaned(texts), requests, side)
    for group, given in _by_header(found, header, frozenset(names), side):
        for one, width, rows in _by_width(group, side):
            if given is None or len(given) == width:
                _parse(one, width, rows, given, side)
            else:
                side.fault("ragged", one.request)
    return side


def _quick(texts: Array) -> list[Array] | None:
    """The columns of bodies that are one line each, without quotes, all as wide as the first; None if any is not."""
    content = content_of(texts)
    odd = any(mark in content for mark in (b"\r", b"\n", b'"', _MARK.encode()))
    if odd or pc.min(pc.binary_length(texts)).as_py() == 0:
        return None
    width = texts[0].as_py().count(",") + 1
    rows = np.arange(len(texts))
    return None if width > MAX_COLUMNS else _columns(_Bodies(texts, texts, rows), width, len(texts))


def _cleaned(bodies: Array) -> Array:
    """The bodies with one kind of line break, and none at their end."""
    if _any(pc.match_substring(bodies, "\r")):
        bodies = pc.replace_substring(pc.replace_substring(bodies, "\r\n", "\n"), "\r", "\n")
    if _any(pc.starts_with(bodies, _MARK)):
        bodies = pc.utf8_ltrim(bodies, _MARK)
    return pc.utf8_rtrim(bodies, "\n") if _any(pc.ends_with(bodies, "\n")) else bodies


def _checked(bodies: Array, requests: Places, side: Side) -> _Bodies:
    """The bodies whose quotes are in order, and that are not empty."""
    empty = _mask(pc.equal(pc.binary_length(bodies), 0))
    quoted = _mask(pc.match_substring(bodies, '"'))
    side.fault("no_rows", requests[empty])
    shape, bad = bodies, empty
    if quoted.any():
        some = bodies.filter(pa.array(quoted))
        broken = ~_mask(pc.match_substring_regex(some, _WELL_QUOTED))
        side.fault("broken_quotes", requests[quoted][broken])
        bad = empty.copy()
        bad[np.flatnonzero(quoted)[broken]] = True
        emptied = pc.replace_substring_regex(some, _QUOTED_CELL, r"\1")
        shape = pc.replace_with_mask(bodies, pa.array(quoted), emptied)
    return _Bodies(bodies, shape, requests).only(~bad)


def _by_header(found: _Bodies, header: bool | None, names: frozenset[str], side: Side) -> Iterator[tuple[_Bodies, Any]]:
    """The bodies by the header they begin with, without it; None where they have none."""
    several = _mask(pc.match_substring(found.shape, "\n"))
    if header is False or not several.any():
        yield found, None
        return
    first = pc.replace_substring_regex(found.text, r"\n(?s:.*)$", "").dictionary_encode()
    kinds = _header_kinds(found, first, several, header, names, side)
    places = first.indices.to_numpy()
    headed = np.isin(places, list(kinds)) & several
    yield found.only(~headed), None
    for kind, cells in kinds.items():
        group = found.only(headed & (places == kind))
        text, shape = (pc.replace_substring_regex(part, r"^[^\n]*\n", "") for part in (group.text, group.shape))
        yield _Bodies(text, shape, group.request), cells


def _header_kinds(
    found: _Bodies, first: Array, several: Mask, header: bool | None, names: frozenset[str], side: Side
) -> dict[int, tuple[str, ...]]:
    """Which of the distinct first lines are headers, with their names. Data differ, headers are few."""
    kinds = np.unique(first.indices.to_numpy()[several])
    if header is None and len(kinds) > _MOST_HEADERS:
        return {}
    chosen = {}
    for kind in kinds.tolist():
        cells = cells_of(first.dictionary[kind].as_py())
        known = header or (could_be_names(cells) and _numbers_below(found, first, several, kind))
        side.undecided |= not known and could_be_names(cells)
        if known or (could_be_names(cells) and names.issuperset(cells)):
            chosen[kind] = distinct([cell or f"_c{place}" for place, cell in enumerate(cells)])
    return chosen


def _numbers_below(found: _Bodies, first: Array, several: Mask, kind: int) -> bool:
    """Whether the second line of the first body that begins with this line holds a number."""
    place = int(np.flatnonzero((first.indices.to_numpy() == kind) & several)[0])
    second = found.text[place].as_py().split("\n", 2)[1]
    return any(is_number(cell) for cell in cells_of(second))


def _by_width(found: _Bodies, side: Side) -> Iterator[tuple[_Bodies, int, Places]]:
    """The bodies by how many cells their lines have, with their numbers of lines."""
    if not len(found.request):
        return
    if _any(pc.match_substring(found.shape, "\n")):
        lines = pc.split_pattern(found.shape, "\n")
        rows = _integers(pc.list_value_length(lines))
        cells = _integers(pc.count_substring(lines.flatten(), ",")) + 1
        ragged = uneven(cells, rows)
        widths = cells[np.concatenate([[0], np.cumsum(rows)[:-1]])]
    else:
        rows = np.ones(len(found.request), dtype=np.int64)
        widths = _integers(pc.count_substring(found.shape, ",")) + 1
        ragged = np.zeros(len(rows), dtype=np.bool_)
    side.fault("ragged", found.request[ragged])
    side.fault("too_wide", found.request[~ragged & (widths > MAX_COLUMNS)])
    usable = ~ragged & (widths <= MAX_COLUMNS)
    for width in np.unique(widths[usable]).tolist():
        chosen = usable & (widths == width)
        yield found.only(chosen), width, rows[chosen]


def _parse(found: _Bodies, width: int, rows: Places, names: tuple[str, ...] | None, side: Side) -> None:
    """One layout. Should the parser see other rows than were counted, the body at fault is searched by halves."""
    columns = _columns(found, width, int(rows.sum()))
    if columns is not None:
        side.parts.append(Part(spread(rows, found.request), columns, names))
    elif len(rows) == 1:
        side.fault("not_csv", found.request)
    else:
        first = np.arange(len(rows)) < len(rows) // 2
        for half in (first, ~first):
            _parse(found.only(half), width, rows[half], names, side)


def _columns(found: _Bodies, width: int, rows: int) -> list[Array] | None:
    texts = found.text.combine_chunks() if isinstance(found.text, pa.ChunkedArray) else found.text
    # Line breaks inside quotes are what the texts have more of than their shapes.
    newlines = found.text is not found.shape
    try:
        columns = parse_block(
            joined_lines(texts), width, newlines=newlines, lines=texts if len(texts) == rows else None
        )
    except pa.ArrowInvalid:
        return None
    return columns if len(columns[0]) == rows else None


def _any(mask: Any) -> bool:
    return bool(pc.any(mask, min_count=0).as_py())


def _mask(values: Any) -> Mask:
    found: Mask = values.to_numpy(zero_copy_only=False)
    return found


def _integers(values: Any) -> Places:
    found: Places = values.to_numpy(zero_copy_only=False).astype(np.int64)
    return found
