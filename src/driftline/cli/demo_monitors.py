"""The demo's monitors: a baseline of each, made as a user makes it, and the schedules that judge by them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from driftline.cli.demo_world import FEATURES

if TYPE_CHECKING:
    from driftline.client import Client

HOURLY = "cron(0 * ? * * *)"
FACETS = ("voicemail_plan=1", "service_calls>=2")
METRICS = (("CI", "DPL"), ("DPPL", "DI", "RD", "GE"))
"""Few, before and after training: of many metrics of few rows one would stand out by chance now and then."""
LATE = "-PT2H"
"""Labels come in the course of the hour that follows: what needs them looks at the hour before the last."""
_BESIDE = ("prediction", "label")


def loosened_quality(table: Path, folder: Path, *, rows: int) -> dict[str, Any]:
    """Makes the baseline of model quality of a table in a folder; its constraints, loosened by hand as a user would,
    because an hour has few ``rows`` and much noise."""
    from driftline import pipeline

    found = pipeline.baseline_model_quality(table, prediction="prediction", probability="probability")
    found.write(folder)
    metrics = found.statistics["binary_classification_metrics"]
    kept = {name: _loosened(metrics[name], found.item_count, rows) for name in ("f2", "recall", "precision", "auc")}
    document = {"version": 0.0, "binary_classification_constraints": kept}
    (folder / "constraints.json").write_bytes(msgspec.json.format(msgspec.json.encode(document)))
    return document


def _loosened(metric: dict[str, Any], made_of: int, rows: int) -> dict[str, Any]:
    """The baseline's value less four standard errors of a metric of so many rows."""
    interval = metric["confidence_interval"]
    error = (interval["upper"] - interval["lower"]) / (2 * 1.96) * (made_of / rows) ** 0.5
    return {"threshold": round(metric["value"] - 4 * error, 4), "comparison_operator": "LessThanThreshold"}


def watch_quality(client: Client, schedule: str, endpoint: str, folder: Path, threshold: float) -> None:
    """Judge the model by the baseline in a folder."""
    statistics = msgspec.json.decode((folder / "statistics.json").read_bytes())
    client.put_baseline(schedule, msgspec.json.decode((folder / "constraints.json").read_bytes()), statistics)
    client.create_schedule(
        schedule,
        endpoint=endpoint,
        cron=HOURLY,
        attributes={"probability_attribute": "0", "probability_threshold": threshold},
        start_offset=LATE,
        end_offset=LATE,
        baseline=schedule,
    )


def watch_data(client: Client, schedule: str, endpoint: str, table: Path, cron: str) -> None:
    """Judge what is asked and answered by the columns of a table."""
    from driftline.pipeline.data_tables import baseline_data_quality

    found = _content(baseline_data_quality(table, exclude=_BESIDE).documents())
    client.put_baseline(schedule, found["constraints"], found["statistics"])
    client.create_schedule(schedule, endpoint=endpoint, cron=cron, monitor="data-quality", baseline=schedule)


def watch_bias(client: Client, schedule: str, endpoint: str, table: Path, threshold: float) -> None:
    """Judge how alike groups of customers are treated."""
    from driftline.core.analysis_config import AnalysisConfig
    from driftline.core.analysis_settings import BiasConfig
    from driftline.core.facets import parse_facet, parse_positive
    from driftline.pipeline.bias_tables import baseline_bias

    bias = BiasConfig(
        label="label",
        positive=parse_positive("1"),
        facets=tuple(map(parse_facet, FACETS)),
        probability="probability",
        probability_threshold=threshold,
        pre_training=METRICS[0],
        post_training=METRICS[1],
    )
    made = baseline_bias(table, config=AnalysisConfig(bias=bias, exclude=("prediction",)))
    found = _content(made.documents())
    client.put_baseline(schedule, found["analysis"], found["analysis_config"])
    client.create_schedule(
        schedule,
        endpoint=endpoint,
        cron=HOURLY,
        monitor="bias",
        attributes={"probability_attribute": "0", "names": ["probability", *FEATURES]},
        start_offset=LATE,
        end_offset=LATE,
        baseline=schedule,
    )


def watch_attribution(client: Client, schedule: str, endpoint: str, table: Path, model: Path, cron: str) -> None:
    """Judge what weighs in the model's answers."""
    from driftline.pipeline.attribution_tables import baseline_attribution

    made = baseline_attribution(table, model, label="label", exclude=("probability", "prediction"))
    found = _content(made.documents())
    client.put_baseline(schedule, found["analysis"], found["analysis_config"])
    client.create_schedule(schedule, endpoint=endpoint, cron=cron, monitor="attribution", baseline=schedule)


def _content(documents: dict[str, Any]) -> dict[str, Any]:
    """The documents of a baseline as plain data, whatever form they are made in."""
    from driftline.core.documents import dump

    return {name: msgspec.json.decode(one if isinstance(one, bytes) else dump(one)) for name, one in documents.items()}
