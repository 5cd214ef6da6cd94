"""The flip test of one facet value, of the sampled rows."""

from __future__ import annotations

import numpy as np

from driftline.analyzers.flip_sample import FlipSample, FlipState
from driftline.core.bias_analysis import BiasMetric
from driftline.core.bias_metrics import POST_TRAINING
from driftline.monitors.bias.measures import Drawn
from driftline.stats.bias_resampling import resampled
from driftline.stats.flips import flips

NOT_NUMERIC = "FlipTest does not support non-numeric columns"


def flip_test(
    sample: FlipSample, state: FlipState | None, facet: str, place: int, value: str, drawn: Drawn
) -> BiasMetric:
    """FT of the rows with a facet value: every numeric column but the facet, label and predictions is a feature.

    Rows that lack a feature are left out. The interval is that of the flips of the facet's rows, drawn again, with the
    rows beside it as they are.
    """
    description = POST_TRAINING["FT"]
    if state is None:
        return BiasMetric("FT", description, None, "the features of rows were not looked at")
    rows = sample.result(state)
    kept = [number for number, name in enumerate(rows.features) if name != facet]
    if any(name != facet for name in rows.others):
        return BiasMetric("FT", description, None, NOT_NUMERIC)
    cells, codes = rows.cells[:, kept], rows.facets[:, place]
    usable = np.isfinite(cells).all(axis=1) & (codes >= 0)
    names = rows.names[place]
    inside = codes == (names.index(value) if value in names else len(names))
    within, beside = usable & inside, usable & ~inside
    reason = _reason(len(kept), within.any(), beside.any(), (~usable).sum())
    if reason:
        return BiasMetric("FT", description, None, reason)
    found = flips(cells[within], rows.predicted[within], cells[beside], rows.predicted[beside])
    counts = np.array([(found == sign).sum() for sign in (-1, 0, 1)])
    again = resampled(counts, drawn.resamples, drawn.seed) @ np.array([-1.0, 0.0, 1.0]) / len(found)
    return BiasMetric("FT", description, float(found.mean()), None, drawn.interval(again))


def _reason(features: int, within: bool, beside: bool, unusable: int) -> str:
    if not features:
        return "no column is a feature"
    if within and beside:
        return ""
    left = f"; {unusable} rows lack a feature" if unusable else ""
    return f"no row with a prediction is {'beside' if within else 'in'} the facet{left}"
