"""Look-up tables of trees give what the walk through the tree and the definition give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn.ensemble import GradientBoostingRegressor

from driftline.serving.explain import sklearn_trees, xgboost_shap
from driftline.serving.explain.explainer import open_explainer
from driftline.serving.explain.tree_shap import Tree, expected_value, tree_values
from driftline.serving.explain.tree_tables import Trees, groups
from driftline.serving.explain.xgboost_trees import trees_of
from driftline.serving.runtime import load_model

from .games import Node, of_trees


def grown(depth: int, features: int, outputs: int, seed: int) -> Tree:
    """A random tree; features come again on a way, leaves are at any depth, and some nodes saw no training row."""
    random = np.random.default_rng(seed)
    left, right, cover = [-1], [-1], [100.0]
    stack = [(0, 0)]
    while stack:
        node, level = stack.pop()
        if level == depth or (level > 1 and random.random() < 0.25):
            continue
        share = random.choice([0.0, 0.1, 0.5, 0.8])
        for side, part in ((left, share), (right, 1 - share)):
            side[node] = len(left)
            left.append(-1)
            right.append(-1)
            cover.append(cover[node] * part)
            stack.append((len(left) - 1, level + 1))
    count = len(left)
    return Tree(
        np.array(left),
        np.array(right),
        random.integers(features, size=count),
        random.normal(size=count).round(1),
        random.random(count) < 0.5,
        np.array(cover),
        random.normal(size=(count, outputs)),
    )


def plain(tree: Tree, output: int, place: int = 0) -> Node:
    if tree.left[place] < 0:
        return Node(tree.cover[place], tree.value[place, output])
    limit, default = tree.threshold[place], bool(tree.missing_left[place])
    goes = lambda value: default if np.isnan(value) else bool(value <= limit)  # noqa: E731
    sides = (plain(tree, output, int(side[place])) for side in (tree.left, tree.right))
    return Node(tree.cover[place], None, int(tree.feature[place]), goes, *sides)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("depth", [0, 1, 3, 6])
def test_tables_and_walk_say_the_same(depth: int, seed: int) -> None:
    tree, random = grown(depth, 4, 2, seed), np.random.default_rng(seed)
    rows = random.normal(size=(9000, 4)).round(1)
    rows[::5, 2] = np.nan
    found = Trees([tree]).values(rows)
    np.testing.assert_allclose(found, tree_values(tree, rows), atol=1e-12)
    if (tree.cover > 0).all() and depth <= 3:
        for place in (0, 5, 11):
            np.testing.assert_allclose(found[place, :, 1], of_trees([plain(tree, 1)], rows[place], 4), atol=1e-12)


def test_nodes_that_no_training_row_saw_divide_nothing() -> None:
    tree = grown(6, 4, 1, 3)
    assert (tree.cover == 0).any()
    rows = np.random.default_rng(1).normal(size=(500, 4))
    said = np.array([leaf(tree, row) for row in rows])
    np.testing.assert_allclose(tree_values(tree, rows).sum(axis=1) + expected_value(tree), said, atol=1e-12)


def leaf(tree: Tree, row: Any) -> Any:
    place = 0
    while tree.left[place] >= 0:
        side = tree.left if row[tree.feature[place]] <= tree.threshold[place] else tree.right
        place = int(side[place])
    return tree.value[place]


def test_every_leaf_is_in_one_group_or_there_are_none() -> None:
    tree = grown(6, 4, 1, 2)
    found = groups(tree)
    assert found is not None
    assert all(len(part.nodes) <= 10 for part in found)
    chain = np.arange(1, 41, 2)
    left, right = (np.full(41, -1) for _ in range(2))
    left[np.r_[0, chain[:-1]]], right[np.r_[0, chain[:-1]]] = chain, chain + 1
    ones = np.ones(41)
    deep = Tree(left, right, np.zeros(41, int), ones, ones > 0, ones, ones[:, None])
    assert groups(deep) is None
    assert not Trees([tree, deep]).tabled
    np.testing.assert_allclose(Trees([deep]).values(np.zeros((9000, 1))).sum(), 0, atol=1e-9)


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
def test_many_rows_of_xgboost_are_looked_up(objective: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(4)
    rows = random.normal(size=(3000, 5))
    rows[::7, 1], rows[3, 0] = np.nan, np.inf
    # Values that stand at a split: a row goes left below it, not at it.
    rows[:, 2] = rows[:, 2].round()
    target = np.digitize(rows[:, 2] + random.normal(size=3000), [-1, 1])
    settings: dict[str, Any] = {"objective": objective, "max_depth": 6, "nthread": 1, "num_parallel_tree": 2}
    settings |= {"num_class": 3} if "multi" in objective else {}
    data = xgboost.DMatrix(np.nan_to_num(rows, nan=np.nan, posinf=9), target if "multi" in objective else target > 0)
    booster = xgboost.train(settings, data, 6)
    booster.set_attr(best_iteration="3")
    booster.save_model(tmp_path / "model.json")
    explainer = open_explainer(tmp_path / "model.json")
    values, scores = explainer.explain(rows)
    np.testing.assert_allclose(values.sum(axis=1) + explainer.expected, scores, atol=1e-5)
    monkeypatch.setattr(xgboost_shap, "trees_of", lambda _: None)
    theirs = open_explainer(tmp_path / "model.json").explain(rows)
    assert np.abs(values - theirs.values).max() > 0
    np.testing.assert_allclose(values, theirs.values, atol=1e-5)


@pytest.mark.parametrize("odd", [{"booster": "dart"}, {"booster": "gblinear"}, {"multi_strategy": "multi_output_tree"}])
def test_trees_of_another_kind_are_left_to_the_library(odd: dict[str, str], tmp_path: Path) -> None:
    rows = np.random.default_rng(4).normal(size=(50, 2))
    booster = xgboost.train({"nthread": 1, **odd}, xgboost.DMatrix(rows, rows), 2) if "multi_strategy" in odd else None
    booster = booster or xgboost.train({"nthread": 1, **odd}, xgboost.DMatrix(rows, rows[:, 0]), 2)
    booster.save_model(tmp_path / "model.json")
    assert trees_of(load_model(tmp_path / "model.json")) is None  # type: ignore[arg-type]


def test_tables_are_kept_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(4).normal(size=(600, 3))
    model = GradientBoostingRegressor(n_estimators=30, random_state=0).fit(rows, rows[:, 0] * rows[:, 1])
    found = sklearn_trees.ensemble(model)
    assert found is not None
    first = Trees(found.trees).values(rows)
    monkeypatch.setattr("driftline.serving.explain.tree_tables._KEPT", 40_000)
    bounded = Trees(found.trees)
    for _ in range(2):
        np.testing.assert_array_equal(bounded.values(rows), first)
    assert 0 < bounded._kept <= 40_000
    np.testing.assert_allclose(Trees(found.trees).values(rows[:20]), first[:20], atol=1e-12)
