"""What the report of a run is made from."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from driftline.core.documents import Constraint, Violation
from driftline.core.verdict import Reason, Verdict
from driftline.engine.rejects import Reject


class Step(Protocol):
    """One step of a run, as the pipeline records it."""

    @property
    def name(self) -> str:
        """What was done."""

    @property
    def rows_in(self) -> int:
        """Rows (or files) that went in."""

    @property
    def rows_out(self) -> int:
        """Rows that came out."""

    @property
    def seconds(self) -> float:
        """How long it took."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A finished run, or a baseline, which has no verdict; times are texts.

    ``statistics`` and ``baseline`` are whole ``statistics.json`` documents. ``counts`` are those of the run: of them
    ``predictions`` and ``matched`` give the label coverage. ``calibration`` is what the estimate without labels rests
    on, as the baseline's ``score_calibration`` has it.
    """

    title: str
    window: str
    verdict: Verdict | None
    statistics: dict[str, Any]
    generated: str
    endpoint: str | None = None
    schedule: str | None = None
    reasons: tuple[Reason, ...] = ()
    violations: tuple[Violation, ...] = ()
    constraints: dict[str, Constraint] = {}
    baseline: dict[str, Any] | None = None
    calibration: dict[str, Any] | None = None
    counts: dict[str, int] = {}
    rejects: tuple[Reject, ...] = ()
    steps: tuple[Step, ...] = ()
