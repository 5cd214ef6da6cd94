"""Columns of a CSV body hidden: every other cell keeps its place and its text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from driftline.serving.sensitive_values import Hide, UnhiddenError

# A cell and what ends it. A quote within an unquoted cell is nothing that a reader would take in one way only.
_CELL = re.compile(r'("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|\n|\r|\Z)')


def hide_csv(text: str, columns: Mapping[int, Hide]) -> str:
    """The text with the cells of zero-based columns hidden, in every row; a blank line is no row.

    An empty cell is a missing value, and stays so. Raises :class:`UnhiddenError` for a text that is not plainly CSV,
    or a row that has no such column.
    """
    widest = max(columns)
    lines = _quoted(text, columns, widest) if '"' in text else _plain(text, columns, widest)
    return "".join(lines)


def _plain(text: str, columns: Mapping[int, Hide], widest: int) -> list[str]:
    """Without any quote, a comma is always the end of a cell."""
    lines = []
    for line in re.split(r"(\r\n|\n|\r)", text):
        if line.strip():
            cells = line.split(",")
            _must_reach(len(cells), widest)
            for column, hide in columns.items():
                cells[column] = _hidden(cells[column].strip(), hide)
            lines.append(",".join(cells))
        else:
            lines.append(line)
    return lines


def _quoted(text: str, columns: Mapping[int, Hide], widest: int) -> list[str]:
    parts, place, column = [], 0, 0
    while place < len(text):
        found = _CELL.match(text, place)
        if found is None:
            raise UnhiddenError("a quote stands within a cell")
        cell, end = found.groups()
        hide = columns.get(column)
        parts += [cell if hide is None else _hidden(_unquoted(cell), hide), end]
        place, column = found.end(), column + 1
        if end != ",":
            if column > 1 or cell.strip():
                _must_reach(column, widest)
            column = 0
    if column:  # the text ends in a comma, after which there is one empty cell more
        _must_reach(column + 1, widest)
    return parts


def _must_reach(cells: int, widest: int) -> None:
    if cells <= widest:
        raise UnhiddenError(f"a row has {cells} cells and no column {widest}")


def _unquoted(cell: str) -> str:
    return cell[1:-1].replace('""', '"').strip() if cell.startswith('"') else cell.strip()


def _hidden(value: str, hide: Callable[[str], str | None]) -> str:
    return (hide(value) or "") if value else ""
