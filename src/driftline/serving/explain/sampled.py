"""Shapley values of any model through its predictions alone, by a sample of coalitions of features.

A feature outside a coalition takes its value from a baseline row; of several baseline rows the model's answers are
averaged. A feature that no baseline row has another value of is left out of the game, for its value is 0: one-hot
columns cost little. All rows with as many players share their coalitions, but each deals its features to the players
in an order of its own, drawn by a hash of the row and the seed: errors of rows are independent, so they shrink in the
mean, and a row has the same values whatever stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from driftline.core.errors import InputError, ModelError
from driftline.serving.explain.coalitions import Method, design
from driftline.serving.explain.local import Array, Local

Predict = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
_CELLS = 1 << 22
_EDGE = 1e-7
_LEAST = 100
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB), np.uint64(0x9E3779B97F4A7C15))


def default_samples(features: int) -> int:
    """A budget for two orders of all features, one the other's reverse; never less than 100."""
    return max(_LEAST, 2 * features)


class Sampler:
    """Explains rows through ``predict``, which takes [rows, features] and gives [rows] or [rows, outputs].

    ``samples`` is how many coalitions a row may ask about, each with every baseline row, besides the row itself.
    ``logit`` explains the log-odds of probabilities; those beyond 1e-7 from an end are taken to be there.
    """

    def __init__(
        self, predict: Predict, baseline: Array, *, method: Method, samples: int, seed: int, logit: bool, kind: Any
    ) -> None:
        self._predict, self._baseline, self._kind = predict, baseline, kind
        self._method, self._samples, self._seed, self._logit = method, samples, seed, logit
        self._null = self._answers(baseline).mean(axis=0)
        self.expected = self._linked(self._null)

    def contribute(self, rows: Array) -> Local:
        """The attributions of a block of rows."""
        scores = self._linked(self._answers(rows)) if len(rows) else np.zeros((0, len(self.expected)))
        values = np.zeros((*rows.shape, len(self.expected)))
        places, players = _places(rows, self._baseline, self._seed)
        for count in np.unique(players[players > 0]):
            which = np.flatnonzero(players == count)
            step = max(1, _CELLS // (self._width(int(count)) * rows.shape[1]))
            for start in range(0, len(which), step):
                part = which[start : start + step]
                values[part] = self._values(rows[part], places[part], int(count), scores[part])
        return Local(values, scores)

    def _width(self, players: int) -> int:
        """Predictions that a row of so many players costs."""
        return max(1, len(self._design(players).masks) * len(self._baseline))

    def _design(self, players: int) -> Any:
        return design(self._method, players, self._samples, self._seed)

    def _values(self, rows: Array, places: npt.NDArray[np.int64], players: int, scores: Array) -> Array:
        """[rows, features, outputs] of rows with as many players each."""
        masks, matrix, even, _ = self._design(players)
        total = scores - self.expected
        answers = self._asked(rows, places, masks) - self.expected
        found = np.tensordot(matrix, answers, axes=(1, 0)) + even[:, None, None] * total
        dealt = np.concatenate([found, np.zeros((1, *total.shape))])
        return dealt[np.minimum(places, players), np.arange(len(rows))[:, None]]

    def _asked(self, rows: Array, places: npt.NDArray[np.int64], masks: npt.NDArray[np.bool_]) -> Array:
        """The model's answers [coalitions, rows, outputs], averaged over the baseline rows."""
        players = masks.shape[1]
        found = np.zeros((len(masks), len(rows), len(self.expected)))
        seat = np.minimum(places, players)
        nobody = np.zeros((len(masks), 1), dtype=bool)
        step = max(1, _CELLS // (len(self._baseline) * rows.size))
        with np.errstate(over="ignore"):
            known, unknown = rows.astype(self._kind)[:, None], self._baseline.astype(self._kind)
        seated = np.concatenate([masks, nobody], axis=1)
        for start in range(0, len(masks), step):
            mixed = np.where(seated[start : start + step, seat][:, :, None], known, unknown)
            answers = self._answers(mixed.reshape(-1, rows.shape[1])).reshape(*mixed.shape[:3], -1)
            found[start : start + step] = answers.mean(axis=2)
        return self._linked(found)

    def _answers(self, rows: npt.NDArray[Any]) -> Array:
        """What the model says of rows, as [rows, outputs]."""
        with np.errstate(over="ignore"):
            block = np.ascontiguousarray(rows, dtype=self._kind)
        found = np.asarray(self._predict(block), dtype=np.float64)
        if found.shape[:1] != (len(rows),) or found.ndim > 2:
            raise ModelError(
                "the model gave another number of scores than rows",
                evidence=f"answers of shape {found.shape} for {len(block)} rows",
                hint="it must give one score, or one a class, for each row",
            )
        if not np.isfinite(found).all():
            raise ModelError("the model gave a score that is no number", hint="explain rows that it has an answer for")
        return found.reshape(len(rows), -1)

    def _linked(self, answers: Array) -> Array:
        if not self._logit:
            return answers
        if answers.size and (answers.min() < 0 or answers.max() > 1):
            raise InputError(
                "use_logit needs probabilities, and the model gives other scores",
                evidence=f"scores from {answers.min():g} to {answers.max():g}",
                hint="leave use_logit out",
            )
        inside = np.clip(answers, _EDGE, 1 - _EDGE)
        found: Array = np.log(inside) - np.log1p(-inside)
        return found


class _Places(NamedTuple):
    places: npt.NDArray[np.int64]
    players: npt.NDArray[np.int64]


def _places(rows: Array, baseline: Array, seed: int) -> _Places:
    """Which player each feature of each row is (those at or after the row's number of players are none)."""
    varies = np.zeros(rows.shape, dtype=bool)
    for row in baseline:
        varies |= ~((rows == row) | (np.isnan(rows) & np.isnan(row)))
    keys = _hashed(rows, seed)
    keys |= np.uint64(1) << np.uint64(63)
    keys[varies] &= ~(np.uint64(1) << np.uint64(63))
    return _Places(keys.argsort(axis=1, kind="stable").argsort(axis=1), varies.sum(axis=1))


def _hashed(rows: Array, seed: int) -> npt.NDArray[np.uint64]:
    """A hash for each cell of [rows, features], of the whole row, the column and the seed."""
    bits = (np.where(np.isnan(rows), np.nan, rows) + 0.0).view(np.uint64)
    columns = _mixed(np.arange(rows.shape[1], dtype=np.uint64) + _mixed(np.array(seed & (2**64 - 1), dtype=np.uint64)))
    whole = _mixed(bits ^ columns).sum(axis=1, dtype=np.uint64)
    return _mixed(whole[:, None] ^ columns)


def _mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64 (Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        found = numbers + _MIX[2]
        found = (found ^ (found >> np.uint64(30))) * _MIX[0]
        found = (found ^ (found >> np.uint64(27))) * _MIX[1]
    return found ^ (found >> np.uint64(31))
