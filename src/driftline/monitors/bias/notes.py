"""What a bias analysis left out, in words."""

from __future__ import annotations

from collections.abc import Iterator

from driftline.analyzers.facet_cells import OUTCOMES, FacetCells
from driftline.core.analysis_settings import BiasConfig
from driftline.monitors.bias.state import BiasState
from driftline.monitors.bias.values import MOST_ANALYSED

_UNKNOWN = 2


def notes(config: BiasConfig, state: BiasState) -> tuple[str, ...]:
    """Rows without a facet value, a label or a prediction, and facet values that are not held against all others."""
    predicted = config.predicted is not None or config.probability is not None
    found = [
        sentence
        for facet, cells in zip(config.facets, state.counts.facets, strict=True)
        for sentence in _of_facet(facet.name, cells, config.group)
    ]
    if state.counts.facets:
        found += _of_outcomes(state.counts.facets[0], predicted=predicted)
    return tuple(dict.fromkeys(found))


def _of_facet(name: str, cells: FacetCells, group: str | None) -> Iterator[str]:
    if cells.missing:
        yield f"{cells.missing:,} rows have no usable {name}: they are left out of this facet"
    if len(cells.values) > MOST_ANALYSED or cells.rest:
        more = f"more than {len(cells.values):,}" if cells.rest else f"{len(cells.values):,}"
        yield (
            f"{name} has {more} values: only {MOST_ANALYSED} of the most frequent are held against all others;"
            f" choose values, as in {name}=VALUE, or a threshold"
        )
    if group is not None and cells.rest_of_groups:
        yield f"{group} has more than {len(cells.groups):,} values: the others are one group for CDDL and CDDPL"


def _of_outcomes(cells: FacetCells, *, predicted: bool) -> Iterator[str]:
    label, prediction = cells.outcome // OUTCOMES, cells.outcome % OUTCOMES
    unlabelled = int(cells.count[label == _UNKNOWN].sum())
    if unlabelled:
        yield f"{unlabelled:,} rows have no label: only metrics of predictions count them"
    unpredicted = int(cells.count[prediction == _UNKNOWN].sum())
    if predicted and unpredicted:
        yield f"{unpredicted:,} rows have no prediction: only metrics of labels count them"
