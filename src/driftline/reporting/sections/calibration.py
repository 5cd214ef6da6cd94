"""What a baseline learned of its scores, on which estimates without labels rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from driftline.reporting import html
from driftline.reporting.statistics import finite, mapping
from driftline.reporting.text import count, number, percent, shorten

_LABELLED = "labelled rows of the baseline"


def calibration(document: Mapping[str, Any]) -> Markup:
    """A baseline's section: whether windows can be estimated from it before their labels arrive."""
    unusable = mapping(document.get("unusable"))
    if unusable:
        why = f"No: {shorten(unusable.get('message') or 'no reason was recorded', 200)}."
        said = [html.element("p", why), html.soft(f"Condition: {shorten(unusable.get('code') or 'unknown', 60)}")]
    else:
        pairs = calibration_facts(document)
        said = [html.element("p", "Yes, from these scores, which were calibrated:"), html.facts(pairs)] if pairs else []
    return html.section("Can metrics be estimated before labels arrive?", *said) if said else Markup("")


def calibration_facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rows a calibration was learned from, its range of scores, and how well it held, as far as it says."""
    learned, threshold = mapping(document.get("calibrator")), finite(document.get("threshold"))
    decided = [] if threshold is None else [("decision threshold", f"{threshold:g}")]
    return [*_rows(learned), *_range(learned), *decided, *_error(learned)]


def _rows(learned: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How many labelled rows there were: by cell of the score, or by class predicted and class actual."""
    positives, negatives = _total(learned.get("positives")), _total(learned.get("negatives"))
    if positives is not None and negatives is not None:
        rows = positives + negatives
        said = f"{count(rows)}, of which {count(positives)} are positive ({percent(positives, rows)})"
        return [(_LABELLED, said)]
    actual = learned.get("actual")
    totals = [_total(row) for row in actual] if isinstance(actual, list | tuple) else []
    known = [total for total in totals if total is not None]
    return [(_LABELLED, f"{count(sum(known))} of {count(len(known))} classes")] if known else []


def _total(values: object) -> int | None:
    """The sum of counts; None where there are none, or something else stands among them."""
    numbers = [finite(value) for value in values] if isinstance(values, list | tuple) and values else [None]
    known = [int(value) for value in numbers if value is not None and 0 <= value < 1e15]
    return sum(known) if len(known) == len(numbers) else None


def _range(learned: Mapping[str, Any]) -> list[tuple[str, str]]:
    lowest, highest = finite(learned.get("lowest")), finite(learned.get("highest"))
    if lowest is None or highest is None:
        return []
    return [("scores", f"from {number(lowest)} to {number(highest)}")]


def _error(learned: Mapping[str, Any]) -> list[tuple[str, str]]:
    error, chance = finite(learned.get("error")), finite(learned.get("chance"))
    if error is None:
        return []
    said = "" if chance is None else f" (chance alone explains up to {number(chance)})"
    return [("calibration error", f"{number(error)}{said}")]


def fact(value: object) -> str:
    """A number as people read it, any other fact in few words."""
    if isinstance(value, int) and not isinstance(value, bool):
        return count(value)
    return number(value) if isinstance(value, float) else shorten(value, 160)
