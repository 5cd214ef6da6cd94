"""The flip test: would rows of a facet be predicted otherwise if they were decided as their likes beside it are?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftline.stats.bias_ratios import Floats

NEIGHBOURS, FEW = 5, 10
_BLOCK = 1 << 20
Bools = npt.NDArray[np.bool_]
Signs = npt.NDArray[np.int8]


def flips(inside: Floats, inside_positive: Bools, beside: Floats, beside_positive: Bools) -> Signs:
    """For every row of the facet 1 where it is predicted positive and its nearest neighbours beside the facet are not,
    −1 where they are and it is not, else 0. Features are ``(rows, features)``, finite; there is a row beside the facet.

    The neighbours are the 5 rows with the smallest Euclidean distance (1, where there are 10 rows or fewer), and the
    majority of them decides. Rows at the same distance as the farthest of them share the places that are left: whose
    turn it is must not depend on the order of rows. Where the votes are even nothing flips.

    The flip test is FT = mean of the flips (Black, Yeom and Fredrikson 2020, "FlipTest"; here as Amazon SageMaker
    Clarify approximates it, by nearest neighbours).

    >>> beside = np.array([[0.0], [1.0], [10.0]])
    >>> flips(np.array([[0.1], [9.0]]), np.array([False, True]), beside, np.array([True, True, False])).tolist()
    [-1, 1]
    """
    neighbours = NEIGHBOURS if len(beside) > FEW else 1
    votes = np.concatenate(
        [_votes(block, beside, beside_positive, neighbours) for block in _blocks(inside, len(beside))]
        or [np.zeros(0, dtype=np.float64)]
    )
    likely = np.sign(np.round(votes - neighbours / 2, 9)).astype(np.int8)
    own = np.where(inside_positive, 1, -1).astype(np.int8)
    found: Signs = np.where(likely == -own, own, 0).astype(np.int8)
    return found


def _blocks(rows: Floats, others: int) -> list[Floats]:
    """Some rows at a time, so that the distances to all others take some megabytes."""
    size = max(1, _BLOCK // max(others, 1))
    return [rows[first : first + size] for first in range(0, len(rows), size)]


def _votes(rows: Floats, beside: Floats, positive: Bools, neighbours: int) -> Floats:
    """How many of its nearest neighbours are positive, for every row."""
    distances = np.zeros((len(rows), len(beside)))
    # Feature by feature: the quicker way over a product of matrices rounds, and would see other ties.
    with np.errstate(over="ignore"):
        for feature in range(rows.shape[1]):
            distances += (rows[:, feature, None] - beside[None, :, feature]) ** 2
    farthest = np.partition(distances, neighbours - 1, axis=1)[:, neighbours - 1, None]
    nearer, tied = distances < farthest, distances == farthest
    left = neighbours - nearer.sum(axis=1)
    shared = left * (tied & positive).sum(axis=1) / tied.sum(axis=1)
    found: Floats = (nearer & positive).sum(axis=1) + shared
    return found
