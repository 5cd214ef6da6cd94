"""What an exact method knows of a model, before its features and outputs are named, and whether it knows it rightly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from driftline.serving.explain.local import Array, Local, single
from driftline.serving.explain.wanted import Link

_SUM_TOLERANCE = 1e-3
_LINK_TOLERANCE = 1e-4


class Exact(NamedTuple):
    """``expected`` is [outputs]; ``contribute`` explains a block of rows; ``margin`` is [rows, outputs], what the model
    itself says of them in the explained space."""

    method: str
    expected: Array
    contribute: Callable[[Array], Local]
    margin: Callable[[Array], Array]


def holds(found: Exact, rows: Array) -> bool:
    """Whether the attributions of these rows sum to the model's own margin.

    They do not where a model is not what the method takes it to be. The tolerance allows for sums of many large
    numbers in single precision.
    """
    values, scores = found.contribute(rows)
    sums = values.sum(axis=1) + found.expected
    scale = np.abs(values).sum(axis=1) + np.abs(found.expected) + 1.0
    return bool(np.all(np.abs(sums - scores) <= _SUM_TOLERANCE * scale))


def link(found: Exact, predict: Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]], rows: Array) -> Link:
    """What makes the margin from the model's answers, as these rows show it."""
    answers = np.asarray(predict(single(rows)), dtype=np.float64).reshape(len(rows), -1)
    margin = found.margin(rows)
    if answers.shape != margin.shape:
        return "other"
    if np.allclose(answers, margin, rtol=_LINK_TOLERANCE, atol=_LINK_TOLERANCE):
        return "identity"
    odds = 1 / (1 + np.exp(-np.clip(margin, -700, 700)))
    return "logit" if margin.shape[1] == 1 and np.allclose(answers, odds, atol=_LINK_TOLERANCE) else "other"
