"""What a schedule of bias or of attributions analyses: its own configuration, or that of its baseline."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa
from sqlalchemy import Connection

from driftline.core.analysis_config import AnalysisConfig, analysis_config_document, read_analysis_config
from driftline.core.analysis_documents import read_bias
from driftline.core.analysis_settings import BiasConfig, ShapConfig
from driftline.core.errors import InputError
from driftline.monitors.bias.deciding import bias_of, decided, settled
from driftline.resources.schedules import Schedule
from driftline.sagemaker.belongings import Belongings
from driftline.sagemaker.definitions import Definition
from driftline.storage import baselines

ANALYSED = ("bias", "attribution")
"""The monitors that need a configuration."""
_HINT = (
    "keep a baseline together with its analysis_config.json (`driftline schedule create --constraints"
    " DIR/analysis.json` does), or give the schedule the attribute analysis_config"
)


def analysis_of(connection: Connection, schedule: Schedule) -> AnalysisConfig | None:
    """The configuration of a schedule: its attribute ``analysis_config``, else what its baseline was made with; None
    of a monitor that needs none, or with a program in the place of the analysis.

    Raises :class:`InputError` where there is none, or it is not of the schedule's monitor.
    """
    if schedule.monitor not in ANALYSED or schedule.attributes.get("program") is not None:
        return None
    given = schedule.attributes.get("analysis_config")
    source = f"analysis_config of {schedule.name}"
    if given is None and schedule.baseline is not None:
        source = f"the configuration of baseline {schedule.baseline}"
        stored = baselines.get(connection, schedule.baseline).statistics
        given = None if stored.strip() == b"{}" else msgspec.json.decode(stored)
    if not isinstance(given, dict):
        raise InputError(f"nothing says what {schedule.name} analyses", hint=_HINT)
    config = read_analysis_config(msgspec.json.encode(given), source)
    if _part(config, schedule.monitor) is None:
        raise InputError(f"{source} says nothing of {schedule.monitor}", hint=_HINT)
    if schedule.monitor == "bias":
        settled(bias_of(config))
    return config


def settled_document(document: dict[str, Any], source: str, baseline: bytes | None = None) -> dict[str, Any]:
    """A configuration, of either form, in ours, with nothing left to be decided by a table.

    What may be a category or a threshold is what the ``analysis.json`` of the ``baseline`` took it for, else a
    category. Raises :class:`InputError` as :func:`~driftline.core.analysis_config.read_analysis_config` does.
    """
    config = read_analysis_config(msgspec.json.encode(document), source)
    if config.bias is not None:
        known = None if baseline is None else read_bias(baseline, f"the baseline of {source}")
        no_rows = pa.RecordBatch.from_pydict({})
        config = msgspec.structs.replace(config, bias=decided(config.bias, no_rows, known))
    return analysis_config_document(config)


def settled_for(definition: Definition, found: Belongings) -> dict[str, Any]:
    """The attribute ``analysis_config`` of a schedule by a job definition; nothing where it has no analysis of its
    own. Raises as :func:`settled_document` does."""
    if found.analysis is None:
        return {}
    baseline = found.constraints if definition.kind.monitor == "bias" else None
    return {"analysis_config": settled_document(found.analysis, str(definition.config), baseline)}


def _part(config: AnalysisConfig, monitor: str) -> BiasConfig | ShapConfig | None:
    parts: dict[str, Any] = {"bias": config.bias, "attribution": config.attribution}
    found: BiasConfig | ShapConfig | None = parts[monitor]
    return found
