"""What a bias analysis found, by facet, and what of it stands in ``analysis.json``."""

from __future__ import annotations

from typing import Literal

import msgspec

from driftline.core.documents import Interval

Stage = Literal["pre_training", "post_training"]
STAGES: tuple[Stage, ...] = ("pre_training", "post_training")


class BiasMetric(msgspec.Struct, frozen=True, omit_defaults=True):
    """One bias metric of one facet: its short name (``DPL``), its value, which may be infinite, and its interval; or
    why it has no value."""

    name: str
    description: str
    value: float | None
    error: str | None = None
    confidence_interval: Interval | None = None


class FacetBias(msgspec.Struct, frozen=True):
    """The metrics of one facet at one stage: rows with this value (or in this interval, as ``(50.0, 89.0]``) are held
    against all others. ``rows`` are how many rows are in the facet and in all."""

    stage: Stage
    facet: str
    value_or_threshold: str
    metrics: tuple[BiasMetric, ...]
    rows: tuple[int, int] | None = None


class BiasAnalysis(msgspec.Struct, frozen=True):
    """The bias of labels (before training) and of predictions (after), facet by facet."""

    label: str
    label_value_or_threshold: str
    facets: tuple[FacetBias, ...]
