"""What an account would become here: everything that was read, each as an item. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from driftline.account.differences import of_definition, of_endpoint, without_counterpart
from driftline.account.items import Item, NewBaseline, NewExternal, NewSchedule, NewScript
from driftline.account.reading import Account, EndpointRead, ScheduleRead
from driftline.account.watching import alarm_item, composite_item
from driftline.core.errors import DriftlineError
from driftline.jobs.analyses import settled_for
from driftline.sagemaker.belongings import Belongings
from driftline.sagemaker.definitions import Definition
from driftline.sagemaker.endpoints import capture_of
from driftline.sagemaker.schedules import attributes, derived_name, timing

_SHOWN = ("percent", "input", "output")


def plan(account: Account, now: datetime, output: str | None = None) -> list[Item]:
    """The items of an account, each after what it needs. ``now`` decides how far apart the runs of a schedule are.

    Results go below ``output``, an ``s3://`` prefix; without it they go where the account's own schedules write theirs.
    """
    endpoints = {one.name: one for one in account.endpoints}
    found = [_endpoint(one) for one in account.endpoints]
    places = {item.name: _captured(endpoints[item.name]) for item in found if item.made is not None}
    refused = {item.name: item.says for item in found if item.made is None}
    for schedule in account.schedules:
        found += _schedule(schedule, places, refused, now, output)
    made = {item.name for item in found if item.kind == "schedule" and item.made is not None}
    found += [alarm_item(one, made) for one in account.alarms]
    alarms = {item.name for item in found if item.kind == "alarm" and item.made is not None}
    found += [composite_item(one, alarms) for one in account.composites]
    hint = "no schedule goes by it, so there is nothing to run"
    found += [Item("job definition", name, hint) for _, name in account.unused]
    rule = "rules are not carried over: an alarm can call a web hook or a command here"
    return found + [Item("EventBridge rule", name, rule) for name in account.rules]


def _endpoint(read: EndpointRead) -> Item:
    reason = without_counterpart(read)
    if reason is not None:
        return Item("endpoint", read.name, reason)
    made = NewExternal(_capture(read))
    says = f"external, its model stays where it is; captures are read from {_captured(read)}"
    return Item("endpoint", read.name, says, made, of_endpoint(read))


def _capture(read: EndpointRead) -> dict[str, Any]:
    """The capture settings; a description alone tells no more of them than the share of requests."""
    if read.config.get("DataCaptureConfig"):
        settings = capture_of(read.config)
        return {name: settings[name] for name in _SHOWN}
    share = read.description["DataCaptureConfig"].get("CurrentSamplingPercentage")
    return {} if share is None else {"percent": float(share)}


def _captured(read: EndpointRead) -> str:
    """The folder that holds the variants of an endpoint's captures."""
    given = read.config.get("DataCaptureConfig") or read.description.get("DataCaptureConfig") or {}
    return f"{given.get('DestinationS3Uri', '').rstrip('/')}/{read.name}"


def _schedule(
    read: ScheduleRead, places: dict[str, str], refused: dict[str, str], now: datetime, output: str | None
) -> list[Item]:
    definition = read.definition
    if read.trouble or definition is None or read.belongings is None:
        return [Item("schedule", read.name, read.trouble or "its job definition was not read")]
    if definition.endpoint is not None and definition.endpoint not in places:
        why = refused.get(definition.endpoint, "it was not read")
        return [Item("schedule", read.name, f"its endpoint {definition.endpoint} has no counterpart: {why}")]
    config = read.description["MonitoringScheduleConfig"]
    if (config.get("ScheduleConfig") or {}).get("ScheduleExpression") == "NOW":
        return [
            Item("schedule", read.name, "it ran once, and has no runs to come; driftline schedule run does the same")
        ]
    try:
        more = settled_for(definition, read.belongings)
        options = timing(config, definition, now)
    except DriftlineError as error:
        return [Item("schedule", read.name, ". ".join(part for part in (error.what, error.evidence) if part))]
    place = None if definition.endpoint is None else places[definition.endpoint]
    given = attributes(definition, place) | read.belongings.attributes | more
    given |= {} if output is None else {"output": output}
    return _whole(read, definition, read.belongings, {"attributes": given} | options)


def _whole(read: ScheduleRead, definition: Definition, brought: Belongings, options: dict[str, Any]) -> list[Item]:
    """A schedule after all that it needs."""
    found = _belongings(read.name, definition, brought)
    baseline = None if brought.constraints is None else derived_name(read.name, "baseline")
    endpoint = definition.endpoint or read.name
    options |= {
        "endpoint": endpoint,
        "monitor": definition.kind.monitor,
        "baseline": baseline,
        "time_limit": float(definition.seconds),
    }
    if definition.problem_type is not None:
        options["problem_type"] = definition.problem_type
    differs, paused = of_definition(read, definition, options["attributes"]["output"])
    says = f"{definition.kind.monitor} of {endpoint}, {options['cron']}"
    needs = (("endpoint", endpoint), *((item.kind, item.name) for item in found))
    made = NewSchedule(options, paused)
    return [*found, Item("schedule", read.name, says, made, differs, needs=needs)]


def _belongings(name: str, definition: Definition, brought: Belongings) -> list[Item]:
    found = []
    if definition.batch:
        says = f"stands in for captures of batch transforms: {definition.source['DataCapturedDestinationS3Uri']}"
        found.append(Item("endpoint", name, says, NewExternal(), owner=name))
    for script, code in brought.scripts.items():
        says = f"a copy of {definition.preprocessor if 'preprocessor' in script else definition.postprocessor}"
        found.append(Item("script", script, says, NewScript(code), owner=name))
    if brought.constraints is not None:
        made = NewBaseline(brought.constraints, brought.statistics)
        says = f"a copy of {definition.constraints or f'what {definition.baselining_job} wrote'}"
        found.append(Item("baseline", derived_name(name, "baseline"), says, made, owner=name))
    return found
