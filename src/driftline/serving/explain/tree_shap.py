"""Exact path-dependent TreeSHAP of many rows at once.

A leaf's share in the game is a product over the features on its way: 1 or 0 for a known feature, the share of training
rows that went that way for an unknown one (Lundberg, Erion, Lee 2018). The Shapley value of such a product game is an
integral over ``t`` in [0, 1], of the polynomial whose factors are ``(1 - t) * share + t * known`` (Owen's multilinear
extension, 1972), and Gauss-Legendre quadrature with half as many points as features on the way is exact for it. So all
leaves below an edge are summed before the edge's feature gets its value, and a tree costs edges × points × rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from driftline.serving.explain.local import Array

DEEPEST = 200
_ROWS = 1024


class Tree(NamedTuple):
    """The nodes of a tree; children come after their parent, node 0 is the root, and a leaf's ``left`` is -1.

    A row goes left when its ``feature`` is at most ``threshold``, or is missing and ``missing_left``. ``cover`` is
    the weight of the training rows in a node, ``value`` [nodes, outputs] what a leaf says.
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: Array
    missing_left: npt.NDArray[np.bool_]
    cover: Array
    value: Array


class Known(NamedTuple):
    """Of a feature on the way to a node: the share of training rows that its splits let through, and for each row
    whether they let it through."""

    share: float
    passes: npt.NDArray[np.bool_]


def expected_value(tree: Tree) -> Array:
    """What the tree says when no feature is known, [outputs]."""
    reach = np.zeros(len(tree.left))
    reach[0] = 1.0
    shares = _shares(tree)
    for node in np.flatnonzero(tree.left >= 0):
        for child in (tree.left[node], tree.right[node]):
            reach[child] = reach[node] * shares[child]
    leaf = tree.left < 0
    found: Array = reach[leaf] @ tree.value[leaf]
    return found


def depths(tree: Tree) -> npt.NDArray[np.int64]:
    """How many edges each node is below the root."""
    found = np.zeros(len(tree.left), dtype=np.int64)
    for node in np.flatnonzero(tree.left >= 0):
        found[[tree.left[node], tree.right[node]]] = found[node] + 1
    return found


def goes_left(tree: Tree, columns: Array) -> npt.NDArray[np.bool_]:
    """Whether rows go left at each node, [nodes, rows], by their ``columns`` [features, rows]; False at leaves."""
    found = np.zeros((len(tree.left), columns.shape[1]), dtype=bool)
    inner = np.flatnonzero(tree.left >= 0)
    here = columns[tree.feature[inner]]
    found[inner] = (here <= tree.threshold[inner, None]) | (np.isnan(here) & tree.missing_left[inner, None])
    return found


def tree_values(tree: Tree, rows: Array) -> Array:
    """The Shapley values of ``rows``, [rows, features, outputs]. The tree may be :data:`DEEPEST` edges deep."""
    found = np.zeros((len(rows), rows.shape[1], tree.value.shape[1]))
    for start in range(0, len(rows), _ROWS):
        part = slice(start, start + _ROWS)
        for feature, value in walk(tree, goes_left(tree, np.ascontiguousarray(rows[part].T))).items():
            found[part, feature] += value.T
    return found


def walk(tree: Tree, left: npt.NDArray[np.bool_], way: Sequence[int] = (), root: int = 0) -> dict[int, Array]:
    """The Shapley values by feature, [outputs, rows], that the leaves below ``root`` bring to rows which go ``left``
    [nodes, rows]; ``way`` are the nodes from the tree's root to ``root``, itself left out."""
    return _Walk(tree, left).along(list(way), root)


def _shares(tree: Tree) -> Array:
    """Of each node, the share of its parent's training rows that came to it."""
    found = np.ones(len(tree.left))
    inner = np.flatnonzero(tree.left >= 0)
    children = np.stack([tree.left[inner], tree.right[inner]])
    covers = tree.cover[children]
    total = covers.sum(axis=0)
    found[children] = np.where(total > 0, covers / np.where(total > 0, total, 1.0), 0.5)
    return found


class _Walk:
    """One block of rows through one tree, depth first."""

    def __init__(self, tree: Tree, left: npt.NDArray[np.bool_]) -> None:
        self._tree, self._left, self._shares = tree, left, _shares(tree)
        points = min(int(depths(tree).max(initial=0)), len(np.unique(tree.feature[tree.left >= 0])))
        at, weights = np.polynomial.legendre.leggauss(max(1, (points + 1) // 2))
        self._t, self._weights = (at + 1) / 2, weights / 2
        self._start = Known(1.0, np.ones(left.shape[1], dtype=bool))
        self._known: dict[int, Known] = {}
        self._values: dict[int, Array] = {}
        self._way: list[int] = []

    def along(self, way: list[int], root: int) -> dict[int, Array]:
        """The values that come of the leaves below ``root``."""
        self._way = [*way, root]
        self._below(self._way[0], np.ones((len(self._t), self._left.shape[1])))
        return self._values

    def _below(self, node: int, product: Array) -> Array:
        """The sum [outputs, points, rows] over the leaves below a node of their values times their products."""
        tree = self._tree
        if tree.left[node] < 0:
            said: Array = tree.value[node][:, None, None] * product
            return said
        goes, left, right = self._left[node], int(tree.left[node]), int(tree.right[node])
        if len(self._way) > 1 and node == self._way[0]:
            self._way = self._way[1:]
            ahead = self._way[0]
            return self._edge(node, ahead, goes if ahead == left else ~goes, product)
        return self._edge(node, left, goes, product) + self._edge(node, right, ~goes, product)

    def _edge(self, node: int, child: int, goes: npt.NDArray[np.bool_], product: Array) -> Array:
        """The sum over the leaves below ``child``, whose values for the feature of ``node`` are added here."""
        feature = int(self._tree.feature[node])
        before = self._known.get(feature)
        old = before or self._start
        new = Known(old.share * self._shares[child], old.passes & goes)
        self._known[feature] = new
        total = self._below(child, product * self._ratio(old, new, self._shares[child]))
        gain = self._gain(new, total)
        if before is None:
            del self._known[feature]
        else:
            # What is below was told to the feature's earlier edge as well, which does not have the last word on it.
            self._known[feature] = before
            gain = gain - self._gain(before, total)
        self._values[feature] = self._values[feature] + gain if feature in self._values else gain
        return total

    def _ratio(self, old: Known, new: Known, share: float) -> Array:
        """The feature's factor after the edge over that before it, written so that no share of 0 divides."""
        free = 1 - self._t
        before = free * old.share + self._t
        passes, fails = (free * new.share + self._t) / before, free * new.share / before
        by_row = np.where(new.passes, passes[:, None], fails[:, None])
        return by_row if old.passes.all() else np.where(old.passes, by_row, share)

    def _gain(self, known: Known, total: Array) -> Array:
        """The integral of (known - share) times the product without the feature, [outputs, rows]."""
        free = 1 - self._t
        passes = self._weights * (1 - known.share) / (free * known.share + self._t)
        sums = np.stack([passes, -self._weights / free]) @ total
        return np.where(known.passes, sums[:, 0], sums[:, 1])
