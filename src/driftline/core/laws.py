"""The laws of states: what every analyzer must keep, as plain functions that raise :class:`AssertionError` saying which
law broke."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import pairwise
from typing import Any, TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from driftline.core.state import Analyzer, State

S = TypeVar("S", bound=State)
SPLITS = (1, 7, 64)


def check_laws(
    analyzer: Analyzer[S],
    batches: Sequence[pa.RecordBatch],
    *,
    tolerance: float = 0.0,
    absolute: float = 0.0,
    seed: int = 0,
) -> None:
    """Every law an analyzer must keep, on the given rows.

    ``batches`` must share one schema; one batch is enough, and it may be empty. With ``tolerance`` 0 states must be
    equal to the byte; an analyzer that adds floats gives the relative error its results may have (or the ``absolute``
    one, for numbers that come close to zero), and then results are compared instead of states. ``seed`` draws the
    order in which the rows are seen a second time.
    """
    rows = one_batch(batches)
    for law in (check_no_rows, check_identity, check_merge, check_saving, check_splits):
        law(analyzer, rows, tolerance=tolerance, absolute=absolute)
    check_order(analyzer, rows, tolerance=tolerance, absolute=absolute, seed=seed)
    check_untouched(analyzer, rows)


def check_no_rows(
    analyzer: Analyzer[S], rows: pa.RecordBatch, *, tolerance: float = 0.0, absolute: float = 0.0
) -> None:
    """No rows have a state, the identity, and a defined result; nothing is raised."""
    identity = analyzer.identity()
    _same(
        analyzer, identity, analyzer.update(rows.slice(0, 0)), (tolerance, absolute), "update of a batch without rows"
    )
    _same(analyzer, identity, analyzer.merge([]), (tolerance, absolute), "merge of no states")
    analyzer.result(identity)


def check_identity(
    analyzer: Analyzer[S], rows: pa.RecordBatch, *, tolerance: float = 0.0, absolute: float = 0.0
) -> None:
    """Merging with the identity, on either side and any number of times, changes nothing; nor does merging alone."""
    state, identity = analyzer.update(rows), analyzer.identity()
    _same(analyzer, state, analyzer.merge([state]), (tolerance, absolute), "merge of one state")
    _same(
        analyzer, state, analyzer.merge([identity, state]), (tolerance, absolute), "merge of the identity with a state"
    )
    _same(
        analyzer,
        state,
        analyzer.merge([state, identity, identity]),
        (tolerance, absolute),
        "merge of a state with identities",
    )


def check_merge(analyzer: Analyzer[S], rows: pa.RecordBatch, *, tolerance: float = 0.0, absolute: float = 0.0) -> None:
    """Merging is commutative and associative."""
    merge = analyzer.merge
    a, b, c = (analyzer.update(part) for part in split(rows, 3))
    _same(analyzer, merge([a, b]), merge([b, a]), (tolerance, absolute), "merge([a, b]) against merge([b, a])")
    together = merge([a, b, c])
    _same(analyzer, together, merge([merge([a, b]), c]), (tolerance, absolute), "merge([merge([a, b]), c])")
    _same(analyzer, together, merge([a, merge([b, c])]), (tolerance, absolute), "merge([a, merge([b, c])])")
    _same(analyzer, together, merge([c, b, a]), (tolerance, absolute), "merge([c, b, a])")


def check_saving(analyzer: Analyzer[S], rows: pa.RecordBatch, *, tolerance: float = 0.0, absolute: float = 0.0) -> None:
    """A state reads back equal to what was saved, saves to the same bytes again, and can still be merged."""
    for state in (analyzer.identity(), analyzer.update(rows)):
        saved = state.save()
        loaded = type(state).load(saved)
        if loaded != state:
            raise AssertionError(f"{analyzer.name}: load(save(state)) is not equal to the state")
        if loaded.save() != saved:
            raise AssertionError(f"{analyzer.name}: a loaded state saves to other bytes")
        merged, wanted = analyzer.merge([loaded, loaded]), analyzer.merge([state, state])
        _same(analyzer, wanted, merged, (tolerance, absolute), "merge of loaded states")


def check_splits(
    analyzer: Analyzer[S],
    rows: pa.RecordBatch,
    *,
    tolerance: float = 0.0,
    absolute: float = 0.0,
    splits: Iterable[int] = SPLITS,
) -> None:
    """The rows seen at once or in any number of parts, empty ones among them, give the same."""
    whole = analyzer.update(rows)
    for parts in splits:
        merged = analyzer.merge([analyzer.update(part) for part in split(rows, parts)])
        _same(analyzer, whole, merged, (tolerance, absolute), f"the rows in {parts} parts")


def check_order(
    analyzer: Analyzer[S], rows: pa.RecordBatch, *, tolerance: float = 0.0, absolute: float = 0.0, seed: int = 0
) -> None:
    """The rows seen in another order give the same."""
    whole = analyzer.update(rows)
    shuffled = np.random.default_rng(seed).permutation(rows.num_rows)
    for name, order in (("shuffled", shuffled), ("reversed", np.arange(rows.num_rows)[::-1])):
        _same(analyzer, whole, analyzer.update(rows.take(pa.array(order))), (tolerance, absolute), f"the rows {name}")


def check_untouched(analyzer: Analyzer[S], rows: pa.RecordBatch) -> None:
    """A state is immutable: its fields cannot be set, and neither merging nor reading a result changes it."""
    states = [analyzer.identity(), *(analyzer.update(part) for part in split(rows, 2))]
    before = [state.save() for state in states]
    merged = analyzer.merge(states)
    analyzer.result(merged)
    for state in states:
        analyzer.result(state)
    analyzer.merge([merged, *states])
    if [state.save() for state in states] != before:
        raise AssertionError(f"{analyzer.name}: merge or result changed a state it was given")
    for name in _field_names(merged):
        try:
            setattr(merged, name, getattr(merged, name))
        except (AttributeError, TypeError):
            continue
        raise AssertionError(f"{analyzer.name}: field {name!r} of a state can be set")


def split(rows: pa.RecordBatch, parts: int) -> list[pa.RecordBatch]:
    """The rows in that many consecutive slices, as even as can be; some are empty when there are fewer rows."""
    bounds = [rows.num_rows * part // parts for part in range(parts + 1)]
    return [rows.slice(start, end - start) for start, end in pairwise(bounds)]


def one_batch(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """All rows of batches of one schema in one batch."""
    if not batches:
        raise ValueError("at least one batch is needed, if only for its schema")
    joined = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks().to_batches()
    return joined[0] if joined else batches[0].slice(0, 0)


def same(left: Any, right: Any, tolerance: float = 0.0, absolute: float = 0.0) -> bool:
    """Whether two results are equal: numbers within a relative or an absolute tolerance, NaN equal to NaN, containers
    by content."""
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        return _same_arrays(np.asarray(left), np.asarray(right), tolerance, absolute)
    if isinstance(left, float) or isinstance(right, float):
        return _same_numbers(left, right, tolerance, absolute)
    if isinstance(left, Mapping):
        return (
            isinstance(right, Mapping)
            and left.keys() == right.keys()
            and all(same(left[key], right[key], tolerance, absolute) for key in left)
        )
    if isinstance(left, list | tuple):
        return (
            isinstance(right, list | tuple)
            and len(left) == len(right)
            and all(same(one, other, tolerance, absolute) for one, other in zip(left, right, strict=True))
        )
    names = _field_names(left)
    if names and type(left) is type(right):
        return all(same(getattr(left, name), getattr(right, name), tolerance, absolute) for name in names)
    return bool(left == right)


def _same_numbers(left: Any, right: Any, tolerance: float, absolute: float) -> bool:
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return False
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return left == right or math.isclose(left, right, rel_tol=tolerance, abs_tol=absolute)


def _same_arrays(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any], tolerance: float, absolute: float) -> bool:
    if left.shape != right.shape:
        return False
    if "f" not in (left.dtype.kind, right.dtype.kind):
        return bool(np.array_equal(left, right))
    return bool(np.isclose(left, right, rtol=tolerance, atol=absolute, equal_nan=True).all())


def _field_names(value: Any) -> tuple[str, ...]:
    if isinstance(value, msgspec.Struct):
        return value.__struct_fields__
    return tuple(field.name for field in fields(value)) if is_dataclass(value) else ()


def _same(analyzer: Analyzer[S], wanted: S, found: S, allowed: tuple[float, float], what: str) -> None:
    if not any(allowed) and wanted != found:
        raise AssertionError(f"{analyzer.name}: {what} gives another state: {found!r} instead of {wanted!r}")
    left, right = analyzer.result(wanted), analyzer.result(found)
    if not same(left, right, *allowed):
        raise AssertionError(f"{analyzer.name}: {what} gives another result: {right!r} instead of {left!r}")
