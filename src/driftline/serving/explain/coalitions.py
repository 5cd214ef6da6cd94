"""Which coalitions of features a sampler asks the model about, and how Shapley values follow from the answers.

Both methods are linear in the answers: with ``y`` [coalitions] the model's answer to each coalition less that to the
empty one, and ``total`` the answer to all features less that to none, the values of ``d`` players are
``even * total + matrix @ y``.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from driftline.serving.explain.local import Array

Method = Literal["kernel_shap", "permutation_shap"]
Masks = npt.NDArray[np.bool_]
_DRAWS = 4


class Design(NamedTuple):
    """``masks`` [coalitions, players] says who is in; ``matrix`` is [players, coalitions], ``even`` [players]. It is
    ``exact`` when it holds all coalitions."""

    masks: Masks
    matrix: Array
    even: Array
    exact: bool


@lru_cache(maxsize=16)
def design(method: Method, players: int, budget: int, seed: int) -> Design:
    """The coalitions of ``players`` within a budget of ``budget``, always the same ones for the same arguments.

    The empty coalition and that of all are not among them: their answers are known. With a budget for all others,
    either method is exact and asks for all.
    """
    if players <= 1 or (players < 60 and 2**players - 2 <= budget):
        return _kernel(_every(players), _weights_of_every(players), exact=True)
    random = np.random.default_rng([seed, players])
    if method == "permutation_shap":
        return _permutations(players, budget, random)
    return _kernel(*_sampled(players, budget, random), exact=False)


def _every(players: int) -> Masks:
    numbers = np.arange(1, max(1, 2**players - 1))
    found: Masks = (numbers[:, None] >> np.arange(players)) & 1 == 1
    return found


def _weights_of_every(players: int) -> Array:
    sizes = np.arange(1, max(2, players))
    by_size = _size_weights(players) / np.array([comb(players, int(size)) for size in sizes], dtype=np.float64)
    found: Array = by_size[_every(players).sum(axis=1) - 1]
    return found


def _size_weights(players: int) -> Array:
    """The Shapley kernel's weight of all coalitions of 1, 2, … players - 1 members together."""
    sizes = np.arange(1, max(2, players), dtype=np.float64)
    found: Array = (players - 1) / (sizes * np.maximum(players - sizes, 1))
    return found


def _sampled(players: int, budget: int, random: np.random.Generator) -> tuple[Masks, Array]:
    """Coalitions with their complements, and their weights: whole sizes from the outside in while the budget lets
    their share be all of them, and of the others a sample."""
    weights = _size_weights(players)
    half = players // 2
    share = np.array([weights[s - 1] * (1 if 2 * s == players else 2) for s in range(1, half + 1)])
    masks, found, left = list[Masks](), list[Array](), budget
    done = 0
    for size in range(1, half + 1):
        count = comb(players, size) * (1 if 2 * size == players else 2)
        if left * share[size - 1] / share[size - 1 :].sum() < count:
            break
        masks.append(_whole_size(players, size))
        found.append(np.full(count, share[size - 1] / count))
        left, done = left - count, size
    if done < half and left >= 2:
        drawn, counts = _pairs(players, share, done, left // 2, random)
        masks.append(np.concatenate([drawn, ~drawn]))
        found.append(np.tile(counts / counts.sum() / 2 * share[done:].sum(), 2))
    if not masks:  # a budget of one coalition has no room for its complement
        return np.zeros((0, players), dtype=bool), np.zeros(0)
    return np.concatenate(masks), np.concatenate(found)


def _whole_size(players: int, size: int) -> Masks:
    members = np.array(list(combinations(range(players), size)))
    found = np.zeros((len(members), players), dtype=bool)
    found[np.arange(len(members))[:, None], members] = True
    return found if 2 * size == players else np.concatenate([found, ~found])


def _pairs(players: int, share: Array, done: int, pairs: int, random: np.random.Generator) -> tuple[Masks, Array]:
    """Up to ``pairs`` different coalitions of the sizes after ``done``, and how often each was drawn."""
    chances = share[done:] / share[done:].sum()
    sizes = random.choice(np.arange(done + 1, len(share) + 1), size=_DRAWS * pairs, p=chances)
    ranks = random.random((len(sizes), players)).argsort(axis=1).argsort(axis=1)
    drawn = ranks < sizes[:, None]
    middle = (2 * sizes == players) & ~drawn[:, 0]
    drawn[middle] ^= True  # of a coalition of half the players and its complement always the same one
    packed = np.packbits(drawn, axis=1)
    _, first, which = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    kept = np.sort(first)[:pairs]
    last = len(sizes) if len(first) <= pairs else int(np.sort(first)[pairs])
    counts = np.bincount(first[which.reshape(-1)[:last]], minlength=len(sizes))
    return drawn[kept], counts[kept].astype(np.float64)


def _kernel(masks: Masks, weights: Array, *, exact: bool) -> Design:
    """Weighted least squares under the constraint that the values sum to the total (Lundberg, Lee 2017): in a basis of
    all vectors that sum to nothing it is an ordinary one; the shortest solution where coalitions are too few."""
    players = masks.shape[1]
    even = np.full(players, 1.0 / max(1, players))
    if not len(masks):
        return Design(masks, np.zeros((players, 0)), even, exact)
    basis = np.linalg.qr(np.eye(players)[:, 1:] - 1.0 / players)[0]
    root = np.sqrt(weights / weights.mean())[:, None]
    solved = basis @ np.linalg.pinv(root * (masks @ basis), rcond=1e-10) * root.T
    return Design(masks, solved, even - solved @ masks.mean(axis=1), exact)


def _permutations(players: int, budget: int, random: np.random.Generator) -> Design:
    """Random orders, each also backwards (Castro and others 2009; Mitchell and others 2022): a player's value is what
    it adds to those before it, on the mean. A budget that does not do for one order asks for a part of it, and what
    the players of a gap add is shared evenly among them."""
    steps = players - 1
    orders = max(1, budget // steps)
    orders -= orders > 1 and orders % 2  # an order without its reverse would only add noise
    masks, matrix, even = list[Masks](), list[Array](), np.zeros(players)
    order = np.arange(players)
    for number in range(orders):
        order = order[::-1] if number % 2 else random.permutation(players)
        cuts = np.unique(np.linspace(1, steps, min(steps, budget)).round().astype(int))
        rank = np.argsort(order)
        masks.append(rank < cuts[:, None])
        edges = np.concatenate([[0], cuts, [players]])
        step = np.searchsorted(edges, rank, side="right") - 1
        length = np.diff(edges)[step]
        part = np.zeros((players, len(cuts) + 2))
        part[np.arange(players), step + 1] += 1.0 / length
        part[np.arange(players), step] -= 1.0 / length
        matrix.append(part[:, 1:-1] / orders)
        even += part[:, -1] / orders
    return Design(np.concatenate(masks), np.concatenate(matrix, axis=1), even, exact=False)
