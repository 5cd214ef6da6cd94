"""The attributions of each label as a page needs them: ranked, now and in the baseline, with what moved."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from driftline.core.attribution_analysis import Attribution, AttributionAnalysis, LabelAttributions
from driftline.reporting.report import AttributionReport, RankingDrift
from driftline.reporting.statistics import finite
from driftline.reporting.text import abridge


class Place(msgspec.Struct, frozen=True):
    """What one side knows of a feature: its rank (from 1), its weight with its interval, and its share of all weights,
    which there is none of where nothing weighs anything."""

    rank: int
    value: float
    share: float | None
    lower: float | None = None
    upper: float | None = None


class RankedFeature(msgspec.Struct, frozen=True):
    """A feature on both sides; ``loss`` is what its move took from the NDCG, where that is known."""

    name: str
    now: Place | None
    was: Place | None
    loss: float | None = None

    @property
    def rise(self) -> int | None:
        """By how many places it rose; below 0 where it fell, None where a side does not have it."""
        return None if self.now is None or self.was is None else self.was.rank - self.now.rank

    @property
    def shift(self) -> float:
        """By how much its share changed; a side that does not have it gave it none."""
        shares = [0.0 if place is None or place.share is None else place.share for place in (self.now, self.was)]
        return shares[0] - shares[1]


class Ranking(msgspec.Struct, frozen=True):
    """The features of one label by their rank now, after them those that only the baseline has."""

    label: str
    features: tuple[RankedFeature, ...]
    expected: float | None
    expected_before: float | None
    drift: RankingDrift | None
    compared: bool
    violated: bool

    @property
    def status(self) -> str:
        """Violated, met, or unsure: not compared, or below the threshold by no more than chance may do."""
        ndcg = None if self.drift is None else finite(self.drift.ndcg)
        if self.violated:
            return "violated"
        return "met" if self.drift is not None and ndcg is not None and ndcg >= self.drift.threshold else "unsure"

    @property
    def moved(self) -> list[RankedFeature]:
        """Features that lost or won weight, those that took most from the NDCG first, then by the change of share."""
        changed = [one for one in self.features if self.compared and (abs(one.shift) > 5e-4 or (one.loss or 0) > 5e-4)]
        return sorted(changed, key=lambda one: (-max(one.loss or 0.0, 0.0), -abs(one.shift)))


def label_text(label: str) -> str:
    """The name of a label as it is shown."""
    return abridge(label, 60) or "(no name)"


def rankings_of(report: AttributionReport) -> list[Ranking]:
    """Every label that either side knows: violated ones first, then by their NDCG.

    Where both sides have a single label, it is the same one, whatever it is called.
    """
    now, was = _by_label(report.current), _by_label(report.baseline)
    if len(now) == len(was) == 1:
        was = dict(zip(now, was.values(), strict=True))
    drift = {one.label: one for one in report.drift}
    wrong = {one.label for one in report.violations}
    names = dict.fromkeys((*now, *was, *drift))
    found = [_ranking(name, now.get(name), was.get(name), drift.get(name), violated=name in wrong) for name in names]
    return sorted(found, key=_order)


def _order(ranking: Ranking) -> tuple[bool, float]:
    ndcg = None if ranking.drift is None else finite(ranking.drift.ndcg)
    return not ranking.violated, math.inf if ndcg is None else ndcg


def _by_label(analysis: AttributionAnalysis | None) -> dict[str, LabelAttributions]:
    return {} if analysis is None else {one.label: one for one in analysis.labels}


def _ranking(
    name: str,
    now: LabelAttributions | None,
    was: LabelAttributions | None,
    drift: RankingDrift | None,
    *,
    violated: bool,
) -> Ranking:
    places, before = _places(now), _places(was)
    losses = {} if drift is None else drift.losses
    features = tuple(
        RankedFeature(one, places.get(one), before.get(one), finite(losses.get(one)))
        for one in dict.fromkeys((*places, *before))
    )
    return Ranking(
        name,
        features,
        None if now is None else finite(now.expected_value),
        None if was is None else finite(was.expected_value),
        drift,
        now is not None and was is not None,
        violated or (drift is not None and drift.violated),
    )


def _places(side: LabelAttributions | None) -> dict[str, Place]:
    """Features by rank. Of equal ones the first in the file comes first."""
    given = [] if side is None else [one for one in side.features if math.isfinite(one.value)]
    ranked = sorted(given, key=lambda one: -one.value)
    total = _total(one.value for one in ranked)
    return {one.feature: _place(one, rank, total) for rank, one in enumerate(ranked, start=1)}


def _total(values: Iterable[float]) -> float:
    try:
        return math.fsum(map(abs, values))
    except OverflowError:
        return math.inf


def _place(one: Attribution, rank: int, total: float) -> Place:
    interval = one.confidence_interval
    ends = (None, None) if interval is None else (finite(interval.lower), finite(interval.upper))
    share = abs(one.value) / total if 0 < total < math.inf else None
    return Place(rank, one.value, share, *(ends if None not in ends else (None, None)))
