"""What a run is asked to do."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import msgspec

from driftline.core.analysis_settings import BiasConfig, ShapConfig
from driftline.core.attribution_analysis import AttributionAnalysis
from driftline.core.bias_analysis import BiasAnalysis
from driftline.core.documents import ModelQualityConstraints
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_statistics import TableStatistics
from driftline.core.window import Window
from driftline.engine.attributes import OutputAttributes
from driftline.monitors.attribution.checks import THRESHOLD
from driftline.monitors.data_quality.publish import DRIFT
from driftline.monitors.quality.checks import MINIMUM_SAMPLE
from driftline.monitors.rules import Rule
from driftline.pipeline.programs import Program
from driftline.pipeline.transform_source import TransformSource


class SparkSettings(msgspec.Struct, frozen=True):
    """Where a run is measured that one machine is not to measure: the address of a Spark ``master`` (``local[2]``,
    ``spark://HOST:PORT``) or of a Spark Connect server (``sc://HOST:PORT``).

    Tasks read the files where the run names them. A file below the folder ``data`` that a task does not find there is
    fetched from the same place below the address ``store``, where there is one.
    """

    master: str
    data: str | None = None
    store: str | None = None


class ModelQualityRun(msgspec.Struct, frozen=True):
    """What to run: folders of captures and labels, how to read the output, what to check against.

    With a ``window`` only captures inside it count; with ``as_of`` too, only labels in the hour folders from a day
    before it up to that of ``as_of`` (without: all there are). Below ``minimum_sample`` judged rows the verdict is
    UNKNOWN. ``report`` is the folder the documents go to. ``calibration`` is the baseline's ``score_calibration``: with
    it metrics of classifiers are also estimated from all predictions, labelled or not; ``history`` tells of earlier
    windows which metrics lay within their estimates. ``pieces`` is a folder where what was measured of each hour is
    kept, so that it need not be read again. ``segments`` divide the rows by captured columns (``plan``,
    ``age:18,30``), which ``names`` names where no header or key does: outputs first, or with ``names_of_inputs`` inputs
    alone, however many they are; they are ranked by
    ``segment_metric``, and every row is looked at, whatever is kept of its hour. ``transform`` says from which batch
    transforms the captures are made before anything else. ``decoded`` is a folder where decoded
    hours are kept for all monitors: with it an hour's captures are decoded whole, once, and read from there. With
    ``merged`` the records with their labels are written beside the report, see :mod:`driftline.pipeline.merging`.
    ``spark`` says where Spark measures the run; without it this machine does.
    """

    captures: str
    labels: str | None
    problem_type: str
    attributes: OutputAttributes
    constraints: ModelQualityConstraints | None = None
    window: Window | None = None
    transform: TransformSource | None = None
    as_of: datetime | None = None
    seed: int = 0
    report: str | None = None
    minimum_sample: int = MINIMUM_SAMPLE
    calibration: dict[str, Any] | None = None
    history: tuple[dict[str, bool | None], ...] = ()
    pieces: str | None = None
    decoded: str | None = None
    spark: SparkSettings | None = None
    segments: tuple[str, ...] = ()
    segment_metric: str | None = None
    names: tuple[str, ...] = ()
    names_of_inputs: bool = False
    merged: bool = False

    @property
    def constrained(self) -> tuple[str, ...]:
        """The metrics that are held against something."""
        return () if self.constraints is None else tuple(self.constraints.constraints)

    @property
    def way(self) -> list[Any]:
        """Everything that the state of an hour depends on but its captures and labels."""
        return [self.problem_type, self.attributes, self.seed]


class BiasRun(msgspec.Struct, frozen=True):
    """What to run: folders of captures and labels, whose bias is measured, what to check against.

    ``bias`` names facets and group among the captured columns, and the label; ``attributes`` say where the output holds
    the prediction. ``constraints`` is the analysis of a baseline, and ``rule`` how strictly. The others are as in
    :class:`ModelQualityRun`.
    """

    captures: str
    labels: str | None
    bias: BiasConfig
    attributes: OutputAttributes
    constraints: BiasAnalysis | None = None
    rule: Rule = "interval"
    names: tuple[str, ...] = ()
    names_of_inputs: bool = False
    window: Window | None = None
    transform: TransformSource | None = None
    as_of: datetime | None = None
    seed: int = 0
    report: str | None = None
    minimum_sample: int = MINIMUM_SAMPLE
    pieces: str | None = None
    decoded: str | None = None
    spark: SparkSettings | None = None
    merged: bool = False

    @property
    def constrained(self) -> tuple[str, ...]:
        """The metrics that are held against something: all have dimensions, and one without a value is not told."""
        return ()

    @property
    def way(self) -> list[Any]:
        """Everything that the state of an hour depends on but its captures and labels."""
        return ["bias", self.bias, self.attributes, self.names, self.names_of_inputs, self.seed]


class AttributionRun(msgspec.Struct, frozen=True):
    """What to run: a folder of captures, the model whose predictions are explained, what to check against.

    ``model`` is its file, or ``url`` the invocation address of a server that has it; ``shap`` says how it is
    explained, ``names`` and ``exclude`` which inputs are its features, ``classes`` what its outputs are called. Of a
    window at most ``rows`` rows are explained, a sample by their ids. ``constraints`` is the analysis of a baseline,
    ``threshold`` the NDCG below which a ranking has drifted, ``rule`` how strictly. The others are as in
    :class:`BiasRun` and :class:`ModelQualityRun`.
    """

    captures: str
    shap: ShapConfig
    model: str | None = None
    url: str | None = None
    constraints: AttributionAnalysis | None = None
    threshold: float = THRESHOLD
    rule: Rule = "interval"
    names: tuple[str, ...] = ()
    names_of_inputs: bool = False
    exclude: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    rows: int | None = None
    window: Window | None = None
    transform: TransformSource | None = None
    as_of: datetime | None = None
    report: str | None = None
    minimum_sample: int = MINIMUM_SAMPLE
    decoded: str | None = None
    spark: SparkSettings | None = None

    @property
    def constrained(self) -> tuple[str, ...]:
        """The metrics that are held against something: all have dimensions, and one without a value is not told."""
        return ()


class DataQualityRun(msgspec.Struct, frozen=True):
    """What to run: a folder of captures, how the columns are named, what to check against.

    ``baseline`` are the statistics to compare distributions with. ``names`` are the columns' names, outputs first;
    those of the baseline are used where they are as many as there are columns. ``exclude`` are columns to leave out.
    ``preprocessor`` is a script that makes the rows of the captured records, ``postprocessor`` one that runs after the
    report is written; ``analyzers`` are names of custom analyzers; ``segments`` divide the rows, as ``plan`` or
    ``age:18,30``; with either every row is looked at, whatever is kept of its hour in ``pieces``. The others are as in
    :class:`ModelQualityRun`.
    """

    captures: str
    constraints: DataQualityConstraints | None = None
    baseline: TableStatistics | None = None
    names: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    window: Window | None = None
    transform: TransformSource | None = None
    as_of: datetime | None = None
    report: str | None = None
    minimum_sample: int = MINIMUM_SAMPLE
    pieces: str | None = None
    decoded: str | None = None
    spark: SparkSettings | None = None
    preprocessor: str | None = None
    postprocessor: str | None = None
    analyzers: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    endpoint: str | None = None
    schedule: str | None = None

    @property
    def constrained(self) -> tuple[str, ...]:
        """The metrics that are held against something."""
        features = () if self.constraints is None else self.constraints.features
        return tuple(f"{DRIFT}{feature.name}" for feature in features)


class ProgramRun(msgspec.Struct, frozen=True):
    """What to run: a program of the operator's in the place of an analysis, and the name it has there.

    It is given the captures of the window, or, where there is a folder of ``labels``, the records merged with them.
    ``constraints`` and ``statistics`` are the files of a baseline as they are stored. ``publish_metrics`` says whether
    the metrics it leaves are published. From the beginning of the run it has ``seconds``, whatever its own limit is.
    The others are as in :class:`DataQualityRun`.
    """

    name: str
    program: Program
    captures: str
    labels: str | None = None
    constraints: bytes | None = None
    statistics: bytes | None = None
    publish_metrics: bool = True
    seconds: float = math.inf
    window: Window | None = None
    transform: TransformSource | None = None
    as_of: datetime | None = None
    report: str | None = None
    endpoint: str | None = None
    schedule: str | None = None
    merged: bool = False

    @property
    def constrained(self) -> tuple[str, ...]:
        """The metrics that are held against something: what a program holds against what is its own affair."""
        return ()


Run = ModelQualityRun | DataQualityRun | BiasRun | AttributionRun | ProgramRun
LabelledRun = ModelQualityRun | BiasRun
"""Runs that join predictions with labels."""
MergingRun = LabelledRun | ProgramRun
"""Runs whose merged records may be wanted beside their report."""
ColumnsRun = DataQualityRun | AttributionRun
"""Runs that see the captured columns as they are."""
