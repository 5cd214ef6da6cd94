"""What the log of a run tells beside what its process printed: what it read, its steps, and how it ended."""

from __future__ import annotations

import logging
from pathlib import Path

from driftline.resources.executions import Execution
from driftline.storage.executions import Outcome

_log = logging.getLogger("driftline.jobs")


def begin(path: Path | None, execution: Execution) -> None:
    """Say what a run is of, before anything else is said in its log; a run without a process has none."""
    again = f", revision {execution.revision}" if execution.revision > 1 else ""
    _append(path, [f"run {execution.id} of {execution.schedule}: {execution.window}{again}"])


def end(path: Path | None, outcome: Outcome) -> None:
    """Say which steps a run took and how it ended."""
    steps = [
        f"{step.name}: {step.rows_in:,} rows in, {step.rows_out:,} out, {step.seconds:.2f} s"
        + (f" ({step.detail})" if step.detail else "")
        for step in outcome.steps
    ]
    _append(path, [*steps, outcome.message or outcome.status])


def _append(path: Path | None, lines: list[str]) -> None:
    """A log that cannot be written is no reason for a run to fail."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        _log.warning("the log %s cannot be written: %s", path, error)
