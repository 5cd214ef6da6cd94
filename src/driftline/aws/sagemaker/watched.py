"""What a monitoring schedule goes by: its job definition, wherever that is, also of schedules made without AWS."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

from driftline.aws.context import Context
from driftline.aws.errors import validation
from driftline.core.errors import NotFoundError
from driftline.resources.registered import Registered
from driftline.resources.schedules import Schedule
from driftline.sagemaker.definitions import Definition, kind_of_monitor, read_definition, read_inline
from driftline.sagemaker.schedules import schedule_kind

KIND = "monitoring-schedule"


class Watched(NamedTuple):
    """A schedule with what it goes by: the definition, and the document that it was read from. ``entry`` is None of
    a schedule that no AWS client made."""

    schedule: Schedule
    entry: Registered | None
    definition: Definition
    document: dict[str, Any]

    @property
    def config(self) -> dict[str, Any]:
        """The MonitoringScheduleConfig as it was sent; empty where none was."""
        found: dict[str, Any] = {} if self.entry is None else self.entry.document.get("MonitoringScheduleConfig", {})
        return found


def watched(context: Context, schedule: Schedule) -> Watched:
    """What a schedule goes by."""
    try:
        entry = context.registry.get(KIND, schedule.name)
    except NotFoundError:
        return Watched(schedule, None, _native(schedule), {})
    config = entry.document.get("MonitoringScheduleConfig")
    if config is not None:
        with suppress(NotFoundError):  # a definition that is gone must not hide its schedule
            return Watched(schedule, entry, *defined(context, config))
    return Watched(schedule, entry, _native(schedule), {})


def defined(context: Context, config: dict[str, Any]) -> tuple[Definition, dict[str, Any]]:
    """The job definition that a MonitoringScheduleConfig holds or names, and its document."""
    kind = schedule_kind(config)
    inline = config.get("MonitoringJobDefinition")
    if inline is not None:
        return read_inline(kind, inline), inline
    name = config.get("MonitoringJobDefinitionName")
    if not name:
        raise validation(
            "a schedule needs a job definition: give MonitoringJobDefinitionName or MonitoringJobDefinition"
        )
    document = context.registry.get(kind.registered, name).document
    return read_definition(kind, document), document


def _native(schedule: Schedule) -> Definition:
    attributes = schedule.attributes
    named = {
        "InferenceAttribute": attributes.get("inference_attribute"),
        "ProbabilityAttribute": attributes.get("probability_attribute"),
    }
    given = {key: str(value) for key, value in named.items() if value is not None}
    kind = kind_of_monitor(schedule.monitor)
    return Definition(
        kind=kind,
        source={"EndpointName": schedule.endpoint} | given,
        batch=False,
        output=attributes.get("output", ""),
        image="driftline",
        seconds=round(schedule.time_limit),
        problem_type=schedule.problem_type if kind.type == "ModelQuality" else None,
        ground_truth=attributes.get("labels"),
    )
