"""From the columns of a table to what is counted: facets, labels, predictions and groups as codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from driftline.analyzers.contingency import BESIDE, INSIDE, Cut
from driftline.analyzers.flip_sample import FEATURE
from driftline.core.analysis_settings import BiasConfig
from driftline.core.errors import InputError
from driftline.core.facets import Choice
from driftline.core.sampling import U64
from driftline.monitors.encoding import canonical, canonical_classes, numbers
from driftline.monitors.segments import MISSING

Codes = npt.NDArray[np.int8]
_UNKNOWN = 2
_HEAD = 256
_ABSENT = {"", "nan"}
_BOOLEANS = {"1": "true", "0": "false", "true": "true", "false": "false"}


class BiasRows:
    """Makes of a table's batch the one that the analyzers of bias see. ``exclude`` are columns that are no features."""

    def __init__(self, config: BiasConfig, exclude: Sequence[str] = ()) -> None:
        self.config = config
        self.cuts = tuple(cut_of(facet.choice) for facet in config.facets)
        outcomes = (config.label, config.predicted, config.probability)
        self._no_features = {*exclude, *(name for name in outcomes if name is not None)}

    @property
    def predicted(self) -> bool:
        """Whether there are predictions."""
        return self.config.predicted is not None or self.config.probability is not None

    def made(self, batch: pa.RecordBatch, order: U64 | None = None) -> pa.RecordBatch:
        """Facets, label, prediction and group as codes; with ``order`` (a hash of every row's id) also the features.

        A label, a prediction or a facet value that is absent or no number where one is needed is unknown. Raises
        :class:`InputError` naming a column that is not there.
        """
        config = self.config
        columns: dict[str, Any] = {
            "label": pa.array(outcome_codes(_column(batch, config.label, "label"), config.positive)),
            "predicted": pa.array(self._predicted(batch)),
            "group": self._group(batch),
        }
        for place, facet in enumerate(config.facets):
            column = _column(batch, facet.name, "facet")
            columns[f"facet {place}"] = (
                categories(column, facet.choice) if self.cuts[place] is None else pa.array(_numbers(column))
            )
        if order is not None:
            columns["order"] = pa.array(order)
            columns |= {FEATURE + name: _feature(batch.column(name)) for name in self._features(batch)}
        return pa.RecordBatch.from_pydict(columns)

    def _predicted(self, batch: pa.RecordBatch) -> Codes:
        config = self.config
        if config.predicted is not None:
            return outcome_codes(_column(batch, config.predicted, "predicted label"), config.positive)
        if config.probability is not None:
            scores = _column(batch, config.probability, "probability")
            return outcome_codes(scores, Choice(threshold=config.probability_threshold))
        return np.full(batch.num_rows, _UNKNOWN, dtype=np.int8)

    def _group(self, batch: pa.RecordBatch) -> pa.DictionaryArray:
        if self.config.group is None:
            return pa.DictionaryArray.from_arrays(np.zeros(batch.num_rows, dtype=np.int8), pa.array([""]))
        found = categories(_column(batch, self.config.group, "group"), Choice())
        if not found.null_count:
            return found
        names = [*found.dictionary.to_pylist(), MISSING]
        return pa.DictionaryArray.from_arrays(pc.fill_null(found.indices, len(names) - 1), pa.array(names, pa.string()))

    def _features(self, batch: pa.RecordBatch) -> list[str]:
        return [name for name in dict.fromkeys(batch.schema.names) if name not in self._no_features]


def cut_of(choice: Choice) -> Cut | None:
    """How a numeric facet is cut; None of one whose values are told apart."""
    return None if choice.values or choice.threshold is None else Cut(choice.threshold, choice.inclusive)


