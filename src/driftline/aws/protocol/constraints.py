"""What a model allows: required members, lengths, ranges, patterns and words, in the words of the service's errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from botocore.model import Shape

from driftline.aws.errors import AwsError, validation

_MOST_SHOWN = 1024
_MOST_TOLD = 20
_MOST_MATCHED = 65_536
_NUMBERS = frozenset({"integer", "long", "float", "double"})
_SIZED = frozenset({"string", "blob", "list", "map"})


class Failures:
    """What is wrong with an input, all of it.

    Texts that have to match a pattern are kept, and those of one pattern are looked at together.
    """

    def __init__(self) -> None:
        self._count = 0
        self._told: list[str] = []
        self._to_match: dict[str, list[tuple[str, Callable[[], str]]]] = {}

    def add(self, failure: str) -> None:
        """Remember a failure; of very many the first are told."""
        self._count += 1
        if len(self._told) < _MOST_TOLD:
            self._told.append(failure)

    def unless_matching(self, pattern: str, text: str, failure: Callable[[], str]) -> None:
        """A failure, unless a whole text is as a pattern has it."""
        self._to_match.setdefault(pattern, []).append((text, failure))

    def raise_any(self) -> None:
        """Raise ``ValidationException`` if there is a failure."""
        for pattern, asked in self._to_match.items():
            for good, (_, failure) in zip(matching(pattern, [text for text, _ in asked]), asked, strict=True):
                if not good:
                    self.add(failure())
        if self._count:
            raise self._error()

    def _error(self) -> AwsError:
        several = "" if self._count == 1 else "s"
        return validation(f"{self._count} validation error{several} detected: {'; '.join(self._told)}")


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
    sized = _check_itself(shape, value, partial(_failure, shape, value, place), failures)
    if shape.type_name == "structure":
        _check_structure(shape, value, place, failures)
    elif sized and shape.type_name == "list":
        for number, item in enumerate(value, 1):
            check(shape.member, item, f"{place}.{number}.member", failures)
    elif sized and shape.type_name == "map":
        for key, item in value.items():
            _check_itself(shape.key, key, partial(_failure_of_key, shape, value, place), failures)
            check(shape.value, item, f"{place}.{key[:100]}.member", failures)


def _check_structure(shape: Shape, value: dict[str, Any], place: str, failures: Failures) -> None:
    for name in shape.required_members:
        if name not in value:
            check(shape.members[name], None, place_of(place, name), failures)
    for name, member in value.items():
        check(shape.members[name], member, place_of(place, name), failures)


def _failure(shape: Shape, value: Any, place: str, broken: str) -> str:
    if value is None:
        return f"Value null at '{place}' failed to satisfy constraint: {broken}"
    shown = "" if shape.metadata.get("sensitive") else f" '{_shown(value)}'"
    return f"Value{shown} at '{place}' failed to satisfy constraint: {broken}"


def _failure_of_key(shape: Shape, value: Any, place: str, broken: str) -> str:
    return _failure(shape, value, place, f"Map keys must satisfy constraint: [{broken}]")


def _shown(value: Any) -> str:
    if isinstance(value, list):
        value = f"[{', '.join(str(item) for item in value[:50])}]"
    elif isinstance(value, dict):
        value = f"{{{', '.join(f'{key}={item}' for key, item in list(value.items())[:50])}}}"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"


def _check_itself(shape: Shape, value: Any, failure: Callable[[str], str], failures: Failures) -> bool:
    """Check a value without what is within it; whether it is of the size that it may have."""
    wrong = list(_wrong_size(shape, value))
    for broken in wrong:
        failures.add(failure(broken))
    if shape.type_name == "string":
        pattern = shape.metadata.get("pattern")
        if "\0" in value:
            failures.add(failure("Member must not contain the null character"))
        elif shape.enum and value not in shape.enum:
            failures.add(failure(f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"))
        elif pattern is not None and not wrong:
            broken = f"Member must satisfy regular expression pattern: {pattern}"
            failures.unless_matching(pattern, value, partial(failure, broken))
    return not wrong


def _wrong_size(shape: Shape, value: Any) -> Iterator[str]:
    """The limits of length or value that a value is beyond, as sentences."""
    kind, lowest, highest = shape.type_name, shape.metadata.get("min"), shape.metadata.get("max")
    if kind not in _SIZED and kind not in _NUMBERS:
        return
    what, size = ("length", len(value)) if kind in _SIZED else ("value", value)
    if highest is not None and size > highest:
        yield f"Member must have {what} less than or equal to {highest}"
    if lowest is not None and size < lowest:
        yield f"Member must have {what} greater than or equal to {lowest}"


def matching(pattern: str, texts: list[str]) -> list[bool]:
    """For each text whether all of it is as a model's pattern has it.

    The matching takes time in proportion to the texts whatever the pattern. Patterns that are written in a way this
    matcher does not have (a look to either side, sets within sets) are passed over, and so are very long texts.

    >>> matching("[a-z](-*[a-z]){0,62}", ["a-b", "a b"]), matching("(?!x).*", ["x"])
    ([True, False], [True])
    """
    usable = _usable(pattern)
    if usable is None:
        return [True] * len(texts)
    fits = pc.match_substring_regex(pa.array(texts, pa.string()), pattern=usable).to_pylist()
    return [good or len(text) > _MOST_MATCHED for good, text in zip(fits, texts, strict=True)]


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
