"""How much of everything a page shows, so that it stays small whatever the run held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")
MOST_BYTES = 300_000


class Sizes(NamedTuple):
    """How many of each are shown; the rest are counted."""

    metrics: int
    marks: int
    classes: int
    confusions: int
    lines: int
    rejects: int
    reasons: int
    facts: int
    segments: int


# Only names and texts at their longest everywhere ever need the smaller ones.
SIZES = (
    Sizes(metrics=40, marks=24, classes=30, confusions=12, lines=20, rejects=10, reasons=10, facts=12, segments=12),
    Sizes(metrics=20, marks=12, classes=12, confusions=8, lines=10, rejects=5, reasons=5, facts=8, segments=8),
    Sizes(metrics=8, marks=6, classes=5, confusions=5, lines=4, rejects=2, reasons=2, facts=5, segments=2),
)


class TableSizes(NamedTuple):
    """How much a page of data quality shows: rows and pictures of features, violations, of each feature its new
    categories, its samples and its violations, and segments."""

    features: int
    pictures: int
    violations: int
    categories: int
    samples: int
    each: int
    segments: int


MOST_TABLE_BYTES = 3_000_000
TABLE_SIZES = (
    TableSizes(features=2000, pictures=100, violations=200, categories=10, samples=5, each=6, segments=12),
    TableSizes(features=1000, pictures=50, violations=100, categories=5, samples=3, each=4, segments=8),
    TableSizes(features=200, pictures=20, violations=50, categories=5, samples=2, each=2, segments=2),
)


class BiasSizes(NamedTuple):
    """How much a page of bias shows: values of facets with a picture and a table, more values in the table of all, and
    violations."""

    parts: int
    more: int
    violations: int


BIAS_SIZES = (
    BiasSizes(parts=24, more=200, violations=200),
    BiasSizes(parts=10, more=60, violations=60),
    BiasSizes(parts=3, more=10, violations=20),
)


class RankingSizes(NamedTuple):
    """How much a page of attributions shows: labels, and of each the bars and the lines of its table; violations."""

    labels: int
    bars: int
    lines: int
    violations: int


RANKING_SIZES = (
    RankingSizes(labels=12, bars=25, lines=200, violations=100),
    RankingSizes(labels=8, bars=15, lines=60, violations=40),
    RankingSizes(labels=3, bars=10, lines=20, violations=10),
)


def some(items: Sequence[T], most: int) -> tuple[Sequence[T], int]:
    """The first of many, and how many are left out."""
    return items[:most], max(0, len(items) - most)
