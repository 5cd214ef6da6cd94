"""JSON that people edit by hand: read, or refused with the line and the reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from driftline.core.errors import InputError

Key = str | int
_MEND = "mend that line, or take the constraint out"


def parse_object(data: bytes, source: str) -> dict[str, Any]:
    """The object that a JSON text holds; all its numbers are floats.

    ``source`` names the file in messages. Raises :class:`InputError` for what is no JSON object in UTF-8, with the line
    where there is one.
    """
    try:
        # Whole numbers are read as floats, so that one of a thousand digits is infinite and refused with its line.
        document = json.loads(data.decode("utf-8-sig"), parse_int=float)
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is not UTF-8 text", evidence=str(error), hint="save it as UTF-8") from None
    except UnicodeEncodeError:
        raise InputError(
            f"{source} holds half a character",
            evidence="an escape between \\ud800 and \\udfff stands alone",
            hint="write the character itself",
        ) from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"{source}, line {error.lineno}: not valid JSON: {error.msg}",
            evidence=_shown(data.decode("utf-8-sig"), error.lineno),
            hint="mend that line; a comma too many or too few is the usual cause",
        ) from None
    except RecursionError:
        raise InputError(f"{source} is nested too deeply", hint="docs/files.md shows what it should hold") from None
    if not isinstance(document, dict):
        raise InputError(f"{source} must hold a JSON object", evidence=f"it holds a {type(document).__name__}")
    return document


class Lines:
    """Finds the lines of a document that was read, for messages."""

    def __init__(self, data: bytes, source: str, hint: str = _MEND) -> None:
        self._text = data.decode("utf-8-sig")
        self._source = source
        self._hint = hint

    def broken(self, path: Sequence[Key], reason: str) -> InputError:
        """The error of what a path of keys and places leads to; of the last part that is there, where it ends early."""
        line = self._text.count("\n", 0, self._position(path)) + 1
        return InputError(
            f"{self._source}, line {line}: {reason}",
            evidence=_shown(self._text, line),
            hint=self._hint,
        )

    def _position(self, path: Sequence[Key]) -> int:
        """Where the last key of a path stands; an element of an array where it begins."""
        shown = place = self._text.index("{")
        for key in path:
            found = _inside(self._text, place).get(key)
            if found is None:
                break
            shown, place = found
        return shown


def _inside(text: str, opening: int) -> dict[Key, tuple[int, int]]:
    """What the value at a place of valid JSON holds, with where each key and its value begin."""
    if text[opening] == "{":
        return _members(text, opening)
    if text[opening] == "[":
        return dict(enumerate(_elements(text, opening)))
    return {}


def _members(text: str, opening: int) -> dict[Key, tuple[int, int]]:
    """The keys of the object that opens at a place of valid JSON, with where each key and its value begin."""
    decoder = json.JSONDecoder(parse_int=float)
    members: dict[Key, tuple[int, int]] = {}
    position = opening + 1
    while text[position := _skip(text, position)] != "}":
        key, end = decoder.raw_decode(text, position)
        value = _skip(text, end)
        members[key] = (position, value)
        position = decoder.raw_decode(text, value)[1]
    return members


def _elements(text: str, opening: int) -> list[tuple[int, int]]:
    """Where each element of an array begins, twice: it has no key of its own."""
    decoder, elements = json.JSONDecoder(parse_int=float), []
    position = opening + 1
    while text[position := _skip(text, position)] != "]":
        elements.append((position, position))
        position = decoder.raw_decode(text, position)[1]
    return elements


def _skip(text: str, position: int) -> int:
    """The next place that is neither space nor punctuation between members."""
    while text[position] in " \t\r\n,:":
        position += 1
    return position


def _shown(text: str, line: int) -> str:
    """A line of a text as evidence."""
    return (text.split("\n")[line - 1].strip() or "the line is empty")[:200]
