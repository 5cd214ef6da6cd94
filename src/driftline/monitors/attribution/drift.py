"""How far a live ranking of features is from the baseline's, feature by feature."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from driftline.analyzers.attributions import Global
from driftline.core.attribution_analysis import AttributionAnalysis, LabelAttributions
from driftline.core.documents import Interval
from driftline.monitors.quality.result import LEVEL
from driftline.stats import half_samples
from driftline.stats.ndcg import aligned, losses, ndcg, places, shares

Floats = npt.NDArray[np.float64]
METHOD = "balanced half-samples"
_SHOWN = 5


class FeatureChange(msgspec.Struct, frozen=True):
    """One feature on both sides: its attribution, its place in the ranking (from 1) and its share in all attributions.

    ``loss`` is what its move took from the NDCG; those of all features add up to 1 − NDCG. A feature that one side
    does not have is 0 there.
    """

    feature: str
    baseline: float
    live: float
    baseline_place: int
    live_place: int
    baseline_share: float
    live_share: float
    loss: float


class RankingDrift(msgspec.Struct, frozen=True):
    """The NDCG of one output's live ranking with its interval, or why there is none; the changes that explain it, those
    that took, or gave back, most first."""

    label: str
    ndcg: float | None
    confidence_interval: Interval | None = None
    changes: tuple[FeatureChange, ...] = ()
    error: str | None = None


def compare(
    features: Sequence[str], labels: Sequence[str], live: Global, baseline: AttributionAnalysis
) -> tuple[RankingDrift, ...]:
    """The drift of every output. Where both sides have a single output its name does not matter."""
    named = {one.label: one for one in baseline.labels}
    alone = baseline.labels[0] if len(baseline.labels) == len(labels) == 1 else None
    pairs = [(place, label, alone or named.get(label)) for place, label in enumerate(labels)]
    found = [
        RankingDrift(label, None, error="the baseline has no output of this name")
        if expected is None
        else _drift(label, features, live.whole[place], live.halves[:, place], expected)
        for place, label, expected in pairs
    ]
    gone = [name for name in named if name not in labels] if alone is None else []
    return (*found, *(RankingDrift(name, None, error="the model has no output of this name") for name in gone))


def _drift(
    label: str, features: Sequence[str], live: Floats, halves: Floats, expected: LabelAttributions
) -> RankingDrift:
    before = [one.feature for one in expected.features]
    if before and not set(before).intersection(features):
        return RankingDrift(label, None, error=_others(before, features))
    both = aligned(
        {one.feature: one.value for one in expected.features}, dict(zip(features, live.tolist(), strict=True))
    )
    value = float(ndcg(both.baseline, both.live))
    if not np.isfinite(value):
        return RankingDrift(label, None, error=_reason(both.baseline, both.live))
    replicates = np.zeros((len(halves), len(both.features)))
    replicates[:, _order(both.features, features)] = halves
    interval = _interval(value, ndcg(both.baseline, replicates))
    return RankingDrift(label, value, interval, _changes(both.features, both.baseline, both.live))


def _others(before: Sequence[str], features: Sequence[str]) -> str:
    there, here = (", ".join(names[:_SHOWN]) + ", …" * (len(names) > _SHOWN) for names in (before, features))
    return f"no feature is the same (baseline: {there}; now: {here}); make a baseline with this model and these inputs"


def _order(there: Sequence[str], names: Sequence[str]) -> list[int]:
    place = {name: number for number, name in enumerate(there)}
    return [place[name] for name in names]


def _interval(value: float, halves: Floats) -> Interval | None:
    """None where some half of the rows has no ranking."""
    found = half_samples.interval(value, halves, LEVEL, 1.0)
    return None if found is None else Interval(max(0.0, found[0]), found[1], LEVEL, METHOD)


def _changes(features: Sequence[str], baseline: Floats, live: Floats) -> tuple[FeatureChange, ...]:
    lost = losses(baseline, live)
    columns = (baseline, live, places(baseline), places(live), shares(baseline), shares(live), lost)
    rows = list(zip(features, *(column.tolist() for column in columns), strict=True))
    # Of equal losses, such as those of features that kept their places, the heavier feature comes first.
    order = np.lexsort((-np.maximum(baseline, live), -np.abs(lost)))
    return tuple(FeatureChange(*rows[number]) for number in order.tolist())


def _reason(baseline: Floats, live: Floats) -> str:
    """Why there is no NDCG."""
    if not len(baseline):
        return "there are no features"
    if not np.isfinite(live).all():
        return "no row could be explained, or local attributions are too large to be summed"
    return "no feature weighs anything in the baseline" if np.isfinite(baseline).all() else "the baseline is not finite"
