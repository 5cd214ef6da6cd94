"""Baselines and checks of bias and attributions, as a configuration of the original or of ours says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from driftline.core.analysis_config import AnalysisConfig, ShapConfig, read_analysis_config
from driftline.core.documents import dump
from driftline.core.errors import InputError
from driftline.engine.datasets import Dataset
from driftline.jobs.baselines.asked import Asked
from driftline.jobs.baselines.predicted import PREDICTED, Predicted
from driftline.jobs.baselines.staging import staged_dataset, staged_file
from driftline.jobs.baselines.tables import names_of
from driftline.pipeline import attribution_tables, bias_tables
from driftline.pipeline.attribution_baselines import given_rows
from driftline.pipeline.explainers import BASELINE_ROWS, ExplainOptions
from driftline.pipeline.found import Found
from driftline.resources.baseline_jobs import TableFormat

LOCAL = Path("explanations_shap") / "out.csv"
_KINDS = {"application/x-parquet": "parquet", "application/jsonlines": "json", "application/json": "json"}


def analysed(asked: Asked) -> list[Found]:
    """What a configuration asks for: bias, attributions, or both."""
    document = _document(asked)
    folder = staged_dataset(asked.objects, asked.settings.dataset, _format(asked, document), asked.scratch / "dataset")
    config = _config(document, folder, asked)
    # Which model is meant was seen before; here it is a file.
    for key, reason in (one for one in config.ignored if not one[0].startswith("predictor.")):
        asked.say(f"ignored: {key} of the analysis configuration: {reason}")
    against = asked.settings.constraints is not None
    found: list[Found] = []
    if config.bias is not None and (asked.settings.monitor == "bias" or not against):
        found.append(_bias(asked, folder, config, thresholded="probability_threshold" in document))
    if config.attribution is not None and (asked.settings.monitor == "attribution" or not against):
        found.append(_attribution(asked, folder, config, config.attribution))
    if not found:
        what = f"the analysis configuration says nothing of {asked.settings.monitor}"
        raise InputError(what, hint="name its methods there")
    return found


def _bias(asked: Asked, folder: Path, config: AnalysisConfig, *, thresholded: bool) -> Found:
    bias = config.bias
    data: Any = folder
    if bias is not None and bias.post_training and bias.predicted is None and bias.probability is None:
        dataset = Dataset(folder, header=asked.settings.format.header, names=config.headers)
        predicted = Predicted(dataset, asked.model(), config, thresholded=thresholded)
        column = {"probability" if predicted.scores else "predicted": PREDICTED}
        data, config = predicted.table, msgspec.structs.replace(config, bias=msgspec.structs.replace(bias, **column))
    given: Any = {
        "config": config,
        "header": asked.settings.format.header,
        "now": asked.now,
        "progress": asked.progress,
    }
    if asked.settings.constraints is None:
        return bias_tables.baseline_bias(data, **given)
    return bias_tables.check_bias(data, asked.constraints(), **given)


def _attribution(asked: Asked, folder: Path, config: AnalysisConfig, shap: ShapConfig) -> Found:
    local = asked.output / LOCAL
    if shap.save_local:
        local.parent.mkdir(parents=True, exist_ok=True)
    given: Any = {
        "baseline_rows": _baseline_rows(asked, shap),
        "options": _options(config, shap),
        "exclude": config.not_features,
        "header": asked.settings.format.header,
        "names": config.headers,
        "local": local if shap.save_local else None,
        "now": asked.now,
        "progress": asked.progress,
    }
    if asked.settings.constraints is None:
        return attribution_tables.baseline_attribution(folder, asked.model(), **given)
    return attribution_tables.check_attribution(folder, asked.model(), asked.constraints(), **given)


def _options(config: AnalysisConfig, shap: ShapConfig) -> ExplainOptions:
    return ExplainOptions(
        aggregation=shap.aggregation,
        use_logit=shap.use_logit,
        samples=shap.samples or 0,
        seed=shap.seed or 0,
        classes=config.predictor.label_headers,
        baseline_count=shap.clusters or BASELINE_ROWS,
    )


def _baseline_rows(asked: Asked, shap: ShapConfig) -> Any:
    """The rows given in the configuration, or those in the objects that it names."""
    if isinstance(shap.baseline, str):
        return staged_dataset(asked.objects, shap.baseline, asked.settings.format, asked.scratch / "baseline-rows")
    return given_rows(shap.baseline)


def _document(asked: Asked) -> dict[str, Any]:
    """The configuration as it was written."""
    given = asked.settings.analysis_config
    if isinstance(given, dict):
        return given
    path = staged_file(asked.objects, given or "", asked.scratch / "analysis_config.json")
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InputError(f"{given} is no JSON object", evidence=str(error), hint="mend it") from None


def _format(asked: Asked, document: dict[str, Any]) -> TableFormat:
    """As the configuration says of the dataset, else as the settings do."""
    kind: Any = _KINDS.get(str(document.get("dataset_type", "")).lower())
    if kind is None:
        return asked.settings.format
    return TableFormat(kind=kind, lines=document["dataset_type"].lower() != "application/json")


def _config(document: dict[str, Any], folder: Path, asked: Asked) -> AnalysisConfig:
    names = document.get("headers") or names_of(folder, asked.settings.format.header)
    return read_analysis_config(dump(document), "the analysis configuration", tuple(map(str, names)))
