"""Shapley values straight from their definition, and trees of each library in one plain form."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations
from math import factorial
from typing import Any, NamedTuple

import numpy as np


class Node(NamedTuple):
    cover: float
    value: Any = None  # of a leaf
    feature: int = -1
    goes_left: Callable[[float], bool] = bool
    left: Any = None
    right: Any = None


def shapley(worth: Callable[[frozenset[int]], Any], players: int) -> np.ndarray:
    """Every coalition of the others, weighted: Shapley (1953)."""
    everyone, found = range(players), []
    for player in everyone:
        others = [one for one in everyone if one != player]
        total: Any = 0.0
        for size in range(players):
            weight = factorial(size) * factorial(players - size - 1) / factorial(players)
            for members in combinations(others, size):
                total = total + weight * (worth(frozenset({*members, player})) - worth(frozenset(members)))
        found.append(total)
    return np.array(found)


def expectation(node: Node, row: np.ndarray, known: frozenset[int]) -> Any:
    """What a tree says when only some features are known: both ways, by the training rows that went there."""
    if node.left is None:
        return node.value
    if node.feature in known:
        return expectation(node.left if node.goes_left(row[node.feature]) else node.right, row, known)
    sides = [(side.cover, expectation(side, row, known)) for side in (node.left, node.right)]
    return sum(cover * value for cover, value in sides) / sum(cover for cover, _ in sides)


def of_trees(trees: list[Node], row: np.ndarray, players: int) -> np.ndarray:
    return shapley(lambda known: sum(expectation(tree, row, known) for tree in trees), players)


def of_xgboost(booster: Any) -> list[Node]:
    def read(node: dict[str, Any]) -> Node:
        if "leaf" in node:
            return Node(node["cover"], node["leaf"])
        children = {child["nodeid"]: read(child) for child in node["children"]}
        limit, default = np.float32(node["split_condition"]), node["missing"] == node["yes"]
        goes = lambda value: default if np.isnan(value) else bool(np.float32(value) < limit)  # noqa: E731
        return Node(node["cover"], None, int(node["split"][1:]), goes, children[node["yes"]], children[node["no"]])

    return [read(json.loads(text)) for text in booster.get_dump(with_stats=True, dump_format="json")]


def of_lightgbm(booster: Any) -> list[Node]:
    def read(node: dict[str, Any]) -> Node:
        if "leaf_value" in node:
            return Node(node["leaf_count"], node["leaf_value"])
        goes = lambda value: value <= node["threshold"]  # noqa: E731
        return Node(
            node["internal_count"],
            None,
            node["split_feature"],
            goes,
            read(node["left_child"]),
            read(node["right_child"]),
        )

    return [read(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]


def of_sklearn(tree: Any, value: Callable[[np.ndarray], Any], place: int = 0) -> Node:
    cover = float(tree.weighted_n_node_samples[place])
    if tree.children_left[place] < 0:
        return Node(cover, value(tree.value[place]))
    limit, default = tree.threshold[place], bool(tree.missing_go_to_left[place])
    sides = (of_sklearn(tree, value, side[place]) for side in (tree.children_left, tree.children_right))
    goes = lambda one: default if np.isnan(one) else bool(one <= limit)  # noqa: E731
    return Node(cover, None, int(tree.feature[place]), goes, *sides)
