"""Whether a custom analyzer keeps the laws that everything else rests on: on no data, and on a few rows of the run."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from driftline.core import laws
from driftline.core.errors import InputError
from driftline.core.state import Analyzer, State
from driftline.pipeline.custom.errors import broken

ROWS = 64
_TOLERANCE = 1e-9
_HINT = "check it in a test of yours: driftline.testing.check_laws(analyzer, [batch])"


def check_by_itself(analyzer: Analyzer[Any]) -> None:
    """Raises :class:`InputError` unless no rows have a state that saves itself, can be merged and has a result."""
    try:
        identity = analyzer.identity()
        if not isinstance(identity, State):
            raise AssertionError(f"identity() gave a {type(identity).__name__}, which is no driftline.core.state.State")
        if type(identity).load(identity.save()) != identity:
            raise AssertionError("load(save(state)) is not equal to the state")
        for states in ([], [identity], [identity, identity]):
            if analyzer.merge(states) != identity:
                raise AssertionError(f"merging {len(states)} states of no rows gives another state")
        analyzer.result(identity)
    except Exception as error:
        raise _unlawful(analyzer, error) from None


def check_on_rows(analyzer: Analyzer[Any], batch: pa.RecordBatch) -> None:
    """Raises :class:`InputError` when the first rows of a batch show that a law is broken.

    Identity, merging, saving, rows in parts, and that states are left alone; results may differ by a billionth, as
    sums of floats do.
    """
    rows = batch.slice(0, ROWS)
    try:
        for law in (laws.check_no_rows, laws.check_identity, laws.check_merge, laws.check_saving):
            law(analyzer, rows, tolerance=_TOLERANCE, absolute=_TOLERANCE)
        laws.check_splits(analyzer, rows, tolerance=_TOLERANCE, absolute=_TOLERANCE, splits=(3,))
        laws.check_untouched(analyzer, rows)
    except Exception as error:
        raise _unlawful(analyzer, error) from None


def _unlawful(analyzer: Analyzer[Any], error: Exception) -> InputError:
    if isinstance(error, AssertionError):
        return InputError(f"the analyzer {analyzer.name} breaks a law of states", evidence=str(error)[:600], hint=_HINT)
    return broken(f"the analyzer {analyzer.name} failed", error)
