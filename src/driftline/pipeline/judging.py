"""From the statistics of a table to its verdict, with rows that broke a rule, and to the files that tell of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from driftline.core.documents import Violation, violations_document
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_constraints_document import table_constraints_document
from driftline.core.table_statistics import TableStatistics
from driftline.core.table_statistics_document import write_statistics
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.monitors.data_quality.checks import check
from driftline.monitors.data_quality.drift import TableDrift, compare
from driftline.monitors.data_quality.samples import MOST, Breaking, breaking, rows_of, shown

_DRIFT = "baseline_drift_check"
DRIFT_ROWS = 100_000
"""How many rows are looked at for samples of what drifted."""
Rows = Callable[[bool], Iterable[tuple[Any, pa.RecordBatch]]]
"""Gives the rows once more: the ids of the records where they have any, and the features. All from the beginning, or,
if the argument is true, any :data:`DRIFT_ROWS` of them."""

Sampled = Callable[[Sequence[Violation], DataQualityConstraints, TableStatistics | None, Rows], tuple[Violation, ...]]
"""Gives violations with rows that broke each, as :func:`with_samples` does."""


class Judged(msgspec.Struct, frozen=True):
    """The verdict on a table, what it rests on, and how far each feature is from its baseline."""

    judgement: Judgement
    violations: tuple[Violation, ...]
    drift: TableDrift | None


def judge(
    statistics: TableStatistics,
    baseline: TableStatistics | None,
    constraints: DataQualityConstraints | None,
    rows: Rows,
    *,
    minimum_sample: int,
    sampled: Sampled | None = None,
) -> Judged:
    """Hold a table against its baseline and constraints. ``rows`` are looked at again only where some broke a rule;
    ``sampled`` finds those rows in another way."""
    if constraints is None:
        reason = Reason(
            "no_constraints", "no constraints were given: the columns were measured and nothing was checked"
        )
        return Judged(Judgement(Verdict.UNKNOWN, (reason,)), (), None)
    drift = None if baseline is None else compare(statistics, baseline, constraints)
    judgement, violations = check(statistics, baseline, constraints, minimum_sample=minimum_sample, drift=drift)
    return Judged(judgement, (sampled or with_samples)(violations, constraints, baseline, rows), drift)


def with_samples(
    violations: Sequence[Violation],
    constraints: DataQualityConstraints,
    baseline: TableStatistics | None,
    rows: Rows,
) -> tuple[Violation, ...]:
    """The violations with up to ten of the rows that broke each; it stops reading when all have them."""
    wanted = breaking(violations, constraints, baseline)
    found: list[list[str]] = [[] for _ in wanted]
    if not any(wanted):
        return tuple(violations)
    sensitive = frozenset(f.name for f in constraints.features if f.override is not None and f.override.sensitive)
    seen = 0
    for ids, batch in rows(drift_alone(wanted)):
        places = [place for place, one in enumerate(wanted) if one is not None and _open(one, found[place], seen)]
        if not places:
            break
        for place in places:
            found[place] += _shown(batch, ids, wanted[place], MOST - len(found[place]), sensitive)
        seen += batch.num_rows
    return tuple(
        msgspec.structs.replace(violation, samples=tuple(samples))
        for violation, samples in zip(violations, found, strict=True)
    )


def drift_alone(wanted: Sequence[Breaking | None]) -> bool:
    """Whether all that is looked for are rows of distributions that moved."""
    return all(one is None or one.check == _DRIFT for one in wanted)


def _open(wanted: Breaking, found: list[str], seen: int) -> bool:
    """Whether more rows are looked for. Of a distribution that moved, rows among the first show as well as any."""
    return len(found) < MOST and (wanted.check != _DRIFT or seen < DRIFT_ROWS)


def _shown(
    batch: pa.RecordBatch, ids: pa.Array[Any] | None, wanted: Breaking | None, most: int, sensitive: frozenset[str]
) -> list[str]:
    if wanted is None:
        return []
    rows = rows_of(batch, wanted, most)
    return [shown(batch, row, wanted.name, sensitive, None if ids is None else ids[row].as_py()) for row in rows]


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
