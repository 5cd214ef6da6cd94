"""``driftline alarm …``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from driftline.cli.endpoints import Json, Url
from driftline.cli.output import brief, out, plain, table

alarm = typer.Typer(help="What to be told about.", no_args_is_help=True)
Targets = Annotated[list[str] | None, typer.Option(help="'log' or an http(s) URL; may be given more than once")]


@alarm.command("put")
def put_alarm(
    name: str,
    metric: Annotated[str, typer.Option(help="such as f2")],
    endpoint: Annotated[str, typer.Option(help="the endpoint")],
    schedule: Annotated[str, typer.Option(help="the schedule that publishes the metric")],
    operator: Annotated[str, typer.Option(help="LessThanThreshold, LessThanOrEqualToThreshold, GreaterThan…")],
    threshold: Annotated[float, typer.Option()],
    statistic: Annotated[str, typer.Option(help="Average, Sum, Minimum, Maximum or SampleCount")] = "Average",
    period: Annotated[int, typer.Option(help="seconds")] = 3600,
    evaluation_periods: Annotated[int, typer.Option(help="N of M of N")] = 1,
    datapoints_to_alarm: Annotated[int, typer.Option(help="M of M of N")] = 1,
    treat_missing: Annotated[str, typer.Option(help="missing, ignore, breaching or notBreaching")] = "missing",
    on_alarm: Targets = None,
    on_ok: Targets = None,
    on_insufficient_data: Targets = None,
    url: Url = None,
    json: Json = False,
) -> int:
    """Create or change an alarm on a metric of a schedule."""
    from driftline.client import Client
    from driftline.resources.alarms import NewAlarm

    out.json = json
    # Words that are none of the operators, statistics or policies are refused by the service, with what there is.
    asked: dict[str, Any] = {"operator": operator, "statistic": statistic, "treat_missing": treat_missing}
    wanted = NewAlarm(
        metric=metric,
        endpoint=endpoint,
        schedule=schedule,
        threshold=threshold,
        period=period,
        evaluation_periods=evaluation_periods,
        datapoints_to_alarm=datapoints_to_alarm,
        alarm_actions=tuple(on_alarm or ()),
        ok_actions=tuple(on_ok or ()),
        insufficient_data_actions=tuple(on_insufficient_data or ()),
        **asked,
    )
    with Client(url) as client:
        found = client.put_alarm(name, wanted)
    out.result(found, [f"{name} is {found.state}: {found.reason}"])
    return 0


@alarm.command("list")
def list_alarms(url: Url = None, json: Json = False) -> int:
    """Every alarm with its state."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.list_alarms()
    rows = [(row.name, row.state, brief(row.state_since), row.reason) for row in found]
    out.result(found, table(rows, ("alarm", "state", "since", "reason")))
    return 0


@alarm.command("show")
def show_alarm(name: str, url: Url = None, json: Json = False) -> int:
    """One alarm: its definition, its history, and who was told."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.get_alarm(name)
        history = client.alarm_history(name)
        sent = client.alarm_notifications(name)
    changes = [(brief(row.time), f"{row.from_state} → {row.to_state}", row.reason) for row in history]
    told = [(row.target, row.status, row.attempts, row.last_error or "") for row in sent]
    lines = [f"{name} is {found.state} since {brief(found.state_since)}", f"  {found.reason}", ""]
    lines += [*table(changes, ("time", "change", "reason")), "", *table(told, ("told", "status", "tries", "error"))]
    out.result(plain(found, history=history, deliveries=sent), lines)
    return 0


@alarm.command("delete")
def delete_alarm(name: str, url: Url = None) -> int:
    """Delete an alarm; its history stays."""
    from driftline.client import Client

    with Client(url) as client:
        client.delete_alarm(name)
    out.say(f"{name} is deleted")
    return 0
