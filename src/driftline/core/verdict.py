"""The three-valued verdict, and the reason that an UNKNOWN must carry."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Verdict(StrEnum):
    """OK, VIOLATED or UNKNOWN. UNKNOWN means "we could not tell": never shown as fine, never as a bad model."""

    OK = "OK"
    VIOLATED = "VIOLATED"
    UNKNOWN = "UNKNOWN"


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why there is no verdict: a stable code, a sentence, the facts it rests on, and the checklist answered.

    Codes: no_captures, no_labels, no_matches, no_rows, too_few_rows, metric_undefined, no_constraints, disabled,
    not_compared, failed, overdue, captures_missing, message.
    """

    code: str
    message: str
    evidence: dict[str, Any] = {}
    checklist: tuple[tuple[str, str], ...] = ()


class Judgement(msgspec.Struct, frozen=True):
    """A verdict with its reasons. UNKNOWN has at least one; beside another verdict they say what was not looked at."""

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()


EXIT_CODES = {Verdict.OK: 0, Verdict.VIOLATED: 1, Verdict.UNKNOWN: 3}
