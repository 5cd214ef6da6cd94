"""Executions, which commands and pages call runs: what was judged, and with what result."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from driftline.core.documents import Violation
from driftline.core.verdict import Reason, Verdict
from driftline.core.window import Window

ExecutionStatus = Literal["Pending", "InProgress", "Completed", "CompletedWithViolations", "Failed", "Stopped"]
RunCause = Literal["tick", "manual", "backfill", "late_labels", "late_captures", "fired"]
FINISHED: tuple[ExecutionStatus, ...] = ("Completed", "CompletedWithViolations", "Failed", "Stopped")


class RunWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The window to run, as ISO 8601 instants; the last complete one when both are left out."""

    start: str | None = None
    end: str | None = None


class OverdueWindow(msgspec.Struct, frozen=True):
    """A window that should have been judged by now: UNKNOWN, for the reason in ``message``. ``due`` is its tick,
    ``run`` the id of its run where there is one."""

    schedule: str
    endpoint: str
    window_start: datetime
    window_end: datetime
    due: datetime
    message: str
    run: str | None = None
    verdict: Literal["UNKNOWN"] = "UNKNOWN"
    code: Literal["overdue"] = "overdue"


class Backfill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run for every tick in (start, end] whose window has none; ISO 8601 instants."""

    start: str
    end: str


class ExecutionStep(msgspec.Struct, frozen=True):
    """One step of a run: rows in and out, its duration in seconds, and the most memory its process held meanwhile in
    bytes (0 where the system does not tell)."""

    name: str
    rows_in: int
    rows_out: int
    seconds: float
    detail: str = ""
    peak_memory: int = 0


class RejectedRecords(msgspec.Struct, frozen=True):
    """How many records of one source were refused for one reason, with samples ``file:line: text``."""

    source: str
    reason: str
    count: int
    samples: tuple[str, ...] = ()


class Execution(msgspec.Struct, frozen=True):
    """One run of a schedule over one window.

    ``tick`` is the time it was scheduled for. ``report`` is a path relative to the data folder. ``message`` is the
    exit message, ``error`` what went wrong, ``trace`` where. ``lease_until`` is real time, whatever clock the
    schedules follow, and so are ``resume_after``, before which a run that was given back is not tried again, and
    ``waiting_since``, when it was first given back; the other times are of the schedules' clock. ``captures`` is the
    fingerprint of the capture files that were there for the run, where there is a store of many nodes. Listings leave
    out statistics, rejects and trace.
    """

    id: str
    schedule: str
    endpoint: str
    window_start: datetime
    window_end: datetime
    revision: int
    tick: datetime
    status: ExecutionStatus
    report: str
    created: datetime
    verdict: Verdict | None = None
    reasons: tuple[Reason, ...] = ()
    violations: tuple[Violation, ...] = ()
    steps: tuple[ExecutionStep, ...] = ()
    counts: dict[str, int] = {}
    statistics: dict[str, Any] = {}
    rejects: tuple[RejectedRecords, ...] = ()
    item_count: int | None = None
    message: str | None = None
    error: str | None = None
    trace: str | None = None
    attempts: int = 0
    lease_owner: str | None = None
    lease_until: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    cause: RunCause = "tick"
    resume_after: datetime | None = None
    waiting_since: datetime | None = None
    captures: str | None = None

    @property
    def label_coverage(self) -> float | None:
        """The share of the window's predictions that had a label; None without predictions."""
        predictions = self.counts.get("matched", 0) + self.counts.get("unlabelled", 0)
        return self.counts.get("matched", 0) / predictions if predictions else None

    @property
    def window(self) -> Window:
        """What the run reads: [start, end)."""
        return Window(self.window_start, self.window_end)
