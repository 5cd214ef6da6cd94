"""What bias metrics say, for people who must act: each value as one plain sentence, and the verdict on all of them.

``It`` is the part of the rows that is looked at, ``the others`` are all other rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from driftline.core.verdict import Verdict
from driftline.reporting.bias_parts import BiasPart, BiasRow
from driftline.reporting.report import BiasReport
from driftline.reporting.sentences import headline
from driftline.reporting.text import abridge, apart, count, percent, plural, shorten

_ALIKE = 5e-4
"""Half a tenth of a point: what would be written as 0.0."""


def meaning(row: BiasRow) -> str:
    """What the value of a metric says; why there is none where it has none."""
    if row.value is None:
        return f"No value: {shorten(row.error, 120)}."
    say = _SAY.get(row.name)
    if say is None:
        return shorten(row.now.description, 120) if row.now is not None else ""
    return say(row.value)


def _points(more: str, less: str, alike: str) -> Callable[[float], str]:
    """A difference of shares; the first sentence where it is above zero."""

    def said(value: float) -> str:
        if not math.isfinite(value):
            return "Without end: one side has no rows to take a share of."
        if abs(value) < _ALIKE:
            return alike
        return (more if value > 0 else less).format(f"{100 * abs(value):.1f} percentage points")

    return said


def _signed(more: str, less: str, alike: str) -> Callable[[float], str]:
    """A difference that is no share: only its direction is said."""
    return lambda value: alike if abs(value) < _ALIKE else more if value > 0 else less


def _imbalance(value: float) -> str:
    return f"It is {percent((1 - value) / 2, 1.0)} of the rows."


def _impact(value: float) -> str:
    if math.isinf(value):
        return "None of the others is predicted positive."
    rule = "; below 0.8 is widely held to be unfair" if value < 0.8 else ""
    upper = "; above 1.25 it is the others who are at a disadvantage" if value > 1.25 else ""
    return f"It is predicted positive {value:.2f} times as often as the others{rule}{upper}."


def _equality(value: float) -> str:
    if math.isinf(value):
        return "One side has no false positive, so that the ratios cannot be compared."
    if abs(value) < _ALIKE:
        return "Per false positive it has as many false negatives as the others."
    more = "more" if value > 0 else "fewer"
    return f"Per false positive it has {abs(value):.2f} {more} false negatives than the others."


def _distance(measure: str) -> Callable[[float], str]:
    return lambda _: f"How far its labels are distributed otherwise than the others' ({measure}); 0 is alike."


def _moved(value: float) -> str:
    return f"{percent(value, 1.0)} of its labels would have to change to be distributed as the others' are."


def _rates(what: str, verb: str) -> Callable[[float], str]:
    """How much less (above zero) or more often something holds of it than of the others."""
    return _points(
        f"{what} {verb} {{}} less often than the others'.",
        f"{what} {verb} {{}} more often than the others'.",
        f"{what} {verb} as often as the others'.",
    )


def _disparity(what: str) -> Callable[[float], str]:
    return _points(
        f"Among like rows, its share of the negative {what} is {{}} above its share of the positive ones.",
        f"Among like rows, its share of the negative {what} is {{}} below its share of the positive ones.",
        f"Among like rows, it has the same share of the negative and of the positive {what}.",
    )


_AS_LABELS = "Compared with the others, it is predicted {} {} often than its labels bear out."
_LARGEST = "The share of one label differs by {} from the others'."
_SAY: dict[str, Callable[[float], str]] = {
    "CDDL": _disparity("labels"),
    "CI": _imbalance,
    "DPL": _rates("Its labels", "are positive"),
    "JS": _distance("Jensen–Shannon, at most 0.69"),
    "KL": _distance("relative entropy, without an upper end"),
    "KS": _points(_LARGEST, _LARGEST, "Its labels are distributed alike."),
    "LP": _distance("Euclidean, at most 1.41"),
    "TVD": _moved,
    "AD": _rates("Its predictions", "are right"),
    "CDDPL": _disparity("predictions"),
    "DAR": _rates("Its positive predictions", "are right"),
    "DCA": _signed(
        _AS_LABELS.format("positive", "more"),
        _AS_LABELS.format("positive", "less"),
        "It is predicted positive as its labels bear out.",
    ),
    "DCR": _signed(
        _AS_LABELS.format("negative", "less"),
        _AS_LABELS.format("negative", "more"),
        "It is predicted negative as its labels bear out.",
    ),
    "DI": _impact,
    "DPPL": _rates("Its predictions", "are positive"),
    "DRR": _points(
        "Its negative predictions are right {} more often than the others'.",
        "Its negative predictions are right {} less often than the others'.",
        "Its negative predictions are right as often as the others'.",
    ),
    "FT": _points(
        "Beside the most alike of the others, it is predicted positive more often, by {} of its rows.",
        "Beside the most alike of the others, it is predicted negative more often, by {} of its rows.",
        "It is predicted as the most alike of the others.",
    ),
    "GE": lambda _: "How unevenly errors fall on single rows, of all parts together; 0 is evenly.",
    "RD": _rates("Its positives", "are found"),
    "SD": _points(
        "Its negatives are recognised {} more often than the others'.",
        "Its negatives are recognised {} less often than the others'.",
        "Its negatives are recognised as often as the others'.",
    ),
    "TE": _equality,
}


def verdict_sentence(report: BiasReport, parts: Sequence[BiasPart]) -> str:
    """The verdict in one sentence; of a baseline, what it is of."""
    metrics = [row for part in parts for row in part.metrics]
    if report.verdict is None:
        return f"Baseline with {plural(len(metrics), 'bias metric')} of {plural(len(parts), 'part')}"
    if report.verdict is Verdict.VIOLATED:
        return _violated(report, parts)
    if report.verdict is Verdict.OK:
        held = sum(row.found in ("met", "chance") for row in metrics)
        return f"No bias has grown: {plural(held, 'metric')} held" if held else "Nothing is violated"
    return headline(report.verdict, (), report.reasons, {})


def _violated(report: BiasReport, parts: Sequence[BiasPart]) -> str:
    wrong = [(part, row) for part in parts for row in part.metrics if row.violation is not None]
    if not wrong:
        words = [shorten(one.description, 200) for one in report.violations]
        return headline(Verdict.VIOLATED, [word for word in words if word], (), {})
    first = violation_sentence(*wrong[0])
    more = len(report.violations) - 1
    return first + (f", and {plural(more, 'more violation')}" if more > 0 else "")


def violation_sentence(part: BiasPart, row: BiasRow) -> str:
    """What is wrong with one metric, in numbers that differ as written; else the violation's own words."""
    name = f"{row.name} of {part.label}"
    value, before = row.value, row.before
    if value is None or before is None or not math.isfinite(before):
        own = "" if row.violation is None else shorten(row.violation.description, 200)
        return f"{name}: {own}" if own else f"{name} is worse than in the baseline"
    if not math.isfinite(value):
        return f"{name} has no end, further from the fair {row.fair:g} than its baseline {before:.4g}"
    shown, was = apart(value, before)
    return f"{name} is {shown}, further from the fair {row.fair:g} than its baseline {was}"


def rows_sentence(report: BiasReport, parts: Sequence[BiasPart]) -> str:
    """What the page rests on."""
    current = report.current
    sizes = [part.size[1] for part in parts if part.size is not None]
    rows = f"n = {plural(max(sizes), 'row')}. " if sizes else ""
    positive = abridge(current.label_value_or_threshold, 40)
    facets = plural(len({part.facet for part in parts}), "facet")
    return f"{rows}Label {abridge(current.label, 60)}, positive: {positive}. {facets} with {plural(len(parts), 'part')}"


def size_words(part: BiasPart) -> str:
    """How many rows a part has, of how many."""
    if part.size is None:
        return ""
    rows, every = part.size
    return f"{count(rows)} of {plural(every, 'row')} ({percent(rows, every)})"
