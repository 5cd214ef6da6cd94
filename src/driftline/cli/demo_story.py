"""What the demo tells when its day is over."""

from __future__ import annotations

from typing import Any

from driftline.cli.output import paint, table, verdict


def story(result: dict[str, Any]) -> list[str]:
    """The lines about a day: its runs, its other monitors, its alarm, its files, and what to try next."""
    paths = result["paths"]
    return [
        "",
        paint("What the hourly schedule found", "bold"),
        *table([_row(run) for run in result["runs"]], ("window", "verdict", "n", "first finding")),
        "",
        paint("What the other monitors found", "bold"),
        *table([_others(one) for one in result["monitors"]], ("schedule", "OK", "violated", "unknown", "last finding")),
        "",
        paint(f"What the alarm {result['alarm']} did", "bold"),
        *(_change(change) for change in result["alarm_transitions"]),
        "",
        paint("Where everything lies", "bold"),
        *(f"  {name:<9} {path}" for name, path in paths.items()),
        "",
        paint("What to try next", "bold"),
        f"  driftline serve --data {paths['data']}",
        f"  driftline check model-quality --captures {paths['captures']} --labels {paths['labels']} \\",
        f"    --constraints {paths['baseline']}/constraints.json --probability-attribute 0",
    ]


def _row(run: dict[str, Any]) -> tuple[object, ...]:
    found = run["violations"][0]["description"] if run["violations"] else _why(run)
    hours = f"{run['window_start'][11:16]}–{run['window_end'][11:16]}"
    return hours, verdict(run["verdict"]), run["item_count"] or 0, found


def _why(run: dict[str, Any]) -> str:
    return run["reasons"][0]["message"] if run["reasons"] else ""


def _others(found: dict[str, Any]) -> tuple[object, ...]:
    counts = found["verdicts"]
    return found["schedule"], *(counts.get(name, 0) for name in ("OK", "VIOLATED", "UNKNOWN")), found["last"]


def _change(change: dict[str, Any]) -> str:
    moved = f"{change['from_state']} → {change['to_state']}"
    return f"  {change['time'][11:16]}  {moved}\n         {change['reason']}"
