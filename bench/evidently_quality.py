"""The classification preset of Evidently on a data frame of (probability, prediction, label)."""

from __future__ import annotations

from typing import Any

from evidently import BinaryClassification, DataDefinition, Dataset, Report
from evidently.presets import ClassificationPreset


def quality(frame: Any) -> dict[str, float | None]:
    """What the preset's result says, by our names."""
    task = BinaryClassification(
        target="label", prediction_labels="prediction", prediction_probas="probability", pos_label=1
    )
    dataset = Dataset.from_pandas(frame, data_definition=DataDefinition(classification=[task]))
    found = Report([ClassificationPreset()]).run(dataset, None).dict()
    values = {metric["metric_name"].split("(")[0].lower(): metric["value"] for metric in found["metrics"]}
    names = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1score", "auc": "rocauc"}
    return {ours: float(values[theirs]) for ours, theirs in names.items() if theirs in values}
