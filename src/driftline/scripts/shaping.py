"""What a handler gave becomes columns. Runs in the script's process, one row at a time: it is the user's script."""

from __future__ import annotations

from typing import Any

from driftline.scripts.protocol import INTEGER, MOST_COLUMNS, NUMBER, TEXT, TRUTH, Part

_PROMISE = "return a dict, a list of dicts, or [] to drop the record"
_FLAT = "the values of a row are text, numbers, True, False or None"
_CELL = 16
_LARGEST = 1 << 63


class WrongResultError(Exception):
    """A handler gave what it may not. ``hint`` says what it may."""

    def __init__(self, what: str, hint: str = _PROMISE, code: str = "script") -> None:
        super().__init__(what)
        self.hint = hint
        self.code = code


def rows_of(found: Any) -> list[dict[str, Any]]:
    """The rows of one result; raises :class:`WrongResultError` when it is neither a dict nor a list of dicts."""
    rows = [found] if isinstance(found, dict) else found
    if not isinstance(rows, list):
        raise WrongResultError(f"returned {_named(found)} instead of a dict or a list of dicts")
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            raise WrongResultError(f"returned a list whose item {place} is {_named(row)} instead of a dict")
    return rows


class Columns:
    """The rows of a batch by key and kind of value. ``most`` bounds the bytes of all values together (as estimated)."""

    def __init__(self, most: int) -> None:
        self.rows = 0
        self._left = self._most = most
        self._parts: dict[tuple[str, int], list[Any]] = {}
        self._names: dict[str, None] = {}

    def add(self, row: dict[str, Any]) -> None:
        """One more row; raises :class:`WrongResultError` for a key or value that no column can hold."""
        for name, value in row.items():
            if name not in self._names:
                self._take_name(name)
            if value is not None:
                self._put(name, *_cell(name, value))
        self.rows += 1
        self._left -= _CELL * (len(row) + 1)
        if self._left < 0:
            raise WrongResultError(
                f"gave more than {self._most} bytes",
                "give fewer rows, or raise the limit of the result",
                "result_limit",
            )

    def parts(self) -> list[Part]:
        """The columns in the order of their first values; a key that never had one is a column of nothing."""
        for values in self._parts.values():
            values.extend([None] * (self.rows - len(values)))
        valued = {name for name, _ in self._parts}
        empty = [Part(name, TEXT, [None] * self.rows) for name in self._names if name not in valued]
        found = [Part(name, kind, values) for (name, kind), values in self._parts.items()]
        order = {name: place for place, name in enumerate(self._names)}
        return sorted(found + empty, key=lambda part: order[part.name])

    def _take_name(self, name: Any) -> None:
        if not isinstance(name, str) or not _is_text(name):
            raise WrongResultError(f"gave the key {name!r:.80}, which is {_named(name)}", "the keys of a row are text")
        if len(self._names) == MOST_COLUMNS:
            raise WrongResultError(
                f"gave more than {MOST_COLUMNS} different keys", "use the same keys for every record"
            )
        self._names[name] = None

    def _put(self, name: str, kind: int, value: Any) -> None:
        values = self._parts.setdefault((name, kind), [])
        if len(values) < self.rows:
            values.extend([None] * (self.rows - len(values)))
        values.append(value)
        if kind == TEXT:
            self._left -= len(value)


def _cell(name: str, value: Any) -> tuple[int, Any]:
    if type(value).__module__ == "numpy" and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if isinstance(value, str):
        if not _is_text(value):
            raise WrongResultError(
                f"gave half a character in {name!r:.80}", "surrogates between \\ud800 and \\udfff are none"
            )
        return TEXT, str(value)
    if isinstance(value, bool):
        return TRUTH, value
    if isinstance(value, float):
        return NUMBER, float(value)
    if isinstance(value, int):
        return _whole(name, value)
    raise WrongResultError(f"gave {_named(value)} for {name!r:.80}", _FLAT)


def _whole(name: str, value: int) -> tuple[int, int | float]:
    if -_LARGEST <= value < _LARGEST:
        return INTEGER, int(value)
    try:
        return NUMBER, float(value)
    except OverflowError:
        raise WrongResultError(f"gave a number beyond 1.8e308 for {name!r:.80}", _FLAT) from None


def _is_text(value: str) -> bool:
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


def _named(value: Any) -> str:
    """A value's type with its article.

    >>> _named(None), _named([]), _named(1)
    ('None', 'a list', 'an int')
    """
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
