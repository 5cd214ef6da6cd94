"""Reading metrics: statistics of a series by period."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from driftline.aws.cloudwatch import units
from driftline.aws.cloudwatch.names import bad_token, combination, invalid, refused, series_of
from driftline.aws.context import Context, Operations
from driftline.aws.errors import AwsError
from driftline.aws.paging import place, token_of
from driftline.core.window import Window
from driftline.resources.metrics import Point, Series
from driftline.storage.types import EPOCH

_FIELDS = {"Average": "value", "Sum": "sum", "Minimum": "minimum", "Maximum": "maximum", "SampleCount": "count"}
_SECONDS = (1, 5, 10, 20, 30)
_LAST = datetime(9000, 1, 1, tzinfo=UTC)
"""No request reaches beyond it, so that a period after its end is still in the calendar."""
_MOST_STATISTICS = 1440
_MOST_DATA = 100_800
_MOST_QUERIES = 500
_ID = re.compile(r"[a-z][a-zA-Z0-9_]{0,254}")
_Row = tuple[datetime, float]
_SETS = "percentiles and trimmed statistics are not kept: sets of Sum, Minimum, Maximum and SampleCount are"


def get_metric_statistics(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Statistics of one series, oldest first."""
    if given.get("ExtendedStatistics"):
        raise invalid(f"The parameter ExtendedStatistics cannot be used here: {_SETS}.")
    if not given.get("Statistics"):
        raise AwsError("MissingParameter", "The parameter Statistics is required.")
    period = _period(given["Period"], invalid)
    window = _window(context, given, period, invalid)
    asked = -(-(window.end - window.start) // timedelta(seconds=period))
    if asked > _MOST_STATISTICS:
        raise combination(
            f"You have requested up to {asked:,} datapoints, which exceeds the limit of {_MOST_STATISTICS:,}. "
            "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
        )
    series = series_of(given)
    unit = units.unit_of(context, series)
    points = _points(context, series, window, period, given.get("Unit"))
    return {"Label": series.name, "Datapoints": [_datapoint(point, given["Statistics"], unit) for point in points]}


def _datapoint(point: Point, statistics: list[str], unit: str) -> dict[str, Any]:
    return {"Timestamp": point.time, "Unit": unit} | {name: getattr(point, _FIELDS[name]) for name in statistics}


def get_metric_data(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Statistics of many series, in pages of so many datapoints over all of them."""
    queries = given["MetricDataQueries"]
    _check(queries)
    most = given.get("MaxDatapoints") or _MOST_DATA
    if not 0 < most <= _MOST_DATA:
        raise refused(f"The parameter MaxDatapoints must be between 1 and {_MOST_DATA}.")
    at = place(given.get("NextToken"), bad_token())
    results, token, passed = [], None, 0
    for query in (query for query in queries if query.get("ReturnData", True)):
        rows = _rows(context, given, query)
        first, last = max(at - passed, 0), max(at + most - passed, 0)
        results.append(_result(query, rows[first:last], complete=last >= len(rows)))
        token = token_of(at + most) if last < len(rows) else token
        passed += len(rows)
    return {"MetricDataResults": results, "Messages": [], **({"NextToken": token} if token else {})}


def _check(queries: list[dict[str, Any]]) -> None:
    if not 0 < len(queries) <= _MOST_QUERIES:
        raise refused(f"The parameter MetricDataQueries must have 1 to {_MOST_QUERIES} members.")
    names = [query["Id"] for query in queries]
    wrong = [name for name in names if _ID.fullmatch(name) is None]
    if wrong:
        raise refused(f"The value {wrong[0][:80]} for parameter MetricDataQueries.member.Id is not matching ^[a-z]…$.")
    if len(set(names)) < len(names):
        raise refused("The values for parameter id in MetricDataQueries are not unique.")
    for query in queries:
        _check_kind(query)
    if not any(query.get("ReturnData", True) for query in queries):
        raise refused("At least one query must have ReturnData true.")


def _check_kind(query: dict[str, Any]) -> None:
    if ("MetricStat" in query) == ("Expression" in query):
        raise refused(f"The query {query['Id']} needs either MetricStat or Expression.")
    if "Expression" in query:
        raise refused(f"The query {query['Id']} has an Expression. Metric math and SEARCH are not computed here.")
    asked = query["MetricStat"]["Stat"]
    if asked not in _FIELDS:
        raise refused(f"The value {asked[:80]} for parameter Stat is not one of {', '.join(_FIELDS)}; {_SETS}.")


def _rows(context: Context, given: dict[str, Any], query: dict[str, Any]) -> list[_Row]:
    asked = query["MetricStat"]
    period = _period(asked["Period"], refused)
    window = _window(context, given, period, refused)
    points = _points(context, series_of(asked["Metric"]), window, period, asked.get("Unit"))
    rows = [(point.time, getattr(point, _FIELDS[asked["Stat"]])) for point in points]
    return rows if given.get("ScanBy") == "TimestampAscending" else rows[::-1]


def _result(query: dict[str, Any], rows: list[_Row], *, complete: bool) -> dict[str, Any]:
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or query["MetricStat"]["Metric"]["MetricName"],
        "Timestamps": [time for time, _ in rows],
        "Values": [value for _, value in rows],
        "StatusCode": "Complete" if complete else "PartialData",
    }


def _points(context: Context, series: Series, window: Window, period: int, unit: str | None) -> list[Point]:
    """The periods that have a value; those whose value is known to be missing are none to these clients."""
    if unit is not None and unit != units.unit_of(context, series):
        return []
    found = context.service.metric_points(series, window, period, from_start=True)
    return [point for point in found if point.value is not None]


def _period(given: int, error: Any) -> int:
    if given not in _SECONDS and given % 60:
        raise error("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
    return given


def _window(context: Context, given: dict[str, Any], period: int, error: Any) -> Window:
    start, end = given["StartTime"], min(given["EndTime"], _LAST)
    if start >= end:
        raise error("The parameter StartTime must be less than the parameter EndTime.")
    return Window(rounded(start, period, context.now()), end)


def rounded(start: datetime, period: int, now: datetime) -> datetime:
    """Where the first period begins: at a full minute, or of what is 15 days old five minutes, 63 days an hour.

    >>> from datetime import UTC
    >>> start = datetime(2026, 11, 22, 10, 7, 33, tzinfo=UTC)
    >>> rounded(start, 300, start).time(), rounded(start, 10, start).time()
    (datetime.time(10, 7), datetime.time(10, 7, 30))
    """
    age = now - start
    step = 3600 if age >= timedelta(days=63) else 300 if age >= timedelta(days=15) else min(period, 60)
    return start - (start - EPOCH) % timedelta(seconds=step)


OPERATIONS: Operations = {"GetMetricStatistics": get_metric_statistics, "GetMetricData": get_metric_data}
