"""Which metrics there are, and putting points of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from driftline.aws.cloudwatch import units
from driftline.aws.cloudwatch.names import combination, dimension_list, dimensions_of, invalid
from driftline.aws.context import Context, Operations
from driftline.aws.errors import AwsError
from driftline.aws.paging import page
from driftline.core.errors import InputError
from driftline.resources.metrics import NewPoint, Series, StatisticSet, counted
from driftline.sagemaker.alarms import namespace_of

_PAGE = 500
_MOST_VALUES = 150
_PAST, _FUTURE = timedelta(weeks=2), timedelta(hours=2)
_KINDS = ("Value", "Values", "StatisticValues")


def list_metrics(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The series of a namespace, name and dimensions. The namespace is given back as it was written."""
    asked = given.get("Namespace")
    found = context.service.list_metrics(None if asked is None else namespace_of(asked), given.get("MetricName"))
    wanted = given.get("Dimensions") or []
    matching = [series for series in found if all(_has(series, dimension) for dimension in wanted)]
    shown, token = page(matching, given.get("NextToken"), _PAGE, invalid("The parameter NextToken is not valid."))
    return {"Metrics": [_metric(series, asked) for series in shown], **({"NextToken": token} if token else {})}


def _has(series: Series, wanted: dict[str, str]) -> bool:
    value = series.dimensions.get(wanted["Name"])
    return value is not None and wanted.get("Value", value) == value


def _metric(series: Series, asked: str | None) -> dict[str, Any]:
    return {
        "Namespace": asked or series.namespace,
        "MetricName": series.name,
        "Dimensions": dimension_list(series.dimensions),
    }


def put_metric_data(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Keep points; the alarms on them are judged at once."""
    data = [*given.get("MetricData", []), *_of_entities(given)]
    if not data:
        raise AwsError("MissingParameter", "The parameter MetricData is required.")
    if given["Namespace"].startswith("AWS/"):
        raise invalid("The value AWS/ for parameter Namespace is invalid.")
    namespace = namespace_of(given["Namespace"])
    points = [_point(context, namespace, datum, number) for number, datum in enumerate(data, 1)]
    try:
        context.service.put_metrics(points)
    except InputError as error:
        raise invalid(f"{error.what}: {error.evidence}") from None
    for point, datum in zip(points, data, strict=True):
        if "Unit" in datum:
            units.keep(context, Series(namespace, point.name, point.dimensions), datum["Unit"])
    return {}


def _of_entities(given: dict[str, Any]) -> list[dict[str, Any]]:
    return [datum for group in given.get("EntityMetricData", []) for datum in group.get("MetricData", [])]


def _point(context: Context, namespace: str, datum: dict[str, Any], number: int) -> NewPoint:
    place = f"MetricData.member.{number}"
    kinds = [kind for kind in _KINDS if kind in datum]
    if not kinds:
        raise AwsError(
            "MissingParameter", f"At least one of the parameters {', '.join(_KINDS)} of {place} is required."
        )
    if len(kinds) > 1 or ("Counts" in datum and kinds != ["Values"]):
        raise combination(f"The parameters {' and '.join([*kinds, 'Counts'][:2])} of {place} are mutually exclusive.")
    if datum.get("StorageResolution", 60) not in (1, 60):
        raise invalid(f"The parameter {place}.StorageResolution must be 1 or 60.")
    time = _time(context.now(), datum.get("Timestamp"), place)
    dimensions = dimensions_of(datum.get("Dimensions"))
    return NewPoint(datum["MetricName"], datum.get("Value"), _statistics(datum, place), dimensions, namespace, time)


def _time(now: datetime, given: datetime | None, place: str) -> datetime:
    if given is not None and not now - _PAST <= given <= now + _FUTURE:
        raise invalid(f"The parameter {place}.Timestamp must be within the past two weeks and the next two hours.")
    return given or now


def _statistics(datum: dict[str, Any], place: str) -> StatisticSet | None:
    if "StatisticValues" in datum:
        found = datum["StatisticValues"]
        return StatisticSet(found["Sum"], found["Minimum"], found["Maximum"], found["SampleCount"])
    if "Values" not in datum:
        return None
    values = datum["Values"]
    counts = datum.get("Counts", [1.0] * len(values))
    if not 0 < len(values) <= _MOST_VALUES or len(values) != len(counts):
        raise invalid(f"{place} needs 1 to {_MOST_VALUES} Values, and as many Counts.")
    if not all(count > 0 for count in counts):
        raise invalid(f"The Counts of {place} must be above 0.")
    return counted(values, counts)


OPERATIONS: Operations = {"ListMetrics": list_metrics, "PutMetricData": put_metric_data}
