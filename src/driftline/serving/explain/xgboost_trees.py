"""The trees of an XGBoost model as :class:`~driftline.serving.explain.tree_shap.Tree`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from driftline.serving.explain.tree_shap import DEEPEST, Tree, depths
from driftline.serving.xgboost_runtime import XGBoostModel


def trees_of(model: XGBoostModel) -> list[Tree] | None:
    """The trees up to the best iteration; None for trees with categories or vectors in their leaves, and for dropped
    ones (dart)."""
    learner = json.loads(bytes(model.booster.save_raw(raw_format="json")))["learner"]
    booster = learner["gradient_booster"]
    if booster.get("name") != "gbtree" or "model" not in booster:
        return None
    body, end = booster["model"], model.iterations[1]
    if end and "iteration_indptr" not in body:
        return None
    trees, owners = body["trees"], body["tree_info"]
    outputs = 1 + max(owners, default=0)
    count = int(body["iteration_indptr"][end]) if end else len(trees)
    found = [_tree(one, output, outputs) for one, output in zip(trees[:count], owners[:count], strict=True)]
    kept = [tree for tree in found if tree is not None]
    return kept if kept and len(kept) == len(found) else None


def _tree(one: dict[str, Any], output: int, outputs: int) -> Tree | None:
    left, right = (np.asarray(one[side], dtype=np.int64) for side in ("left_children", "right_children"))
    inner = np.flatnonzero(left >= 0)
    vector = int(one["tree_param"].get("size_leaf_vector", "1")) > 1
    # Numbers of removed nodes may be given again, so that a child comes before its parent.
    if vector or np.any(one.get("split_type", 0)) or np.any(left[inner] <= inner) or np.any(right[inner] <= inner):
        return None
    conditions = np.asarray(one["split_conditions"], dtype=np.float32)
    values = np.zeros((len(left), outputs))
    values[left < 0, output] = conditions[left < 0]
    tree = Tree(
        left,
        right,
        np.asarray(one["split_indices"], dtype=np.int64),
        # A row goes left below the condition, not at it.
        np.nextafter(conditions, np.float32(-np.inf)).astype(np.float64),
        np.asarray(one["default_left"]) != 0,
        np.asarray(one["sum_hessian"], dtype=np.float64),
        values,
    )
    return tree if depths(tree).max() <= DEEPEST else None
