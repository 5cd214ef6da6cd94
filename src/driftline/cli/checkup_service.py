"""What ``driftline doctor`` asks a running service."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from driftline.cli.findings import Finding
from driftline.cli.guard import loopback
from driftline.client import Client
from driftline.core.errors import AccessError, DriftlineError
from driftline.resources.executions import Execution


def service(url: str | None) -> list[Finding]:
    """Whether it answers, can work, is guarded, and how its latest runs went."""
    with Client(url, timeout=5.0) as client:
        if not client.healthy():
            return [_absent(client)]
        return [*_readiness(client), *_access(client), *_work(client)]


def _absent(client: Client) -> Finding:
    """Nothing answers: is the port free, or does something else listen there?"""
    place = urlsplit(client.url)
    hint = "start one with 'driftline serve --data DIR', or name it with --url or DRIFTLINE_URL"
    try:
        port = place.port or (443 if place.scheme == "https" else 80)
        with socket.create_connection((place.hostname or "", port), timeout=2.0):
            what = f"something listens at {client.url}, and it is no driftline service that works"
            return Finding("wrong", what, "choose another port with --port, or look into that program's log")
    except (OSError, ValueError):
        return Finding("warning", f"no driftline service answers at {client.url}, the port is free", hint)


def _readiness(client: Client) -> list[Finding]:
    try:
        checks = client.readiness().checks
    except DriftlineError as error:
        return [Finding("wrong", error.what, error.hint)]
    return [
        Finding("wrong" if not check.ok else "warning" if check.hint else "ok", check.message, check.hint)
        for check in checks
    ]


def _access(client: Client) -> list[Finding]:
    if client.guarded():
        return [Finding("ok", "access is on: requests need a token")]
    host = urlsplit(client.url).hostname or ""
    what = f"access is off: everyone who reaches {client.url} may do everything"
    hint = "restart with --access on, after: driftline token create NAME --role admin --data DIR"
    return [Finding("warning" if loopback(host) else "wrong", what, hint)]


def _work(client: Client) -> list[Finding]:
    try:
        runs = client.list_runs(limit=20)
        endpoints, schedules = client.list_endpoints(), client.list_schedules()
    except AccessError as error:
        return [Finding("wrong", error.what, "set DRIFTLINE_TOKEN to a token of the role reader or above")]
    except DriftlineError as error:
        return [Finding("wrong", error.what, error.hint)]
    found = f"service at {client.url}: {len(endpoints)} endpoints, {len(schedules)} schedules"
    return [Finding("ok", found), *_runs(runs)]


def _runs(runs: list[Execution]) -> list[Finding]:
    found = []
    if finished := [run for run in runs if run.finished is not None]:
        last = finished[0]
        found.append(Finding("ok", f"last run: {last.schedule} {last.window}, {last.verdict or last.status}"))
    if failed := [run for run in runs if run.status == "Failed"]:
        hint = f"driftline runs show {failed[0].id}"
        what = f"{len(failed)} of the last {len(runs)} runs failed: {failed[0].error}"
        found.append(Finding("warning", what, hint))
    waiting = [run for run in runs if run.status == "Pending"]
    if len(waiting) > 5:
        hint = "does the scheduler run? see the server's log"
        found.append(Finding("warning", f"{len(waiting)} runs are waiting", hint))
    return found
