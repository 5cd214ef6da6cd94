"""The state protocol: everything measured is a small, immutable, mergeable state.

``merge`` is commutative and associative with ``identity`` as its neutral element, so an hour's state can be kept,
a day is the merge of 24 of them, and threads, processes and executors give the same numbers from the same code.
The idea is that of Schelter et al., "Automating Large-Scale Data Quality Verification" (VLDB 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import Any, Protocol, Self, TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from driftline.core.errors import InputError


class State:
    """What an analyzer remembers of the rows it saw: a frozen dataclass that saves itself.

    Two states are equal when they save to the same bytes, so every state keeps one canonical form.
    """

    def save(self) -> bytes:
        """The state as bytes that :meth:`load` reads back to an equal state."""
        return pack(type(self).__name__, {field.name: getattr(self, field.name) for field in fields(self)})  # type: ignore[arg-type]

    @classmethod
    def load(cls, data: bytes) -> Self:
        """The state that :meth:`save` wrote."""
        values = unpack(cls.__name__, data)
        if values.keys() != {field.name for field in fields(cls)}:  # type: ignore[arg-type]
            raise _not_saved(cls.__name__)
        return cls(**values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.save() == other.save()

    def __hash__(self) -> int:
        return hash(self.save())


S = TypeVar("S", bound=State)
T = TypeVar("T")
MOST_HELD = 16


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


def folded(merge: Callable[[Sequence[T]], T], states: Iterable[T], *, most: int = MOST_HELD) -> T:
    """The merge of many states, at most ``most`` held at a time, so that memory does not grow with their number."""
    held: list[T] = []
    for state in states:
        held.append(state)
        if len(held) == most:
            held = [merge(held)]
    return merge(held)


def pack(kind: str, values: dict[str, Any]) -> bytes:
    """A state's fields as bytes: numpy arrays keep type and length, everything else is MessagePack."""
    encoded = {name: _packed(value) for name, value in values.items()}
    return msgspec.msgpack.encode({"kind": kind, "version": 1, "fields": encoded})


def unpack(kind: str, data: bytes) -> dict[str, Any]:
    """The fields that :func:`pack` wrote; raises :class:`InputError` for bytes of another kind or version."""
    try:
        document = msgspec.msgpack.decode(data)
        if (document["kind"], document["version"]) == (kind, 1):
            return {name: _unpacked(value) for name, value in document["fields"].items()}
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
        pass
    raise _not_saved(kind)


def _not_saved(kind: str) -> InputError:
    return InputError(f"these bytes are not a saved {kind} state", hint="rebuild it from the captures")


def _packed(value: Any) -> Any:
    return {"dtype": value.dtype.str, "data": value.tobytes()} if isinstance(value, np.ndarray) else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"dtype", "data"}:
        return np.frombuffer(value["data"], dtype=np.dtype(value["dtype"]))
    return value
