"""What a model allows: required members, lengths, ranges, patterns and words, in the words of the service's errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from botocore.model import Shape

from driftline.aws.errors import AwsError, validation

_MOST_SHOWN = 1024
_MOST_TOLD = 20
_MOST_MATCHED = 65_536
_NUMBERS = frozenset({"integer", "long", "float", "double"})
_SIZED = {"string": "length", "blob": "length", "list": "length", "map": "length"}


class Failures:
    """What is wrong with an input, all of it."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def add(self, failure: str) -> None:
        """Remember a failure."""
        self._found.append(failure)

    def raise_any(self) -> None:
        """Raise ``ValidationException`` with every failure, if there is one; of very many the first are told."""
        if self._found:
            raise self._error()

    def _error(self) -> AwsError:
        count = len(self._found)
        told = "; ".join(self._found[:_MOST_TOLD])
        return validation(f"{count} validation error{'' if count == 1 else 's'} detected: {told}")


def place_of(place: str, name: str) -> str:
    """The path of a member as the service writes it.

    >>> place_of("", "MonitoringScheduleName"), place_of("tags.1.member", "Key")
    ('monitoringScheduleName', 'tags.1.member.key')
    """
    member = name[:1].lower() + name[1:]
    return f"{place}.{member}" if place else member


def check(shape: Shape, value: Any, place: str, failures: Failures) -> None:
    """Add to ``failures`` what a shape does not allow of a value, and of all within it."""
    if value is None:
        failures.add(_failure(shape, None, place, "Member must not be null"))
        return
    if shape.type_name == "map":
        _check_map(shape, value, place, failures)
        return
    for broken in _broken(shape, value):
        failures.add(_failure(shape, value, place, broken))
    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                check(shape.members[name], None, place_of(place, name), failures)
        for name, member in value.items():
            check(shape.members[name], member, place_of(place, name), failures)
    elif shape.type_name == "list":
        for number, item in enumerate(value, 1):
            check(shape.member, item, f"{place}.{number}.member", failures)


def _check_map(shape: Shape, value: dict[str, Any], place: str, failures: Failures) -> None:
    for broken in _broken(shape, value):
        failures.add(_failure(shape, value, place, broken))
    for key, item in value.items():
        if told := list(_broken(shape.key, key)):
            failures.add(_failure(shape, value, place, f"Map keys must satisfy constraint: [{', '.join(told)}]"))
        check(shape.value, item, f"{place}.{key[:100]}.member", failures)


def _failure(shape: Shape, value: Any, place: str, broken: str) -> str:
    if value is None:
        return f"Value null at '{place}' failed to satisfy constraint: {broken}"
    shown = "" if shape.metadata.get("sensitive") else f" '{_shown(value)}'"
    return f"Value{shown} at '{place}' failed to satisfy constraint: {broken}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        value = f"[{', '.join(str(item) for item in value[:50])}]"
    elif isinstance(value, dict):
        value = f"{{{', '.join(f'{key}={item}' for key, item in list(value.items())[:50])}}}"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"


def _broken(shape: Shape, value: Any) -> Iterator[str]:
    """The constraints that a value itself breaks, as sentences."""
    rules, kind = shape.metadata, shape.type_name
    lowest, highest = rules.get("min"), rules.get("max")
    if kind in _SIZED or kind in _NUMBERS:
        what, size = ("length", len(value)) if kind in _SIZED else ("value", value)
        if highest is not None and size > highest:
            yield f"Member must have {what} less than or equal to {highest}"
        if lowest is not None and size < lowest:
            yield f"Member must have {what} greater than or equal to {lowest}"
    if kind == "string":
        if "\0" in value:
            yield "Member must not contain the null character"
        elif shape.enum and value not in shape.enum:
            yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        elif "pattern" in rules and (highest is None or len(value) <= highest) and not matches(rules["pattern"], value):
            yield f"Member must satisfy regular expression pattern: {rules['pattern']}"


def matches(pattern: str, text: str) -> bool:
    """Whether a whole text is as a model's pattern has it.

    The matching takes time in proportion to the text whatever the pattern. Patterns that are written in a way this
    matcher does not have (a look to either side, sets within sets) are passed over, and so are very long texts.

    >>> matches("[a-z](-*[a-z]){0,62}", "a-b"), matches("[a-z]+", "a b"), matches("(?!x).*", "x")
    (True, False, True)
    """
    usable = _usable(pattern)
    if usable is None or len(text) > _MOST_MATCHED:
        return True
    return bool(pc.match_substring_regex(pa.scalar(text), pattern=usable).as_py())


@lru_cache(maxsize=2048)
def _usable(pattern: str) -> str | None:
    """A pattern in the matcher's own spelling, for whole texts; None where it has none."""
    if "&&" in pattern or re.search(r"(?<!\\)\[[^\]]*(?<!\\)\[(?!:)", pattern):
        return None
    spelt = re.sub(r"\\u([0-9A-Fa-f]{4})", r"\\x{\1}", pattern)
    # Beyond a thousand repetitions the matcher counts no more; the length is checked elsewhere.
    spelt = re.sub(r"\{(\d+),(\d+)\}", lambda found: found[0] if int(found[2]) <= 1000 else f"{{{found[1]},}}", spelt)
    whole = rf"\A(?:{spelt})\z"
    try:
        pc.match_substring_regex(pa.scalar(""), pattern=whole)
    except pa.ArrowInvalid:
        return None
    return whole
