"""How many predictions of each window had a label, and how long labels took: what runs have counted."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection

from driftline.storage.last_runs import Counted, counted

_MOST = 400
"""How many runs are looked at: those of two weeks, hour by hour."""


class LabelWindow(msgspec.Struct, frozen=True):
    """A window of a run: its predictions with and without a label, and the lag of labels in minutes where known."""

    start: datetime
    end: datetime
    run: str
    matched: int
    unlabelled: int
    lag_median: int | None
    lag_p95: int | None


def label_windows(db: Connection, schedule: str, since: datetime) -> list[LabelWindow]:
    """The windows of a schedule that were judged from a time on and have predictions counted, oldest first."""
    runs = counted(db, schedule, since, _MOST)
    return [_window(run) for run in runs if "predictions" in run.counts]


def _window(run: Counted) -> LabelWindow:
    counts = run.counts
    matched = counts.get("matched", 0)
    return LabelWindow(
        run.window_start,
        run.window_end,
        run.id,
        matched,
        max(counts["predictions"] - matched, 0),
        counts.get("label_lag_median_minutes"),
        counts.get("label_lag_p95_minutes"),
    )
