"""Whether an endpoint has data, and where it is lost: the facts, each looked up within bounds."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from driftline.core.window import HOUR, Window, parse_duration
from driftline.jobs.overdue import overdue
from driftline.jobs.shared import shares
from driftline.resources.endpoints import Endpoint
from driftline.resources.executions import FINISHED, OverdueWindow
from driftline.resources.schedules import Schedule
from driftline.service import Service
from driftline.service.dashboard import capture_files
from driftline.storage import arrivals, capture_counts, endpoints, hour_folders, run_evidence, schedules
from driftline.storage.arrivals import Kind
from driftline.storage.capture_counts import CaptureCounts
from driftline.storage.hour_folders import HourFolder
from driftline.storage.run_evidence import RunEvidence, WindowRun

TABLE_HOURS = 48
_MOST_RUNS = 500
_SAMPLES, _LONGEST = 5, 600
_TICK = timedelta(microseconds=1)


class Facts(msgspec.Struct, frozen=True):
    """What is known of an endpoint's data in a window: requests, files, runs, schedules.

    ``captures`` and ``labels`` are the hours' files: labels from the window's start to the present, two days at most.
    ``lines`` are the records in the files, all of them where ``counted``. ``last`` is the last hour before the window's
    end of which anything is known. ``run`` is the newest finished run that read any of the window. Where many nodes
    share a store, files are those of this node, and ``stored_captures`` and ``stored_labels`` are the hours of which
    the store has any; without one they are None.
    """

    endpoint: Endpoint
    now: datetime
    window: Window
    counts: CaptureCounts
    last: datetime | None
    folders: tuple[str, ...]
    captures: list[HourFolder]
    lines: int
    counted: bool
    labels_in: str
    labels: list[HourFolder]
    run: RunEvidence | None
    schedules: list[Schedule]
    overdue: list[OverdueWindow]
    stored_captures: tuple[datetime, ...] | None = None
    stored_labels: tuple[datetime, ...] | None = None

    @property
    def requests(self) -> int:
        """How many requests were counted in the window."""
        return self.counts.captured + self.counts.sampled_out + self.counts.dropped

    @property
    def kept_from(self) -> datetime | None:
        """Captures before this are deleted; None where they are kept for ever."""
        length = (self.endpoint.retention or {}).get("captures")
        return None if length is None else self.now - parse_duration(length)


class HourLine(msgspec.Struct, frozen=True):
    """What is known of one hour; ``labels`` are the label files that came in it, at least so many where ``more``."""

    hour: datetime
    captured: int
    sampled_out: int
    dropped: int
    withheld: int
    labels: int
    more: bool
    runs: list[WindowRun]


def facts(service: Service, name: str, window: Window) -> Facts:
    """Look at an endpoint's data; :class:`NotFoundError` when there is no such endpoint."""
    now = service.now()
    with service.store.read() as db:
        endpoint = endpoints.get(db, name)
        counts = capture_counts.total(db, name, window)
        last = capture_counts.last_hour(db, name, window.end)
        found = run_evidence.overlapping(db, name, window, limit=_MOST_RUNS)
        finished = next((run for run in found if run.status in FINISHED), None)
        run = None if finished is None else run_evidence.evidence(db, finished.id)
        mine = schedules.listing(db, endpoint=name)
        late = [one for one in overdue(db, now) if one.endpoint == name] if mine else []
    folders = hour_folders.bases(service.layout.captures(name))
    captures = capture_files.look(folders, list(window.hours()))
    lines, counted = capture_files.count_lines([path for hour in captures for path in hour.paths])
    counted = counted and not any(hour.more for hour in captures)
    until = min(now + HOUR, window.start + TABLE_HOURS * HOUR)
    came = Window(window.start, max(window.end, until))
    labels = hour_folders.look([service.layout.labels(name)], list(came.hours()))
    stored = [_stored(service, name, "captures", window), _stored(service, name, "labels", came)]
    seen = [last, *(hour.hour for hour in captures if hour.files), *(stored[0] or ())]
    return Facts(
        endpoint,
        now,
        window,
        counts,
        max((hour for hour in seen if hour is not None), default=None),
        tuple(service.layout.relative(folder) for folder in folders),
        captures,
        lines,
        counted,
        service.layout.relative(service.layout.labels(name)),
        labels,
        run,
        mine,
        late,
        *stored,
    )


def hour_lines(service: Service, name: str, until: datetime) -> list[HourLine]:
    """The 48 hours up to a time, newest first."""
    window = Window(until - TABLE_HOURS * HOUR, until)
    hours = list(window.hours())
    with service.store.read() as db:
        counts = capture_counts.by_hour(db, name, window)
        runs = run_evidence.overlapping(db, name, window, limit=_MOST_RUNS)
    labels = {folder.hour: folder for folder in hour_folders.look([service.layout.labels(name)], hours)}
    for hour in _stored(service, name, "labels", window) or ():
        if hour in labels and not labels[hour].files:
            # How many there are on other nodes is not looked up for a page.
            labels[hour] = msgspec.structs.replace(labels[hour], files=1, more=True)
    return [_hour_line(hour, counts.get(hour, CaptureCounts()), labels[hour], runs) for hour in reversed(hours)]


def _stored(service: Service, name: str, kind: Kind, window: Window) -> tuple[datetime, ...] | None:
    """The hours of a window of which the store of many nodes has files, as far as was told; None without such a
    store."""
    if not shares():
        return None
    with service.store.read() as db:
        return tuple(arrivals.hours(db, name, kind, window.start - HOUR + _TICK, window.end))


def samples(captures: list[HourFolder]) -> tuple[str, list[str]]:
    """The name of a capture file of an hour and its first records, long ones cut."""
    path = next((path for hour in captures for path in hour.paths), None)
    if path is None:
        return "", []
    name, lines = capture_files.first_lines(path, _SAMPLES)
    return name, [line if len(line) <= _LONGEST else line[:_LONGEST] + "…" for line in lines]


def _hour_line(hour: datetime, counts: CaptureCounts, labels: HourFolder, runs: list[WindowRun]) -> HourLine:
    read = [run for run in runs if run.window_start < hour + HOUR and run.window_end > hour]
    # Of runs over many hours each is told in all of them; of many such, the newest.
    numbers = (counts.captured, counts.sampled_out, counts.dropped, counts.withheld)
    return HourLine(hour, *numbers, labels.files, labels.more, read[:4])


def hour_of(moment: datetime) -> datetime:
    """The beginning of the hour of a time.

    >>> hour_of(datetime.fromisoformat("2026-11-25T08:59:00+00:00")).isoformat()
    '2026-11-25T08:00:00+00:00'
    """
    return moment - timedelta(minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond)
