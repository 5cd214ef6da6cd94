"""What the pages of an analysis have in common: the run, the verdict in a sentence, and what it violated."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from markupsafe import Markup

from driftline.core.verdict import Reason
from driftline.reporting.page import fitting
from driftline.reporting.sections.verdict import reasons
from driftline.reporting.sizes import SIZES
from driftline.reporting.violation_lines import lines_of
from driftline.service.dashboard.analyses import Analysis, RunHead

T = TypeVar("T")
MOST_BYTES = 100_000
"""How much the sections of a page may be, compressed; the page around them is some 4 kB."""


class Wrong(msgspec.Struct, frozen=True):
    """A violation of a run in one line, and where all of it is told."""

    number: int
    line: str
    path: str


class AnalysisView(msgspec.Struct, frozen=True, kw_only=True):
    """A run's analysis: the verdict in a ``sentence``, the rows it ``rests_on``, and what could not be had."""

    head: RunHead
    sentence: str
    rests_on: str = ""
    meaning: str = ""
    reasons: tuple[Reason, ...] = ()
    violations: tuple[Wrong, ...] = ()
    notes: tuple[str, ...] = ()
    earlier: str | None = None
    later: str | None = None


def common(analysis: Analysis, beside: tuple[str | None, str | None], notes: Sequence[str] = ()) -> dict[str, Any]:
    """The fields of :class:`AnalysisView` that every monitor fills alike."""
    head, report = analysis.head, analysis.report
    return {
        "head": head,
        "reasons": report.reasons,
        "violations": tuple(_wrong(head, number, line) for number, line in enumerate(lines_of(report))),
        "notes": (*analysis.notes, *notes),
        "earlier": beside[0],
        "later": beside[1],
    }


def _wrong(head: RunHead, number: int, line: str) -> Wrong:
    return Wrong(number, line, f"/runs/{head.id}/violations/{number}")


def fitted(drawn: Callable[[T], Markup], sizes: Sequence[T]) -> Markup:
    """Sections as large as a page may be."""
    return Markup(fitting(drawn, sizes, MOST_BYTES, lambda page: len(zlib.compress(page, 6))))  # noqa: S704


def why(view: AnalysisView) -> Markup:
    """Why there is no verdict, each reason with its checklist."""
    return reasons(view.reasons, SIZES[0])
