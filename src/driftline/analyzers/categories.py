"""How often each text occurs: exactly while there are few, beyond that the frequent ones with a bound on the error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.sampling import U64, hash_ids
from driftline.core.state import State

Ints = npt.NDArray[np.int64]
MOST_CATEGORIES = 1 << 14
_HASHES = 2048
_LONGEST, _KEPT = 256, 64


def _no_ints() -> Ints:
    return np.zeros(0, dtype=np.int64)


def _no_hashes() -> U64:
    return np.zeros(0, dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class CategoryState(State):
    """Distinct texts in ascending order of their bytes, and how often each occurs.

    ``text`` is all of them in UTF-8, one after another; ``ends`` says where each ends. ``n`` is the number of values
    seen. Counts are at most ``error`` too small, those of texts that are not kept too; while ``error`` is 0 all are
    exact. After that ``hashes`` are the smallest hashes of all distinct texts seen, in ascending order.
    """

    text: bytes = b""
    ends: Ints = field(default_factory=_no_ints)
    counts: Ints = field(default_factory=_no_ints)
    n: int = 0
    error: int = 0
    hashes: U64 = field(default_factory=_no_hashes)

    @property
    def names(self) -> pa.LargeStringArray:
        """The texts."""
        offsets = np.concatenate(([0], self.ends)).astype(np.int64)
        return pa.LargeStringArray.from_buffers(len(self.ends), pa.py_buffer(offsets), pa.py_buffer(self.text))


@dataclass(frozen=True)
class CategoryCounts:
    """How often texts occur, most frequent first and then by text; ``error`` as in :class:`CategoryState`.

    ``distinct`` is exact while ``error`` is 0, otherwise an estimate that is off by 2 to 3 % as a rule.
    """

    categories: tuple[tuple[str, int], ...]
    n: int
    error: int
    distinct: float


class Categories:
    """Counts texts. A batch needs ``value`` (string); nulls are left out.

    Beyond ``most`` distinct texts the counts are the summary of Misra and Gries (1982), merged as Agarwal et al. (2013)
    do: ``error`` is then at most n / ``most``. The number of distinct texts is estimated from the smallest hashes
    (Bar-Yossef et al. 2002). Without ``frequent`` nothing is kept beyond ``most``. A text of more than 256 bytes
    counts under its first 64 characters and its hash.
    """

    name = "categories"

    def __init__(self, *, most: int = MOST_CATEGORIES, frequent: bool = True) -> None:
        if most < 1:
            raise ValueError(f"most must be 1 or more, not {most}")
        self.most = most
        self.frequent = frequent

    def identity(self) -> CategoryState:
        """The state of no values."""
        return CategoryState()

    def update(self, batch: pa.RecordBatch) -> CategoryState:
        """The counts of one batch."""
        found = batch.column("value").drop_null().value_counts()
        return self.of(found.field(0), found.field(1).to_numpy())

    def of(self, names: pa.Array[Any], counts: Ints) -> CategoryState:
        """The state of texts, not null, of which each occurs ``counts`` times; a text may be given several times."""
        names, counts = _summed(_shortened(names.cast(pa.large_string())), counts)
        return self._bounded(names, counts, int(counts.sum()), 0, _no_hashes())

    def lost(self, n: int) -> CategoryState:
        """The state of ``n`` values of which it is known that they are too many to be counted."""
        return CategoryState(n=n, error=n)

    def merge(self, states: Sequence[CategoryState]) -> CategoryState:
        """The counts of all the values the states saw."""
        states = [state for state in states if state.n]
        if len(states) <= 1:
            return states[0] if states else self.identity()
        n, error = sum(state.n for state in states), sum(state.error for state in states)
        if error and not self.frequent:
            return self.lost(n)
        counts = np.concatenate([state.counts for state in states])
        names, counts = _summed(pa.concat_arrays([state.names for state in states]), counts)
        return self._bounded(names, counts, n, error, np.concatenate([state.hashes for state in states]))

    def result(self, state: CategoryState) -> CategoryCounts:
        """The counts, most frequent first."""
        names = [state.text[a:b].decode(errors="replace") for a, b in zip([0, *state.ends], state.ends, strict=False)]
        ordered = sorted(zip(names, state.counts.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
        return CategoryCounts(tuple(ordered), state.n, state.error, _distinct(state))

    def _bounded(self, names: pa.Array[Any], counts: Ints, n: int, error: int, hashes: U64) -> CategoryState:
        """The canonical state of distinct names: at most ``most`` of them are kept."""
        over = len(names) > self.most
        if over and not self.frequent:
            return self.lost(n)
        if over or error:
            hashes = _smallest(np.concatenate([hashes, _smallest(hash_ids(names))]))
        if over:
            # Misra and Gries: what the first one too many counts is taken off all, and nothing is left of the rest.
            excess = int(np.partition(counts, len(counts) - self.most - 1)[len(counts) - self.most - 1])
            kept = counts > excess
            names, counts, error = names.filter(pa.array(kept)), counts[kept] - excess, error + excess
        order = pc.array_sort_indices(names)
        text, ends = _packed(names.take(order))
        return CategoryState(text, ends, counts[order.to_numpy()].astype(np.int64), n, error, hashes)


def _summed(names: pa.Array[Any], counts: Ints) -> tuple[pa.Array[Any], Ints]:
    """The distinct names and the sum of the counts of each."""
    encoded = names.dictionary_encode()
    distinct = encoded.dictionary
    if len(distinct) == len(names):
        return names, counts
    sums = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(sums, encoded.indices.to_numpy(), counts)
    return distinct, sums


def _shortened(names: pa.Array[Any]) -> pa.Array[Any]:
    """Names of which the long ones are cut, and told apart by their hash."""
    long = pc.greater(pc.binary_length(names), _LONGEST)
    if not pc.any(long).as_py():
        return names
    hashed = pc.cast(pa.array(hash_ids(names.filter(long))), pa.large_string())
    cut = pc.utf8_slice_codeunits(names.filter(long), 0, _KEPT)
    return pc.replace_with_mask(
        names, long, pc.binary_join_element_wise(cut, hashed, pa.scalar("… #", pa.large_string()))
    )


def _packed(names: pa.Array[Any]) -> tuple[bytes, Ints]:
    """The bytes of names one after another, and where each ends."""
    offsets = np.frombuffer(names.buffers()[1], dtype=np.int64)[names.offset : names.offset + len(names) + 1]
    if not len(names):
        return b"", _no_ints()
    text = names.buffers()[2]
    return (b"" if text is None else text[int(offsets[0]) : int(offsets[-1])].to_pybytes()), offsets[1:] - offsets[0]


def _smallest(hashes: U64) -> U64:
    """The smallest distinct hashes in ascending order."""
    ordered = np.sort(hashes)
    first = np.concatenate((ordered[:1] == ordered[:1], ordered[1:] != ordered[:-1]))
    smallest: U64 = ordered[first][:_HASHES]
    return smallest


def _distinct(state: CategoryState) -> float:
    """The number of distinct texts; from the place of the largest of the smallest hashes where it must be estimated."""
    if not state.error or len(state.hashes) < _HASHES:
        return float(max(len(state.counts), len(state.hashes)))
    return (_HASHES - 1) / (float(state.hashes[-1]) / 2.0**64)
