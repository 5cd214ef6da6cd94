"""What stands around a run: the windows beside its own, the judgements of its window, its files, and who watches."""

from __future__ import annotations

from datetime import datetime

import msgspec

from driftline.alerting.metrics import namespace_of
from driftline.core.documents import FAMILIES
from driftline.core.errors import InputError
from driftline.core.verdict import Verdict
from driftline.reporting.statistics import Entry, read_entry
from driftline.resources.executions import Execution, ExecutionStatus, RunCause
from driftline.resources.mutes import NewMute
from driftline.resources.schedules import Schedule
from driftline.service import Service
from driftline.service.dashboard.accepting import schedule_or_none, why_not
from driftline.service.dashboard.main_metrics import MAIN_METRICS
from driftline.service.dashboard.raw_documents import part
from driftline.service.dashboard.run_files import Log, ReportFile, report_files, run_log
from driftline.storage import alarms, timeline
from driftline.storage.timeline import RunMark

SILENCES = (60, 1440)
"""For how many minutes the alarms of a schedule can be silenced from a page."""


class Judgement(msgspec.Struct, frozen=True):
    """One revision of a window; ``metric`` is its main one, where its monitor has one."""

    run: str
    revision: int
    cause: RunCause
    status: ExecutionStatus
    verdict: Verdict | None
    created: datetime
    rows: int | None
    coverage: float | None
    metric: str = ""
    value: float | None = None
    lower: float | None = None
    upper: float | None = None


class Around(msgspec.Struct, frozen=True):
    """What stands around a run. ``unaccepted`` says why it cannot become a baseline, empty where it can."""

    schedule: Schedule | None
    before: RunMark | None
    after: RunMark | None
    judgements: tuple[Judgement, ...]
    alarms: tuple[str, ...]
    unaccepted: str
    log: Log
    files: tuple[ReportFile, ...]


def around(service: Service, run: Execution) -> Around:
    """Look around a run."""
    schedule = schedule_or_none(service, run.schedule)
    with service.store.read() as db:
        before, after = timeline.neighbours(db, run)
        judged = timeline.revisions(db, run.schedule, run.window)
        watching = [] if schedule is None else alarms.of_schedule(db, namespace_of(schedule), schedule.name)
    files = tuple(report_files(service, run))
    revisions = tuple(map(_judgement, judged))
    return Around(
        schedule, before, after, revisions, tuple(watching), why_not(run, schedule), run_log(service, run), files
    )


def silence_schedule(service: Service, name: str, minutes: int, author: str | None = None) -> list[str]:
    """Mute every alarm that watches a schedule for so many minutes; their names.

    Raises :class:`InputError` where none does.
    """
    schedule = service.get_schedule(name)
    with service.store.read() as db:
        watching = alarms.of_schedule(db, namespace_of(schedule), name)
    if not watching:
        raise InputError(f"no alarm watches {name}", hint="there is nothing to silence; make an alarm first")
    for alarm in watching:
        reason = f"all alarms of {name} silenced from the page of a run"
        service.mute_alarms(NewMute(reason, alarm, minutes=float(minutes), author=author))
    return watching


def _judgement(found: timeline.Revision) -> Judgement:
    matched = found.counts.get("matched", 0)
    predictions = matched + found.counts.get("unlabelled", 0)
    name, entry = _main(found.statistics)
    return Judgement(
        found.id,
        found.revision,
        found.cause,
        found.status,
        found.verdict,
        found.created,
        found.item_count,
        matched / predictions if predictions else None,
        name,
        entry.value,
        entry.lower,
        entry.upper,
    )


def _main(statistics: bytes) -> tuple[str, Entry]:
    """The main metric of a run of model quality, read past everything else that stands there."""
    for family in FAMILIES.values():
        for name in MAIN_METRICS:
            found = part(statistics, f"{family}_metrics", name)
            if isinstance(found, dict):
                return name, read_entry(found)
    return "", Entry(None)
