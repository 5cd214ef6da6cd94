"""What is remembered of the rows of a bias analysis: the counts, and the sample of the flip test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from driftline.analyzers.contingency import ContingencyState
from driftline.analyzers.flip_sample import FlipState
from driftline.core.errors import InputError
from driftline.core.state import State, pack, unpack


@dataclass(frozen=True, eq=False)
class BiasState(State):
    """The counts of all rows; ``sample`` is None where no features were looked at."""

    counts: ContingencyState
    sample: FlipState | None = None

    @property
    def rows(self) -> int:
        """How many rows were seen."""
        return self.counts.rows

    def save(self) -> bytes:
        """The state as bytes."""
        sample = None if self.sample is None else self.sample.save()
        return pack("BiasState", {"counts": self.counts.save(), "sample": sample})

    @classmethod
    def load(cls, data: bytes) -> Self:
        """The state that :meth:`save` wrote; raises :class:`InputError` for any other bytes."""
        values = unpack("BiasState", data)
        try:
            sample = values["sample"]
            counts = ContingencyState.load(values["counts"])
            return cls(counts, None if sample is None else FlipState.load(sample))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("these bytes are no saved bias", evidence=str(error)[:100], hint="rebuild it") from None
