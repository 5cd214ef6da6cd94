"""Batches of a table as rows of numbers in the order of a model's features."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.errors import InputError
from driftline.engine.texts import without_blanks

Floats = npt.NDArray[np.float64]
_PLACE = re.compile(r"_c\d+")
_NUMBER = r"^[ \t]*[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:nan|inf|infinity))[ \t]*$"


class ModelColumns:
    """Where a table's columns stand among the features of a model.

    ``columns`` are the table's, without those that are no features. A model that knows the names of its features takes
    its columns by name and leaves the others; a model that does not, and a table without names (``_c0``, ``_c1``, …),
    takes them by place: then there must be as many. ``features`` are the model's own names, or how many it has;
    ``source`` names the table in messages. ``names`` are what the features are called from here on.

    Raises :class:`InputError` that names a missing feature, or says how many columns there are.
    """

    def __init__(self, columns: Sequence[str], features: Sequence[str] | int | None, *, source: str) -> None:
        self._source = source
        count = len(columns) if features is None else features if isinstance(features, int) else len(features)
        unnamed = bool(columns) and all(map(_PLACE.fullmatch, columns))
        if features is None or isinstance(features, int) or unnamed:
            self._require_count(columns, count)
            self._columns = tuple(columns)
            self.names = self._columns if features is None or isinstance(features, int) else tuple(features)
            return
        self.names = self._columns = tuple(features)
        missing = [name for name in features if name not in set(columns)]
        if missing:
            raise InputError(
                f"{source} has no column {missing[0]!r}, a feature of the model"
                + (f" ({len(missing)} are missing)" if len(missing) > 1 else ""),
                evidence=f"its columns are: {', '.join(columns)[:300]}",
                hint="give a table with all features of the model, under the model's names",
            )

    def matrix(self, batch: pa.RecordBatch, first: int = 0) -> Floats:
        """The features of a batch [rows, features]; missing values are NaN. ``first`` rows came before it.

        Raises :class:`InputError` that names a column that is not there, and one that holds a text, with its row.
        """
        found = np.empty((batch.num_rows, len(self._columns)))
        for place, name in enumerate(self._columns):
            where = batch.schema.get_field_index(name)
            if where < 0:
                raise InputError(
                    f"{self._source}: the rows from {first + 1} on have no column {name!r}, a feature of the model",
                    evidence=f"their columns are: {', '.join(batch.schema.names)[:300]}",
                    hint="give rows of the same columns",
                )
            found[:, place] = self._numbers(batch.column(where), name, first)
        return found

    def chosen(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The features of a batch under the model's names."""
        found = batch.select([batch.schema.get_field_index(name) for name in self._columns])
        return found.rename_columns(list(self.names))

    def usable(self, batch: pa.RecordBatch) -> Any:
        """Of every row whether its features hold no text that is no number; None where no feature is text."""
        odd = [mask for name in self._columns if (mask := _odd(batch.column(name))) is not None]
        if not odd:
            return None
        found = odd[0]
        for mask in odd[1:]:
            found = pc.or_(found, mask)
        return pc.invert(found)

    def _require_count(self, columns: Sequence[str], count: int) -> None:
        if len(columns) != count:
            raise InputError(
                f"the model has {count} features, and {self._source} has {len(columns)} columns",
                evidence=f"the columns are: {', '.join(columns)[:300]}",
                hint="they are taken by place, because the model or the table has no names: leave out a label with "
                "--label NAME, and others with --exclude NAMES",
            )

    def _numbers(self, column: Any, name: str, first: int) -> Any:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        kind = column.type
        if pa.types.is_boolean(kind):
            column = column.cast(pa.uint8())
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            column = self._of_texts(without_blanks(column), name, first)
        elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
            if column.null_count < len(column):
                raise self._no_number(name, first, column, pc.is_valid(column))
            column = pa.nulls(len(column), pa.float64())
        return pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)

    def _of_texts(self, column: Any, name: str, first: int) -> Any:
        """Texts that are numbers; a column of ``6`` and ``6.5`` comes as texts."""
        wrong = pc.invert(pc.match_substring_regex(column, _NUMBER))
        if pc.any(wrong).as_py():
            raise self._no_number(name, first, column, wrong)
        return pc.cast(pc.utf8_trim_whitespace(column), pa.float64())

    def _no_number(self, name: str, first: int, column: Any, wrong: Any) -> InputError:
        row = int(pc.indices_nonzero(pc.fill_null(wrong, False))[0].as_py())
        return InputError(
            f"{self._source}: column {name!r}, a feature of the model, holds values that are no numbers",
            evidence=f"row {first + row + 1}: {str(column[row].as_py())[:100]!r}",
            hint="give the numbers that the model was trained on; leave out what is no feature with --exclude",
        )


def _odd(column: Any) -> Any:
    """Which values of a column are texts that are no numbers; None of a column of numbers."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None
    wrong = pc.invert(pc.match_substring_regex(without_blanks(column), _NUMBER))
    return pc.fill_null(wrong, False)
