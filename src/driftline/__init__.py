"""driftline: an open, self-hosted model monitor. The public names, loaded when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftline.client import Client
    from driftline.core.errors import (
        AccessError,
        BusyError,
        ConflictError,
        DriftlineError,
        ForbiddenError,
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
    from driftline.pipeline.attribution_tables import (
        AttributionBaseline,
        AttributionChecked,
        ExplainOptions,
        baseline_attribution,
        check_attribution,
    )
    from driftline.pipeline.bias_tables import BiasBaseline, BiasChecked, baseline_bias, check_bias
    from driftline.pipeline.data_tables import DataBaseline, DataChecked, baseline_data_quality, check_data_quality
    from driftline.resources.access import AuditEntry, IssuedToken, NewToken, Token
    from driftline.resources.alarms import Alarm, AlarmStatus, Band, Datapoint, NewAlarm, Notification, Transition
    from driftline.resources.baselines import BaselineVersion, StoredBaseline
    from driftline.resources.batch_jobs import BatchJob
    from driftline.resources.captures import EventReceipt, ImportReceipt
    from driftline.resources.endpoints import CaptureHour, CaptureSettings, Endpoint, ModelDescription
    from driftline.resources.executions import Execution, ExecutionStep, OverdueWindow, RejectedRecords
    from driftline.resources.health import Check, Readiness
    from driftline.resources.labels import LabelReceipt
    from driftline.resources.metrics import NewPoint, Point, Series, StatisticSet
    from driftline.resources.mutes import Acknowledgement, Action, ActionTest, Mute, NewMute
    from driftline.resources.retention import Removed, Retention, RetentionReport
    from driftline.resources.schedules import Schedule
    from driftline.service import Service

_WHERE = {
    "AccessError": "driftline.core.errors",
    "Acknowledgement": "driftline.resources.mutes",
    "Action": "driftline.resources.mutes",
    "ActionTest": "driftline.resources.mutes",
    "Alarm": "driftline.resources.alarms",
    "AlarmStatus": "driftline.resources.alarms",
    "AttributionBaseline": "driftline.pipeline.attribution_tables",
    "AttributionChecked": "driftline.pipeline.attribution_tables",
    "AuditEntry": "driftline.resources.access",
    "Band": "driftline.resources.alarms",
    "Baseline": "driftline.pipeline",
    "BaselineVersion": "driftline.resources.baselines",
    "BatchJob": "driftline.resources.batch_jobs",
    "BiasBaseline": "driftline.pipeline.bias_tables",
    "BiasChecked": "driftline.pipeline.bias_tables",
    "BusyError": "driftline.core.errors",
    "CaptureHour": "driftline.resources.endpoints",
    "CaptureSettings": "driftline.resources.endpoints",
    "Check": "driftline.resources.health",
    "Checked": "driftline.pipeline",
    "Client": "driftline.client",
    "ConflictError": "driftline.core.errors",
    "DataBaseline": "driftline.pipeline.data_tables",
    "DataChecked": "driftline.pipeline.data_tables",
    "Datapoint": "driftline.resources.alarms",
    "DriftlineError": "driftline.core.errors",
    "Endpoint": "driftline.resources.endpoints",
    "EventReceipt": "driftline.resources.captures",
    "Execution": "driftline.resources.executions",
    "ExecutionStep": "driftline.resources.executions",
    "ExplainOptions": "driftline.pipeline.explainers",
    "ForbiddenError": "driftline.core.errors",
    "ImportReceipt": "driftline.resources.captures",
    "InputError": "driftline.core.errors",
    "IssuedToken": "driftline.resources.access",
    "LabelReceipt": "driftline.resources.labels",
    "ModelDescription": "driftline.resources.endpoints",
    "ModelError": "driftline.core.errors",
    "Mute": "driftline.resources.mutes",
    "NewAlarm": "driftline.resources.alarms",
    "NewMute": "driftline.resources.mutes",
    "NewPoint": "driftline.resources.metrics",
    "NewToken": "driftline.resources.access",
    "NotFoundError": "driftline.core.errors",
    "Notification": "driftline.resources.alarms",
    "OverdueWindow": "driftline.resources.executions",
    "Point": "driftline.resources.metrics",
    "Readiness": "driftline.resources.health",
    "RejectedRecords": "driftline.resources.executions",
    "Removed": "driftline.resources.retention",
    "Retention": "driftline.resources.retention",
    "RetentionReport": "driftline.resources.retention",
    "Schedule": "driftline.resources.schedules",
    "Series": "driftline.resources.metrics",
    "Service": "driftline.service",
    "ServiceError": "driftline.core.errors",
    "SetupError": "driftline.core.errors",
    "StatisticSet": "driftline.resources.metrics",
    "StoredBaseline": "driftline.resources.baselines",
    "Token": "driftline.resources.access",
    "Tolerance": "driftline.monitors.quality.checks",
    "TooLargeError": "driftline.core.errors",
    "Transition": "driftline.resources.alarms",
    "Verdict": "driftline.core.verdict",
    "Window": "driftline.core.window",
    "baseline_attribution": "driftline.pipeline.attribution_tables",
    "baseline_bias": "driftline.pipeline.bias_tables",
    "baseline_data_quality": "driftline.pipeline.data_tables",
    "baseline_model_quality": "driftline.pipeline",
    "check_attribution": "driftline.pipeline.attribution_tables",
    "check_bias": "driftline.pipeline.bias_tables",
    "check_data_quality": "driftline.pipeline.data_tables",
    "check_model_quality": "driftline.pipeline",
}

__all__ = [
    "AccessError",
    "Acknowledgement",
    "Action",
    "ActionTest",
    "Alarm",
    "AlarmStatus",
    "AttributionBaseline",
    "AttributionChecked",
    "AuditEntry",
    "Band",
    "Baseline",
    "BaselineVersion",
    "BatchJob",
    "BiasBaseline",
    "BiasChecked",
    "BusyError",
    "CaptureHour",
    "CaptureSettings",
    "Check",
    "Checked",
    "Client",
    "ConflictError",
    "DataBaseline",
    "DataChecked",
    "Datapoint",
    "DriftlineError",
    "Endpoint",
    "EventReceipt",
    "Execution",
    "ExecutionStep",
    "ExplainOptions",
    "ForbiddenError",
    "ImportReceipt",
    "InputError",
    "IssuedToken",
    "LabelReceipt",
    "ModelDescription",
    "ModelError",
    "Mute",
    "NewAlarm",
    "NewMute",
    "NewPoint",
    "NewToken",
    "NotFoundError",
    "Notification",
    "OverdueWindow",
    "Point",
    "Readiness",
    "RejectedRecords",
    "Removed",
    "Retention",
    "RetentionReport",
    "Schedule",
    "Series",
    "Service",
    "ServiceError",
    "SetupError",
    "StatisticSet",
    "StoredBaseline",
    "Token",
    "Tolerance",
    "TooLargeError",
    "Transition",
    "Verdict",
    "Window",
    "baseline_attribution",
    "baseline_bias",
    "baseline_data_quality",
    "baseline_model_quality",
    "check_attribution",
    "check_bias",
    "check_data_quality",
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
