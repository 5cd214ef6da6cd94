"""Records that are shown with a violation: their fields, where their text can be taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from driftline.reporting.text import shorten

COLUMNS = 10
_LONGEST = 48
_TRIES = 8


class Records(msgspec.Struct, frozen=True):
    """Records as a table: the id of each where it has one, and its fields by the names of the columns."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    ids: tuple[str, ...] = ()
    more: int = 0


class Sampled(msgspec.Struct, frozen=True):
    """Records that could be taken apart, and the texts of those that could not."""

    table: Records
    texts: tuple[str, ...] = ()


def sampled(samples: Sequence[str]) -> Sampled:
    """Samples of a violation, ``ID: {"field": value, …}``, which may be cut at their end.

    >>> sampled(['o-1: {"age":17,"plan":"gold","lon…', "what"]).table.rows
    (('17', 'gold'),)
    """
    parsed = [(text, _parsed(text)) for text in samples]
    known = [found for _, found in parsed if found is not None]
    texts = tuple(shorten(text, 500) for text, found in parsed if found is None)
    return Sampled(table_of([key for key, _ in known], [fields for _, fields in known]), texts)


def table_of(ids: Sequence[str], fields: Sequence[dict[str, Any]]) -> Records:
    """Records as a table of their first fields; how many more fields they have is told."""
    names = list(dict.fromkeys(name for one in fields for name in one))
    shown = names[:COLUMNS]
    rows = tuple(tuple(_cell(one, name) for name in shown) for one in fields)
    return Records(tuple(shown), rows, tuple(ids), len(names) - len(shown))


def _cell(fields: dict[str, Any], name: str) -> str:
    if name not in fields:
        return ""
    value = fields[name]
    if value is None:
        return "–"
    return shorten(value if isinstance(value, str) else msgspec.json.encode(value).decode(), _LONGEST)


def _parsed(text: str) -> tuple[str, dict[str, Any]] | None:
    """The id and the fields of a record."""
    start = text.find("{")
    if start < 0:
        return None
    key = text[:start].rstrip().removesuffix(":")
    found = _object(text[start:])
    return None if found is None else (shorten(key, _LONGEST), found)


def _object(text: str) -> dict[str, Any] | None:
    """A JSON object; of one that was cut, the fields before the cut."""
    whole = text
    for _ in range(_TRIES):
        try:
            found = msgspec.json.decode(whole)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            text, comma, _ = text.rpartition(',"')
            if not comma:
                return None
            whole = text + "}"
            continue
        return found if isinstance(found, dict) else None
    return None
