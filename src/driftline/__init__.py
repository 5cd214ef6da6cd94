"""driftline: an open, self-hosted model monitor. The public names, loaded when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftline.client import Client
    from driftline.core.errors import (
        ConflictError,
        DriftlineError,
        InputError,
        ModelError,
        NotFoundError,
        ServiceError,
        SetupError,
        TooLargeError,
    )
    from driftline.core.verdict import Verdict
    from driftline.core.window import Window
    from driftline.monitors.quality.checks import Tolerance
    from driftline.pipeline import Baseline, Checked, baseline_model_quality, check_model_quality
    from driftline.service import Service

_WHERE = {
    "Baseline": "driftline.pipeline",
    "Checked": "driftline.pipeline",
    "Client": "driftline.client",
    "ConflictError": "driftline.core.errors",
    "DriftlineError": "driftline.core.errors",
    "InputError": "driftline.core.errors",
    "ModelError": "driftline.core.errors",
    "NotFoundError": "driftline.core.errors",
    "Service": "driftline.service",
    "ServiceError": "driftline.core.errors",
    "SetupError": "driftline.core.errors",
    "Tolerance": "driftline.monitors.quality.checks",
    "TooLargeError": "driftline.core.errors",
    "baseline_model_quality": "driftline.pipeline",
    "check_model_quality": "driftline.pipeline",
    "Verdict": "driftline.core.verdict",
    "Window": "driftline.core.window",
}

__all__ = [
    "Baseline",
    "Checked",
    "Client",
    "ConflictError",
    "DriftlineError",
    "InputError",
    "ModelError",
    "NotFoundError",
    "Service",
    "ServiceError",
    "SetupError",
    "Tolerance",
    "TooLargeError",
    "Verdict",
    "Window",
    "baseline_model_quality",
    "check_model_quality",
]


def __getattr__(name: str) -> Any:
    try:
        module = importlib.import_module(_WHERE[name])
    except KeyError:
        raise AttributeError(f"module 'driftline' has no attribute {name!r}") from None
    return getattr(module, name)


def __dir__() -> list[str]:
    return __all__
