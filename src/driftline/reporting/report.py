"""What the report of a run is made from."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from driftline.core.attribution_analysis import AttributionAnalysis
from driftline.core.bias_analysis import BiasAnalysis
from driftline.core.documents import Constraint, Violation
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_statistics import TableStatistics
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


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of every finished run, and of a baseline, which has no verdict; times are texts."""

    title: str
    window: str
    verdict: Verdict | None
    generated: str
    endpoint: str | None = None
    schedule: str | None = None
    reasons: tuple[Reason, ...] = ()
    violations: tuple[Violation, ...] = ()
    counts: dict[str, int] = {}
    rejects: tuple[Reject, ...] = ()
    steps: tuple[Step, ...] = ()


class Report(RunReport, frozen=True, kw_only=True):
    """A run of model quality.

    ``statistics`` and ``baseline`` are whole ``statistics.json`` documents; the former may hold ranked ``segments``.
    ``counts`` are those of the run: of them ``predictions`` and ``matched`` give the label coverage. ``calibration`` is
    what the estimate without labels rests on, as the baseline's ``score_calibration`` has it.
    """

    statistics: dict[str, Any]
    constraints: dict[str, Constraint] = {}
    baseline: dict[str, Any] | None = None
    calibration: dict[str, Any] | None = None


class FeatureDrift(msgspec.Struct, frozen=True):
    """How far one feature is from its baseline, by which method; or the ``reason`` why that cannot be said.

    A ``p_value`` is the chance of such a distance without any drift. ``drifted`` is what the run concluded.
    """

    name: str
    method: str
    distance: float | None = None
    threshold: float | None = None
    p_value: float | None = None
    drifted: bool = False
    reason: str = ""


class TableReport(RunReport, frozen=True, kw_only=True):
    """A run of data quality: the columns of a table, those of its baseline, and how far they are apart.

    ``segments`` are ranked segments as a ``statistics.json`` has them.
    """

    current: TableStatistics
    baseline: TableStatistics | None = None
    constraints: DataQualityConstraints | None = None
    drift: tuple[FeatureDrift, ...] = ()
    segments: tuple[dict[str, Any], ...] = ()


class BiasReport(RunReport, frozen=True, kw_only=True):
    """A run of bias: what was found, and what the baseline had found."""

    current: BiasAnalysis
    baseline: BiasAnalysis | None = None


class RankingDrift(msgspec.Struct, frozen=True):
    """How far the ranking of one label's attributions is from the baseline's: its NDCG with its interval against the
    threshold, or the ``reason`` why there is none. ``violated`` is what the run concluded. ``losses`` are what the
    move of each feature took from the NDCG, where that is known.
    """

    label: str
    ndcg: float | None = None
    lower: float | None = None
    upper: float | None = None
    threshold: float = 0.9
    violated: bool = False
    reason: str = ""
    losses: dict[str, float] = {}


class AttributionReport(RunReport, frozen=True, kw_only=True):
    """A run of attributions: what was found, what the baseline had found, and how far they are apart by label."""

    current: AttributionAnalysis
    baseline: AttributionAnalysis | None = None
    drift: tuple[RankingDrift, ...] = ()
