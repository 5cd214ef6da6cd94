"""How many of a column's values have the type that is expected of it."""

from __future__ import annotations

from driftline.core.table_statistics import FeatureStatistics, InferredType, TypeCounts


def matching(feature: FeatureStatistics, expected: InferredType, *, exact: bool) -> int:
    """The number of present values that are of the expected type.

    A whole number counts as Integral however it is written (``2``, ``2.0``), and every number as Fractional. With
    ``exact`` the text decides: ``2.0`` is Fractional only and ``2`` Integral only. Any text is a String; with ``exact``
    a column is no String column when it holds nothing but numbers.
    """
    counts = feature.types or _whole_column(feature)
    if expected == "Integral":
        return counts.integral if exact else counts.integral + counts.whole
    if expected == "Fractional":
        return counts.whole + counts.fractional + (0 if exact else counts.integral)
    if expected == "String" and exact and feature.inferred_type != "String":
        return counts.boolean + counts.string
    return feature.num_present


def _whole_column(feature: FeatureStatistics) -> TypeCounts:
    """The counts of a column of which only its type is known: as if all its values were of that type."""
    kind, present = feature.inferred_type, feature.num_present
    if kind == "Integral":
        return TypeCounts(integral=present)
    return TypeCounts(fractional=present) if kind == "Fractional" else TypeCounts(string=present)
