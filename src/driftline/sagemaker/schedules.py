"""Schedules: when a monitoring schedule looks at what, in our words."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from driftline.core.cron import Cron
from driftline.core.errors import InputError
from driftline.core.window import parse_duration
from driftline.sagemaker.definitions import KINDS, Definition, Kind

_MOST = 63


def schedule_kind(config: dict[str, Any]) -> Kind:
    """The type of monitoring of a MonitoringScheduleConfig; data quality where nothing is said."""
    return KINDS[config.get("MonitoringType") or "DataQuality"]


def derived_name(schedule: str, what: str) -> str:
    """A name for something that belongs to a schedule alone, of at most 63 characters.

    >>> derived_name("hourly", "baseline")
    'hourly-baseline'
    >>> len(derived_name("x" * 63, "baseline"))
    63
    """
    plain = f"{schedule}-{what}"
    if len(plain) <= _MOST:
        return plain
    digest = hashlib.sha256(schedule.encode()).hexdigest()[:8]
    return f"{schedule[: _MOST - len(what) - 10]}-{digest}-{what}"


def timing(config: dict[str, Any], definition: Definition, now: datetime) -> dict[str, str]:
    """The ``cron`` and the offsets of a schedule. A schedule without an expression runs once an hour.

    Both kinds of offsets count from the time of the run, ours from the ends of the window before it: so the time
    between two runs is added to that of the start.
    """
    when = config.get("ScheduleConfig") or {"ScheduleExpression": "cron(0 * ? * * *)"}
    expression = when["ScheduleExpression"]
    start, end = _offsets(when, definition)
    cron = Cron(expression)
    if cron.once:
        if start is None:
            hint = "give DataAnalysisStartTime and DataAnalysisEndTime, such as -PT1H and -PT0H"
            raise InputError("a schedule of the expression NOW needs to be told what to look at", hint=hint)
        return {"cron": "NOW", "start_offset": start, "end_offset": end or "PT0S"}
    between = _between(cron, now)
    ahead = "PT0S" if start is None else duration(parse_duration(start) + between)
    return {"cron": expression, "start_offset": ahead, "end_offset": end or "PT0S"}


def _offsets(when: dict[str, Any], definition: Definition) -> tuple[str | None, str | None]:
    start, end = when.get("DataAnalysisStartTime"), when.get("DataAnalysisEndTime")
    if start is None and end is None:
        start, end = definition.source.get("StartTimeOffset"), definition.source.get("EndTimeOffset")
    return start, end


def _between(cron: Cron, now: datetime) -> timedelta:
    tick = cron.next(now)
    if tick is None:
        return timedelta()
    window = cron.window(tick)
    return window.end - window.start


def duration(length: timedelta) -> str:
    """A length as ISO 8601 writes it.

    >>> duration(timedelta(hours=-8)), duration(timedelta(minutes=90))
    ('-PT28800S', 'PT5400S')
    """
    seconds = round(length.total_seconds())
    return f"{'-' if seconds < 0 else ''}PT{abs(seconds)}S"


def attributes(definition: Definition, capture_destination: str | None = None) -> dict[str, Any]:
    """What our schedules call attributes: where predictions, labels and results are.

    ``capture_destination`` is where captures are that this service does not make: the folder with the variants.
    """
    found: dict[str, Any] = {"output": definition.output}
    source = definition.source
    for theirs, ours in _ATTRIBUTES.items():
        if source.get(theirs) not in (None, ""):
            found[ours] = source[theirs]
    if definition.kind.monitor == "bias" and not {"inference_attribute", "probability_attribute"} & found.keys():
        # Where nothing is said the whole output is meant: a label, or with a threshold a probability.
        found["probability_attribute" if "probability_threshold" in found else "inference_attribute"] = "0"
    excluded = [name.strip() for name in (source.get("ExcludeFeaturesAttribute") or "").split(",") if name.strip()]
    if excluded:
        found["exclude"] = [f"_c{name}" if name.isdigit() else name for name in excluded]
    if definition.ground_truth is not None:
        found["labels"] = definition.ground_truth
    if definition.batch:
        found["transform"] = source["DataCapturedDestinationS3Uri"]
        found["dataset_format"] = source["DatasetFormat"]
    elif capture_destination is not None:
        found["captures"] = capture_destination
    return found


_ATTRIBUTES = {
    "InferenceAttribute": "inference_attribute",
    "ProbabilityAttribute": "probability_attribute",
    "ProbabilityThresholdAttribute": "probability_threshold",
}
