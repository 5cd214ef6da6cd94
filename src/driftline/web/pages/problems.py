"""What went wrong with a form, as its page tells it."""

from __future__ import annotations

import msgspec

from driftline.core.errors import DriftlineError


class Problem(msgspec.Struct, frozen=True):
    """What happened, what was seen, and what to do."""

    what: str
    evidence: str = ""
    hint: str = ""


def problem_of(error: DriftlineError) -> Problem:
    """The problem that an error tells."""
    return Problem(error.what, error.evidence, error.hint)
