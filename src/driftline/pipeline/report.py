"""The report page of a run or a baseline: what all of them tell, and that of model quality."""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.core.documents import ModelQualityConstraints, Violation
from driftline.core.verdict import Judgement
from driftline.core.window import Window
from driftline.engine.rejects import Reject
from driftline.pipeline.result import RunResult
from driftline.pipeline.steps import Step


class Frame(msgspec.Struct, frozen=True):
    """What every page tells, whatever was found. A baseline has no judgement; times are texts."""

    title: str
    generated: str
    judgement: Judgement | None = None
    window: str = ""
    violations: tuple[Violation, ...] = ()
    counts: dict[str, int] = {}
    rejects: tuple[Reject, ...] = ()
    steps: tuple[Step, ...] = ()

    def fields(self) -> dict[str, Any]:
        """As the fields of :class:`driftline.reporting.report.RunReport`."""
        judgement = self.judgement
        found = {name: getattr(self, name) for name in self.__struct_fields__ if name != "judgement"}
        found["verdict"] = None if judgement is None else judgement.verdict
        return found | {"reasons": () if judgement is None else judgement.reasons}


def run_frame(title: str, result: RunResult, window: Window | None, generated: str) -> Frame:
    """What the page of a run over captures tells."""
    return Frame(
        title,
        generated,
        result.judgement,
        "all times" if window is None else str(window),
        result.violations,
        result.counts,
        result.rejects,
        result.steps,
    )


def report_html(
    frame: Frame,
    *,
    statistics: dict[str, Any],
    constraints: ModelQualityConstraints | None = None,
    calibration: dict[str, Any] | None = None,
) -> str:
    """One self-contained HTML page. ``calibration`` is what the estimate in the statistics rests on."""
    # The page and its charts are loaded by those who write a report, not by everyone who measures.
    from driftline.reporting.model_quality import render
    from driftline.reporting.report import Report

    limits = {} if constraints is None else constraints.constraints
    return render(Report(**frame.fields(), statistics=statistics, constraints=limits, calibration=calibration))


def framed(page: str) -> str:
    """A page as a notebook shows it: in a frame of its own, so that the styles of the two do not meet."""
    from markupsafe import escape

    look = "width: 100%; height: 44rem; border: 0; resize: vertical; overflow: auto"
    return f'<iframe title="driftline report" sandbox="" style="{look}" srcdoc="{escape(page)}"></iframe>'
