"""One endpoint: its verdict in a sentence, its monitors, its traffic and its labels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection

from driftline.core.window import HOUR, Window
from driftline.jobs.overdue import overdue
from driftline.reporting.verdict_sentences import JudgedRun, Watching, endpoint_sentence
from driftline.resources.access import AuditEntry
from driftline.resources.endpoints import CaptureHour, Endpoint
from driftline.resources.executions import OverdueWindow
from driftline.service import Service
from driftline.service.dashboard.label_windows import LabelWindow, label_windows
from driftline.service.dashboard.monitor_states import worst_of
from driftline.service.dashboard.panels import Panel, panels_of
from driftline.storage import audit, endpoints, last_runs
from driftline.storage.last_runs import Found, LastSpoken
from driftline.storage.open_alarms import AlarmLine, alarms_of
from driftline.storage.recent_runs import RunLine, recent_runs

MOST_DAYS = 14
_LOOKED_BACK = 48
"""How many runs of a schedule are looked back on."""
_MOST_SCHEDULES = 20
_TREND = timedelta(days=7)
_RUNS = 20
_ALARMS = 50
_CHANGES = 10
_TRAFFIC = ("put_labels", "put_events", "invoke")
"""What the audit log counts and nobody calls a change."""


class EndpointView(msgspec.Struct, frozen=True):
    """What the page of an endpoint shows; ``hours`` and ``labels`` are of the time from ``since`` on."""

    endpoint: Endpoint
    now: datetime
    since: datetime
    trends_since: datetime
    days: int
    state: str
    sentence: str
    panels: list[Panel]
    hours: list[CaptureHour]
    labels: list[LabelWindow]
    alarms: list[AlarmLine]
    runs: list[RunLine]
    changes: list[AuditEntry]


def endpoint_view(service: Service, name: str, *, days: int = 2, zone: tzinfo, audited: bool = False) -> EndpointView:
    """Look at an endpoint; ``days`` (1 to 14) of traffic and labels, the sentence with the times of a zone.

    Only where ``audited`` is it told who changed the endpoint.

    Raises :class:`NotFoundError` when there is no such endpoint.
    """
    now, days = service.now(), min(max(days, 1), MOST_DAYS)
    since = now.replace(minute=0, second=0, microsecond=0) + HOUR - timedelta(days=days)
    with service.store.read() as db:
        endpoint = endpoints.get(db, name)
        schedules = last_runs.last_spoken(db, endpoint=name)[:_MOST_SCHEDULES]
        late = [one for one in overdue(db, now) if one.endpoint == name]
        runs = {one.name: last_runs.lately(db, one.name, _LOOKED_BACK) for one in schedules}
        panels = panels_of(db, schedules, {one.schedule for one in late}, runs, now - _TREND)
        labels = _labels(db, schedules, since)
        changes = _changes(db, name) if audited else []
        alarms, lines = alarms_of(db, name, _ALARMS), recent_runs(db, name, _RUNS)
    hours = service.capture_counts(name, Window(since, now + HOUR))
    state = worst_of(panel.state.state for panel in panels)
    sentence = endpoint_sentence([_watching(one, runs[one.name], late) for one in schedules], now, zone)
    return EndpointView(
        endpoint, now, since, now - _TREND, days, state, sentence, panels, hours, labels, alarms, lines, changes
    )


def _watching(schedule: LastSpoken, runs: Sequence[Found], late: Sequence[OverdueWindow]) -> Watching:
    due = min((one.due for one in late if one.schedule == schedule.name), default=None)
    judged = tuple(
        JudgedRun(run.window_start, run.window_end, run.verdict, run.status, run.violations, run.reasons, run.counts)
        for run in runs
    )
    return Watching(schedule.monitor, schedule.name, judged, schedule.state == "paused", due)


def _changes(db: Connection, name: str) -> list[AuditEntry]:
    """The latest changes of an endpoint."""
    entries = audit.listing(db, target="endpoints/" + quote(name, safe="-._~"), limit=10 * _CHANGES)
    return [one for one in entries if one.action not in _TRAFFIC][:_CHANGES]


def _labels(db: Connection, schedules: Sequence[LastSpoken], since: datetime) -> list[LabelWindow]:
    """The windows of the first schedule of model quality: of all monitors it is the one that always counts labels."""
    name = next((one.name for one in schedules if one.monitor == "model-quality"), None)
    return [] if name is None else label_windows(db, name, since)
