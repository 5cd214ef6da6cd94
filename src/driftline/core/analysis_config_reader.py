"""The original service's ``analysis_config.json``, read into our own form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from driftline.core.analysis_parts import VERSION
from driftline.core.analysis_settings import AnalysisConfig, BiasConfig, Cell, PredictorConfig, ShapConfig
from driftline.core.attribution_analysis import AGGREGATIONS, Aggregation
from driftline.core.bias_analysis import Stage
from driftline.core.bias_metrics import DESCRIPTIONS, meant, metric_name
from driftline.core.errors import InputError
from driftline.core.facets import Choice, FacetConfig
from driftline.core.json_text import Key, Lines
from driftline.core.table_settings import known_keys, nearest, shown

_HINT = "mend that line; docs/files.md shows what is read of a configuration"
_TABLES = ("text/csv", "application/x-parquet", "application/jsonlines", "application/json")
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
    top = _Part(document, (), Lines(data, source, _HINT), ignored)
    top.sort_out(_TOP, _IGNORED, _REFUSED)
    _check_format(top)
    columns = _Columns(top, headers)
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


class _Part:
    """An object of the document, with the path that leads to it, for messages."""

    def __init__(
        self, node: dict[str, Any], path: tuple[Key, ...], lines: Lines, ignored: list[tuple[str, str]]
    ) -> None:
        self.node, self.path, self._lines, self._ignored = node, path, lines, ignored

    def broken(self, setting: str | None, reason: str, place: tuple[int, ...] = ()) -> InputError:
        """The error of one of its keys, or of all of it."""
        return self._lines.broken((*self.path, *(() if setting is None else (setting,)), *place), reason)

    def sort_out(self, known: Iterable[str], ignored: dict[str, str], refused: dict[str, str]) -> None:
        """Refuse what is unknown or would change the result; note what has no effect."""
        known_keys(self.node, (*known, *ignored, *refused), self.broken)
        for key in self.node:
            if key in refused:
                raise self.broken(key, f"{key} {refused[key]}")
            if key in ignored:
                self._ignored.append((".".join(map(str, (*self.path, key))), ignored[key]))

    def part(self, key: str) -> _Part:
        """What a key holds; an empty part where it is absent or null."""
        return self.inner(self.node.get(key) or {}, key)

    def inner(self, node: Any, key: str, place: tuple[int, ...] = ()) -> _Part:
        """An object that a key holds, or an element of its list."""
        if not isinstance(node, dict):
            raise self.broken(key, f"{key}: {shown(node)} is not an object", place)
        return _Part(node, (*self.path, key, *place), self._lines, self._ignored)

    def text(self, key: str) -> str | None:
        """A text, or a whole number as one; None where it is absent."""
        value = self.node.get(key)
        return None if value is None else self.as_text(value, key)

    def as_text(self, value: Any, key: str, place: tuple[int, ...] = ()) -> str:
        """A value as it is compared with those of a column."""
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, float) or not math.isfinite(value):
            raise self.broken(key, f"{key}: {shown(value)} is neither a text nor a number", place)
        return str(int(value)) if value == int(value) else repr(value)

    def listed(self, key: str) -> list[Any]:
        """A list; a single value is a list of one, and what is absent an empty one."""
        value = self.node.get(key)
        if isinstance(value, dict):
            raise self.broken(key, f"{key} must be a list")
        return value if isinstance(value, list) else [] if value is None else [value]

    def whole(self, key: str) -> int | None:
        """A whole number that a float holds exactly."""
        value = self.node.get(key)
        if value is None:
            return None
        if not isinstance(value, float) or abs(value) > 2**53 or value != int(value):
            raise self.broken(key, f"{key}: {shown(value)} is not a whole number")
        return int(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.node.get(key, default)
        if not isinstance(value, bool):
            raise self.broken(key, f"{key}: {shown(value)} is neither true nor false")
        return value


def _check_format(top: _Part) -> None:
    version = top.node.get("version", VERSION)
    if version not in (VERSION, float(VERSION)):
        raise top.broken("version", f"version {shown(version)} is not known; it is {VERSION}")
    kind = top.node.get("dataset_type", _TABLES[0])
    if not isinstance(kind, str) or kind.lower() not in (*_TABLES, _CAPTURES):
        raise top.broken("dataset_type", f"dataset_type {shown(kind)} is no table; use {', '.join(_TABLES)}")


class _Columns:
    """Columns by name or by number."""

    def __init__(self, top: _Part, headers: Sequence[str]) -> None:
        given = top.listed("headers")
        self.headers = tuple(top.as_text(one, "headers", (place,)) for place, one in enumerate(given)) or tuple(headers)
        kind = str(top.node.get("dataset_type", _TABLES[0])).lower()
        # In JSON a column is called by the path that leads to it, which need not be its header.
        self._strict = bool(self.headers) and kind in _TABLES[:2]

    def one(self, part: _Part, key: str, value: Any = None, place: tuple[int, ...] = ()) -> str:
        """The name of the column that a key, or an element of its list, gives by name or by number."""
        value = part.node.get(key) if value is None else value
        if isinstance(value, float):
            return self._numbered(part, key, value, place)
        if not isinstance(value, str):
            raise part.broken(key, f"{key}: {shown(value)} is neither the name nor the number of a column", place)
        if self._strict and value not in self.headers:
            raise part.broken(key, f"{key}: there is no column {shown(value)}; {nearest(value, self.headers)}", place)
        return value

    def _numbered(self, part: _Part, key: str, value: float, place: tuple[int, ...]) -> str:
        if not (0 <= value <= 1e6 and value == int(value)):
            raise part.broken(key, f"{key}: {shown(value)} is not the number of a column", place)
        if not self.headers:
            return f"_c{int(value)}"
        if value >= len(self.headers):
            many = len(self.headers)
            raise part.broken(key, f"{key}: there is no column {int(value)}; there are {many}, from 0", place)
        return self.headers[int(value)]

    def maybe(self, part: _Part, key: str) -> str | None:
        """The same, or None where the key is absent."""
        return None if part.node.get(key) is None else self.one(part, key)


def _excluded(top: _Part, columns: _Columns) -> tuple[str, ...]:
    named = [columns.maybe(top, key) for key in ("label", "predicted_label", "probability", "joinsource_name_or_index")]
    listed = top.listed("excluded_columns")
    named += [columns.one(top, "excluded_columns", value, (place,)) for place, value in enumerate(listed)]
    return tuple(dict.fromkeys(name for name in named if name is not None))


def _bias(top: _Part, methods: _Part, columns: _Columns) -> BiasConfig | None:
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


def _facet(part: _Part, columns: _Columns) -> FacetConfig:
    part.sort_out(("name_or_index", "value_or_threshold"), {}, {})
    if part.node.get("name_or_index") is None:
        raise part.broken(None, "a facet needs name_or_index")
    return FacetConfig(columns.one(part, "name_or_index"), _choice(part, "value_or_threshold"))


def _choice(part: _Part, key: str) -> Choice:
    """One number may be a category or a threshold, which the column decides; several are categories."""
    given = part.listed(key)
    values = tuple(dict.fromkeys(part.as_text(value, key, (place,)) for place, value in enumerate(given)))
    single = given[0] if len(given) == 1 else None
    return Choice(values, single if isinstance(single, float) else None)


def _metrics(methods: _Part, stage: Stage) -> tuple[str, ...]:
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


def _shap(part: _Part) -> ShapConfig:
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


def _positive(part: _Part, key: str) -> int | None:
    found = part.whole(key)
    if found is not None and found < 1:
        raise part.broken(key, f"{key}: {found} is not a number from 1")
    return found


def _aggregation(part: _Part) -> Aggregation:
    given = part.node.get("agg_method", AGGREGATIONS[0])
    found = next((one for one in AGGREGATIONS if isinstance(given, str) and one == given.lower()), None)
    if found is None:
        raise part.broken("agg_method", f"agg_method: {shown(given)} is not known; use {', '.join(AGGREGATIONS)}")
    return found


def _baseline(part: _Part) -> str | tuple[tuple[Cell, ...], ...] | None:
    given = part.node.get("baseline")
    if given is None or isinstance(given, str):
        return given
    if not isinstance(given, list):
        raise part.broken("baseline", "baseline must be a list of rows, or where they are")
    return tuple(_row(part, row, place) for place, row in enumerate(given))


def _row(part: _Part, row: Any, place: int) -> tuple[Cell, ...]:
    """A row is a list, or the original's ``{"features": […]}``."""
    cells = row.get("features") if isinstance(row, dict) and set(row) == {"features"} else row
    if not isinstance(cells, list):
        raise part.broken("baseline", f"baseline: row {place + 1} is not a list of values", (place,))
    for cell in cells:
        if isinstance(cell, bool) or not isinstance(cell, float | str | None):
            raise part.broken("baseline", f"baseline: {shown(cell)} is neither a number nor a text", (place,))
    return tuple(cells)


def _predictor(top: _Part) -> PredictorConfig:
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


def _title(methods: _Part) -> str:
    report = methods.part("report")
    report.sort_out(("name", "title"), {}, {})
    return report.text("title") or ""
