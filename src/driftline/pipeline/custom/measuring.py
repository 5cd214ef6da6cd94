"""Measuring with custom analyzers, over the batches that ours see. A broken one is a value, not the end of the run."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from driftline.core.errors import InputError
from driftline.core.state import Analyzer
from driftline.pipeline.custom.checking import check_on_rows
from driftline.pipeline.custom.errors import broken

_TOGETHER = 16
_MOST_NUMBERS = 1000


class CustomResult(msgspec.Struct, frozen=True):
    """What one analyzer found: numbers by key (None where one is undefined), or why it found nothing."""

    name: str
    values: dict[str, float | None] = {}
    error: str | None = None

    def metrics(self) -> dict[str, float | None]:
        """The numbers under the names they are published by, ``NAME.key``.

        >>> CustomResult("range", {"low": 0.5, "high": None}).metrics()
        {'range.low': 0.5, 'range.high': None}
        """
        return {f"{self.name}.{key}": value for key, value in self.values.items()}


class CustomMeasures:
    """Custom analyzers at work. Give it every batch (:meth:`see`, or :meth:`watch` around an iteration), then ask."""

    def __init__(self, analyzers: Sequence[Analyzer[Any]]) -> None:
        self._working = [_Working(analyzer) for analyzer in analyzers]

    def see(self, batch: pa.RecordBatch) -> None:
        """One more batch of rows. The first that has any is also used to check the laws."""
        for working in self._working:
            working.see(batch)

    def watch(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches as they are, each seen before it is passed on."""
        for batch in batches:
            self.see(batch)
            yield batch

    def results(self) -> tuple[CustomResult, ...]:
        """What each has found, in their order."""
        return tuple(working.result() for working in self._working)


class _Working:
    """One analyzer and its states, merged sixteen at a time."""

    def __init__(self, analyzer: Analyzer[Any]) -> None:
        self._analyzer = analyzer
        self._states: list[Any] = []
        self._checked = False
        self._error: InputError | None = None

    def see(self, batch: pa.RecordBatch) -> None:
        if self._error is not None:
            return
        try:
            if batch.num_rows and not self._checked:
                check_on_rows(self._analyzer, batch)
                self._checked = True
            self._states.append(self._analyzer.update(batch))
            if len(self._states) >= _TOGETHER:
                self._states = [self._analyzer.merge(self._states)]
        except InputError as error:
            self._error = error
        except Exception as error:
            self._error = broken(f"the analyzer {self._analyzer.name} failed", error)

    def result(self) -> CustomResult:
        name = self._analyzer.name
        if self._error is None:
            try:
                return CustomResult(name, _numbers(name, self._analyzer.result(self._analyzer.merge(self._states))))
            except InputError as error:
                self._error = error
            except Exception as error:
                self._error = broken(f"the analyzer {name} failed", error)
        return CustomResult(name, error=str(self._error))


def _numbers(name: str, found: Any) -> dict[str, float | None]:
    if not isinstance(found, dict):
        raise InputError(
            f"the result of the analyzer {name} is a {type(found).__name__}", hint="give a dict of numbers by key"
        )
    if len(found) > _MOST_NUMBERS:
        raise InputError(
            f"the analyzer {name} gave {len(found)} numbers", hint=f"at most {_MOST_NUMBERS} are published"
        )
    return {_key(name, key): _number(name, key, value) for key, value in found.items()}


def _key(name: str, key: Any) -> str:
    if not isinstance(key, str) or not 0 < len(key) <= 255 or not key.isprintable():
        raise InputError(
            f"the analyzer {name} gave the key {key!r:.80}", hint="a key is 1 to 255 characters that can be printed"
        )
    return key


def _number(name: str, key: str, value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, numbers.Real):
        raise InputError(
            f"the analyzer {name} gave a {type(value).__name__} for {key}",
            hint="give a number, or None where it has none",
        )
    try:
        number = float(value)
    except OverflowError:
        return None
    # What JSON cannot hold is undefined, as with our own metrics.
    return number if math.isfinite(number) else None
