"""How many predictions of each window had a label, and how long labels took: what runs have counted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from driftline.storage.last_runs import Found


class LabelWindow(msgspec.Struct, frozen=True):
    """A window of a run: its predictions with and without a label, and the lag of labels in minutes where known."""

    start: datetime
    end: datetime
    run: str
    matched: int
    unlabelled: int
    lag_median: int | None
    lag_p95: int | None


def label_windows(runs: Iterable[Found], since: datetime) -> list[LabelWindow]:
    """The windows that end after a time and that counted predictions, oldest first."""
    return [_window(run) for run in reversed(list(runs)) if run.window_end > since and "predictions" in run.counts]


def _window(run: Found) -> LabelWindow:
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
