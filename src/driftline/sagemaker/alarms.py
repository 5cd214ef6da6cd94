"""Alarms as CloudWatch's documents have them, and the series they name. Pure."""

from __future__ import annotations

import re
from typing import Any

from driftline.core.errors import InputError
from driftline.resources.alarms import Alarm, Band
from driftline.resources.metrics import Series

_SECONDS = (10, 20, 30)
_DAY = 86_400
_MOST_ACTIONS = 5
_BAND = re.compile(r"ANOMALY_DETECTION_BAND\(\s*(\w+)\s*(?:,\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*)?\)")
_WIDTH = 2.0
_MISSING = ("missing", "ignore", "breaching", "notBreaching")
_OURS = "aws/sagemaker/"
_SINGULAR = "Endpoints/data-metric"


def namespace_of(given: str) -> str:
    """A namespace as it is kept. Those of the monitors are written with and without a slash, and one in the singular.

    >>> namespace_of("/aws/sagemaker/Endpoints/data-metric"), namespace_of("/mine")
    ('aws/sagemaker/Endpoints/data-metrics', '/mine')
    """
    plain = given.removeprefix("/")
    if not plain.startswith(_OURS):
        return given
    return plain + "s" if plain == _OURS + _SINGULAR else plain


def dimensions_of(given: list[dict[str, str]] | None) -> dict[str, str]:
    """Dimensions as a mapping; raises :class:`InputError` for a name that comes twice."""
    found = {dimension["Name"]: dimension["Value"] for dimension in given or []}
    if len(found) != len(given or []):
        raise InputError("The parameter Dimensions has the same Name more than once.")
    return found


def series_of(given: dict[str, Any]) -> Series:
    """The series that ``Namespace``, ``MetricName`` and ``Dimensions`` name."""
    return Series(namespace_of(given["Namespace"]), given["MetricName"], dimensions_of(given.get("Dimensions")))


def metric_alarm(given: dict[str, Any]) -> Alarm:
    """The alarm that a request asks for; raises :class:`InputError` for one that cannot be here.

    Actions that are ARNs have no counterpart here and are left out."""
    metric, band = _watched(given)
    period, evaluated = metric.get("Period", 0), given.get("EvaluationPeriods", 0)
    judged = given.get("DatapointsToAlarm", evaluated)
    _check(given, period, evaluated, judged)
    series = series_of(metric)
    return Alarm(
        given["AlarmName"],
        series.name,
        series.namespace,
        series.dimensions,
        given["ComparisonOperator"],
        given.get("Threshold"),
        metric["Statistic"],
        period,
        evaluated,
        judged,
        given.get("TreatMissingData", "missing"),
        told(given, "AlarmActions"),
        told(given, "OKActions"),
        told(given, "InsufficientDataActions"),
        band,
    )


def told(given: dict[str, Any], field: str) -> tuple[str, ...]:
    """The actions of a list that can be carried out here."""
    actions = given.get(field, [])
    if len(actions) > _MOST_ACTIONS:
        raise InputError(f"{field} has more than {_MOST_ACTIONS} members.")
    return tuple(action for action in actions if not action.startswith("arn:"))


def _watched(given: dict[str, Any]) -> tuple[dict[str, Any], Band | None]:
    """What is watched, as ``Namespace``, ``MetricName``, ``Dimensions``, ``Period`` and ``Statistic``; and its band."""
    if "ExtendedStatistic" in given:
        raise InputError("ExtendedStatistic is not supported: percentiles of a metric are not kept.")
    if "Metrics" in given:
        if "MetricName" in given:
            raise InputError("Metrics list cannot be used together with MetricName.")
        return _of_queries(given)
    missing = [field for field in ("MetricName", "Namespace", "Statistic", "Period") if field not in given]
    if missing:
        raise InputError(f"The parameter {missing[0]} is required to create an alarm on a metric.")
    return given, None


def _of_queries(given: dict[str, Any]) -> tuple[dict[str, Any], Band | None]:
    stats = [query for query in given["Metrics"] if "MetricStat" in query]
    expressions = [query for query in given["Metrics"] if "Expression" in query]
    if len(stats) != 1 or len(expressions) > 1:
        raise InputError("Metrics may have one MetricStat and, for a band, one ANOMALY_DETECTION_BAND; no other math.")
    asked = stats[0]["MetricStat"]
    metric = {**asked["Metric"], "Period": asked["Period"], "Statistic": asked["Stat"]}
    if not expressions:
        return metric, None
    found = _BAND.fullmatch(expressions[0]["Expression"].strip())
    if found is None or found[1] != stats[0]["Id"] or given.get("ThresholdMetricId") != expressions[0]["Id"]:
        raise InputError(
            "The only expression an alarm can have is ANOMALY_DETECTION_BAND of its metric, its threshold."
        )
    return metric, Band(width=float(found[2] or _WIDTH))


def _check(given: dict[str, Any], period: int, evaluated: int, judged: int) -> None:
    if evaluated < 1:
        raise InputError("The parameter EvaluationPeriods is required.")
    if period not in _SECONDS and (period < 1 or period % 60):
        raise InputError("Period must be 10, 20, 30 or a multiple of 60.")
    most = 7 * _DAY if period >= 3600 else _DAY
    if period * evaluated > most:
        raise InputError(f"EvaluationPeriods times Period must be at most {most} seconds with a period of {period}.")
    if judged > evaluated:
        raise InputError("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    if given.get("TreatMissingData", "missing") not in _MISSING:
        raise InputError(f"TreatMissingData must be one of {', '.join(_MISSING)}.")
