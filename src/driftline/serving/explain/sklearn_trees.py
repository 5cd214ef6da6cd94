"""The trees of scikit-learn's models as :class:`~driftline.serving.explain.tree_shap.Tree`, with what scales their sum.

The runtime has checked every index of theirs when the model was loaded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from driftline.serving.explain.local import Array
from driftline.serving.explain.tree_shap import Tree

_FORESTS = ("RandomForest", "ExtraTrees")
_KINDS = ("Classifier", "Regressor")


class Ensemble(NamedTuple):
    """The margin is ``start`` [outputs] and the sum of what the trees say."""

    trees: list[Tree]
    start: Array


def ensemble(estimator: Any) -> Ensemble | None:
    """The trees of an estimator; None where it is no tree, no forest and no boosting of trees, or one that a row is
    changed for before it comes to them."""
    name = type(estimator).__name__
    if not type(estimator).__module__.startswith("sklearn."):
        return None
    if name in _named("DecisionTree", "ExtraTree"):
        return _forest(estimator, [estimator])
    if name in _named(*_FORESTS):
        return _forest(estimator, list(estimator.estimators_))
    if name in _named("GradientBoosting"):
        return _boosting(estimator)
    return _histograms(estimator) if name in _named("HistGradientBoosting") else None


def _named(*families: str) -> tuple[str, ...]:
    return tuple(family + kind for family in families for kind in _KINDS)


def _forest(owner: Any, members: list[Any]) -> Ensemble:
    trees = [_tree(member.tree_, _leaves(owner, member.tree_) / len(members)) for member in members]
    return Ensemble(trees, np.zeros(trees[0].value.shape[1]))


def _leaves(owner: Any, tree: Any) -> Array:
    """What the nodes say, [nodes, outputs]: shares of classes, of two the second one's, or values."""
    values: Array = np.asarray(tree.value, dtype=np.float64)
    if not hasattr(owner, "classes_"):
        return values[:, :, 0]
    shares: Array = values[:, 0, :]
    shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-300)
    return shares[:, -1:] if shares.shape[1] <= 2 else shares


def _tree(tree: Any, values: Array) -> Tree:
    missing = np.asarray(getattr(tree, "missing_go_to_left", np.zeros(tree.node_count)), dtype=bool)
    left, right = (np.asarray(side, dtype=np.int64) for side in (tree.children_left, tree.children_right))
    cover = np.asarray(tree.weighted_n_node_samples, dtype=np.float64)
    feature, threshold = np.asarray(tree.feature, dtype=np.int64), np.asarray(tree.threshold, dtype=np.float64)
    return Tree(left, right, feature, threshold, missing, cover, values)


def _boosting(owner: Any) -> Ensemble | None:
    stages = owner.estimators_
    trees = []
    for place, member in np.ndenumerate(stages):
        values = np.zeros((member.tree_.node_count, stages.shape[1]))
        values[:, place[1]] = member.tree_.value[:, 0, 0] * owner.learning_rate
        trees.append(_tree(member.tree_, values))
    # The first guess may be a model of its own: it must say the same of any row.
    probes = np.random.default_rng(0).normal(size=(4, owner.n_features_in_)).astype(np.float32)
    starts = np.asarray(owner._raw_predict_init(probes), dtype=np.float64)
    return Ensemble(trees, starts[0]) if np.ptp(starts, axis=0).max() == 0 else None


def _histograms(owner: Any) -> Ensemble | None:
    """Histogram gradient boosting; columns of categories are encoded before they come to the trees."""
    if getattr(owner, "_preprocessor", None) is not None or np.any(owner._bin_mapper.is_categorical_):
        return None
    outputs = int(owner.n_trees_per_iteration_)
    trees = [
        _histogram_tree(predictor.nodes, place, outputs)
        for stage in owner._predictors
        for place, predictor in enumerate(stage)
    ]
    return Ensemble(trees, np.asarray(owner._baseline_prediction, dtype=np.float64).reshape(outputs))


def _histogram_tree(nodes: Any, place: int, outputs: int) -> Tree:
    leaf = nodes["is_leaf"] != 0
    left, right = (np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
    values = np.zeros((len(nodes), outputs))
    values[:, place] = nodes["value"]
    return Tree(
        left,
        right,
        nodes["feature_idx"].astype(np.int64),
        nodes["num_threshold"].astype(np.float64),
        nodes["missing_go_to_left"] != 0,
        nodes["count"].astype(np.float64),
        values,
    )
