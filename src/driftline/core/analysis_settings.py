"""What an analysis of bias or attributions is told: its columns, its facets, its metrics, its explainer."""

from __future__ import annotations

import math

import msgspec

from driftline.core.attribution_analysis import Aggregation
from driftline.core.bias_analysis import STAGES
from driftline.core.bias_metrics import POST_TRAINING, PRE_TRAINING, meant, metric_name
from driftline.core.errors import InputError
from driftline.core.facets import Choice, FacetConfig

Cell = float | str | None
HINT = "docs/files.md shows what a configuration may hold"


class BiasConfig(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A bias analysis: the ``label`` column and which of its values are ``positive``, the facets, and the metrics.

    ``predicted`` is the column of predicted labels; else a ``probability`` column above the ``probability_threshold``
    is a positive prediction. Without either only metrics of labels can be measured. ``group`` is the column within
    whose values CDDL and CDDPL compare.
    """

    label: str
    positive: Choice
    facets: tuple[FacetConfig, ...]
    group: str | None = None
    predicted: str | None = None
    probability: str | None = None
    probability_threshold: float = 0.5
    pre_training: tuple[str, ...] = tuple(PRE_TRAINING)
    post_training: tuple[str, ...] = tuple(POST_TRAINING)


class ShapConfig(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An attribution analysis. ``baseline`` are the rows that stand for "nothing known", or the path of their file;
    None leaves the choice to the explainer, of as many ``clusters`` where that is given. ``samples`` are the
    coalitions tried a row where they cannot all be.
    """

    baseline: str | tuple[tuple[Cell, ...], ...] | None = None
    samples: int | None = None
    aggregation: Aggregation = "mean_abs"
    use_logit: bool = False
    save_local: bool = False
    seed: int | None = None
    clusters: int | None = None


class PredictorConfig(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a model's answer is read: where the predicted label and the probability stand (a column's number from 0, or
    a JMESPath), and the names of the classes."""

    label: str | None = None
    probability: str | None = None
    label_headers: tuple[str, ...] = ()
    content_type: str = "text/csv"
    accept_type: str = "text/csv"
    endpoint: str | None = None


class AnalysisConfig(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Everything about one analysis. ``headers`` are the names of the table's columns where its file has none;
    ``exclude`` are columns that are no features of the model.

    ``ignored`` are keys of the original's file that have no effect here, each with the reason; whoever reads a file
    should say them.
    """

    headers: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    bias: BiasConfig | None = None
    attribution: ShapConfig | None = None
    predictor: PredictorConfig = PredictorConfig()
    title: str = ""
    ignored: tuple[tuple[str, str], ...] = ()

    @property
    def not_features(self) -> tuple[str, ...]:
        """The columns that no model was given: those excluded, the label, and what was predicted."""
        bias = self.bias
        named = () if bias is None else (bias.label, bias.predicted, bias.probability)
        return tuple(dict.fromkeys((*self.exclude, *(name for name in named if name is not None))))

    @property
    def captured_names(self) -> tuple[str, ...]:
        """The names of the columns that a model was given, in their order; none where there are no headers."""
        return tuple(name for name in self.headers if name not in self.not_features)


def checked(config: AnalysisConfig, source: str) -> AnalysisConfig:
    """The configuration with metrics as files name them; raises :class:`InputError` for what no analysis can be of."""
    if config.attribution is not None:
        _check_attribution(config.attribution, f"{source}: attribution")
    if config.bias is None:
        return config
    return msgspec.structs.replace(config, bias=_checked_bias(config.bias, f"{source}: bias"))


def _checked_bias(bias: BiasConfig, where: str) -> BiasConfig:
    names = [facet.name for facet in bias.facets]
    if not names:
        raise InputError(f"{where} has no facet", hint="name a column whose values are compared")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{where}: facet {twice!r} is there twice", hint="one facet may have several values")
    if not bias.positive.values and bias.positive.threshold is None:
        raise InputError(f"{where} does not say which labels are positive", hint="give their values, or a threshold")
    for choice in (bias.positive, *(facet.choice for facet in bias.facets)):
        _finite(choice.threshold, f"{where}: threshold")
    if not 0 <= bias.probability_threshold <= 1:
        raise InputError(f"{where}: probability_threshold {bias.probability_threshold:g} is not from 0 to 1", hint=HINT)
    named = [_metrics(getattr(bias, stage), place, where) for place, stage in enumerate(STAGES)]
    return msgspec.structs.replace(bias, pre_training=named[0], post_training=named[1])


def _metrics(given: tuple[str, ...], place: int, where: str) -> tuple[str, ...]:
    stage = STAGES[place]
    for name in given:
        if metric_name(name, stage) is None:
            raise InputError(f"{where}: {name!r} is no metric of {stage}", hint=meant(name, stage))
    return tuple(dict.fromkeys(found for name in given if (found := metric_name(name, stage)) is not None))


def _check_attribution(shap: ShapConfig, where: str) -> None:
    for name in ("samples", "clusters"):
        given = getattr(shap, name)
        if given is not None and given < 1:
            raise InputError(f"{where}: {name} is {given}", hint="give a whole number from 1, or leave it out")
    if shap.seed is not None and shap.seed < 0:
        raise InputError(f"{where}: seed is {shap.seed}", hint="give a whole number from 0")
    if isinstance(shap.baseline, tuple):
        widths = {len(row) for row in shap.baseline}
        if len(widths) != 1 or 0 in widths:
            raise InputError(
                f"{where}: the baseline's rows are not alike",
                evidence=f"they have {', '.join(map(str, sorted(widths))) or 'no'} values",
                hint="give at least one row, all with a value for every feature",
            )


def _finite(value: float | None, where: str) -> None:
    if value is not None and not math.isfinite(value):
        raise InputError(f"{where} is not a finite number", hint=HINT)
