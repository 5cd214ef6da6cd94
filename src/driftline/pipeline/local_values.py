"""Local attributions as a file: Parquet, or CSV as the original service saves them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.errors import InputError, SetupError
from driftline.engine.names import distinct

Floats = npt.NDArray[np.float64]


class LocalValues:
    """A file of local attributions, a row each: a column for every feature, and one for what was predicted, named as
    the output. Of several outputs the columns of features are called ``FEATURE_OUTPUT``.

    A context manager: the file is there when all went well, and else not at all. Raises :class:`InputError` for a name
    that ends neither in ``.parquet`` nor in ``.csv``, :class:`SetupError` where it cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() not in (".parquet", ".csv"):
            hint = "end it in .parquet or .csv"
            raise InputError(f"local values cannot be saved as {self.path.name}", hint=hint)
        self._temporary = self.path.with_name(f".{uuid4().hex}.tmp")
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._writer is not None:
            self._writer.close()
        if kind is None and self._temporary.exists():
            self._temporary.replace(self.path)
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def write(self, features: Sequence[str], labels: Sequence[str], values: Floats, scores: Floats) -> None:
        """Add rows: ``values`` [rows, features, outputs] and ``scores`` [rows, outputs]."""
        single = len(labels) == 1
        names = [name if single else f"{name}_{label}" for name in features for label in labels]
        columns = [*values.reshape(len(values), -1).T, *scores.T]
        batch = pa.RecordBatch.from_arrays(
            [pa.array(np.ascontiguousarray(column)) for column in columns], names=list(distinct([*names, *labels]))
        )
        try:
            if self._writer is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._writer = self._open(batch.schema)
            self._writer.write_batch(batch)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SetupError(f"cannot write {self.path}", evidence=reason, hint="free some disk space") from None

    def _open(self, schema: pa.Schema) -> Any:
        if self.path.suffix.lower() == ".csv":
            from pyarrow import csv

            return csv.CSVWriter(str(self._temporary), schema)
        from pyarrow import parquet

        return parquet.ParquetWriter(str(self._temporary), schema)
