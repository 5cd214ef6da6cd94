"""What an exact method knows of a model, before its features and outputs are named."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from driftline.serving.explain.local import Array, Local

_TOLERANCE = 1e-3


class Exact(NamedTuple):
    """``expected`` is [outputs]; ``contribute`` explains a block of rows; ``margin`` is [rows, outputs], what the model
    itself says of them in the explained space."""

    method: str
    expected: Array
    contribute: Callable[[Array], Local]
    margin: Callable[[Array], Array]


def holds(found: Exact, rows: Array) -> bool:
    """Whether the attributions of these rows sum to the model's own margin, which shows a model that is not as the
    method takes it to be; the tolerance allows for sums of many large numbers in single precision."""
    values, scores = found.contribute(rows)
    sums = values.sum(axis=1) + found.expected
    scale = np.abs(values).sum(axis=1) + np.abs(found.expected) + 1.0
    return bool(np.all(np.abs(sums - scores) <= _TOLERANCE * scale))
