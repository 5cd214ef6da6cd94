"""What was typed in a form's fields, as values. Every error names the field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from driftline.core.errors import InputError
from driftline.core.json_text import parse_object

Typed = Mapping[str, str]


def text(typed: Typed, field: str) -> str:
    """A text without spaces around it; empty where nothing was typed."""
    return typed.get(field, "").strip()


def needed(typed: Typed, field: str) -> str:
    """A text that must be there."""
    found = text(typed, field)
    if not found:
        raise InputError(f"{_label(field)} is missing", hint=f"fill in {_label(field)}")
    return found


def number(typed: Typed, field: str) -> float | None:
    """A finite number; None where nothing was typed."""
    found = text(typed, field)
    try:
        value = float(found) if found else None
    except ValueError:
        raise _wrong(field, found, "a number such as 0.5") from None
    if value is not None and not math.isfinite(value):
        raise _wrong(field, found, "a finite number")
    return value


def whole(typed: Typed, field: str) -> int | None:
    """A whole number; None where nothing was typed."""
    found = text(typed, field)
    try:
        # Python refuses to read a number of thousands of digits.
        return int(found) if found else None
    except ValueError:
        raise _wrong(field, found, "a whole number such as 30") from None


def lines(typed: Typed, field: str) -> tuple[str, ...]:
    """The lines that are not blank."""
    return tuple(line.strip() for line in text(typed, field).splitlines() if line.strip())


def pairs(typed: Typed, field: str) -> dict[str, str]:
    """Lines of NAME=VALUE."""
    found = [line.partition("=") for line in lines(typed, field)]
    for name, _, value in found:
        if not (name and value):
            raise _wrong(field, name, "a NAME=VALUE on each line")
    return {name: value for name, _, value in found}


def document(typed: Typed, field: str) -> dict[str, Any] | None:
    """A JSON object; None where nothing was typed."""
    found = text(typed, field)
    if not found:
        return None
    # A mark of the order of bytes is no part of what was typed.
    data = found.lstrip("\ufeff").encode("utf-8", "replace")
    parse_object(data, _label(field))
    value: dict[str, Any] = msgspec.json.decode(data)
    return value


def _wrong(field: str, seen: str, wanted: str) -> InputError:
    return InputError(f"{_label(field)} cannot be used", evidence=seen[:200], hint=f"write {wanted}")


def _label(field: str) -> str:
    return field.replace("_", " ")
