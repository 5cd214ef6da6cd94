"""What an account has: read with clients that are handed in, by operations that only list, describe and get."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import msgspec

from driftline.account.objects import AccountObjects, code_of
from driftline.core.errors import DriftlineError
from driftline.sagemaker.alarms import namespace_of
from driftline.sagemaker.belongings import Belongings, gathered
from driftline.sagemaker.definitions import KINDS, Definition, Kind, read_definition, read_inline
from driftline.sagemaker.images import Images
from driftline.sagemaker.schedules import schedule_kind

NEEDED = ("endpoints", "monitoring schedules", "alarms")
"""The parts without which a plan is not whole."""
_MONITORS = "aws/sagemaker/"
_T = TypeVar("_T")


class Clients(NamedTuple):
    """Clients of boto3, made by whoever reads."""

    sagemaker: Any
    s3: Any
    cloudwatch: Any
    events: Any


class Unread(msgspec.Struct, frozen=True):
    """A part of the account that could not be read, and why."""

    part: str
    reason: str


class EndpointRead(msgspec.Struct, frozen=True):
    """An endpoint as it was described, with its configuration."""

    name: str
    description: dict[str, Any]
    config: dict[str, Any]


class ScheduleRead(msgspec.Struct, frozen=True):
    """A monitoring schedule as it was described, with its job definition and all that this points to.

    Where something of that could not be read or used, ``trouble`` says what; the rest may be lacking then.
    """

    name: str
    description: dict[str, Any]
    document: dict[str, Any] = {}
    definition: Definition | None = None
    belongings: Belongings | None = None
    trouble: str = ""


class Account(msgspec.Struct, frozen=True):
    """What was read. ``unused`` are (type, name) of job definitions that no schedule goes by; ``rules`` names of
    EventBridge rules about SageMaker."""

    endpoints: tuple[EndpointRead, ...] = ()
    schedules: tuple[ScheduleRead, ...] = ()
    alarms: tuple[dict[str, Any], ...] = ()
    composites: tuple[dict[str, Any], ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    rules: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()


def read_account(clients: Clients, only: Sequence[str] = (), images: Images | None = None) -> Account:
    """Read an account, or of it ``only`` what belongs to some endpoints. ``images`` say what stands for container
    images here."""
    return _Reader(clients, tuple(only), images or Images()).read()


class _Reader:
    """Reads part by part: one that is refused is noted, and the next is read."""

    def __init__(self, clients: Clients, only: tuple[str, ...], images: Images) -> None:
        self._clients, self._only, self._images = clients, only, images
        self._objects = AccountObjects(clients.s3, clients.sagemaker)
        self._refused: type[Exception] = clients.sagemaker.exceptions.ClientError
        self._unread: list[Unread] = []

    def read(self) -> Account:
        endpoints = self._part("endpoints", self._endpoints)
        schedules = self._part("monitoring schedules", self._schedules)
        alarms = self._part("alarms", partial(self._alarms, "MetricAlarm"))
        return Account(
            endpoints,
            schedules,
            alarms,
            () if self._only else self._part("composite alarms", partial(self._alarms, "CompositeAlarm")),
            () if self._only else self._part("job definitions", partial(self._unused, schedules)),
            () if self._only else self._part("EventBridge rules", self._rules),
            tuple(self._unread),
        )

    def _part(self, part: str, read: Callable[[], Iterator[_T]]) -> tuple[_T, ...]:
        found: list[_T] = []
        try:
            found.extend(read())
        except self._refused as error:
            self._unread.append(Unread(part, _reason(error)))
        return tuple(found)

    def _endpoints(self) -> Iterator[EndpointRead]:
        for row in self._rows("list_endpoints", "Endpoints"):
            name = row["EndpointName"]
            if not self._only or name in self._only:
                yield from self._part(f"endpoint {name}", partial(self._endpoint, name))

    def _endpoint(self, name: str) -> Iterator[EndpointRead]:
        description = self._clients.sagemaker.describe_endpoint(EndpointName=name)
        config: dict[str, Any] = {}
        try:
            named = description["EndpointConfigName"]
            config = self._clients.sagemaker.describe_endpoint_config(EndpointConfigName=named)
        except self._refused as error:
            self._unread.append(Unread(f"configuration of endpoint {name}", _reason(error)))
        yield EndpointRead(name, description, config)

    def _schedules(self) -> Iterator[ScheduleRead]:
        for endpoint in self._only or (None,):
            given = {} if endpoint is None else {"EndpointName": endpoint}
            for row in self._rows("list_monitoring_schedules", "MonitoringScheduleSummaries", **given):
                yield self._schedule(row)

    def _schedule(self, row: dict[str, Any]) -> ScheduleRead:
        name, description, document = row["MonitoringScheduleName"], row, {}
        definition = None
        try:
            description = self._clients.sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)
            config = description["MonitoringScheduleConfig"]
            kind = schedule_kind(config)
            document = self._document(kind, config)
            inline = "MonitoringJobDefinition" in config
            definition = read_inline(kind, document) if inline else read_definition(kind, document)
            found = gathered(self._objects, name, definition, self._images)
        except DriftlineError as error:
            trouble = ". ".join(part for part in (error.what, error.evidence, error.hint) if part)
            return ScheduleRead(name, description, document, definition, trouble=trouble)
        except self._refused as error:
            return ScheduleRead(name, description, document, definition, trouble=_reason(error))
        return ScheduleRead(name, description, document, definition, found)

    def _document(self, kind: Kind, config: dict[str, Any]) -> dict[str, Any]:
        inline: dict[str, Any] | None = config.get("MonitoringJobDefinition")
        if inline is not None:
            return inline
        describe = getattr(self._clients.sagemaker, f"describe_{kind.word.replace('-', '_')}_job_definition")
        found: dict[str, Any] = describe(JobDefinitionName=config.get("MonitoringJobDefinitionName", ""))
        return found

    def _alarms(self, kind: str) -> Iterator[dict[str, Any]]:
        for page in self._clients.cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=[kind]):
            for alarm in page.get(f"{kind}s") or ():
                if kind == "CompositeAlarm" or self._watched(alarm):
                    yield alarm

    def _watched(self, alarm: dict[str, Any]) -> bool:
        """Whether an alarm watches metrics of the monitors, of the endpoints that are asked for."""
        metrics = [alarm, *(query.get("MetricStat", {}).get("Metric", {}) for query in alarm.get("Metrics") or ())]
        for metric in metrics:
            dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions") or ()}
            mine = namespace_of(metric.get("Namespace") or "").startswith(_MONITORS)
            if mine and "MonitoringSchedule" in dimensions:
                return not self._only or dimensions.get("Endpoint") in self._only
        return False

    def _unused(self, schedules: Sequence[ScheduleRead]) -> Iterator[tuple[str, str]]:
        configs = [one.description.get("MonitoringScheduleConfig") or {} for one in schedules]
        used = {config.get("MonitoringJobDefinitionName") for config in configs}
        for kind in KINDS.values():
            listing = f"list_{kind.word.replace('-', '_')}_job_definitions"
            for row in self._rows(listing, "JobDefinitionSummaries"):
                if row["MonitoringJobDefinitionName"] not in used:
                    yield kind.type, row["MonitoringJobDefinitionName"]

    def _rules(self) -> Iterator[str]:
        for page in self._clients.events.get_paginator("list_rules").paginate():
            yield from (rule["Name"] for rule in page["Rules"] if "aws.sagemaker" in (rule.get("EventPattern") or ""))

    def _rows(self, listing: str, key: str, **given: Any) -> Iterator[dict[str, Any]]:
        for page in self._clients.sagemaker.get_paginator(listing).paginate(**given):
            yield from page[key]


def _reason(error: Any) -> str:
    """What a client was refused with; messages of missing rights name the caller and the action, and no secrets."""
    message = str(error.response.get("Error", {}).get("Message", ""))
    return f"{code_of(error)}: {message}"[:500]
