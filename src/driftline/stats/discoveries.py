"""Many tests at once: p-values that keep the share of false discoveries."""

from __future__ import annotations

import numpy as np

from driftline.stats.weighted import Floats


def adjusted(p_values: Floats) -> Floats:
    """The p-values of Benjamini and Hochberg (Journal of the Royal Statistical Society B 57, 1995), in the same order.

    Of the tests whose adjusted value is at most q, a share of no more than q is false on average. Where nothing is
    there to be found, the chance of any finding is at most q.

    >>> adjusted(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.04, 0.04]
    """
    count = len(p_values)
    order = np.argsort(p_values)
    scaled = p_values[order] * count / np.arange(1, count + 1)
    found = np.empty(count)
    found[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return np.minimum(found, 1.0)
