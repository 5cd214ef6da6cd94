"""From the statistics of a table to its verdict, with rows that broke a rule, and to the files that tell of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from driftline.core.documents import Violation, violations_document
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_constraints_document import table_constraints_document
from driftline.core.table_statistics import TableStatistics
from driftline.core.table_statistics_document import write_statistics
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.monitors.data_quality.checks import check
from driftline.monitors.data_quality.drift import TableDrift, compare
from driftline.pipeline.breaking_rows import BreakingRows, Broken

Look = Callable[[BreakingRows], Broken]
"""Looks at the rows once more, for those that broke a rule."""


class Judged(msgspec.Struct, frozen=True):
    """The verdict on a table, what it rests on, and how far each feature is from its baseline."""

    judgement: Judgement
    violations: tuple[Violation, ...]
    drift: TableDrift | None


def judge(
    statistics: TableStatistics,
    baseline: TableStatistics | None,
    constraints: DataQualityConstraints | None,
    look: Look,
    *,
    minimum_sample: int,
    exclude: Sequence[str] = (),
) -> Judged:
    """Hold a table against its baseline and constraints, the columns of ``exclude`` left out. Rows are
    looked at again only where some broke a rule."""
    if constraints is None:
        reason = Reason(
            "no_constraints", "no constraints were given: the columns were measured and nothing was checked"
        )
        return Judged(Judgement(Verdict.UNKNOWN, (reason,)), (), None)
    drift = None if baseline is None else compare(statistics, baseline, constraints)
    judgement, violations = check(statistics, baseline, constraints, minimum_sample=minimum_sample, drift=drift)
    return Judged(judgement, with_samples(violations, constraints, baseline, look, exclude), drift)


def with_samples(
    violations: Sequence[Violation],
    constraints: DataQualityConstraints,
    baseline: TableStatistics | None,
    look: Look,
    exclude: Sequence[str] = (),
) -> tuple[Violation, ...]:
    """The violations with up to ten of the rows that broke each."""
    breaking = BreakingRows(violations, constraints, baseline, exclude)
    if not breaking.any:
        return tuple(violations)
    return tuple(
        msgspec.structs.replace(violation, samples=tuple(text for _, text in rows))
        for violation, rows in zip(violations, look(breaking).found, strict=True)
    )


def documents(
    statistics: TableStatistics,
    constraints: DataQualityConstraints | None,
    violations: Sequence[Violation] | None,
    evaluation_time: str,
) -> dict[str, Any]:
    """The service's files: statistics, constraints where there are any, and, of a check, violations."""
    found: dict[str, Any] = {"statistics": write_statistics(statistics, evaluation_time)}
    if constraints is not None:
        found["constraints"] = table_constraints_document(constraints)
    return found if violations is None else found | {"constraint_violations": violations_document(list(violations))}
