"""Which rows broke a rule: some of them are shown with the violation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.documents import Violation
from driftline.core.table_constraints import DataQualityConstraints, FeatureConstraints
from driftline.core.table_statistics import FeatureStatistics, TableStatistics

MOST = 10
LONGEST = 500
MASK = "***"
NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_WHOLE = r"^\s*[+-]?\d+(\.0*)?\s*$"


class Breaking(msgspec.Struct, frozen=True):
    """What the rows of one violation have in common: a check on one feature."""

    name: str
    check: str
    expected: FeatureConstraints | None
    baseline: FeatureStatistics | None


def breaking(
    violations: Sequence[Violation], constraints: DataQualityConstraints, baseline: TableStatistics | None
) -> list[Breaking | None]:
    """What to look for in the rows for each violation; None where it is not about single rows."""
    expected = {feature.name: feature for feature in constraints.features}
    before = {feature.name: feature for feature in ([] if baseline is None else baseline.features)}
    return [
        None
        if violation.feature_name is None or violation.constraint_check_type not in _RULES
        else Breaking(
            violation.feature_name,
            violation.constraint_check_type,
            expected.get(violation.feature_name),
            before.get(violation.feature_name),
        )
        for violation in violations
    ]


def rows_of(batch: pa.RecordBatch, wanted: Breaking, most: int = MOST) -> list[int]:
    """The first rows of a batch that break a rule, at most so many."""
    if wanted.name not in batch.schema.names:
        return []
    found = _RULES[wanted.check](batch.column(wanted.name), wanted)
    rows: list[int] = pc.indices_nonzero(pc.fill_null(found, False))[:most].to_pylist()
    return rows


def shown(batch: pa.RecordBatch, row: int, first: str, sensitive: frozenset[str], event: str | None = None) -> str:
    """A row as text: the id of its record where it has one, and its values; those of sensitive columns are masked.

    The column ``first`` comes first, because a long row is cut.
    """
    names = [first, *(name for name in batch.schema.names if name != first)]
    values = {name: MASK if name in sensitive else batch.column(name)[row].as_py() for name in names}
    text = msgspec.json.encode(values, enc_hook=str).decode()
    whole = text if event is None else f"{event}: {text}"
    return whole if len(whole) <= LONGEST else whole[: LONGEST - 1] + "…"


def _missing(column: pa.Array[Any], _: Breaking) -> Any:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return pc.or_kleene(pc.is_null(column), pc.equal(pc.utf8_trim_whitespace(column), ""))
    return pc.is_null(column)


def _other_type(column: pa.Array[Any], wanted: Breaking) -> Any:
    kind = None if wanted.expected is None else wanted.expected.inferred_type
    if kind not in ("Integral", "Fractional"):
        return pa.nulls(len(column), pa.bool_())
    if pa.types.is_integer(column.type):
        return pa.nulls(len(column), pa.bool_())
    if pa.types.is_floating(column.type):
        whole = pc.equal(column, pc.round(column))
        return pc.invert(whole) if kind == "Integral" else pa.nulls(len(column), pa.bool_())
    text = column.cast(pa.string())
    matched = pc.match_substring_regex(text, _WHOLE if kind == "Integral" else NUMBER)
    return pc.and_kleene(pc.invert(matched), pc.not_equal(text, ""))


def _unexpected(column: pa.Array[Any], wanted: Breaking) -> Any:
    domain = None if wanted.expected is None else wanted.expected.domain
    if domain is None:
        return pa.nulls(len(column), pa.bool_())
    return _outside(column.cast(pa.string()), domain)


def _outside(text: pa.Array[Any], domain: Sequence[str]) -> Any:
    known = pc.is_in(text, value_set=pa.array(domain, pa.string()))
    return pc.and_kleene(pc.invert(known), pc.and_kleene(pc.is_valid(text), pc.not_equal(text, "")))


def _far(column: pa.Array[Any], wanted: Breaking) -> Any:
    """Values that the baseline never had: a number beyond its extremes, a text that is none of its categories."""
    baseline = wanted.baseline
    if baseline is None:
        return pa.nulls(len(column), pa.bool_())
    if baseline.numerical is not None and baseline.numerical.min is not None:
        numbers = _numbers(column)
        return pc.or_(pc.less(numbers, baseline.numerical.min), pc.greater(numbers, baseline.numerical.max))
    if baseline.string is not None and baseline.string.complete and not _numeric(column):
        return _outside(column.cast(pa.string()), [text for text, _ in baseline.string.categories])
    return pa.nulls(len(column), pa.bool_())


def _numeric(column: pa.Array[Any]) -> bool:
    return bool(pa.types.is_integer(column.type) or pa.types.is_floating(column.type))


def _numbers(column: pa.Array[Any]) -> pa.Array[Any]:
    """The numbers of a column. A batch with whole and broken numbers in it comes as texts; other texts are null."""
    if _numeric(column):
        return column
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    # A cast knows no plus sign before a number.
    plain = pc.if_else(pc.starts_with(text, "+"), pc.utf8_slice_codeunits(text, 1), text)
    return pc.if_else(pc.match_substring_regex(text, NUMBER), plain, None).cast(pa.float64())


_RULES = {
    "completeness_check": _missing,
    "data_type_check": _other_type,
    "categorical_values_check": _unexpected,
    "baseline_drift_check": _far,
}
