"""What an external program left in its output folder: documents, metrics and a message, all of them checked."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from driftline.core.documents import Violation
from driftline.core.errors import InputError, TooLargeError
from driftline.core.plain_text import plain
from driftline.resources.metrics import Point, Series, point, statistic_set

METRICS = "metrics/cloudwatch"
MESSAGE = "message"
_LARGEST = 64 << 20
_MOST_MESSAGE = 2000
_MOST_METRICS = 100_000
_MOST_VIOLATIONS = 10_000
_LONGEST_NAME, _LONGEST_DIMENSIONS = 255, 1000
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
T = TypeVar("T")


class _Violations(msgspec.Struct):
    violations: list[Violation]


class _Dimension(msgspec.Struct, rename="pascal"):
    name: str
    value: str


class _Statistics(msgspec.Struct, rename="pascal"):
    sample_count: float
    sum: float
    minimum: float
    maximum: float


class _Metric(msgspec.Struct, rename="pascal"):
    metric_name: str
    timestamp: datetime | float
    dimensions: list[_Dimension] = []
    value: float | None = None
    statistic_values: _Statistics | None = None


def read_violations(folder: Path) -> tuple[Violation, ...] | None:
    """The violations of ``constraint_violations.json``; None where the program left none, so that nothing is known."""
    data = _read(folder / "constraint_violations.json")
    if data is None:
        return None
    hint = 'write {"violations": [{"feature_name": …, "constraint_check_type": …, "description": …}]}'
    found = _decoded(data, _Violations, folder / "constraint_violations.json", hint).violations
    if len(found) > _MOST_VIOLATIONS:
        what = f"{folder / 'constraint_violations.json'} holds {len(found)} violations, more than {_MOST_VIOLATIONS}"
        raise TooLargeError(what, hint="tell of those that matter most")
    return tuple(found)


def read_document(path: Path) -> dict[str, Any] | None:
    """A file that holds a JSON object; None where there is none."""
    data = _read(path)
    return None if data is None else _decoded(data, dict[str, Any], path, "write one JSON object")


def read_message(folder: Path) -> str:
    """What the program says of its end, in the file ``message``; empty where it says nothing."""
    data = _read(folder / MESSAGE)
    return "" if data is None else plain(data[: 4 * _MOST_MESSAGE].decode("utf-8", "replace").strip()[:_MOST_MESSAGE])


def read_metrics(folder: Path, namespace: str) -> tuple[tuple[Series, Point], ...]:
    """The metrics in every file under ``metrics/cloudwatch``, one JSON object a line, in the order of files and lines.

    Raises :class:`InputError` with file and line for one that is none.
    """
    found: list[tuple[Series, Point]] = []
    for path in sorted((folder / METRICS).rglob("*")):
        data = _read(path) if path.is_file() else None
        # Documents of one line are the rule, so the loop is over metrics, not over rows of data.
        for number, line in enumerate((data or b"").splitlines(), 1):
            if line.strip():
                found.append(_metric(line, namespace, f"{path}, line {number}"))
        if len(found) > _MOST_METRICS:
            raise TooLargeError(f"{folder / METRICS} holds more than {_MOST_METRICS} metrics", hint="publish fewer")
    return tuple(found)


def _metric(line: bytes, namespace: str, place: str) -> tuple[Series, Point]:
    hint = 'write {"MetricName": …, "Timestamp": …, "Dimensions": [{"Name": …, "Value": …}], "Value": …}'
    metric = _decoded(line, _Metric, place, hint)
    if (metric.value is None) == (metric.statistic_values is None):
        raise InputError(f"{place}: a metric has either a Value or StatisticValues", evidence=_shown(line), hint=hint)
    series = Series(namespace, metric.metric_name, {entry.name: entry.value for entry in metric.dimensions})
    _check_names(series, line, place)
    time = _moment(metric.timestamp, place)
    if metric.statistic_values is None:
        return series, point(time, metric.value)
    found = metric.statistic_values
    if found.sample_count <= 0 or found.minimum > found.maximum:
        hint = "SampleCount is above 0, and Minimum not above Maximum"
        raise InputError(f"{place}: these statistic values are none", evidence=_shown(line), hint=hint)
    return series, statistic_set(
        time, total=found.sum, minimum=found.minimum, maximum=found.maximum, count=found.sample_count
    )


def _check_names(series: Series, line: bytes, place: str) -> None:
    """What a store with an index over names and dimensions can hold."""
    if not series.name:
        hint = 'write {"MetricName": …, "Timestamp": …, "Value": …}'
        raise InputError(f"{place}: the metric has no name", evidence=_shown(line), hint=hint)
    if len(series.name) > _LONGEST_NAME or not series.name.isprintable():
        hint = f"a name has up to {_LONGEST_NAME} characters that can be printed"
        raise InputError(f"{place}: this is no name of a metric", evidence=_shown(line), hint=hint)
    if len(msgspec.json.encode(series.dimensions)) > _LONGEST_DIMENSIONS:
        hint = f"give fewer or shorter ones, {_LONGEST_DIMENSIONS} bytes of JSON at most"
        raise InputError(f"{place}: the dimensions are too long", evidence=_shown(line), hint=hint)


def _moment(given: datetime | float, place: str) -> datetime:
    """A timestamp as text or in seconds since the epoch; text without a zone is UTC."""
    try:
        if isinstance(given, datetime):
            found = given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)
        else:
            found = datetime.fromtimestamp(given if math.isfinite(given) else math.inf, UTC)
    except (OverflowError, OSError, ValueError):
        found = datetime.min.replace(tzinfo=UTC)
    if found < _EARLIEST:
        raise InputError(
            f"{place}: {given!s:.60} is no time of a metric", hint="write ISO 8601, or seconds since the epoch"
        )
    return found


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read", evidence=str(error.strerror), hint="it must be a file") from None
    if len(data) > _LARGEST:
        raise TooLargeError(f"{path} is larger than {_LARGEST >> 20} MiB", hint="write less into it")
    return data


def _decoded(data: bytes, kind: type[T], place: Path | str, hint: str) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{place}: {error}", evidence=_shown(data), hint=hint) from None


def _shown(data: bytes) -> str:
    return data[:200].decode("utf-8", "replace")
