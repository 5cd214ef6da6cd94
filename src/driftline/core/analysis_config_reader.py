"""The original service's ``analysis_config.json``, read into our own form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driftline.core.analysis_config_parts import TABLES, Columns, Part
from driftline.core.analysis_parts import VERSION
from driftline.core.analysis_settings import AnalysisConfig, BiasConfig, Cell, PredictorConfig, ShapConfig
from driftline.core.attribution_analysis import AGGREGATIONS, Aggregation
from driftline.core.bias_analysis import Stage
from driftline.core.bias_metrics import DESCRIPTIONS, meant, metric_name
from driftline.core.facets import Choice, FacetConfig
from driftline.core.json_text import Lines
from driftline.core.table_settings import shown

_HINT = "mend that line; docs/files.md shows what is read of a configuration"
_CAPTURES = "application/sagemakercapturejson"
# Keys that change nothing here, each with the reason.
_IGNORED = {
    "dataset_uri": "the data are given to the command",
    "features": "rows of JSON are read by their own names",
    "segment_config": "segments are ranked by the monitors of model and data quality",
}
_IGNORED_METHODS = {"pdp": "partial dependence is not measured"}
_IGNORED_SHAP = {"features_to_explain": "every feature is explained"}
_MODEL, _TEMPLATE = "the model is given to the command", "rows are sent as CSV"
_IGNORED_PREDICTOR = {
    "model_name": _MODEL,
    "endpoint_name_prefix": _MODEL,
    "target_model": _MODEL,
    "instance_type": "there are no instances to choose",
    "initial_instance_count": "there are no instances to choose",
    "accelerator_type": "there are no instances to choose",
    "content_template": _TEMPLATE,
    "record_template": _TEMPLATE,
    "custom_attributes": _TEMPLATE,
}
# Keys without which the result would be another one.
_ELSEWHERE = "is not supported: put the column into the table"
_REFUSED = {
    "facet_dataset_uri": _ELSEWHERE,
    "facet_headers": _ELSEWHERE,
    "predicted_label_dataset_uri": _ELSEWHERE,
    "predicted_label_headers": _ELSEWHERE,
    "time_series_data_config": "is not supported: forecasts are not explained",
}
_REFUSED_SHAP = {
    "text_config": "is not supported: only features of a table are explained",
    "image_config": "is not supported: only features of a table are explained",
}
_REFUSED_METHODS = {"asymmetric_shapley_value": "is not supported: forecasts are not explained"}
_TOP = (
    "version",
    "dataset_type",
    "headers",
    "label",
    "predicted_label",
    "probability",
    "label_values_or_threshold",
    "probability_threshold",
    "label_headers",
    "facet",
    "excluded_columns",
    "joinsource_name_or_index",
    "group_variable",
    "methods",
    "predictor",
)
_SHAP = ("baseline", "num_samples", "agg_method", "use_logit", "save_local_shap_values", "seed", "num_clusters")
_PREDICTOR = ("endpoint_name", "content_type", "accept_type", "label", "probability", "label_headers")


def read_original(document: dict[str, Any], data: bytes, source: str, headers: Sequence[str]) -> AnalysisConfig:
    """The configuration of a document of the original, whose text is ``data``, for messages with lines.

    ``probability`` and ``label_headers`` beside the label are ours: the column of scores in a table, and the classes.
    """
    ignored: list[tuple[str, str]] = []
    top = Part(document, (), Lines(data, source, _HINT), ignored)
    top.sort_out(_TOP, _IGNORED, _REFUSED)
    _check_format(top)
    columns = Columns(top, headers)
    methods = top.part("methods")
    methods.sort_out(("shap", "pre_training_bias", "post_training_bias", "report"), _IGNORED_METHODS, _REFUSED_METHODS)
    shap = _shap(methods.part("shap")) if "shap" in methods.node else None
    config = AnalysisConfig(
        headers=columns.headers,
        exclude=_excluded(top, columns),
        bias=_bias(top, methods, columns),
        attribution=shap,
        predictor=_predictor(top),
        title=_title(methods),
        ignored=tuple(ignored),
    )
    if config.bias is None and config.attribution is None:
        raise methods.broken(None, "methods has neither shap nor pre_training_bias nor post_training_bias")
    return config


def _check_format(top: Part) -> None:
    version = top.node.get("version", VERSION)
    if version not in (VERSION, float(VERSION)):
        raise top.broken("version", f"version {shown(version)} is not known; it is {VERSION}")
    kind = top.node.get("dataset_type", TABLES[0])
    if not isinstance(kind, str) or kind.lower() not in (*TABLES, _CAPTURES):
        raise top.broken("dataset_type", f"dataset_type {shown(kind)} is no table; use {', '.join(TABLES)}")


def _excluded(top: Part, columns: Columns) -> tuple[str, ...]:
    named = [columns.maybe(top, key) for key in ("label", "predicted_label", "probability", "joinsource_name_or_index")]
    listed = top.listed("excluded_columns")
    named += [columns.one(top, "excluded_columns", value, (place,)) for place, value in enumerate(listed)]
    return tuple(dict.fromkeys(name for name in named if name is not None))


def _bias(top: Part, methods: Part, columns: Columns) -> BiasConfig | None:
    wanted = [key for key in ("pre_training_bias", "post_training_bias") if key in methods.node]
    if not wanted:
        return None
    for key in ("label", "label_values_or_threshold", "facet"):
        if not top.node.get(key) and top.node.get(key) != 0.0:
            raise top.broken(None, f"{key} is missing, which {wanted[0]} needs")
    facets = [_facet(top.inner(one, "facet", (place,)), columns) for place, one in enumerate(top.listed("facet"))]
    threshold = top.node.get("probability_threshold", 0.5)
    if isinstance(threshold, bool) or not isinstance(threshold, float) or not 0 <= threshold <= 1:
        raise top.broken("probability_threshold", f"probability_threshold: {shown(threshold)} is not from 0 to 1")
    return BiasConfig(
        label=columns.one(top, "label"),
        positive=_choice(top, "label_values_or_threshold"),
        facets=tuple(facets),
        group=columns.maybe(top, "group_variable"),
        predicted=columns.maybe(top, "predicted_label"),
        probability=columns.maybe(top, "probability"),
        probability_threshold=threshold,
        pre_training=_metrics(methods, "pre_training"),
        post_training=_metrics(methods, "post_training"),
    )


def _facet(part: Part, columns: Columns) -> FacetConfig:
    part.sort_out(("name_or_index", "value_or_threshold"), {}, {})
    if part.node.get("name_or_index") is None:
        raise part.broken(None, "a facet needs name_or_index")
    return FacetConfig(columns.one(part, "name_or_index"), _choice(part, "value_or_threshold"))


def _choice(part: Part, key: str) -> Choice:
    """One number may be a category or a threshold, which the column decides; several are categories."""
    given = part.listed(key)
    values = tuple(dict.fromkeys(part.as_text(value, key, (place,)) for place, value in enumerate(given)))
    single = given[0] if len(given) == 1 else None
    return Choice(values, single if isinstance(single, float) else None)


def _metrics(methods: Part, stage: Stage) -> tuple[str, ...]:
    key = f"{stage}_bias"
    if key not in methods.node:
        return ()
    part = methods.part(key)
    part.sort_out(("methods",), {}, {})
    given = part.listed("methods") or ["all"]
    if given == ["all"]:
        return tuple(DESCRIPTIONS[stage])
    names = [part.as_text(value, "methods", (place,)) for place, value in enumerate(given)]
    for place, name in enumerate(names):
        if metric_name(name, stage) is None:
            raise part.broken("methods", f"{shown(name)} is no metric of {key}; {meant(name, stage)}", (place,))
    return tuple(names)


def _shap(part: Part) -> ShapConfig:
    part.sort_out(_SHAP, _IGNORED_SHAP, _REFUSED_SHAP)
    return ShapConfig(
        baseline=_baseline(part),
        samples=_positive(part, "num_samples"),
        aggregation=_aggregation(part),
        use_logit=part.flag("use_logit", default=False),
        save_local=part.flag("save_local_shap_values", default=True),
        seed=part.whole("seed"),
        clusters=_positive(part, "num_clusters"),
    )


def _positive(part: Part, key: str) -> int | None:
    found = part.whole(key)
    if found is not None and found < 1:
        raise part.broken(key, f"{key}: {found} is not a number from 1")
    return found


def _aggregation(part: Part) -> Aggregation:
    given = part.node.get("agg_method", AGGREGATIONS[0])
    found = next((one for one in AGGREGATIONS if isinstance(given, str) and one == given.lower()), None)
    if found is None:
        raise part.broken("agg_method", f"agg_method: {shown(given)} is not known; use {', '.join(AGGREGATIONS)}")
    return found


def _baseline(part: Part) -> str | tuple[tuple[Cell, ...], ...] | None:
    given = part.node.get("baseline")
    if given is None or isinstance(given, str):
        return given
    if not isinstance(given, list):
        raise part.broken("baseline", "baseline must be a list of rows, or where they are")
    return tuple(_row(part, row, place) for place, row in enumerate(given))


def _row(part: Part, row: Any, place: int) -> tuple[Cell, ...]:
    """A row is a list, or the original's ``{"features": […]}``."""
    cells = row.get("features") if isinstance(row, dict) and set(row) == {"features"} else row
    if not isinstance(cells, list):
        raise part.broken("baseline", f"baseline: row {place + 1} is not a list of values", (place,))
    for cell in cells:
        if isinstance(cell, bool) or not isinstance(cell, float | str | None):
            raise part.broken("baseline", f"baseline: {shown(cell)} is neither a number nor a text", (place,))
    return tuple(cells)


def _predictor(top: Part) -> PredictorConfig:
    part = top.part("predictor")
    part.sort_out(_PREDICTOR, _IGNORED_PREDICTOR, {})
    holder = part if "label_headers" in part.node else top
    names = holder.listed("label_headers")
    return PredictorConfig(
        label=part.text("label"),
        probability=part.text("probability"),
        label_headers=tuple(holder.as_text(one, "label_headers", (place,)) for place, one in enumerate(names)),
        content_type=(part.text("content_type") or "text/csv").lower(),
        accept_type=(part.text("accept_type") or "text/csv").lower(),
        endpoint=part.text("endpoint_name"),
    )


def _title(methods: Part) -> str:
    report = methods.part("report")
    report.sort_out(("name", "title"), {}, {})
    return report.text("title") or ""
