"""Single values on the wire: numbers, times and bytes, as texts and in JSON."""

from __future__ import annotations

import binascii
import math
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from driftline.aws.errors import AwsError
from driftline.core.errors import InputError
from driftline.core.window import parse_time

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BITS = {"integer": 31, "long": 63}
_NOT_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def unreadable(message: str) -> AwsError:
    """The error for a body that cannot be read as what the operation takes."""
    return AwsError("SerializationException", message)


def value_of(kind: str, raw: Any, place: str) -> Any:
    """A JSON value as a scalar of a model's type; raises ``SerializationException`` for what is none.

    >>> value_of("timestamp", 0, "from"), value_of("blob", "aGk=", "body"), value_of("integer", 3.0, "count")
    (datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), b'hi', 3)
    """
    try:
        return _READERS[kind](kind, raw)
    except (ValueError, OverflowError, InputError, binascii.Error):
        raise unreadable(f"{_name_of(raw)} can not be converted to {_article(kind)} at '{place}'") from None


def text_value(kind: str, raw: str, place: str) -> Any:
    """A text as a scalar of a model's type.

    >>> text_value("boolean", "true", "x"), text_value("double", "0.5", "x"), text_value("long", "7", "x")
    (True, 0.5, 7)
    """
    if kind in ("integer", "long", "float", "double", "boolean"):
        return value_of(kind, _literal(kind, raw), place)
    return value_of(kind, raw, place)


def _literal(kind: str, raw: str) -> Any:
    try:
        if kind == "boolean":
            return {"true": True, "false": False}.get(raw.lower(), raw)
        return int(raw) if kind in _BITS and len(raw) < 40 else raw if raw in _NOT_NUMBERS else float(raw)
    except ValueError:
        return raw


def _string(_: str, raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError
    return raw


def _boolean(_: str, raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise ValueError
    return raw


def _integer(kind: str, raw: Any) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or raw != int(raw):
        raise ValueError
    limit = 1 << _BITS[kind]
    if not -limit <= raw < limit:
        raise ValueError
    return int(raw)


def _number(_: str, raw: Any) -> float:
    if isinstance(raw, str) and raw in _NOT_NUMBERS:
        return _NOT_NUMBERS[raw]
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise ValueError
    return float(raw)


def _time(_: str, raw: Any) -> datetime:
    if isinstance(raw, str):
        try:
            seconds = float(raw)
        except ValueError:
            return parse_time(raw)
        return _EPOCH + timedelta(seconds=seconds)
    return _EPOCH + timedelta(seconds=_number("double", raw))


def _blob(_: str, raw: Any) -> bytes:
    return b64decode(_string("string", raw).encode("ascii"), validate=True)


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "string": _string,
    "character": _string,
    "boolean": _boolean,
    "integer": _integer,
    "long": _integer,
    "float": _number,
    "double": _number,
    "timestamp": _time,
    "blob": _blob,
}


def _name_of(raw: Any) -> str:
    names = {bool: "BOOLEAN_VALUE", str: "STRING_VALUE", list: "START_ARRAY", dict: "START_OBJECT", type(None): "NULL"}
    return names.get(type(raw), "NUMBER_VALUE")


def _article(kind: str) -> str:
    """A type with the article that it has in a sentence.

    >>> _article("integer"), _article("string")
    ('an Integer', 'a String')
    """
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind.capitalize()}"


def epoch(moment: datetime) -> float:
    """A time in seconds since 1970, to the millisecond.

    >>> epoch(datetime(1970, 1, 2, 0, 0, 0, 1499, tzinfo=UTC))
    86400.001
    """
    return round(moment.timestamp(), 3)


def instant(moment: datetime) -> str:
    """A time as ISO 8601 in UTC, to the millisecond.

    >>> instant(datetime(2026, 11, 22, 10, tzinfo=UTC))
    '2026-11-22T10:00:00.000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
