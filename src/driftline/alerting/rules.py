"""Rules of composite alarms: AND, OR and NOT over other alarms' states. Parsed by hand, evaluated without code. Pure.

``ALARM(a) AND (OK("b c") OR NOT INSUFFICIENT_DATA(d))``; NOT binds closer than AND, AND closer than OR.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NoReturn

import msgspec

from driftline.core.errors import InputError
from driftline.resources.alarms import AlarmState

MOST_CHARACTERS = 10_240
MOST_DEPTH = 50
MOST_NAMES = 100
_TOKEN = re.compile(
    r"\s*(?:(?P<leaf>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<bare>[^\s()\"]+))\s*\)"
    r"|(?P<word>AND|OR|NOT)\b|(?P<sign>[()]))",
)


class Leaf(msgspec.Struct, frozen=True):
    """Whether an alarm is in a state."""

    state: AlarmState
    name: str


class Not(msgspec.Struct, frozen=True):
    """The opposite of a rule."""

    part: Rule


class All(msgspec.Struct, frozen=True):
    """Every part holds."""

    parts: tuple[Rule, ...]


class AnyOf(msgspec.Struct, frozen=True):
    """At least one part holds."""

    parts: tuple[Rule, ...]


Rule = Leaf | Not | All | AnyOf


def parse(text: str) -> Rule:
    """The rule of a text; :class:`InputError` says where it cannot be read.

    >>> parse("ALARM(a) AND NOT OK(b)")
    All(parts=(Leaf(state='ALARM', name='a'), Not(part=Leaf(state='OK', name='b'))))
    """
    if len(text) > MOST_CHARACTERS:
        _refuse(f"it has {len(text)} characters, more than {MOST_CHARACTERS}")
    parser = _Parser(text)
    rule = parser.either(0)
    parser.finish()
    if len(names(rule)) > MOST_NAMES:
        _refuse(f"it names {len(names(rule))} alarms, more than {MOST_NAMES}")
    return rule


def names(rule: Rule) -> tuple[str, ...]:
    """The alarms a rule names, each once, in order.

    >>> names(parse("ALARM(b) OR ALARM(a) OR OK(b)"))
    ('b', 'a')
    """
    return tuple(dict.fromkeys(leaf.name for leaf in _leaves(rule)))


def state_of(rule: Rule, states: Mapping[str, AlarmState]) -> AlarmState:
    """ALARM when the rule holds. When it does not: OK, or INSUFFICIENT_DATA if that hangs on a state nobody knows.

    >>> state_of(parse("ALARM(a) OR ALARM(b)"), {"a": "OK", "b": "INSUFFICIENT_DATA"})
    'INSUFFICIENT_DATA'
    >>> state_of(parse("ALARM(a) AND ALARM(b)"), {"a": "OK", "b": "INSUFFICIENT_DATA"})
    'OK'
    """
    if _holds(rule, states):
        return "ALARM"
    return "OK" if _known(rule, states) is False else "INSUFFICIENT_DATA"


def _leaves(rule: Rule) -> Iterator[Leaf]:
    if isinstance(rule, Leaf):
        yield rule
    elif isinstance(rule, Not):
        yield from _leaves(rule.part)
    else:
        for part in rule.parts:
            yield from _leaves(part)


def _holds(rule: Rule, states: Mapping[str, AlarmState]) -> bool:
    if isinstance(rule, Leaf):
        return states[rule.name] == rule.state
    if isinstance(rule, Not):
        return not _holds(rule.part, states)
    held = (_holds(part, states) for part in rule.parts)
    return all(held) if isinstance(rule, All) else any(held)


def _known(rule: Rule, states: Mapping[str, AlarmState]) -> bool | None:
    """Kleene's three-valued logic: None where an alarm without data could be either."""
    if isinstance(rule, Leaf):
        state = states[rule.name]
        return None if state == "INSUFFICIENT_DATA" != rule.state else state == rule.state
    if isinstance(rule, Not):
        part = _known(rule.part, states)
        return None if part is None else not part
    parts = [_known(part, states) for part in rule.parts]
    deciding = isinstance(rule, AnyOf)
    if deciding in parts:
        return deciding
    return None if None in parts else not deciding


class _Parser:
    """Recursive descent over the tokens of a rule, to a depth that is limited."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text.rstrip(), 0

    def either(self, depth: int) -> Rule:
        parts = [self._both(depth)]
        while self._word("OR"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def finish(self) -> None:
        if self.at < len(self.text):
            self._stuck("AND, OR or the end")

    def _both(self, depth: int) -> Rule:
        parts = [self._one(depth)]
        while self._word("AND"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self, depth: int) -> Rule:
        if depth > MOST_DEPTH:
            _refuse(f"it is nested deeper than {MOST_DEPTH}")
        if self._word("NOT"):
            return Not(self._one(depth + 1))
        if self._word("("):
            inner = self.either(depth + 1)
            if not self._word(")"):
                self._stuck("a closing parenthesis")
            return inner
        return self._leaf()

    def _leaf(self) -> Leaf:
        found = _TOKEN.match(self.text, self.at)
        if found is None or found["leaf"] is None:
            self._stuck("ALARM(name), OK(name), INSUFFICIENT_DATA(name), NOT or a parenthesis")
        self.at = found.end()
        name = found["bare"] or re.sub(r"\\(.)", r"\1", found["quoted"] or "")
        return Leaf(msgspec.convert(found["leaf"], AlarmState), name)

    def _word(self, wanted: str) -> bool:
        found = _TOKEN.match(self.text, self.at)
        if found is None or wanted not in (found["word"], found["sign"]):
            return False
        self.at = found.end()
        return True

    def _stuck(self, wanted: str) -> NoReturn:
        rest = self.text[self.at :].strip()[:40]
        _refuse(f"at character {self.at + 1} there is {rest or 'the end'!r} where {wanted} is expected")


def _refuse(seen: str) -> NoReturn:
    hint = 'write it as ALARM(a) AND (OK("b c") OR NOT INSUFFICIENT_DATA(d))'
    raise InputError("the rule of a composite alarm cannot be read", evidence=seen, hint=hint)
