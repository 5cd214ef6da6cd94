"""Cleaning up: what endpoints say about how long to keep things, and what runs, schedules and alarms still need."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from driftline.core.cron import Cron
from driftline.core.errors import InputError
from driftline.core.records import utc
from driftline.core.window import HOUR, parse_duration
from driftline.engine.compacted.hour import originals_in
from driftline.jobs.late_labels import HORIZON
from driftline.jobs.places import ELSEWHERE
from driftline.jobs.retention_store import sweep_models, sweep_originals, sweep_store
from driftline.jobs.shared import SHARED, Shared
from driftline.resources.alarms import Alarm
from driftline.resources.retention import Removed, Retention, RetentionReport
from driftline.resources.schedules import Schedule
from driftline.stats.hindsight import RECENT
from driftline.storage import alarms, arrivals, retention_rows, schedules
from driftline.storage.arrivals import Kind
from driftline.storage.clock import system_clock
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.storage.retention import Swept, sweep_file, sweep_hours

logger = logging.getLogger("driftline.jobs")
FOREVER = "forever"
LEAST = timedelta(hours=1)
MODEL_GRACE = timedelta(days=1)
"""A model file younger than this may belong to a deployment under way."""
ORIGINALS_GRACE = timedelta(hours=1)
"""A compacted file younger than this, in real time, may be unknown to a run that is reading its originals."""
_LABELS_BEFORE = timedelta(days=1)
"""A run reads the labels from this long before its window."""
_DAY = timedelta(days=1)
_LONGEST = timedelta(days=36500)
_ARRIVALS_KEPT = timedelta(days=400)
"""So long it is remembered to which hours something was added in the store of many nodes."""
_ARRIVING: dict[str, Kind] = {"captures": "captures", "labels": "labels"}
_TICK = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Needed(msgspec.Struct, frozen=True):
    """From when on data of an endpoint is still needed; the present where nothing needs it."""

    captures: datetime
    labels: datetime
    ticks: datetime
    metrics: datetime
    now: datetime

    def of(self, kind: str) -> datetime:
        """The time of a kind of data."""
        if kind == "originals":
            return self.now
        names = {"merged": "captures", "reports": "ticks", "executions": "ticks"}
        found: datetime = getattr(self, names.get(kind, kind))
        return found


def changed(current: dict[str, str] | None, change: Retention) -> dict[str, str]:
    """Settings with changes, checked: a duration of at least an hour for each kind, or ``forever``."""
    settings = dict(current or {})
    for kind, value in msgspec.to_builtins(change).items():
        settings[kind] = value
        if value != FOREVER and parse_duration(value) < LEAST:
            raise InputError(
                f"{kind} cannot be kept for so short a time",
                evidence=value,
                hint="give one hour (PT1H) or more, such as P30D, or 'forever'",
            )
    return {kind: value for kind, value in settings.items() if value != FOREVER}


def needed(connection: Connection, endpoint: str, now: datetime) -> Needed:
    """What unfinished runs, the next windows of schedules, windows that may be judged again, and alarms still read."""
    waiting = retention_rows.unfinished(connection, endpoint)
    starts = [start for start, _ in waiting]
    for schedule in schedules.listing(connection, endpoint=endpoint):
        starts += _starts(connection, schedule, now)
    captures = min([now, *starts])
    return Needed(
        captures,
        captures - _LABELS_BEFORE,
        min([now, *(tick for _, tick in waiting)]),
        min([now, *_watched(connection, endpoint, now)]),
        now,
    )


def run_retention(
    store: Store, layout: Layout, now: datetime, *, dry_run: bool = False, shared: Shared | None = None
) -> RetentionReport:
    """Take away what is older than its endpoint keeps it and is not needed, and the model files nobody uses: from this
    machine, and from the store that many nodes share, whose objects are counted as well.

    It may be stopped at any point and run again. With ``dry_run`` it only counts.
    """
    removed = [
        _clean(store, layout, one, now, dry_run, shared) if one.kind not in _ROWS else _rows(store, one, now, dry_run)
        for one in _old(store, now)
    ]
    return RetentionReport(dry_run, (*removed, _models(store, layout, dry_run, shared)))


def sweep_here(store: Store, layout: Layout, now: datetime) -> RetentionReport:
    """Take off this machine's disk what its endpoints keep no longer; of the store that it shares with others, and of
    rows, one scheduler a day takes care."""
    removed = [_clean(store, layout, one, now, False, None) for one in _old(store, now) if one.kind not in _ROWS]
    return RetentionReport(False, (*removed, _models(store, layout, False, None)))


class _Old(msgspec.Struct, frozen=True):
    """What an endpoint says of one kind of data: how long it is kept, and from when on it is still needed."""

    endpoint: str
    kind: str
    length: timedelta
    need: datetime

    def before(self, now: datetime) -> tuple[datetime, bool]:
        """Up to when it goes, and whether that is earlier than it was asked for."""
        wanted = now - min(self.length, now - _EPOCH)
        return min(wanted, self.need), self.need < wanted


def captures_from(connection: Connection, endpoint: str, now: datetime) -> datetime:
    """From when on all captures of an endpoint are still there; older ones may be gone."""
    length = (retention_rows.settings(connection).get(endpoint) or {}).get("captures")
    if length is None:
        return _EPOCH
    need = needed(connection, endpoint, now).captures
    return _Old(endpoint, "captures", parse_duration(length), need).before(now)[0]


def _old(store: Store, now: datetime) -> list[_Old]:
    with store.read() as connection:
        settings = retention_rows.settings(connection)
        needs = {name: needed(connection, name, now) for name in settings}
    return [
        _Old(name, kind, parse_duration(length), needs[name].of(kind))
        for name, kinds in settings.items()
        for kind, length in sorted(kinds.items())
    ]


def run_daily(store: Store, layout: Layout, now: datetime, shared: Shared | None = None) -> RetentionReport | None:
    """The clean-up of the day, if no scheduler has made it yet."""
    day = (now - _EPOCH) // _DAY
    with store.read() as connection:
        if retention_rows.cleaned_day(connection) >= day:
            return None
    with store.write() as connection:
        if not retention_rows.days_turn(connection, day):
            return None
    if shared is not None:
        with store.write() as connection:
            arrivals.forget(connection, now - _ARRIVALS_KEPT)
    report = run_retention(store, layout, now, shared=shared)
    logger.info("clean-up: %d files, %d bytes", report.files, report.bytes)
    for one in report.removed:
        if one.skipped:
            logger.warning("clean-up of %s %s left alone: %s", one.endpoint or "", one.kind, "; ".join(one.skipped))
    return report


def _starts(connection: Connection, schedule: Schedule, now: datetime) -> list[datetime]:
    """Where the next window of a schedule begins, and the first of those that labels may still have judged again."""
    cron = Cron(schedule.cron)
    ticks = [cron.next(now)] + ([schedule.next_tick] if schedule.state == "active" else [])
    offset = parse_duration(schedule.start_offset)
    starts = [cron.window(tick).start + offset for tick in ticks if tick is not None]
    if schedule.rejudge_step:
        first = retention_rows.first_window(connection, schedule.name, now - HORIZON)
        starts += [] if first is None else [first]
    return starts


def _watched(connection: Connection, endpoint: str, now: datetime) -> Iterable[datetime]:
    """How far back the alarms on metrics of an endpoint look."""
    batches = schedules.batch_endpoints(connection)
    for status in alarms.listing(connection):
        alarm = status.definition
        if schedules.endpoint_of(alarm.dimensions, batches) == endpoint:
            yield now - _reach(alarm)


def _reach(alarm: Alarm) -> timedelta:
    """How long ago the oldest point may be that an alarm judges by."""
    period = timedelta(seconds=alarm.period)
    history = alarm.band.history if alarm.band is not None else 0
    # A band of the same hour of the day has one datapoint a day.
    spacing = max(period, _DAY) if alarm.band is not None and alarm.band.season == "hour" else period
    return min((alarm.evaluation_periods + 1) * period + history * spacing, _LONGEST)


def _rows(store: Store, old: _Old, now: datetime, dry_run: bool) -> Removed:
    before, held = old.before(now)
    with store.write() as connection:
        rows = _ROWS[old.kind](connection, old.endpoint, before, dry_run)
    return Removed(old.endpoint, old.kind, before, held=held, rows=rows)


def _clean(store: Store, layout: Layout, old: _Old, now: datetime, dry_run: bool, shared: Shared | None) -> Removed:
    """Files of one kind: of this machine, and of the store that is shared, where one is given."""
    before, held = old.before(now)
    found = Removed(old.endpoint, old.kind, before, held=held)
    for root, above in _roots(layout, old.endpoint, old.kind):
        only = _held if old.kind == "originals" else None
        found = _with(found, sweep_hours(root, before, above=above, dry_run=dry_run, only=only))
        if shared is not None and only is not None:
            settled = utc(system_clock()) - ORIGINALS_GRACE
            found = _with(found, sweep_originals(shared, root, before, settled, above=above, dry_run=dry_run))
        elif shared is not None and layout.relative(root).partition("/")[0] in SHARED:
            found = _with(found, sweep_store(shared, root, before, above=above, dry_run=dry_run))
    kind = _ARRIVING.get(old.kind)
    if shared is not None and kind is not None and not dry_run:
        with store.write() as connection:
            arrivals.forget(connection, before - HOUR + _TICK, endpoint=old.endpoint, kind=kind)
    return found


def _roots(layout: Layout, endpoint: str, kind: str) -> list[tuple[Path, int]]:
    """Where a kind of data stands, and how many folders are between each place and its years."""
    pieces, decoded = layout.pieces(endpoint), layout.decoded(endpoint)
    roots = {
        "captures": [(layout.captures(endpoint), 1)],
        "originals": [(layout.captures(endpoint), 1)],
        "labels": [(layout.labels(endpoint), 0)],
        "merged": [(pieces, 1), (decoded, 0), (pieces / ELSEWHERE, 2), (decoded / ELSEWHERE, 1)],
        "reports": [(layout.data / "reports" / endpoint, 1)],
    }
    return roots[kind]


def _held(hour: Path) -> set[str]:
    """The files of an hour that a compacted file holds. Runs that began before there was one may still read them, so
    it must have been there for a while."""
    return originals_in(hour, system_clock() - ORIGINALS_GRACE.total_seconds())


def _executions(connection: Connection, endpoint: str, before: datetime, dry_run: bool) -> int:
    # The newest runs stay: pages show them, and estimates look at how well the last ones held.
    return retention_rows.forget_executions(connection, endpoint, before, keep=RECENT, dry_run=dry_run)


def _metrics(connection: Connection, endpoint: str, before: datetime, dry_run: bool) -> int:
    return retention_rows.forget_metrics(connection, endpoint, before, dry_run=dry_run)


_ROWS: dict[str, Callable[[Connection, str, datetime, bool], int]] = {"executions": _executions, "metrics": _metrics}


def _models(store: Store, layout: Layout, dry_run: bool, shared: Shared | None) -> Removed:
    """Model files that no endpoint uses. The write transaction holds off deployments while they are looked at."""
    before, swept = utc(system_clock()) - MODEL_GRACE, Swept()
    with store.write() as connection:
        used = retention_rows.models_in_use(connection)
        for path in sorted((layout.data / "models").glob("*/*/*")):
            if layout.relative(path) not in used and _is_old_file(path, before):
                _add(swept, sweep_file(path, dry_run=dry_run))
    if shared is not None:
        paths = {layout.data / path for path in used}
        _add(swept, sweep_models(shared, layout.data / "models", paths, before, dry_run=dry_run))
    return _with(Removed(None, "models", before), swept)


def _is_old_file(path: Path, before: datetime) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    linked = path.parent.is_symlink() or path.parent.parent.is_symlink()
    return not linked and not path.is_dir() and status.st_mtime < before.timestamp()


def _add(total: Swept, part: Swept) -> None:
    total.files += part.files
    total.bytes += part.bytes
    total.skipped += part.skipped


def _with(found: Removed, swept: Swept) -> Removed:
    return msgspec.structs.replace(
        found,
        files=found.files + swept.files,
        bytes=found.bytes + swept.bytes,
        skipped=(*found.skipped, *swept.skipped),
    )
