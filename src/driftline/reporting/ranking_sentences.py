"""What attributions say, for people who must act: which features weigh otherwise than they did, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from driftline.core.verdict import Verdict
from driftline.reporting.features import feature_label
from driftline.reporting.rankings import RankedFeature, Ranking, label_text
from driftline.reporting.report import AttributionReport
from driftline.reporting.sentences import headline
from driftline.reporting.statistics import finite
from driftline.reporting.text import apart, count, percent, plural, shorten

METHODS = {
    "tree_shap": "exact TreeSHAP",
    "linear_shap": "exact SHAP of a linear model",
    "kernel_shap": "Kernel SHAP",
    "permutation_shap": "permutation SHAP",
}
AGGREGATIONS = {
    "mean_abs": "the mean of absolute SHAP values",
    "median": "the median of absolute SHAP values",
    "mean_sq": "the mean of squared SHAP values",
}


def verdict_sentence(report: AttributionReport, rankings: Sequence[Ranking]) -> str:
    """The verdict in one sentence; of a baseline, what it is of."""
    if report.verdict is None:
        features = max((len(one.features) for one in rankings), default=0)
        labels = f" for {plural(len(rankings), 'label')}" if len(rankings) > 1 else ""
        return f"Baseline of attributions with {plural(features, 'feature')}{labels}"
    if report.verdict is Verdict.VIOLATED:
        return _violated(report, rankings)
    if report.verdict is Verdict.OK:
        return _held(rankings)
    return headline(report.verdict, (), report.reasons, {})


def _held(rankings: Sequence[Ranking]) -> str:
    known = [one for one in rankings if one.status == "met"]
    if not known:
        return "Nothing is violated"
    if len(rankings) == 1:
        return "The features weigh as they did"
    of = f"all {count(len(known))}" if len(known) == len(rankings) else f"{count(len(known))} of {count(len(rankings))}"
    return f"The features weigh as they did, for {of} labels"


def _violated(report: AttributionReport, rankings: Sequence[Ranking]) -> str:
    wrong = [one for one in rankings if one.violated]
    if not wrong:
        words = [shorten(one.description, 200) for one in report.violations]
        return headline(Verdict.VIOLATED, [word for word in words if word], (), {})
    more = max(len(report.violations), len(wrong)) - 1
    return drifted_sentence(wrong[0], named=len(rankings) > 1) + (
        f", and {plural(more, 'more violation')}" if more else ""
    )


def drifted_sentence(ranking: Ranking, *, named: bool) -> str:
    """How far the ranking of a label is from the baseline's; of one among several it is ``named``."""
    of = f" of {label_text(ranking.label)}" if named else ""
    drift = ranking.drift
    ndcg = None if drift is None else finite(drift.ndcg)
    if drift is None or ndcg is None:
        return f"The features{of} weigh otherwise than in the baseline"
    shown, limit = apart(ndcg, drift.threshold)
    return f"The features{of} weigh otherwise: their NDCG {shown} is below {limit}"


def rows_sentence(report: AttributionReport) -> str:
    """What the page rests on."""
    current = report.current
    rows = f"n = {plural(current.rows, 'row')}. " if current.rows else ""
    how = AGGREGATIONS.get(current.aggregation, shorten(current.aggregation, 40))
    method = METHODS.get(current.method, shorten(current.method, 40))
    was = "" if report.baseline is None or not report.baseline.rows else f"; baseline {_rows(report.baseline.rows)}"
    return f"{rows}A feature weighs {how} by {method}{was}"


def _rows(rows: int) -> str:
    return f"of {plural(rows, 'row')}"


def other_ways(report: AttributionReport) -> str:
    """What makes the two sides hard to compare; nothing where they were made alike."""
    was = report.baseline
    if was is None or (was.aggregation, was.method) == (report.current.aggregation, report.current.method):
        return ""
    how = AGGREGATIONS.get(was.aggregation, shorten(was.aggregation, 40))
    return f"The baseline was made otherwise: {how} by {METHODS.get(was.method, shorten(was.method, 40))}."


def move_sentence(feature: RankedFeature) -> str:
    """How the weight of one feature changed.

    >>> from driftline.reporting.rankings import Place
    >>> move_sentence(RankedFeature("Day Mins", Place(4, 0.2, 0.09), Place(1, 0.9, 0.31)))
    'Day Mins fell from rank 1 to 4; its share went from 31.0 % to 9.0 %'
    """
    name, now, was = feature_label(feature.name), feature.now, feature.was
    if now is None or was is None:
        return f"{name} is new" if was is None else f"{name} is no longer there"
    rise = feature.rise or 0
    if rise == 0:
        moved = f"kept rank {count(now.rank)}"
    else:
        moved = f"{'rose' if rise > 0 else 'fell'} from rank {count(was.rank)} to {count(now.rank)}"
    took = f", which takes {feature.loss:.3f} from the NDCG" if (feature.loss or 0.0) >= 5e-4 else ""
    return f"{name} {moved}; its share went from {_share(was.share)} to {_share(now.share)}{took}"


def _share(share: float | None) -> str:
    return "–" if share is None else percent(share, 1.0)


def change_words(feature: RankedFeature) -> tuple[str, str]:
    """A change of rank in a few characters, and what it is drawn as."""
    rise = feature.rise
    if rise is None:
        return ("new", "rose") if feature.was is None else ("gone", "fell")
    if rise == 0:
        return "=", "soft"
    return (f"▲ {count(rise)}", "rose") if rise > 0 else (f"▼ {count(-rise)}", "fell")
