"""What the runtimes share: their libraries, imported when a model needs them, and their messages."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from driftline.core.errors import ModelError, SetupError

_UNUSED = {"xgboost": ("pandas", "sklearn"), "lightgbm": ("pandas", "sklearn")}
_serving_only = False
_lock = threading.Lock()


def serve_only() -> None:
    """Say that this process serves models and does nothing else; before any library is imported.

    XGBoost and LightGBM import pandas and scikit-learn where they find them, for tables and estimators that serving
    never asks them for: that is three quarters of their start, and 100 MB. From now on they do not find them.
    """
    global _serving_only
    _serving_only = True


def imported(module: str) -> Any:
    """The module, without what it imports for uses that a process which only serves does not have."""
    with _lock, _hidden(_UNUSED.get(module, ()) if _serving_only else ()):
        return importlib.import_module(module)


@contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """These modules cannot be imported meanwhile, unless they were before."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None is how Python says so
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)


def library(module: str, name: str, extra: str) -> Any:
    """The imported module; :class:`SetupError` naming the extra when it is missing or does not start.

    ``name`` is what people call the library.
    """
    try:
        return imported(module)
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
