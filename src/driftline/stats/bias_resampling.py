"""How far bias metrics vary by chance: tables drawn anew from one table of counts, without a second pass over rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftline.stats.bias_ratios import Counts, Floats

MOST_DRAWS, MOST_RESAMPLES, FEWEST_RESAMPLES = 1 << 20, 2000, 200


def resamples_for(cells: int) -> int:
    """How many tables are drawn: 2,000 of a small table and fewer of a large one, so that at most about a million cells
    are drawn (some 0.1 s); 200 at least.

    >>> resamples_for(8), resamples_for(2000), resamples_for(100_000)
    (2000, 524, 200)
    """
    return int(np.clip(MOST_DRAWS // max(cells, 1), FEWEST_RESAMPLES, MOST_RESAMPLES))


def resampled(counts: Counts, resamples: int, seed: int) -> npt.NDArray[np.int64]:
    """So many tables of as many rows, drawn from the table ``counts`` with replacement: ``[resamples, *counts.shape]``.

    Drawing the rows of a table again is drawing its counts from a multinomial distribution (Efron and Tibshirani 1993,
    "An Introduction to the Bootstrap", 6.2). ``counts`` may be fractions, as :func:`with_halves` makes them.
    """
    flat = np.asarray(counts, dtype=np.float64).ravel()
    filled = np.flatnonzero(flat)
    drawn = np.zeros((resamples, flat.size), dtype=np.int64)
    if filled.size:
        random = np.random.default_rng(seed)
        rows = round(float(flat.sum()))
        drawn[:, filled] = random.multinomial(rows, flat[filled] / flat.sum(), size=resamples)
    return drawn.reshape(resamples, *np.shape(counts))


def with_halves(counts: Counts) -> Floats:
    """Counts ``[side, …, group]`` with half a row in every cell whose sum over the groups is zero.

    A cell that is empty by chance would stay empty however often rows are drawn again, so that the metrics which divide
    by it were certain. The half row is spread over the groups as the rows are. Only outcomes that occur somewhere get
    one: whoever gives no predictions has none after it.
    """
    made = np.array(counts, dtype=np.float64)
    total = made.sum()
    if not total:
        return made
    cells = made.sum(axis=-1)
    occurs = np.ones(cells.shape, dtype=bool)
    for axis in range(cells.ndim):
        others = tuple(other for other in range(cells.ndim) if other != axis)
        occurs &= np.expand_dims(cells.sum(axis=others) > 0, others)
    made[(cells == 0) & occurs] = 0.5 * made.sum(axis=tuple(range(cells.ndim))) / total
    return made


def percentile_interval(values: Floats, level: float) -> tuple[float, float] | None:
    """The interval between the percentiles of resampled values, along the first axis; NaN counts as undefined.

    None where fewer than half of the tables have a value: then chance decides whether there is one.

    >>> percentile_interval(np.arange(1001.0), 0.95)
    (25.0, 975.0)
    """
    known = np.sort(values[~np.isnan(values)])
    if not len(known) or 2 * len(known) < len(values):
        return None
    tail = (1 - level) / 2
    # Between two neighbours nothing is interpolated, since either may be infinite.
    return (
        float(np.quantile(known, tail, method="lower")) + 0.0,
        float(np.quantile(known, 1 - tail, method="higher")) + 0.0,
    )
