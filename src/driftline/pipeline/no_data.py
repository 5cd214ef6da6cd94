"""Why there was nothing to judge in captures."""

from __future__ import annotations

from driftline.core.verdict import Reason
from driftline.engine.rejects import Reject
from driftline.pipeline.run import ColumnsRun, LabelledRun


def no_data(run: LabelledRun, counts: dict[str, int], rejects: tuple[Reject, ...]) -> Reason:
    """Why no prediction could be judged: the step that emptied the window, and the checklist answered with facts."""
    window = "all times" if run.window is None else str(run.window)
    if counts["capture_records"] == 0:
        code, message = "no_captures", f"no captured prediction in the window ({window})"
    elif counts["predictions"] == 0:
        code, message = "no_rows", "every captured prediction was refused"
    elif counts["labels"] == 0:
        code, message = "no_labels", f"no label for any of {counts['predictions']} predictions ({window})"
    elif counts["matched"] == 0:
        code, message = "no_matches", "no label's event id equals an inference id (or event id) of a prediction"
    else:
        code, message = "no_rows", "every label was refused: it is no class of the problem, or no number"
    checklist = (
        ("window", window),
        ("captures looked for in", run.captures),
        ("capture records found", str(counts["capture_records"])),
        ("predictions that could be read", str(counts["predictions"])),
        ("labels looked for in", run.labels or "nowhere: no label folder was given"),
        ("labels found", str(counts["labels"])),
        ("predictions with a label", str(counts["matched"])),
        ("records refused", _refused(rejects)),
    )
    return Reason(code, message, dict(counts), checklist)


def no_columns(run: ColumnsRun, counts: dict[str, int], rejects: tuple[Reject, ...], nothing: str) -> Reason:
    """Why no captured row could be judged; ``nothing`` says what became of records where there were some."""
    window = "all times" if run.window is None else str(run.window)
    if counts["capture_records"]:
        code, message = "no_rows", nothing
    else:
        code, message = "no_captures", f"no captured prediction in the window ({window})"
    checklist = (
        ("window", window),
        ("captures looked for in", run.captures),
        ("capture records found", str(counts["capture_records"])),
        ("rows that could be decoded", str(counts["rows"])),
        ("records refused", _refused(rejects)),
    )
    return Reason(code, message, dict(counts), checklist)


def _refused(rejects: tuple[Reject, ...]) -> str:
    return ", ".join(f"{reject.count} {reject.source} {reject.reason}" for reject in rejects) or "none"
