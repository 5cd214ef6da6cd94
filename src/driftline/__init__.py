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
    from driftline.resources.alarms import Alarm, AlarmStatus, Datapoint, NewAlarm, Notification, Transition
    from driftline.resources.baselines import StoredBaseline
    from driftline.resources.endpoints import CaptureHour, CaptureSettings, Endpoint, ModelDescription
    from driftline.resources.executions import Execution, ExecutionStep, RejectedRecords
    from driftline.resources.labels import LabelReceipt
    from driftline.resources.metrics import Point, Series
    from driftline.resources.schedules import Schedule
    from driftline.service import Service

_WHERE = {
    "Alarm": "driftline.resources.alarms",
    "AlarmStatus": "driftline.resources.alarms",
    "Baseline": "driftline.pipeline",
    "CaptureHour": "driftline.resources.endpoints",
    "CaptureSettings": "driftline.resources.endpoints",
    "Checked": "driftline.pipeline",
    "Client": "driftline.client",
    "ConflictError": "driftline.core.errors",
    "Datapoint": "driftline.resources.alarms",
    "DriftlineError": "driftline.core.errors",
    "Endpoint": "driftline.resources.endpoints",
    "Execution": "driftline.resources.executions",
    "ExecutionStep": "driftline.resources.executions",
    "InputError": "driftline.core.errors",
    "LabelReceipt": "driftline.resources.labels",
    "ModelDescription": "driftline.resources.endpoints",
    "ModelError": "driftline.core.errors",
    "NewAlarm": "driftline.resources.alarms",
    "NotFoundError": "driftline.core.errors",
    "Notification": "driftline.resources.alarms",
    "Point": "driftline.resources.metrics",
    "RejectedRecords": "driftline.resources.executions",
    "Schedule": "driftline.resources.schedules",
    "Series": "driftline.resources.metrics",
    "Service": "driftline.service",
    "ServiceError": "driftline.core.errors",
    "SetupError": "driftline.core.errors",
    "StoredBaseline": "driftline.resources.baselines",
    "Tolerance": "driftline.monitors.quality.checks",
    "TooLargeError": "driftline.core.errors",
    "Transition": "driftline.resources.alarms",
    "Verdict": "driftline.core.verdict",
    "Window": "driftline.core.window",
    "baseline_model_quality": "driftline.pipeline",
    "check_model_quality": "driftline.pipeline",
}

__all__ = [
    "Alarm",
    "AlarmStatus",
    "Baseline",
    "CaptureHour",
    "CaptureSettings",
    "Checked",
    "Client",
    "ConflictError",
    "Datapoint",
    "DriftlineError",
    "Endpoint",
    "Execution",
    "ExecutionStep",
    "InputError",
    "LabelReceipt",
    "ModelDescription",
    "ModelError",
    "NewAlarm",
    "NotFoundError",
    "Notification",
    "Point",
    "RejectedRecords",
    "Schedule",
    "Series",
    "Service",
    "ServiceError",
    "SetupError",
    "StoredBaseline",
    "Tolerance",
    "TooLargeError",
    "Transition",
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
