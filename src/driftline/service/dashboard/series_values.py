"""What a statistics document says of one published metric: its value and its interval."""

from __future__ import annotations

import msgspec

from driftline.core.attribution_document import EXPLANATIONS
from driftline.core.bias_document import BIAS_SECTIONS
from driftline.core.documents import FAMILIES
from driftline.monitors.attribution.publish import EXPECTED, FEATURE
from driftline.monitors.bias.publish import METRIC as BIAS_METRIC
from driftline.monitors.bias.publish import STAGES
from driftline.monitors.data_quality.publish import DATA, NON_NULL
from driftline.reporting.statistics import Entry, finite, mapping, read_entry, whole
from driftline.resources.metrics import Series
from driftline.service.dashboard.raw_documents import part

NOTHING = Entry(None)


class SegmentValue(msgspec.Struct, frozen=True):
    """A metric of one segment of a run's rows."""

    column: str
    segment: str
    metric: str
    value: float | None
    lower: float | None
    upper: float | None
    rows: int


def value_in(document: bytes, series: Series) -> Entry:
    """A series' metric in a ``statistics.json`` or ``analysis.json``; without a value where it does not stand there.

    Only what is needed is decoded, since a document may hold thousands of features and curves.
    """
    if series.name.startswith(BIAS_METRIC):
        return _bias(document, series)
    if "ExplainabilityMethod" in series.dimensions:
        return _attribution(document, series)
    for family in FAMILIES.values():
        found = part(document, f"{family}_metrics", series.name)
        if isinstance(found, dict):
            return read_entry(found)
    return _feature(document, series.name)


def segments_in(document: bytes) -> list[SegmentValue]:
    """The ranked segments of a run."""
    given = part(document, "segments")
    return [
        SegmentValue(
            str(one.get("column")),
            str(one.get("segment")),
            str(one.get("metric")),
            finite(one.get("value")),
            finite(one.get("lower")),
            finite(one.get("upper")),
            whole(one.get("rows")) or 0,
        )
        for one in (given if isinstance(given, list) else ())
        if isinstance(one, dict)
    ]


def _bias(document: bytes, series: Series) -> Entry:
    stage = next((stage for stage, name in STAGES.items() if name == series.dimensions.get("BiasStage")), None)
    values = part(document, BIAS_SECTIONS[stage], "facets", series.dimensions.get("Facet", "")) if stage else None
    for one in values if isinstance(values, list) else ():
        if mapping(one).get("value_or_threshold") != series.dimensions.get("FacetValue"):
            continue
        wanted = series.name.removeprefix(BIAS_METRIC)
        metrics = one.get("metrics")
        found = (mapping(metric) for metric in (metrics if isinstance(metrics, list) else ()))
        return next((read_entry(metric) for metric in found if metric.get("name") == wanted), NOTHING)
    return NOTHING


def _attribution(document: bytes, series: Series) -> Entry:
    label = mapping(part(document, EXPLANATIONS, "kernel_shap", series.dimensions.get("Label", "")))
    if series.name == EXPECTED:
        return Entry(finite(label.get("expected_value")))
    feature = series.name.removeprefix(FEATURE)
    interval = mapping(label.get("confidence_intervals")).get(feature)
    value = mapping(label.get("global_shap_values")).get(feature)
    return read_entry({"value": value, "confidence_interval": interval})


def _feature(document: bytes, name: str) -> Entry:
    """The mean of a feature's numbers, or the share of its values that are present."""
    wanted = next((name.removeprefix(prefix) for prefix in (DATA, NON_NULL) if name.startswith(prefix)), None)
    features = part(document, "features") if wanted is not None else None
    for one in features if isinstance(features, list) else ():
        if mapping(one).get("name") == wanted:
            kind = mapping(one.get("numerical_statistics") or one.get("string_statistics"))
            if name.startswith(DATA):
                return Entry(finite(kind.get("mean")))
            common = mapping(kind.get("common") or one.get("common"))
            present, missing = whole(common.get("num_present")) or 0, whole(common.get("num_missing")) or 0
            return Entry(present / (present + missing) if present + missing else None)
    return NOTHING
