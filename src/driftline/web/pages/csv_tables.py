"""The tables of a page as CSV: every field of its view-model that is a sequence of structs is one."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import msgspec

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table_names(view: msgspec.Struct) -> tuple[str, ...]:
    """The fields of a view-model that are tables, empty ones left out."""
    return tuple(name for name in view.__struct_fields__ if _rows(getattr(view, name)))


def csv_of(rows: Sequence[Any]) -> str:
    """Rows of structs of one kind as CSV, a column a field; what is nested is JSON."""
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(rows[0].__struct_fields__)
    lines.writerows([_cell(getattr(row, name)) for name in row.__struct_fields__] for row in rows)
    return written.getvalue()


def _rows(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, msgspec.Struct) for one in value)


def _cell(value: object) -> object:
    """A cell. Texts that a spreadsheet would take for a formula begin with an apostrophe."""
    built = msgspec.to_builtins(value)
    if isinstance(built, str):
        return "'" + built if built.startswith(_FORMULA) else built
    return msgspec.json.encode(built).decode() if isinstance(built, dict | list | tuple) else built