def outcome_codes(column: Any, positive: Choice) -> Codes:
    """For every value 1 where it is positive, 0 where it is not, 2 where it is absent or, with a threshold, no number.

    >>> outcome_codes(pa.array(["1", "1.0", "0", "", None]), Choice(("1",))).tolist()
    [1, 1, 0, 2, 2]
    >>> outcome_codes(pa.array([0.9, 0.8, None]), Choice(threshold=0.8)).tolist()
    [1, 0, 2]
    """
    if positive.values or positive.threshold is None:
        found = _encoded(column)
        wanted = _wanted(positive, column)
        names = found.dictionary.to_pylist()
        # Whether a value is positive is decided once a distinct value.
        table = np.array([*(name in wanted for name in names), _UNKNOWN], dtype=np.int8)
        codes: Codes = table[pc.fill_null(found.indices, len(names)).to_numpy(zero_copy_only=False)]
        return codes
    values = _numbers(column)
    above = values >= positive.threshold if positive.inclusive else values > positive.threshold
    return np.where(np.isnan(values), _UNKNOWN, above).astype(np.int8)


def categories(column: Any, choice: Choice) -> pa.DictionaryArray:
    """Each value under its one spelling; where some are chosen, whether a value is among them. Nulls stay null."""
    found = _encoded(column)
    if not choice.values:
        return found
    wanted = _wanted(choice, column)
    table = np.array([*(name in wanted for name in found.dictionary.to_pylist()), 0], dtype=np.int8)
    places = table[pc.fill_null(found.indices, len(table) - 1).to_numpy(zero_copy_only=False)]
    mask = found.indices.is_null() if found.null_count else None
    indices = pa.array(places) if mask is None else pc.if_else(mask, pa.scalar(None, pa.int8()), pa.array(places))
    return pa.DictionaryArray.from_arrays(indices, pa.array([BESIDE, INSIDE]))


def _wanted(choice: Choice, column: Any) -> set[str]:
    """The spellings of the chosen values; of booleans also 1 and 0."""
    wanted = {canonical(value) for value in choice.values}
    if not pa.types.is_boolean(column.type):
        return wanted
    return {_BOOLEANS.get(value.lower(), value) for value in wanted}


def _encoded(column: Any) -> pa.DictionaryArray:
    """A column as distinct texts, each under one spelling; what is absent, blank or NaN is null.

    Only the distinct values become text, so that a column of numbers is not written out row by row.
    """
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    classes = canonical_classes(encoded.dictionary)
    names = classes.dictionary.to_pylist()
    if names == encoded.dictionary.to_pylist() and not set(names) & _ABSENT:
        return pa.DictionaryArray.from_arrays(encoded.indices, classes.dictionary)
    absent = _ABSENT if pa.types.is_floating(encoded.type.value_type) else {""}
    table = np.array([-1 if name in absent else place for place, name in enumerate(names)] + [-1], dtype=np.int32)
    places = table[pc.fill_null(classes.indices, len(names)).to_numpy(zero_copy_only=False)]
    return _without(classes.dictionary, np.append(places, np.int32(-1)), encoded.indices)


def _without(names: Any, places: npt.NDArray[np.int32], indices: Any) -> pa.DictionaryArray:
    """The dictionary array of rows whose ``indices`` point into ``places``, which are −1 where there is nothing."""
    codes = places[pc.fill_null(indices, len(places) - 1).to_numpy(zero_copy_only=False)]
    absent = codes < 0
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=absent) if absent.any() else pa.array(codes), names)


def _feature(column: Any) -> Any:
    """A column of texts that are all numbers, as a file with 6 and 6.5 in one column has, as numbers; else as it is."""
    if not pa.types.is_string(column.type) or _told(column.slice(0, _HEAD)) is None:
        return column
    found = _told(column)
    return column if found is None else pa.array(found)


def _told(texts: Any) -> npt.NDArray[np.float64] | None:
    """The numbers that texts are, NaN where one is missing; None where any is something else."""
    found = numbers(texts)
    return None if np.isnan(found).sum() > texts.null_count else found


def _numbers(column: Any) -> npt.NDArray[np.float64]:
    """A column as numbers, NaN where there is none."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)):
        column = pc.cast(column, pa.string())
    return numbers(column)


def _column(batch: pa.RecordBatch, name: str, role: str) -> Any:
    place = batch.schema.get_field_index(name)
    if place < 0:
        raise InputError(
            f"no {role} column {name!r}",
            evidence=f"the columns are: {', '.join(batch.schema.names)[:300]}",
            hint="name one of them, and each column once",
        )
    return batch.column(place)
