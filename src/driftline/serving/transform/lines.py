"""The lines of a file as a column, and CSV columns chosen among them; nothing here looks at rows one by one."""

from __future__ import annotations

import os
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from driftline.core.errors import InputError
from driftline.engine.csv_blocks import joined_lines
from driftline.engine.text_blocks import checked_text
from driftline.engine.texts import Array
from driftline.serving.transform.paths import chosen_columns

MOST_BYTES = 1 << 30
_NEEDS_QUOTES = r'[",\r\n]'
_ROW = re.compile(r"[Rr]ow #?(\d+)")


def text_of(content: bytes, source: str) -> str:
    """The text of a file; raises :class:`InputError` with file and line where it is not UTF-8, and for one of more than
    1 GiB."""
    if len(content) > MOST_BYTES:
        hint = "split it into several files"
        raise InputError(f"{source} is too large", evidence=f"{len(content):,} bytes", hint=hint)
    return checked_text(content.removeprefix(b"\xef\xbb\xbf"), source, 0)


def lines_of(content: bytes, source: str) -> Array:
    """The lines of a file without their ends; a last empty one does not count.

    >>> lines_of(b"1,2\\r\\n3,4\\n", "a.csv").to_pylist()
    ['1,2', '3,4']
    """
    text = text_of(content, source).removesuffix("\n")
    if not text:
        return pa.array([], pa.string())
    found = pc.split_pattern(pa.array([text]), "\n").flatten()
    return pc.utf8_rtrim(found, "\r") if "\r" in text else found


def selected(lines: Array, path: str, source: str, first: int) -> Array:
    """The columns that a filter keeps of CSV lines; ``first`` is the number of the first line, for errors."""
    width = pc.count_substring(pc.replace_substring_regex(lines.slice(0, 1), '"[^"]*"', ""), ",")[0].as_py() + 1
    chosen = chosen_columns(path, width)
    if chosen is None:
        return lines
    names = [str(place) for place in range(width)]
    try:
        # With several threads an error does not know its row.
        table = csv.read_csv(
            pa.BufferReader(joined_lines(lines)),
            read_options=csv.ReadOptions(column_names=names, use_threads=False),
            parse_options=csv.ParseOptions(ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, include_columns=names
            ),
        )
    except pa.ArrowInvalid as error:
        raise _uneven(str(error), source, first, width) from None
    if not chosen:
        raise InputError(f"the filter {path[:80]!r} keeps no column", hint="choose at least one")
    return joined_cells([table.column(place).combine_chunks() for place in chosen])


def _uneven(text: str, source: str, first: int, width: int) -> InputError:
    found = _ROW.search(text)
    place = "" if found is None else f", line {first + int(found[1]) - 1}"
    return InputError(
        f"{source}{place}: not {width} columns as in line {first}",
        evidence=text[:200],
        hint="give every line as many columns",
    )


def joined_cells(columns: list[Array]) -> Array:
    """Columns of texts as CSV lines; cells that need quotes get them."""
    return pc.binary_join_element_wise(*map(_quoted, columns), ",")


def _quoted(cells: Array) -> Array:
    needy = pc.match_substring_regex(cells, _NEEDS_QUOTES)
    if not pc.any(needy, min_count=0).as_py():
        return cells
    doubled = pc.replace_substring(cells, '"', '""')
    return pc.if_else(needy, pc.binary_join_element_wise('"', doubled, '"', ""), cells)


def inference_ids(count: int) -> Array:
    """Random UUIDs of version 4, as texts.

    >>> len(inference_ids(2)[1].as_py())
    36
    """
    raw = np.frombuffer(os.urandom(16 * count), np.uint8).reshape(count, 16).copy()
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    digits = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(32), count, [None, pa.py_buffer(raw.tobytes().hex().encode())]
    )
    texts = pc.cast(pc.cast(digits, pa.binary()), pa.string())
    ends = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
    return pc.binary_join_element_wise(*(pc.utf8_slice_codeunits(texts, *end) for end in ends), "-")
