"""scikit-learn's trees, forests and boosted trees exactly, its linear models in closed form, and pipelines that scale
each column by itself before one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from driftline.serving.explain.exact import Exact
from driftline.serving.explain.linear_shap import linear
from driftline.serving.explain.local import Array, Local, single
from driftline.serving.explain.sklearn_trees import Ensemble, ensemble
from driftline.serving.explain.tree_shap import DEEPEST, depths, expected_value
from driftline.serving.explain.tree_tables import Trees
from driftline.serving.explain.wanted import Wanted
from driftline.serving.libraries import first_line, refused_rows
from driftline.serving.sklearn_runtime import SklearnModel

# Each makes a column of one column, so a column's value is that of what is made of it.
_BY_COLUMN = (
    "MaxAbsScaler",
    "MinMaxScaler",
    "PowerTransformer",
    "QuantileTransformer",
    "RobustScaler",
    "StandardScaler",
)


def exact(model: SklearnModel, wanted: Wanted) -> Exact | None:
    """The exact explanation of what ``decision_function`` says, or of the answer itself where there is none (a forest's
    probabilities, a regression); None where the model has no exact method."""
    steps = _steps(model.estimator)
    if steps is None:
        return None
    prepare, last = _prepare(steps[:-1]), steps[-1]
    trees = ensemble(last)
    if trees is not None:
        return None if any(depths(tree).max() > DEEPEST for tree in trees.trees) else _of_trees(model, trees, prepare)
    weights = _weights(last, model.n_features)
    if weights is None:
        return None
    intercept = np.broadcast_to(np.asarray(last.intercept_, dtype=np.float64).reshape(-1), (weights.shape[1],))
    return linear(weights, intercept, wanted, lambda rows: model.margin(single(rows)), prepare=prepare)


def _steps(estimator: Any) -> list[Any] | None:
    """The steps of a pipeline that keeps columns apart, or the estimator alone."""
    if type(estimator).__name__ != "Pipeline":
        return [estimator]
    steps = [step for _, step in estimator.steps if step is not None and step != "passthrough"]
    return steps if all(type(step).__name__ in _BY_COLUMN for step in steps[:-1]) else None


def _prepare(steps: list[Any]) -> Callable[[Array], Array]:
    """What the rows are before the last step, from the precision that the model is called with."""

    def prepare(rows: Array) -> Array:
        found: Any = single(rows)
        try:
            for step in steps:
                found = step.transform(found)
        except ValueError as error:
            raise refused_rows(first_line(error)) from None
        return np.asarray(found, dtype=np.float64)

    return prepare


def _of_trees(model: SklearnModel, found: Ensemble, prepare: Callable[[Array], Array]) -> Exact:
    trees = Trees(found.trees)

    def contribute(rows: Array) -> Local:
        scores = model.margin(single(rows))  # which refuses rows before they are looked at
        block = single(prepare(rows)).astype(np.float64)
        return Local(trees.values(block), scores)

    expected = found.start + sum(expected_value(tree) for tree in found.trees)
    return Exact("tree_shap", expected, contribute, lambda rows: model.margin(single(rows)))


def _weights(estimator: Any, features: int) -> Array | None:
    """The weights [features, outputs] of a linear model."""
    try:
        found = np.asarray(estimator.coef_, dtype=np.float64)
        known = hasattr(estimator, "intercept_") and found.ndim in (1, 2)
    except (AttributeError, TypeError, ValueError):
        return None
    weights = np.atleast_2d(found).T
    return weights if known and weights.shape[0] == features else None
