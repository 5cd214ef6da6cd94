"""A monitor's state as bytes, so that an hour need not be measured twice."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from driftline.analyzers.confusion import ConfusionState
from driftline.analyzers.residuals import ResidualState
from driftline.analyzers.scores import ScoreState
from driftline.analyzers.vectors import VectorState
from driftline.core.errors import InputError
from driftline.core.state import State, pack, unpack
from driftline.monitors.quality.binary import BinaryState
from driftline.monitors.quality.multiclass import MulticlassState
from driftline.monitors.quality.regression import RegressionState
from driftline.monitors.quality.rows import Tally
from driftline.stats.masses import Masses

QualityState = BinaryState | MulticlassState | RegressionState
_KINDS: dict[str, type[QualityState]] = {
    kind.__name__: kind for kind in (BinaryState, MulticlassState, RegressionState)
}
_STATES: dict[str, type[State]] = {
    kind.__name__: kind for kind in (ConfusionState, ResidualState, ScoreState, VectorState)
}


def save_state(state: QualityState) -> bytes:
    """The state of a recipe as bytes."""
    return pack(type(state).__name__, {name: _saved(value) for name, value in msgspec.structs.asdict(state).items()})


def load_state(data: bytes, kind: str) -> QualityState:
    """The state that :func:`save_state` wrote, of the kind of that name; :class:`InputError` for any other bytes."""
    try:
        return _KINDS[kind](**{name: _loaded(value) for name, value in unpack(kind, data).items()})
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("these bytes are no saved state", evidence=str(error)[:100], hint="rebuild it") from None


def _saved(value: Any) -> Any:
    if isinstance(value, State):
        return ["state", type(value).__name__, value.save()]
    if isinstance(value, Tally):
        return ["tally", *msgspec.structs.astuple(value)]
    if isinstance(value, Masses):
        arrays = (value.mass, value.spread, value.confidence)
        return ["masses", *([list(array.shape), array.tobytes()] for array in arrays), value.invalid]
    return value


def _loaded(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    kind, *parts = value
    if kind == "state":
        return _STATES[parts[0]].load(parts[1])
    if kind == "tally":
        return Tally(*parts)
    mass, spread, confidence = (np.frombuffer(data, dtype=np.int64).reshape(shape) for shape, data in parts[:3])
    return Masses(mass, spread, confidence, parts[3])
