"""What an explainer is, and what it says of a block of rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from driftline.core.errors import InputError

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int], object]  # rows done, rows in all
Space = Literal["margin", "output"]
_BLOCK = 16384


class Local(NamedTuple):
    """Local attributions. ``values`` is [rows, features, outputs], with outputs = 1 for one score; ``scores`` is
    [rows, outputs]: what the model predicts, in the explained space."""

    values: Array
    scores: Array


class Explainer(Protocol):
    """Attributes the predictions of one model to its features.

    ``method`` is ``tree_shap``, ``linear_shap``, ``kernel_shap`` or ``permutation_shap``. ``features`` are in the
    model's order; ``named`` is False where neither the model nor the caller named them. ``labels`` are the outputs:
    ``label0``, or classes. ``expected`` is [outputs]: ``values.sum(axis=1) + expected == scores``.
    """

    @property
    def method(self) -> str: ...
    @property
    def features(self) -> tuple[str, ...]: ...
    @property
    def named(self) -> bool: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def expected(self) -> Array: ...

    def explain(self, rows: Array) -> Local:
        """The attributions of ``rows`` [rows, features]; NaN is a missing value. Raises :class:`InputError` for rows
        of another width, and for rows that the model refuses."""


@dataclass(frozen=True)
class BlockExplainer:
    """An :class:`Explainer` by a function of one block of rows, which is called with ``block_rows`` rows at most."""

    method: str
    features: tuple[str, ...]
    named: bool
    labels: tuple[str, ...]
    expected: Array
    contribute: Callable[[Array], Local]
    block_rows: int = _BLOCK
    progress: Progress | None = None

    def explain(self, rows: npt.NDArray[Any]) -> Local:
        """As in :class:`Explainer`."""
        rows = checked_rows(rows, len(self.features))
        outputs = len(self.labels)
        values = np.zeros((len(rows), len(self.features), outputs))
        scores = np.zeros((len(rows), outputs))
        for start in range(0, len(rows), self.block_rows):
            part = slice(start, start + self.block_rows)
            values[part], scores[part] = self.contribute(rows[part])
            if self.progress is not None:
                self.progress(min(start + self.block_rows, len(rows)), len(rows))
        return Local(values, scores)


def checked_rows(rows: npt.NDArray[Any], features: int, what: str = "rows") -> Array:
    """The rows as numbers [rows, features]; raises :class:`InputError` for any other shape, and for texts."""
    try:
        found = np.ascontiguousarray(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"the {what} to explain hold a text", evidence=str(error)[:200], hint="encode it") from None
    if found.ndim != 2 or found.shape[1] != features:
        evidence = f"a block of shape {found.shape}, and the model has {features} features"
        raise InputError(f"the {what} do not fit the model", evidence=evidence, hint="give the model's own columns")
    return found


def single(rows: Array) -> npt.NDArray[np.float32]:
    """The rows in the precision that models are called with; what is too large for it becomes an infinity."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(rows, dtype=np.float32)
