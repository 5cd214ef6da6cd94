"""ROC areas with deviation and interval: of one distribution of scores, and averages over several classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from driftline.analyzers.scores import ScoreDistribution
from driftline.core.documents import Interval, Metric
from driftline.core.sampling import GROUPS
from driftline.monitors.quality.result import LEVEL, deviation, jackknifed
from driftline.stats import intervals, ranking

MACRO, WEIGHTED = "roc_auc_ovr", "weighted_roc_auc_ovr"
_JACKKNIFE = "delete-a-group jackknife on the logit"


def area_metric(scores: ScoreDistribution, samples: Any, *, weighted: bool) -> Metric:
    """The ROC area of a distribution. ``samples`` [samples, 64] are the groups of the five 80 % samples."""
    return _metric(scores, [scores.area(kept) for kept in samples], scores.areas_without() if weighted else None)


def class_areas(
    classes: Sequence[ScoreDistribution], samples: Any, *, weighted: bool
) -> tuple[list[Metric], dict[str, Metric]]:
    """The ROC area of every class against all others, and their averages, plain and weighted by the classes' shares.

    The averages are over the classes that have an area: rows of their own, and of others. They have the jackknife's
    interval, as the areas of one set of rows hang together.
    """
    parts = [[scores.area(kept) for kept in samples] for scores in classes]
    without = [scores.areas_without() for scores in classes]
    areas = [
        _metric(scores, part, left if weighted else None)
        for scores, part, left in zip(classes, parts, without, strict=True)
    ]
    known = [place for place, area in enumerate(areas) if area.value is not None]
    if not known:
        return areas, dict.fromkeys((MACRO, WEIGHTED), Metric(None, error="fewer than two classes occur"))
    every = [areas[place].value for place in known]
    of_samples, of_groups = (list(zip(*(rows[place] for place in known), strict=True)) for rows in (parts, without))
    sizes = np.array([classes[place].table.positives.sum() for place in known])
    averages = {}
    for name, size in ((MACRO, np.ones(len(known))), (WEIGHTED, sizes)):
        shares = size / size.sum()
        value, *_ = _means([every], shares)
        found = jackknifed(value or 0.0, _means(of_groups, shares), "logit")
        interval = None if found is None else Interval(*found, LEVEL, _JACKKNIFE)
        averages[name] = Metric(value, deviation(_means(of_samples, shares)), interval)
    return areas, averages


def groups_without_one(scores: ScoreDistribution) -> list[npt.NDArray[np.bool_]]:
    """For every group that has rows, which groups are left without it."""
    return [np.arange(GROUPS) != group for group in np.unique(scores.codes % GROUPS)]


def _metric(scores: ScoreDistribution, parts: Sequence[float | None], without: Sequence[float | None] | None) -> Metric:
    """With ``without``, the areas with one group after the other left out, the interval is the jackknife's."""
    area = ranking.roc_auc(scores.table)
    if area.auc is None:
        return Metric(None, error="no actual positives" if area.positives == 0 else "no actual negatives")
    if without is not None:
        found, method = jackknifed(area.auc, without, "logit"), _JACKKNIFE
    else:
        found = intervals.area(area.auc, area.variance, area.positives, area.negatives, LEVEL)
        method = "DeLong on the logit" if area.variance > 0 and 0 < area.auc < 1 else "Newcombe score"
    interval = None if found is None else Interval(*found, LEVEL, method)
    return Metric(area.auc, deviation(parts), interval)


def _means(rows: Sequence[Sequence[float | None]], shares: npt.NDArray[np.float64]) -> list[float | None]:
    """The average of each row of areas; None where a class has none: fewer classes would be another metric."""
    return [None if None in row else float(np.array(row, dtype=np.float64) @ shares) for row in rows]
