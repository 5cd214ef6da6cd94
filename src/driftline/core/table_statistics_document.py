"""``statistics.json`` of a table: written in the original service's format, and read from ours and from its own.

What is ours stands beside its keys: ``types`` of a feature, ``not_finite`` of numbers, ``complete`` and ``error`` of
texts. Whoever does not know them leaves them alone.
"""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.core.table_statistics import (
    FeatureStatistics,
    NumericalStatistics,
    StringStatistics,
    TableStatistics,
)

_NO_LEVELS = b'"data": []'


def write_statistics(table: TableStatistics, evaluation_time: str | None = None) -> bytes:
    """The file: indented JSON with a final newline, but each level of a sketch in one line.

    ``evaluation_time`` is an ISO 8601 instant. Two thousand features with full sketches are written in about a second.
    """
    head = msgspec.json.encode({"version": 0.0, "dataset": _dataset(table, evaluation_time)})
    opening = msgspec.json.format(head, indent=2).removesuffix(b"\n}")
    features = b",\n".join(_feature_text(feature) for feature in table.features)
    listed = b"[\n" + features + b"\n  ]" if table.features else b"[]"
    return opening + b',\n  "features": ' + listed + b"\n}\n"


def statistics_document(table: TableStatistics, evaluation_time: str | None = None) -> dict[str, Any]:
    """The content of the file as plain data, for who serialises it with other things."""
    features = [
        _feature(feature, () if feature.numerical is None else feature.numerical.levels) for feature in table.features
    ]
    return {"version": 0.0, "dataset": _dataset(table, evaluation_time), "features": features}


def _dataset(table: TableStatistics, evaluation_time: str | None) -> dict[str, Any]:
    when = {} if evaluation_time is None else {"evaluation_time": evaluation_time}
    return {"item_count": table.item_count} | when


def _feature_text(feature: FeatureStatistics) -> bytes:
    """One feature, indented by four. The levels come in afterwards: a quote within a text is escaped, so that nothing
    but the key itself can look like their place."""
    text = msgspec.json.format(msgspec.json.encode(_feature(feature, ())), indent=2).replace(b"\n", b"\n    ")
    levels = () if feature.numerical is None else feature.numerical.levels
    if levels:
        lines = b",\n                ".join(msgspec.json.encode(level) for level in levels)
        text = text.replace(_NO_LEVELS, b'"data": [\n                ' + lines + b"\n              ]", 1)
    return b"    " + text


def _feature(feature: FeatureStatistics, levels: tuple[tuple[float, ...], ...]) -> dict[str, Any]:
    document: dict[str, Any] = {"name": feature.name, "inferred_type": feature.inferred_type}
    common = {"num_present": feature.num_present, "num_missing": feature.num_missing}
    if feature.numerical is not None:
        document["numerical_statistics"] = _numerical(feature.numerical, common, levels)
    if feature.string is not None:
        document["string_statistics"] = _string(feature.string, common)
    if feature.numerical is None and feature.string is None:
        document["common"] = common
    if feature.types is not None:
        document["types"] = msgspec.to_builtins(feature.types)
    return document


def _numerical(
    found: NumericalStatistics, common: dict[str, int], levels: tuple[tuple[float, ...], ...]
) -> dict[str, Any]:
    sketch = {"parameters": {"c": found.c, "k": found.k}, "data": levels}
    buckets = [{"lower_bound": one.lower, "upper_bound": one.upper, "count": one.count} for one in found.buckets]
    return {
        "common": common,
        "mean": found.mean,
        "sum": found.sum,
        "std_dev": found.std_dev,
        "min": found.min,
        "max": found.max,
        "distribution": {"kll": {"buckets": buckets, "sketch": sketch}},
        "not_finite": found.not_finite,
    }


def _string(found: StringStatistics, common: dict[str, int]) -> dict[str, Any]:
    buckets = [{"value": value, "count": count} for value, count in found.categories]
    return {
        "common": common,
        "distinct_count": found.distinct_count,
        "distribution": {"categorical": {"buckets": buckets}},
        "complete": found.complete,
        "error": found.error,
    }
