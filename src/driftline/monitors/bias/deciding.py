"""Whether one value of the original's configuration is a category or a threshold: the column decides."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.analysis_settings import AnalysisConfig, BiasConfig
from driftline.core.bias_analysis import BiasAnalysis
from driftline.core.errors import InputError
from driftline.core.facets import Choice

MANY = 0.05


def undecided(config: BiasConfig) -> bool:
    """Whether any choice is both values and a threshold."""
    return any(choice.values and choice.threshold is not None for choice in _choices(config))


def bias_of(config: AnalysisConfig) -> BiasConfig:
    """What a configuration says of bias; raises :class:`InputError` where that is nothing."""
    if config.bias is None:
        raise InputError("the configuration has no bias analysis", hint="name label, positive labels and facets")
    return config.bias


def settled(config: BiasConfig) -> BiasConfig:
    """A configuration in which nothing is left to be decided by a table; raises :class:`InputError` for another."""
    if undecided(config):
        raise InputError(
            "the configuration does not say whether a value is a category or a threshold",
            hint="use the analysis_config.json that `driftline baseline bias` wrote",
        )
    return config


def decided(config: BiasConfig, batch: pa.RecordBatch, baseline: BiasAnalysis | None = None) -> BiasConfig:
    """The configuration with every such choice decided as in the baseline, or else as the columns of the first rows
    have it.

    It is a threshold in a column of whole numbers of which 5 % or more are different, and in one of fractions with more
    than two different ones, else a category (as the original tells them apart, but for a label of 0.0 and 1.0, which it
    cuts at a threshold that no number is above).
    """
    known = {} if baseline is None else {one.facet: one.value_or_threshold for one in baseline.facets}
    facets = tuple(
        msgspec.structs.replace(facet, choice=_decided(facet.choice, batch, facet.name, known.get(facet.name)))
        for facet in config.facets
    )
    label = None if baseline is None else baseline.label_value_or_threshold
    return msgspec.structs.replace(
        config, facets=facets, positive=_decided(config.positive, batch, config.label, label)
    )


def _choices(config: BiasConfig) -> list[Choice]:
    return [config.positive, *(facet.choice for facet in config.facets)]


def _decided(choice: Choice, batch: pa.RecordBatch, name: str, known: str | None) -> Choice:
    """``known`` is what the baseline calls it: an interval, if it took it for a threshold."""
    if not choice.values or choice.threshold is None:
        return choice
    if known is not None:
        threshold = known[:1] in ("(", "[") and ", " in known
    else:
        place = batch.schema.get_field_index(name)
        threshold = place >= 0 and _continuous(batch.column(place))
    return Choice(threshold=choice.threshold, inclusive=choice.inclusive) if threshold else Choice(choice.values)


def _continuous(column: Any) -> bool:
    if pa.types.is_floating(column.type):
        return bool(pc.count_distinct(column.drop_null()).as_py() > 2)
    if not pa.types.is_integer(column.type):
        return False
    present = len(column) - column.null_count
    return bool(present and pc.count_distinct(column.drop_null()).as_py() >= MANY * present)
