"""``driftline alarm …``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from driftline.cli.endpoints import Json, Url
from driftline.cli.output import brief, out, paint, plain, table

if TYPE_CHECKING:
    from driftline.resources.metrics import Series

_SHOWN = 5
alarm = typer.Typer(help="What to be told about.", no_args_is_help=True)
Targets = Annotated[
    list[str] | None,
    typer.Option(help="'log', an http(s) URL, command:NAME, call:NAME or an apprise URL; may be given more than once"),
]


@alarm.command("put")
def put_alarm(
    name: str,
    metric: Annotated[str, typer.Option(help="such as f2")] = "",
    endpoint: Annotated[str | None, typer.Option(help="the endpoint")] = None,
    schedule: Annotated[str | None, typer.Option(help="the schedule that publishes the metric")] = None,
    dimension: Annotated[
        list[str] | None,
        typer.Option(help="a further dimension of the metric, as NAME=VALUE; one option each"),
    ] = None,
    operator: Annotated[
        str, typer.Option(help="LessThanThreshold, LessThanOrEqualToThreshold, GreaterThan…; the default is of a band")
    ] = "LessThanLowerOrGreaterThanUpperThreshold",
    threshold: Annotated[float | None, typer.Option(help="a number; or give --band or --rule")] = None,
    band: Annotated[float | None, typer.Option(help="width of a band from the metric's own past, such as 4")] = None,
    band_history: Annotated[int, typer.Option(help="datapoints that the band looks back on")] = 100,
    band_least: Annotated[int, typer.Option(help="datapoints without which there is no band")] = 20,
    band_season: Annotated[str, typer.Option(help="hour: only datapoints of the same hour of the day")] = "none",
    rule: Annotated[
        str | None, typer.Option(help="over other alarms: 'ALARM(a) AND NOT OK(b)'; needs no metric")
    ] = None,
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
    """Create or change an alarm on a metric of a schedule, or over other alarms."""
    from driftline.client import Client
    from driftline.resources.alarms import Band, NewAlarm

    out.json = json
    # Words that are none of the operators, statistics or policies are refused by the service, with what there is.
    asked: dict[str, Any] = {"operator": operator, "statistic": statistic, "treat_missing": treat_missing}
    season: Any = band_season
    wanted = NewAlarm(
        rule=rule,
        band=None if band is None else Band(band, band_history, band_least, season),
        metric=metric,
        endpoint=endpoint,
        schedule=schedule,
        dimensions=_dimensions(endpoint, schedule, dimension),
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
        if found.state == "INSUFFICIENT_DATA" and found.definition.rule is None:
            _tell_others(found.definition.series, client.list_metrics(name=metric))
    out.result(found, [f"{name} is {found.state}: {found.reason}"])
    return 0


def _dimensions(endpoint: str | None, schedule: str | None, further: list[str] | None) -> dict[str, str] | None:
    """All dimensions, where some are given beside endpoint and schedule."""
    from driftline.core.errors import InputError

    if not further:
        return None
    pairs = [text.partition("=") for text in further]
    wrong = [text for text, (name, _, value) in zip(further, pairs, strict=True) if not (name and value)]
    if wrong:
        raise InputError(f"{wrong[0]!r} is no dimension", hint="write NAME=VALUE, such as Facet=plan")
    run = {"Endpoint": endpoint, "MonitoringSchedule": schedule}
    return {name: value for name, value in run.items() if value} | {name: value for name, _, value in pairs}


def _tell_others(watched: Series, known: list[Series]) -> None:
    """What a metric's series are told apart by beyond the dimensions that were given."""
    given = watched.dimensions.items()
    further = [one.dimensions.items() - given for one in known if given < one.dimensions.items()]
    if not further:
        return
    out.say(f"{paint('note:', 'yellow')} {watched.name} has more dimensions; add those of one series:")
    for pairs in further[:_SHOWN]:
        out.say("  " + " ".join(f"--dimension {shlex.quote(f'{key}={value}')}" for key, value in sorted(pairs)))


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
    told = [(row.target, row.status, row.attempts, row.last_error or row.outcome or "") for row in sent]
    lines = [f"{name} is {found.state} since {brief(found.state_since)}", f"  {found.reason}"]
    if (known := found.acknowledged) is not None:
        lines.append(f"  acknowledged by {known.author} at {brief(known.time)}: {known.note}")
    lines += ["", *table(changes, ("time", "change", "reason"))]
    lines += ["", *table(told, ("told", "status", "tries", "outcome"))]
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
