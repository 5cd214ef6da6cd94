"""The parts of the original's analysis configuration: values of the wanted kind, and columns by name or number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from driftline.core.errors import InputError
from driftline.core.json_text import Key, Lines
from driftline.core.table_settings import known_keys, nearest, shown

TABLES = ("text/csv", "application/x-parquet", "application/jsonlines", "application/json")


class Part:
    """An object of the document, with the path that leads to it, for messages."""

    def __init__(
        self, node: dict[str, Any], path: tuple[Key, ...], lines: Lines, ignored: list[tuple[str, str]]
    ) -> None:
        self.node, self.path, self._lines, self._ignored = node, path, lines, ignored

    def broken(self, setting: str | None, reason: str, place: tuple[int, ...] = ()) -> InputError:
        """The error of one of its keys, or of all of it."""
        return self._lines.broken((*self.path, *(() if setting is None else (setting,)), *place), reason)

    def sort_out(self, known: Iterable[str], ignored: dict[str, str], refused: dict[str, str]) -> None:
        """Refuse what is unknown or would change the result; note what has no effect."""
        known_keys(self.node, (*known, *ignored, *refused), self.broken)
        for key in self.node:
            if key in refused:
                raise self.broken(key, f"{key} {refused[key]}")
            if key in ignored:
                self._ignored.append((".".join(map(str, (*self.path, key))), ignored[key]))

    def part(self, key: str) -> Part:
        """What a key holds; an empty part where it is absent or null."""
        return self.inner(self.node.get(key) or {}, key)

    def inner(self, node: Any, key: str, place: tuple[int, ...] = ()) -> Part:
        """An object that a key holds, or an element of its list."""
        if not isinstance(node, dict):
            raise self.broken(key, f"{key}: {shown(node)} is not an object", place)
        return Part(node, (*self.path, key, *place), self._lines, self._ignored)

    def text(self, key: str) -> str | None:
        """A text, or a whole number as one; None where it is absent."""
        value = self.node.get(key)
        return None if value is None else self.as_text(value, key)

    def as_text(self, value: Any, key: str, place: tuple[int, ...] = ()) -> str:
        """A value as it is compared with those of a column."""
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, float) or not math.isfinite(value):
            raise self.broken(key, f"{key}: {shown(value)} is neither a text nor a number", place)
        return str(int(value)) if value == int(value) else repr(value)

    def listed(self, key: str) -> list[Any]:
        """A list; a single value is a list of one, and what is absent an empty one."""
        value = self.node.get(key)
        if isinstance(value, dict):
            raise self.broken(key, f"{key} must be a list")
        return value if isinstance(value, list) else [] if value is None else [value]

    def whole(self, key: str) -> int | None:
        """A whole number that a float holds exactly."""
        value = self.node.get(key)
        if value is None:
            return None
        if not isinstance(value, float) or abs(value) > 2**53 or value != int(value):
            raise self.broken(key, f"{key}: {shown(value)} is not a whole number")
        return int(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.node.get(key, default)
        if not isinstance(value, bool):
            raise self.broken(key, f"{key}: {shown(value)} is neither true nor false")
        return value


class Columns:
    """Columns by name or by number."""

    def __init__(self, top: Part, headers: Sequence[str]) -> None:
        given = top.listed("headers")
        self.headers = tuple(top.as_text(one, "headers", (place,)) for place, one in enumerate(given)) or tuple(headers)
        kind = str(top.node.get("dataset_type", TABLES[0])).lower()
        # In JSON a column is called by the path that leads to it, which need not be its header.
        self._strict = bool(self.headers) and kind in TABLES[:2]

    def one(self, part: Part, key: str, value: Any = None, place: tuple[int, ...] = ()) -> str:
        """The name of the column that a key, or an element of its list, gives by name or by number."""
        value = part.node.get(key) if value is None else value
        if isinstance(value, float):
            return self._numbered(part, key, value, place)
        if not isinstance(value, str):
            raise part.broken(key, f"{key}: {shown(value)} is neither the name nor the number of a column", place)
        if self._strict and value not in self.headers:
            raise part.broken(key, f"{key}: there is no column {shown(value)}; {nearest(value, self.headers)}", place)
        return value

    def _numbered(self, part: Part, key: str, value: float, place: tuple[int, ...]) -> str:
        if not (0 <= value <= 1e6 and value == int(value)):
            raise part.broken(key, f"{key}: {shown(value)} is not the number of a column", place)
        if not self.headers:
            return f"_c{int(value)}"
        if value >= len(self.headers):
            many = len(self.headers)
            raise part.broken(key, f"{key}: there is no column {int(value)}; there are {many}, from 0", place)
        return self.headers[int(value)]

    def maybe(self, part: Part, key: str) -> str | None:
        """The same, or None where the key is absent."""
        return None if part.node.get(key) is None else self.one(part, key)
