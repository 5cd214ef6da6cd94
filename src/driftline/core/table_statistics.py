"""What is known of a table's columns: the content of a data-quality ``statistics.json``."""

from __future__ import annotations

from typing import Literal

import msgspec

InferredType = Literal["Integral", "Fractional", "String", "Unknown"]
KLL_C, KLL_K = 0.64, 2048


class Bucket(msgspec.Struct, frozen=True):
    """How many values lie in [lower, upper); in the last of a column's buckets, in [lower, upper]."""

    lower: float
    upper: float
    count: float


class TypeCounts(msgspec.Struct, frozen=True):
    """The present values of a column by what their text is.

    ``integral`` is ``2`` or ``-17``; ``whole`` is fractional text whose value is whole, such as ``2.0`` or ``1e3``;
    ``fractional`` all other numbers, infinities and NaN with them; ``boolean`` true and false in any case; ``string``
    everything else.
    """

    integral: int = 0
    whole: int = 0
    fractional: int = 0
    boolean: int = 0
    string: int = 0


class NumericalStatistics(msgspec.Struct, frozen=True):
    """The numbers of a column: moments and extremes of the finite ones, buckets of equal width, and a KLL sketch.

    Value ``j`` of ``levels[i]`` stands for 2**i values. ``std_dev`` is that of the population. ``not_finite`` counts
    NaN and infinities, which are present and take part in nothing else. Without a finite number moments are None.
    """

    mean: float | None
    sum: float | None
    std_dev: float | None
    min: float | None
    max: float | None
    buckets: tuple[Bucket, ...] = ()
    levels: tuple[tuple[float, ...], ...] = ()
    c: float = KLL_C
    k: float = KLL_K
    not_finite: int = 0


class StringStatistics(msgspec.Struct, frozen=True):
    """The texts of a column: how many distinct ones, and how often the frequent ones occur, most frequent first.

    ``distinct_count`` is exact while ``complete``; then ``categories`` holds every distinct text. Otherwise the counts
    are at most ``error`` too small, and ``distinct_count`` is an estimate.
    """

    distinct_count: float
    categories: tuple[tuple[str, int], ...] = ()
    complete: bool = True
    error: int = 0


class FeatureStatistics(msgspec.Struct, frozen=True):
    """One column. Integral and Fractional columns have ``numerical`` statistics, String ones ``string`` statistics.

    ``error`` says why some or all of its values could not be analysed; those are counted nowhere.
    """

    name: str
    inferred_type: InferredType
    num_present: int
    num_missing: int
    numerical: NumericalStatistics | None = None
    string: StringStatistics | None = None
    types: TypeCounts | None = None
    error: str | None = None


class TableStatistics(msgspec.Struct, frozen=True):
    """All columns of a table, in its order."""

    item_count: int
    features: tuple[FeatureStatistics, ...] = ()

    def feature(self, name: str) -> FeatureStatistics | None:
        """The column of a name."""
        return next((one for one in self.features if one.name == name), None)
