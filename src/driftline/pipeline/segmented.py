"""A monitor and its segments, measured in one pass over the batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
import pyarrow as pa

from driftline.core.documents import ModelQualityConstraints
from driftline.core.errors import InputError
from driftline.monitors.quality.checks import MINIMUM_SAMPLE
from driftline.monitors.quality.recipes import Recipe
from driftline.monitors.quality.result import QualityResult
from driftline.monitors.segment_ranking import SegmentRank, ranked
from driftline.monitors.segments import Measured, Segmentation, Segments

T = TypeVar("T")
PREFERRED = ("f2", "weighted_f2", "rmse")
"""What segments are ranked by where nothing else is asked for, by problem type."""


class Divided:
    """Batches that pass by, and the states of their segments.

    >>> Divided(None, ()).states
    []
    """

    def __init__(self, monitor: Measured | None, segmentations: Sequence[Segmentation]) -> None:
        self._segments = [Segments(monitor, one) for one in segmentations] if monitor is not None else []
        self.states: list[dict[str, Any]] = [{} for _ in self._segments]

    def passing(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches as they are; what they say of each segment is added to its state."""
        for batch in batches:
            for place, segments in enumerate(self._segments):
                self.states[place] = segments.merge([self.states[place], segments.update(batch)])
            yield batch

    def add(self, states: Sequence[dict[str, Any]]) -> None:
        """The states of segments that were measured elsewhere."""
        merged = zip(self._segments, self.states, states, strict=True)
        self.states = [segments.merge([before, found]) for segments, before, found in merged]


def ranking(
    monitor: Recipe,
    whole: QualityResult,
    columns: Sequence[str],
    states: Sequence[dict[str, Any]],
    metric: str | None = None,
    constraints: ModelQualityConstraints | None = None,
    *,
    minimum_sample: int = MINIMUM_SAMPLE,
) -> tuple[SegmentRank, ...]:
    """The segments of each column by a metric of model quality, worst first, each held against the constraints.

    ``columns`` are the names to show. Raises :class:`InputError` for a metric that gets no constraint: which way it is
    worse is not known.
    """
    chosen = metric or next(name for name in PREFERRED if name in monitor.constrained)
    if chosen not in monitor.constrained:
        raise InputError(
            f"segments cannot be ranked by {chosen!r}", hint=f"use one of {', '.join(sorted(monitor.constrained))}"
        )
    found: list[SegmentRank] = []
    for column, state in zip(columns, states, strict=True):
        parts = {name: monitor.result(part) for name, part in state.items()}
        operator = monitor.constrained[chosen]
        found += ranked(column, whole, parts, chosen, operator, constraints, minimum_sample=minimum_sample)
    return tuple(found)


def segments_document(ranks: Sequence[SegmentRank]) -> list[dict[str, Any]]:
    """The segments as they stand in ``statistics.json``."""
    document: list[dict[str, Any]] = msgspec.to_builtins(ranks)
    return document
