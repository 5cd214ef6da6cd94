"""The state protocol: everything measured is a small, immutable, mergeable state.

``merge`` is commutative and associative with ``identity`` as its neutral element, so an hour's state can be kept,
a day is the merge of 24 of them, and threads, processes and executors give the same numbers from the same code.
The idea is that of Schelter et al., "Automating Large-Scale Data Quality Verification" (VLDB 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self, TypeVar

import pyarrow as pa


class State(Protocol):
    """What an analyzer remembers of the rows it saw. A state saves itself."""

    def save(self) -> bytes:
        """The state as bytes that :meth:`load` reads back to an equal state."""

    @classmethod
    def load(cls, data: bytes) -> Self:
        """The state that :meth:`save` wrote."""


S = TypeVar("S", bound=State)


class Analyzer(Protocol[S]):
    """One measurement. Configured once, then a pure function of the batches it is given."""

    name: str

    def identity(self) -> S:
        """The state of no rows."""

    def update(self, batch: pa.RecordBatch) -> S:
        """The state of one batch of rows."""

    def merge(self, states: Sequence[S]) -> S:
        """The state of all the rows that the given states saw; ``identity()`` of none."""

    def result(self, state: S) -> Any:
        """The numbers the state stands for."""
