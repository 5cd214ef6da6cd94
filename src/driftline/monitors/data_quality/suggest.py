"""From the statistics of a baseline to the constraints that it meets."""

from __future__ import annotations

from typing import Any

from driftline.core.table_constraints import DataQualityConstraints, DriftRules, FeatureConstraints
from driftline.core.table_statistics import FeatureStatistics, StringStatistics, TableStatistics
from driftline.monitors.data_quality.column_checks import CHANCE
from driftline.stats.intervals import wilson

LARGEST_DOMAIN = 20
FEWEST_TEXTS = 300
FEWEST_OF_A_TEXT = 5
DRIFT_OF_BASELINES = DriftRules()


def suggest(statistics: TableStatistics, *, drift: DriftRules | None = DRIFT_OF_BASELINES) -> DataQualityConstraints:
    """Constraints that the baseline just meets, each with the reason it is suggested for.

    Every column keeps its type and at least its share of present values, where some were missing less what chance
    explains (the Wilson score interval at 99.9 %; not in the original's way). Numbers of which none is below zero must
    stay so. Texts of a small domain must stay within it: at most 20 distinct ones, all of them counted, among at least
    300 values, each met at least five times. Where texts come by themselves, one that was not met among n values has
    with 95 % confidence a share below 3/n (the rule of three), so at most 1 %; and where none is rare, the share of all
    that were not met together, which Good and Turing estimate by the number of those met once over n, is estimated as
    none.

    All values must have the type and lie in the domain (both thresholds are 1). ``drift`` is how distributions are
    compared; None leaves the original service's way alone.

    >>> from driftline.core.table_statistics import NumericalStatistics
    >>> age = FeatureStatistics("age", "Integral", 90, 10, NumericalStatistics(40.0, 3600.0, 9.0, 18.0, 80.0))
    >>> feature = suggest(TableStatistics(100, (age,))).features[0]
    >>> round(feature.completeness, 3), feature.is_non_negative
    (0.759, True)
    >>> feature.suggestion["completeness"]
    '90 of 100 values were present, less the chance of so many rows (99.9% score interval)'
    """
    return DataQualityConstraints(
        tuple(_feature(feature, plain=drift is None) for feature in statistics.features), drift=drift
    )


def _feature(found: FeatureStatistics, *, plain: bool) -> FeatureConstraints:
    rules: dict[str, Any] = {}
    reasons = {"inferred_type": _type_reason(found)}
    for name, rule in (
        ("completeness", _completeness(found, plain=plain)),
        ("is_non_negative", _non_negative(found)),
        ("domain", _domain(found)),
    ):
        if rule is not None:
            rules[name], reasons[name] = rule
    return FeatureConstraints(found.name, found.inferred_type, suggestion=reasons, **rules)


def _type_reason(found: FeatureStatistics) -> str:
    if found.inferred_type == "Unknown":
        return "no value was present"
    counts = found.types
    if counts is None:
        return f"the type of {found.num_present:,} values"
    numbers = counts.integral + counts.whole + counts.fractional
    kinds = (
        ("whole numbers", counts.integral),
        ("fractional numbers", counts.whole + counts.fractional),
        ("true or false", counts.boolean),
        ("other texts", counts.string),
    )
    met = " and ".join(f"{count:,} {kind}" for kind, count in kinds if count)
    mixed = " together are texts" if counts.boolean and numbers and not counts.string else ""
    return f"{met} were present{mixed}" if met else "no value was present"


def _completeness(found: FeatureStatistics, *, plain: bool) -> tuple[float, str] | None:
    """The share of present values; where some are missing, less what chance explains. Without a row there is none."""
    rows = found.num_present + found.num_missing
    interval = wilson(found.num_present, rows, CHANCE)
    if interval is None:
        return None
    reason = f"{found.num_present:,} of {rows:,} values were present"
    if plain or not found.num_missing or not found.num_present:
        return found.num_present / rows, reason
    return interval[0], f"{reason}, less the chance of so many rows ({CHANCE:.1%} score interval)"


def _non_negative(found: FeatureStatistics) -> tuple[bool, str] | None:
    numbers = found.numerical
    if found.inferred_type not in ("Integral", "Fractional") or numbers is None:
        return None
    if numbers.min is None or numbers.min < 0:
        return None
    return True, f"the smallest of {found.num_present - numbers.not_finite:,} numbers was {numbers.min + 0.0:g}"


def _domain(found: FeatureStatistics) -> tuple[tuple[str, ...], str] | None:
    texts = found.string
    if found.inferred_type != "String" or texts is None or not _is_small(texts, found.num_present):
        return None
    rarest = min(count for _, count in texts.categories)
    reason = (
        f"{len(texts.categories)} distinct texts among {found.num_present:,} values, the rarest met {rarest:,} times; "
        f"one that was not met has with 95 % confidence a share below {300 / found.num_present:.2g} %"
    )
    return tuple(sorted(text for text, _ in texts.categories)), reason


def _is_small(texts: StringStatistics, values: int) -> bool:
    """Whether the texts are all there are, as far as can be told."""
    return (
        texts.complete
        and 0 < len(texts.categories) <= LARGEST_DOMAIN
        and values >= FEWEST_TEXTS
        and all(count >= FEWEST_OF_A_TEXT for _, count in texts.categories)
    )
