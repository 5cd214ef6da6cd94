"""The parts of a loaded scikit-learn model, and checks of the trees among them.

The compiled code of trees follows child and column numbers without looking, so a crafted file could make it read
outside its memory. Every number is checked here once, before the first prediction.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from driftline.core.errors import ModelError

_OUTSIDE = (type, ModuleType, FunctionType, BuiltinFunctionType, np.ufunc)
_CATEGORIES = 256


def parts(root: Any) -> Iterator[Any]:
    """Every object that a model is made of, each once; not the classes, functions and modules it refers to."""
    stack, seen = [root], {id(root): root}  # seen keeps what it numbers alive: an id is used again otherwise
    while stack:
        part = stack.pop()
        yield part
        if isinstance(part, np.ndarray):  # which hides its objects from the collector
            inner: list[Any] = list(part.flat) if part.dtype == object else []
        else:
            inner = gc.get_referents(part)
        for child in inner:
            if id(child) not in seen and not isinstance(child, (*_OUTSIDE, str, bytes, int, float)):
                seen[id(child)] = child
                stack.append(child)


def check_trees(members: Iterable[Any]) -> None:
    """Raises :class:`ModelError` for a tree that points outside itself or its rows."""
    boosters = []
    for member in members:
        state = vars(member) if hasattr(member, "__dict__") else {}
        if "tree_" in state:
            _check_decision_tree(member)
        if "_predictors" in state:
            _check_histogram_trees(member)
        if "estimators_" in state and hasattr(type(member), "_raw_predict_init"):
            boosters.append(member)
    for booster in boosters:  # after all trees, for this one predicts
        _check_boosting(booster)


def _require(right: Any, what: str) -> None:
    if not right:
        raise ModelError(f"a tree of the model is damaged: {what}")


def _check_nodes(
    left: npt.NDArray[Any], right: npt.NDArray[Any], feature: npt.NDArray[Any], inner: npt.NDArray[Any], width: int
) -> None:
    count, places = len(left), np.flatnonzero(inner)
    for child in (left[places].astype(np.int64), right[places].astype(np.int64)):
        # Builders number children after their parent, which rules out cycles.
        _require(np.all((child > places) & (child < count)), "a child that does not follow its parent")
    columns = feature[places].astype(np.int64)
    _require(np.all((columns >= 0) & (columns < width)), "a column that rows do not have")


def _check_decision_tree(owner: Any) -> None:
    from sklearn.tree._tree import Tree

    tree = owner.tree_
    _require(type(tree) is Tree and tree.node_count >= 1, "no nodes")
    left, right = tree.children_left, tree.children_right
    _require(len(left) == tree.node_count, "fewer nodes than it states")
    _require(tree.n_features == owner.n_features_in_, "another number of columns than its estimator")
    _check_nodes(left, right, tree.feature, left != -1, int(tree.n_features))


def _check_histogram_trees(owner: Any) -> None:
    width = int(owner.n_features_in_)
    categorical = np.asarray(owner._bin_mapper.is_categorical_)
    _require(categorical.shape == (width,), "another number of columns than its estimator")
    for column in np.flatnonzero(categorical):
        values = np.asarray(owner._bin_mapper.bin_thresholds_[column])
        _require(np.all((values >= 0) & (values < _CATEGORIES)), "a category beyond 255")
    for predictors in owner._predictors:
        for predictor in predictors:
            _check_histogram_tree(predictor, categorical, width)


def _check_histogram_tree(predictor: Any, categorical: npt.NDArray[Any], width: int) -> None:
    nodes, sets = predictor.nodes, predictor.raw_left_cat_bitsets
    _require(isinstance(nodes, np.ndarray) and nodes.ndim == 1 and len(nodes) >= 1, "no nodes")
    inner = nodes["is_leaf"] == 0
    _check_nodes(nodes["left"], nodes["right"], nodes["feature_idx"], inner, width)
    by_category = nodes[inner & (nodes["is_categorical"] != 0)]
    _require(np.all(categorical[by_category["feature_idx"]]), "a category of a column that has none")
    _require(np.all(by_category["bitset_idx"] < len(sets)), "a set of categories that it does not have")


def _check_boosting(owner: Any) -> None:
    from sklearn.tree import DecisionTreeRegressor

    stages = owner.estimators_
    _require(isinstance(stages, np.ndarray) and stages.ndim == 2 and stages.size, "no stages")
    for tree in stages.flat:
        _require(type(tree) is DecisionTreeRegressor, "a stage that is no tree")
        _require(tree.n_features_in_ == owner.n_features_in_, "another number of columns than its estimator")
    start = type(owner)._raw_predict_init(owner, np.zeros((1, owner.n_features_in_), dtype=np.float32))
    _require(start.shape == (1, stages.shape[1]), "another number of outputs than its estimator")
