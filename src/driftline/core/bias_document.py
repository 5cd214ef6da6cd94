"""What a bias analysis found, as it stands in ``analysis.json``: written, and read back from files of ours and of the
original service."""

from __future__ import annotations

from typing import Any

from driftline.core.analysis_parts import (
    VERSION,
    broken,
    count,
    interval,
    interval_part,
    keys,
    listed,
    mapping,
    number,
    text,
)
from driftline.core.bias_analysis import STAGES, BiasAnalysis, BiasMetric, FacetBias, Stage
from driftline.core.json_text import parse_object

BIAS_SECTIONS: dict[Stage, str] = {stage: f"{stage}_bias_metrics" for stage in STAGES}


def bias_document(analysis: BiasAnalysis) -> dict[str, Any]:
    """The content of ``analysis.json`` in the original's shape.

    ``confidence_interval`` of a metric and ``rows`` of a facet's value are ours; the original does not look at them.
    A stage without facets has no section, but for an analysis that has none at all.
    """
    sections = {BIAS_SECTIONS[stage]: _section(analysis, stage) for stage in STAGES}
    present = {name: section for name, section in sections.items() if section["facets"]}
    return {"version": VERSION, **(present or dict(list(sections.items())[:1]))}


def _section(analysis: BiasAnalysis, stage: Stage) -> dict[str, Any]:
    facets: dict[str, list[dict[str, Any]]] = {}
    for found in analysis.facets:
        if found.stage == stage:
            facets.setdefault(found.facet, []).append(_facet_part(found))
    return {
        "label": analysis.label,
        "label_value_or_threshold": analysis.label_value_or_threshold,
        "facets": facets,
    }


def _facet_part(found: FacetBias) -> dict[str, Any]:
    rows = {} if found.rows is None else {"rows": list(found.rows)}
    return {"value_or_threshold": found.value_or_threshold, "metrics": list(map(_metric_part, found.metrics)), **rows}


def _metric_part(metric: BiasMetric) -> dict[str, Any]:
    document: dict[str, Any] = {"name": metric.name, "description": metric.description, "value": metric.value}
    if metric.error is not None:
        document["error"] = metric.error
    return document | interval_part(metric.confidence_interval)


def read_bias(data: bytes, source: str) -> BiasAnalysis:
    """The bias analysis of an ``analysis.json`` (or a ``constraints.json``, which is one).

    What else the file holds is left alone. The label's value is that of the first section: the service may write a
    threshold as another interval for predictions. ``source`` names the file in messages. Raises :class:`InputError`
    with the facet, the metric and the reason for a file that cannot be used.
    """
    document = parse_object(data, source)
    given = [(stage, name) for stage, name in BIAS_SECTIONS.items() if name in document]
    if not given:
        raise broken(f"{source} holds no bias metrics", keys(document))
    sections = [(stage, mapping(document[name], f"{source}: {name}")) for stage, name in given]
    labels = [_named(section, "label", f"{source}: {BIAS_SECTIONS[stage]}") for stage, section in sections]
    if len(set(labels)) > 1:
        raise broken(f"{source} is about two labels", f"they are {labels[0]!r} and {labels[-1]!r}")
    value = _named(sections[0][1], "label_value_or_threshold", f"{source}: {given[0][1]}")
    facets = [facet for stage, section in sections for facet in _facets(section, stage, source)]
    return BiasAnalysis(labels[0], value, tuple(facets))


def _named(part: dict[str, Any], key: str, where: str) -> str:
    if key not in part:
        raise broken(f"{where} has no {key}", keys(part))
    return text(part[key], f"{where}: {key}")


def _facets(section: dict[str, Any], stage: Stage, source: str) -> list[FacetBias]:
    where = f"{source}: {BIAS_SECTIONS[stage]}"
    facets = mapping(section.get("facets"), f"{where}: facets")
    found: dict[tuple[str, str], FacetBias] = {}
    for name, entries in facets.items():
        for place, entry in enumerate(listed(entries, f"{where}: facet {name}")):
            one = _facet(mapping(entry, f"{where}: facet {name}, entry {place + 1}"), stage, name, where)
            if (name, one.value_or_threshold) in found:
                raise broken(f"{where}: facet {name} describes {one.value_or_threshold!r} twice")
            found[name, one.value_or_threshold] = one
    return list(found.values())


def _facet(entry: dict[str, Any], stage: Stage, name: str, where: str) -> FacetBias:
    value = _named(entry, "value_or_threshold", f"{where}: facet {name}")
    where = f"{where}: facet {name} {value}"
    metrics: dict[str, BiasMetric] = {}
    for place, part in enumerate(listed(entry.get("metrics"), f"{where}: metrics")):
        metric = _metric(mapping(part, f"{where}: metric {place + 1}"), where)
        if metric.name in metrics:
            raise broken(f"{where}: metric {metric.name} stands there twice")
        metrics[metric.name] = metric
    return FacetBias(stage, name, value, tuple(metrics.values()), _rows(entry.get("rows"), f"{where}: rows"))


def _metric(part: dict[str, Any], where: str) -> BiasMetric:
    name = _named(part, "name", f"{where}: a metric")
    where = f"{where}: metric {name}"
    if "value" not in part:
        raise broken(f"{where} has no value", keys(part))
    error, description = part.get("error"), part.get("description")
    return BiasMetric(
        name,
        "" if description is None else text(description, f"{where}: description"),
        number(part["value"], f"{where}: value"),
        None if error is None else text(error, f"{where}: error"),
        interval(part.get("confidence_interval"), f"{where}: confidence_interval"),
    )


def _rows(node: Any, where: str) -> tuple[int, int] | None:
    if node is None:
        return None
    parts = listed(node, where)
    if len(parts) != 2:
        raise broken(f"{where} must be two counts", f"there are {len(parts)}")
    return count(parts[0], where), count(parts[1], where)
