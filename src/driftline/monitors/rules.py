"""How strictly a value with an interval is held against a limit."""

from __future__ import annotations

from typing import Literal, get_args

from driftline.core.errors import InputError

Rule = Literal["interval", "plain"]
RULES: tuple[Rule, ...] = get_args(Rule)


def checked_rule(given: str) -> Rule:
    """``interval`` (the whole interval must be beyond the limit) or ``plain`` (the value is enough).

    >>> checked_rule("plain")
    'plain'
    """
    for rule in RULES:
        if given == rule:
            return rule
    raise InputError(f"{given!r} is no rule", hint=f"use one of {', '.join(RULES)}")
