"""From a score to the share of positives among rows that had it: learned on a labelled baseline, with its doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from driftline.stats.cells import STRIPS, by, cuts_of, probabilities, strip
from driftline.stats.cross_fitting import calibration_error
from driftline.stats.isotonic import isotonic
from driftline.stats.ranking import ScoreTable

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

BASELINE_ROWS, BASELINE_CLASS = 200, 20
"""With fewer labelled rows, or rows of one class, cells cannot be told apart and their doubt is not normal."""
POOR = 0.1
"""The miscalibration, beyond chance, that is too much: a share of 2π(1-π), the error of a score that knows nothing
before a truth that a perfect one would know. A share, so that it is as strict with 1 % of positives as with half."""


class Condition(NamedTuple):
    """Why an estimate must not be given: a stable code, a sentence, and the facts it rests on."""

    code: str
    message: str
    evidence: dict[str, Any]


@dataclass(frozen=True)
class Calibrator:
    """A baseline's positives and negatives by cell of the score, in plain values.

    A score belongs to the first cell whose cut is not below it. ``strips`` are the baseline's rows in twenty equal
    strips of [0, 1]. ``error`` is the cross-fitted calibration error, ``chance`` what chance alone would let it reach.
    Everything else, the map and its replicates too, follows from these: two fits of the same summary are equal.
    """

    cuts: tuple[float, ...]
    positives: tuple[int, ...]
    negatives: tuple[int, ...]
    strips: tuple[int, ...]
    lowest: float
    highest: float
    error: float
    chance: float
    seed: int
    version: int = field(default=1)

    @property
    def rows(self) -> int:
        """The rows of the baseline."""
        return sum(self.positives) + sum(self.negatives)

    def cells(self, scores: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """The cell of each score."""
        return np.searchsorted(np.asarray(self.cuts), np.asarray(scores), side="left")

    def rates(self) -> Floats:
        """The calibrated probability of each cell."""
        return rates(np.asarray(self.positives), np.asarray(self.negatives))

    def replicates(self, count: int) -> Floats:
        """``count`` further maps that the same baseline could have given, one a row."""
        return replicates(np.asarray(self.positives), np.asarray(self.negatives), count, self.seed)

    def to_builtins(self) -> dict[str, Any]:
        """Plain values, for a document."""
        return asdict(self)

    @classmethod
    def from_builtins(cls, document: Mapping[str, Any]) -> Calibrator:
        """The calibrator of a document."""
        plain: dict[str, Any] = dict(document)
        plain |= {name: tuple(document[name]) for name in ("cuts", "positives", "negatives", "strips")}
        return cls(**plain)


def fit(table: ScoreTable, *, threshold: float, seed: int) -> Calibrator | Condition:
    """The calibrator of a labelled baseline, or why it cannot have one.

    Scores are grouped into cells of about equal weight, none across the threshold, and the cells' rates made
    monotone by isotonic regression, as in Zadrozny and Elkan (KDD 2002). ``seed`` draws the folds and replicates.
    """
    counts = table.positives + table.negatives
    if not np.array_equal(counts, np.rint(counts)):
        return Condition("weighted_baseline", "a baseline of weighted rows cannot calibrate scores", {})
    used = counts > 0
    scores, positives, negatives = table.scores[used], table.positives[used], table.negatives[used]
    refused = _refused(scores, int(positives.sum()), int(negatives.sum()))
    if refused is not None:
        return refused
    cuts = cuts_of(scores, counts[used], threshold)
    cells = np.searchsorted(cuts, scores, side="left")
    pos, neg = (by(cells, part, len(cuts) + 1) for part in (positives, negatives))
    error, chance = calibration_error(pos, neg, seed)
    rate = pos.sum() / (pos.sum() + neg.sum())
    bound = POOR * 2 * rate * (1 - rate)
    if error > chance + bound:
        return Condition(
            "calibration_poor",
            "on the baseline itself, calibrated scores do not tell the share of positives",
            {"calibration_error": error, "by_chance": chance, "bound": bound},
        )
    strips = by(strip(scores), counts[used], STRIPS)
    return Calibrator(
        tuple(cuts.tolist()), tuple(pos.tolist()), tuple(neg.tolist()), tuple(strips.tolist()),
        float(scores[0]), float(scores[-1]), error, chance, seed,
    )  # fmt: skip


def _refused(scores: Floats, positives: int, negatives: int) -> Condition | None:
    facts = {"rows": positives + negatives, "positives": positives, "negatives": negatives}
    if not probabilities(scores):
        ends = {"lowest": float(scores.min()), "highest": float(scores.max())}
        return Condition("not_probabilities", "the baseline has scores outside [0, 1]", facts | ends)
    if positives + negatives < BASELINE_ROWS:
        facts["needed"] = BASELINE_ROWS
        return Condition("baseline_too_small", "the baseline has too few labelled rows to calibrate scores", facts)
    if min(positives, negatives) < BASELINE_CLASS:
        facts["needed"] = BASELINE_CLASS
        return Condition("baseline_one_class", "the baseline has too few rows of one class to calibrate scores", facts)
    return None


def rates(positives: npt.NDArray[Any], negatives: npt.NDArray[Any]) -> Floats:
    """The monotone rate of each cell, never quite 0 or 1.

    The fit pools cells into blocks and keeps the positives of each. Only a block of one class (the first or the last)
    is moved, to half a row of the other class, after Jeffreys: shrinking the blocks between would take from every
    expected count and make nothing surer.
    """
    total = positives + negatives
    fitted = isotonic(positives / total, total)
    missing = _halves(fitted, total)
    return np.asarray(np.where(fitted <= 0, missing, np.where(fitted >= 1, 1 - missing, fitted)))


def _halves(fitted: Floats, total: npt.NDArray[Any]) -> Floats:
    """Half a row over the rows, and one more, of all cells of the same pure end."""
    none, every = (np.where(pure, total, 0).sum() for pure in (fitted <= 0, fitted >= 1))
    return np.asarray(np.where(fitted <= 0, 0.5 / (none + 1), 0.5 / (every + 1)), dtype=np.float64)


def replicates(positives: Integers, negatives: Integers, count: int, seed: int) -> Floats:
    """Maps fitted to the baseline with its rows weighted at random, one a row: the Bayesian bootstrap (Rubin 1981).

    The weights of a cell's positives, each standard exponential, add up to a gamma variable, so the cells suffice.
    Its rate then varies by p(1-p)/(n+1); with n-2 rows' worth of weight by p(1-p)/(n-1), the unbiased estimate.
    A pure end has half a row of the class it lacks, as in :func:`rates`, so that it too can be doubted.
    """
    total = positives + negatives
    fitted = isotonic(positives / total, total)
    none, every = fitted <= 0, fitted >= 1
    random = np.random.default_rng(seed)
    shape = (count, len(total))
    worth, half = np.maximum(1 - 2 / total, 0.5), total / 2
    wins: Floats = random.standard_gamma(positives * worth + np.where(none, half / max(1, total[none].sum()), 0), shape)
    losses: Floats = random.standard_gamma(
        negatives * worth + np.where(every, half / max(1, total[every].sum()), 0), shape
    )
    weights = np.maximum(wins + losses, np.finfo(np.float64).tiny)
    fits = isotonic(wins / weights, weights)
    return np.asarray(np.clip(fits, 0.0, 1.0), dtype=np.float64)
