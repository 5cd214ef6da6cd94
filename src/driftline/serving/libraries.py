"""What the runtimes share: their libraries, imported when a model needs them, and their messages."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt

from driftline.core.errors import ModelError, SetupError


def library(module: str, name: str, extra: str) -> Any:
    """The imported module; :class:`SetupError` naming the extra when it is missing or does not start.

    ``name`` is what people call the library.
    """
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as error:
        raise SetupError(
            f"this model needs {name}, which is not installed or does not start",
            evidence=str(error)[:300],
            hint=f"pip install 'driftline[{extra}]'",
        ) from None


def first_line(error: BaseException) -> str:
    """What an error says, in one line with its kind."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:300]


def block(rows: npt.NDArray[Any], n_features: int) -> npt.NDArray[np.float32]:
    """The rows as a C-contiguous float32 block; :class:`ModelError` unless each has ``n_features`` columns."""
    if rows.ndim != 2 or rows.shape[1] != n_features:
        raise refused_rows(f"a block of shape {rows.shape} where each row has {n_features} columns")
    return np.ascontiguousarray(rows, dtype=np.float32)


def refused_rows(reason: str) -> ModelError:
    """The error for rows that a loaded model does not take."""
    return ModelError("the model refused the rows", evidence=reason, hint="check the values against the training data")
