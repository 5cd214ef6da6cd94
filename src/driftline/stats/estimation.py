"""Metrics of a binary classifier before its labels are known, from calibrated scores. Estimates, and marked so.

The idea is that of confidence-based performance estimation: if of the rows with a score a share p is positive, the
confusion matrix that the missing labels will make is known but for chance. Its assumption, that this share is still
the baseline's, cannot be seen without labels; :mod:`driftline.stats.estimability` says when there is reason to doubt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from driftline.stats import binary
from driftline.stats.calibrator import Calibrator, Condition
from driftline.stats.cells import by
from driftline.stats.estimability import Decided, Unlabelled, conditions

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

METRICS = (*binary.PROPORTIONS, *binary.BETAS)
REPLICATES, DRAWS = 400, 5
"""Maps of the baseline, and label sets drawn from each: 2,000 values place a 95 % bound to about ½ % of the rate."""
UNDEFINED = 0.01
"""A metric that would have no value with a greater chance than this has no estimate either."""


class Estimated(NamedTuple):
    """What a metric is expected to be, and the interval for what it will turn out to be; or why it has none."""

    value: float | None
    lower: float | None = None
    upper: float | None = None
    error: str | None = None


class Estimate(NamedTuple):
    """Estimated metrics of a window without labels. With a condition there are none: the answer is UNKNOWN."""

    rows: int
    level: float
    metrics: dict[str, Estimated]
    conditions: tuple[Condition, ...]
    method: str = "estimated from calibrated scores, without labels"


def estimate(
    calibrator: Calibrator | Condition | None,
    scores: Unlabelled,
    *,
    threshold: float,
    seed: int,
    level: float = 0.95,
    history: Sequence[Mapping[str, bool | None]] = (),
) -> Estimate:
    """What every metric of :data:`METRICS`, and ``auc``, will be when the labels of these rows come.

    ``threshold`` decides where ``scores`` holds no decisions: positive when score > threshold. The interval is for
    the realised metric of this very window: labels are drawn for the rows at hand from maps that the baseline could
    as well have given. ``history`` has what :func:`driftline.stats.hindsight.check` said of recent labelled windows.
    """
    decided = scores.decided(threshold)
    rows = int(decided.counts.sum())
    doubts = conditions(calibrator, decided, history, level)
    if doubts or not isinstance(calibrator, Calibrator):
        return Estimate(rows, level, {}, doubts)
    random = np.random.default_rng(seed)
    metrics = _decisions(calibrator, decided, random, level)
    metrics["auc"] = _area(calibrator, decided, random, level)
    return Estimate(rows, level, metrics, ())


def _decisions(
    calibrator: Calibrator, decided: Decided, random: np.random.Generator, level: float
) -> dict[str, Estimated]:
    """The metrics of decisions: positives among predicted negatives and positives are sums of independent draws."""
    cells, length = calibrator.cells(decided.scores), len(calibrator.positives)
    sides = np.stack([by(cells, part, length) for part in (decided.counts - decided.flagged, decided.flagged)])
    maps = np.repeat(calibrator.replicates(REPLICATES), DRAWS, axis=0)
    missed, hits = (random.binomial(side, maps).sum(axis=1) for side in sides)
    said = sides.sum(axis=1).astype(float)
    drawn = _counts(missed, hits, said)
    expected_missed, expected_hits = (sides @ calibrator.rates()).tolist()
    centre = _counts(expected_missed, expected_hits, said)
    return {name: _estimated(name, centre, drawn, level) for name in METRICS}


def _counts(missed: Any, hits: Any, said: Floats) -> binary.Counts:
    return binary.Counts(hits, float(said[1]) - hits, missed, float(said[0]) - missed)


def _estimated(name: str, centre: binary.Counts, drawn: binary.Counts, level: float) -> Estimated:
    return _between(binary.value(name, centre), binary.values(name, drawn), level, binary.undefined(name))


def _between(value: float | None, draws: Floats, level: float, why: str) -> Estimated:
    """The central part of the draws; a value that is a draw itself is inside, so the bounds are draws too."""
    if value is None or np.isnan(draws).mean() > UNDEFINED:
        return Estimated(None, error=f"there may be {why}")
    known = draws[~np.isnan(draws)]
    lower = float(np.quantile(known, 0.5 - level / 2, method="lower"))
    upper = float(np.quantile(known, 0.5 + level / 2, method="higher"))
    return Estimated(value, min(lower, value), max(upper, value))


def _area(calibrator: Calibrator, decided: Decided, random: np.random.Generator, level: float) -> Estimated:
    """The area under the ROC curve, with a pivotal interval on the logit scale.

    The cells' rates are taken as counted: pooled, they would give the area under the convex hull of the curve, which
    is larger (Fawcett and Niculescu-Mizil 2007). How far such an estimate is from the area that a window's labels
    make is found by drawing both, the baseline's labels and the window's, from the pooled rates.
    """
    cells = calibrator.cells(decided.scores)
    rows = by(cells, decided.counts, len(calibrator.positives))
    untied = _untied(cells, decided.counts, rows)
    seen = np.asarray(calibrator.positives) + np.asarray(calibrator.negatives)
    window, baseline = (_drawn(random, part, calibrator.rates()) for part in (rows, seen))
    again = baseline / seen
    noise = random.standard_normal(len(window)) * np.sqrt((window * (rows - window) * untied).sum(axis=1))
    realised = _logit(_areas(window, rows - window, noise))
    errors = realised - _logit(_areas(rows * again, rows * (1 - again)))
    counted = np.asarray(calibrator.positives) / seen
    value = float(_areas(rows * counted, rows * (1 - counted)))
    if np.isnan(value):
        return Estimated(None, error="there may be one class only")
    return _between(value, 1 / (1 + np.exp(-np.clip(_logit(value) + errors, -50, 50))), level, "one class only")


def _drawn(random: np.random.Generator, rows: Integers, rates: Floats) -> Integers:
    """Positives of each cell, one draw a row. A cell's draws follow one another: the generator prepares once a cell."""
    return random.binomial(rows[:, None], rates[:, None], (len(rows), REPLICATES * DRAWS)).T


def _areas(positives: npt.NDArray[Any], negatives: npt.NDArray[Any], noise: npt.ArrayLike = 0.0) -> Floats:
    """The area by cell, ties within a cell counting half; NaN without both classes."""
    below = np.cumsum(negatives, axis=-1) - negatives / 2
    pairs = positives.sum(axis=-1) * negatives.sum(axis=-1)
    won = (positives * below).sum(axis=-1) + noise
    return np.asarray(np.where(pairs > 0, won / np.where(pairs > 0, pairs, 1), np.nan))


def _logit(area: npt.ArrayLike) -> Floats:
    inside = np.clip(area, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))


def _untied(cells: npt.NDArray[Any], counts: Integers, rows: Integers) -> Floats:
    """The variance that ranks within a cell add, for each pair of a positive and a negative in it.

    That of the Mann-Whitney statistic without a difference, (n + 1 - Σ(t³ - t)/(n(n - 1)))/12 with ties of t rows.
    """
    t, n = counts.astype(np.float64), rows.astype(np.float64)
    ties = np.bincount(cells, weights=t**3 - t, minlength=len(rows))
    return np.asarray(np.maximum(n + 1 - ties / np.maximum(n * (n - 1), 1), 0) / 12)
