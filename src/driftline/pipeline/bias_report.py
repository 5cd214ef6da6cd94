"""The report page of a bias run, or of a baseline of bias."""

from __future__ import annotations

from driftline.core.bias_analysis import BiasAnalysis
from driftline.pipeline.report import Frame


def bias_report_html(frame: Frame, *, current: BiasAnalysis, baseline: BiasAnalysis | None = None) -> str:
    """One self-contained HTML page; the own analysis of a baseline is ``current``."""
    # The page and its charts are loaded by those who write a report, not by everyone who measures.
    from driftline.reporting.bias import render
    from driftline.reporting.report import BiasReport

    return render(BiasReport(**frame.fields(), current=current, baseline=baseline))
