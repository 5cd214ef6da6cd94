"""When metrics must not be estimated without labels: what can be seen to break the estimate's assumptions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from driftline.stats.calibrator import Calibrator, Condition
from driftline.stats.cells import STRIPS, by, probabilities, strip
from driftline.stats.hindsight import contradicted
from driftline.stats.intervals import wilson

Integers = npt.NDArray[np.int64]

ROWS = 100
"""With fewer rows the interval of any metric is too wide to act on, and drift of the scores cannot be seen."""
SUPPORT_ROWS, UNSUPPORTED = 10, 0.05
"""A strip of scores with fewer baseline rows, its neighbours' included, is unknown; of such rows 5 % more than the
baseline had are too many: all of them may be wrong, and a metric then by as much as an ordinary interval's half."""
DISTANCE = 0.1
"""How far apart the distributions of scores may be, beyond chance. If the cause is a change of the classes' shares by
d, the scores move by d·J, with J the distance between the classes' scores (0.5 to 0.8 for a useful model), and the
calibrated share of positives follows only in part: 0.1 is where that error leaves the intervals of usual windows. It
is also the distance from which the service that driftline replaces reports drift of a column."""
CHANCE = 0.05
UNEXPLAINED = 0.05
"""The share of rows that were decided against the other rows of their cell: then the score was not what decided."""


class Unlabelled(NamedTuple):
    """Distinct scores in ascending order, how many rows have each, and how many of these were predicted positive.

    The analyzer of scores gives it, with the prediction in the place of the label. Without ``flagged`` a threshold
    decides.
    """

    scores: npt.NDArray[np.float64]
    counts: Integers
    flagged: Integers | None = None

    def decided(self, threshold: float) -> Decided:
        """With a decision for every row: as given, or positive when score > threshold."""
        above = np.where(self.scores > threshold, self.counts, 0)
        return Decided(self.scores, self.counts, above if self.flagged is None else self.flagged)


class Decided(NamedTuple):
    """As :class:`Unlabelled`, with decisions."""

    scores: npt.NDArray[np.float64]
    counts: Integers
    flagged: Integers


def conditions(
    calibrator: Calibrator | Condition | None,
    scores: Decided,
    history: Sequence[Mapping[str, bool | None]] = (),
    level: float = 0.95,
) -> tuple[Condition, ...]:
    """Every reason not to estimate the metrics of these rows; none if they may be estimated."""
    rows = int(scores.counts.sum())
    if calibrator is None:
        return (Condition("no_calibrator", "the baseline holds no calibration of scores", {"rows": rows}),)
    if isinstance(calibrator, Condition):
        return (calibrator,)
    if rows < ROWS:
        return (Condition("too_few_rows", "too few rows to estimate metrics", {"rows": rows, "needed": ROWS}),)
    if not probabilities(scores.scores):
        ends = {"lowest": float(np.min(scores.scores)), "highest": float(np.max(scores.scores))}
        return (Condition("not_probabilities", "there are scores outside [0, 1]", {"rows": rows} | ends),)
    found = (unsupported(calibrator, scores), drifted(calibrator, scores), overruled(calibrator, scores))
    return tuple(one for one in (*found, contradicted(history, level=level)) if one is not None)


def unsupported(calibrator: Calibrator, scores: Decided) -> Condition | None:
    """Too many rows with scores that the baseline hardly had."""
    seen = np.asarray(calibrator.strips)
    near = np.convolve(seen, np.ones(3, dtype=np.int64), "same")
    own = float(seen[near < SUPPORT_ROWS].sum() / seen.sum())
    inside = (scores.scores >= calibrator.lowest) & (scores.scores <= calibrator.highest)
    strange = int(scores.counts[~inside | (near[strip(scores.scores)] < SUPPORT_ROWS)].sum())
    rows = int(scores.counts.sum())
    lower = (wilson(strange, rows, 0.95) or (0.0, 1.0))[0]
    if lower <= own + UNSUPPORTED:
        return None
    facts = {"rows": rows, "unsupported": strange, "share": strange / rows, "bound": own + UNSUPPORTED}
    return Condition("outside_support", "many scores are where the baseline had too few rows to calibrate them", facts)


def drifted(calibrator: Calibrator, scores: Decided) -> Condition | None:
    """The largest distance of the two distributions at the cells' and strips' ends, beyond the band of chance.

    The band is that of Smirnov's two-sample test, √(ln(2/α)/2·(1/n + 1/m)); looking at some ends only cannot widen it.
    """
    before = np.asarray(calibrator.positives) + np.asarray(calibrator.negatives)
    now = by(calibrator.cells(scores.scores), scores.counts, len(before))
    strips = by(strip(scores.scores), scores.counts, STRIPS)
    distance = max(_apart(before, now), _apart(np.asarray(calibrator.strips), strips))
    n, m = int(now.sum()), calibrator.rows
    chance = math.sqrt(math.log(2 / CHANCE) / 2 * (1 / n + 1 / m))
    if distance <= DISTANCE + chance:
        return None
    facts = {"distance": distance, "by_chance": chance, "bound": DISTANCE, "rows": n, "baseline_rows": m}
    return Condition("score_drift", "scores are distributed too differently to trust their calibration", facts)


def _apart(before: Integers, now: Integers) -> float:
    return float(np.abs(np.cumsum(before) / before.sum() - np.cumsum(now) / now.sum()).max())


def overruled(calibrator: Calibrator, scores: Decided) -> Condition | None:
    """Decisions that do not follow from the score: who made them may have known more than it."""
    cells, length = calibrator.cells(scores.scores), len(calibrator.positives)
    flagged, every = by(cells, scores.flagged, length), by(cells, scores.counts, length)
    against, rows = int(np.minimum(flagged, every - flagged).sum()), int(every.sum())
    if against <= UNEXPLAINED * rows:
        return None
    facts = {"rows": rows, "against": against, "share": against / rows, "bound": UNEXPLAINED}
    return Condition("decisions_not_by_score", "rows with nearly the same score were decided differently", facts)
