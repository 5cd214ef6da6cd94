"""Filter patterns of words: what a line must have, may not have, or of what it must have one. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from driftline.aws.logs.groups import wrong

Matches = Callable[[str], bool]
_TERM = re.compile(r'\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))')


def pattern_of(text: str) -> Matches:
    """Whether a line matches a pattern.

    >>> matches = pattern_of('ERROR -"not found"')
    >>> matches("ERROR 7"), matches("ERROR: not found"), matches("error")
    (True, False, False)
    >>> pattern_of("?WARN ?ERROR")("a WARN")
    True
    """
    text = text.strip()
    if text[:1] in ("{", "[", "%"):
        raise wrong(
            "Invalid filter pattern: only words are supported here, not fields, columns or regular expressions."
        )
    terms, at = dict[str, list[str]](), 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise wrong(f"Invalid filter pattern at character {at + 1}.")
        terms.setdefault(found[1], []).append(found[3] or re.sub(r"\\(.)", r"\1", found[2] or ""))
        at = found.end()
    every, some, none = terms.get("", []), terms.get("?", []), terms.get("-", [])

    def matches(line: str) -> bool:
        wanted = all(term in line for term in every) and (not some or any(term in line for term in some))
        return wanted and not any(term in line for term in none)

    return matches
