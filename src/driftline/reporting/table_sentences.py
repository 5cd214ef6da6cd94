"""The verdict on a table, and what is wrong with a feature, as a person would say them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from driftline.core.documents import Violation
from driftline.core.verdict import Verdict
from driftline.reporting.features import BY_P_VALUE, Feature, feature_label
from driftline.reporting.report import FeatureDrift, TableReport
from driftline.reporting.sentences import headline
from driftline.reporting.statistics import finite
from driftline.reporting.text import apart, count, plural, shorten

_CHECKS = {
    "data_type_check": "type",
    "completeness_check": "completeness",
    "baseline_drift_check": "drift",
    "missing_column_check": "missing column",
    "extra_column_check": "extra column",
    "categorical_values_check": "categories",
}


def check_name(check: str) -> str:
    """A kind of check in words.

    >>> check_name("baseline_drift_check"), check_name("non_negative_check")
    ('drift', 'non negative')
    """
    return _CHECKS.get(check) or shorten(check.removesuffix("_check").replace("_", " "), 40)


def table_headline(report: TableReport, features: Sequence[Feature]) -> str:
    """The verdict in one sentence; of a baseline, what it is of."""
    if report.verdict is None:
        suggested = 0 if report.constraints is None else len(report.constraints.features)
        return f"Baseline with constraints suggested for {plural(suggested, 'feature')}"
    if report.verdict is Verdict.VIOLATED:
        return _violated(report, features)
    if report.verdict is Verdict.OK:
        held = [one for one in features if one.status in ("met", "chance", "drifted")]
        return f"{_all(len(held))} as expected" if held else "Nothing is violated"
    return headline(report.verdict, (), report.reasons, {})


def _all(features: int) -> str:
    return "The one feature is" if features == 1 else f"All {count(features)} features are"


def _violated(report: TableReport, features: Sequence[Feature]) -> str:
    ordered = [(one, violation) for one in features for violation in one.violations]
    if not ordered:
        words = [shorten(violation.description, 200) for violation in report.violations]
        return headline(Verdict.VIOLATED, [word for word in words if word], (), {})
    # A feature is written as it is, also where a sentence begins with it.
    first = violation_sentence(ordered[0][1], ordered[0][0].drift)
    more = len(report.violations) - 1
    if not more:
        return first
    concerned = sum(bool(one.violations) for one in features)
    where = "" if concerned == 1 else f"; {count(concerned)} of {count(len(features))} features are concerned"
    return f"{first}, and {plural(more, 'more violation')}{where}"


def rows_sentence(report: TableReport) -> str:
    """What the page rests on."""
    said = f"n = {_size(report.current.item_count, len(report.current.features))}"
    was = report.baseline
    return said if was is None else f"{said}, held against a baseline of {_size(was.item_count, len(was.features))}"


def _size(rows: int, features: int) -> str:
    return f"{plural(rows, 'row')} with {plural(features, 'feature')}"


def violation_sentence(violation: Violation, drift: FeatureDrift | None = None) -> str:
    """What is wrong with one feature, in numbers that differ as written; else the violation's own words."""
    name = feature_label(violation.subject)
    say = _SAY.get(violation.constraint_check_type)
    said = None if say is None else say(violation, drift)
    if said is not None:
        return f"{name} {said}"
    own = shorten(violation.description, 200)
    return f"{name}: {own}" if own else f"{name} does not pass its {check_name(violation.constraint_check_type)} check"


def _drifted(violation: Violation, drift: FeatureDrift | None) -> str | None:
    value, limit = finite(violation.value), finite(violation.threshold)
    if value is None or limit is None:
        return None
    shown, most = apart(value, limit)
    if drift is not None and drift.method in BY_P_VALUE:
        return f"has drifted: its p-value {shown} is below {most}"
    return f"has drifted: its distance {shown} is above {most}"


def _incomplete(violation: Violation, _: FeatureDrift | None) -> str | None:
    shares = _percents(violation)
    return shares and f"is present in {shares[0]} of the rows, not in {shares[1]}"


def _other_type(violation: Violation, _: FeatureDrift | None) -> str | None:
    shares = _percents(violation)
    return shares and f"is of its type in {shares[0]} of its values, not in {shares[1]}"


def _other_values(violation: Violation, _: FeatureDrift | None) -> str | None:
    shares = _percents(violation)
    return shares and f"has values that are not expected: {shares[0]} are, not {shares[1]}"


def _percents(violation: Violation) -> tuple[str, str] | None:
    """A share and the least it should be, in per cent; None where they are no such shares."""
    value, least = finite(violation.value), finite(violation.threshold)
    if value is None or least is None or not 0 <= value < least <= 1:
        return None
    shown = apart(100 * value, 100 * least)
    return f"{shown[0]} %", f"{shown[1].removesuffix('.0')} %"


_SAY: dict[str, Callable[[Violation, FeatureDrift | None], str | None]] = {
    "baseline_drift_check": _drifted,
    "completeness_check": _incomplete,
    "data_type_check": _other_type,
    "categorical_values_check": _other_values,
    "missing_column_check": lambda _, __: "is missing",
    "extra_column_check": lambda _, __: "is a column that the baseline does not have",
}
