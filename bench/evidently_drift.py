"""What Evidently's data drift preset says, as it comes, of the windows of ``false_alarms.py``.

    PYTHONPATH=src python bench/evidently_drift.py [--windows 100] [--baseline 100000] [--seed 1]

needs an environment with Evidently 0.7 and driftline's own dependencies. A table has drifted for Evidently when half of
its features have; here it counts as an alarm when any has, as for driftline.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
from false_alarms import SIZES, Column, changes, drawn, fifty, twenty


def dataset(columns: list[Column], rows: dict[str, Any]) -> Dataset:
    """Rows as Evidently takes them."""
    frame = pd.DataFrame({one.name: rows[one.name].astype(str) if one.is_text else rows[one.name] for one in columns})
    texts = [one.name for one in columns if one.is_text]
    numbers = [one.name for one in columns if not one.is_text]
    return Dataset.from_pandas(
        frame, data_definition=DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    )


def drifted(now: Dataset, before: Dataset) -> list[str]:
    """The columns that its preset says have drifted."""
    metrics = Report([DataDriftPreset()]).run(now, before).dict()["metrics"]
    found = [one for one in metrics if "column" in one["config"]]
    return [one["config"]["column"] for one in found if beyond(one)]


def beyond(metric: dict[str, Any]) -> bool:
    """Whether a value is beyond its threshold: below it for a p-value, else above."""
    value, threshold = float(metric["value"]), float(metric["config"]["threshold"])
    return value < threshold if "p_value" in metric["config"]["method"] else value >= threshold


def main() -> None:
    """Write what it finds, a line for each size of window."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--baseline", type=int, default=100_000)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip-twenty", action="store_true")
    given = parser.parse_args()
    columns = fifty()
    before = dataset(columns, drawn(columns, given.baseline, [given.seed, given.baseline, 0, 0]))
    for n in map(int, given.sizes.split(",")):
        alarms = hits = 0
        found = dict.fromkeys(changes(), 0)
        for window in range(given.windows):
            rows = drawn(columns, n, [given.seed, n, 1, window])
            said = drifted(dataset(columns, rows), before)
            alarms, hits = alarms + bool(said), hits + len(said)
            for place, (what, changed) in enumerate(changes().items()):
                alone = dataset([changed], drawn([changed], n, [given.seed, n, 2 + place, window]))
                found[what] += bool(drifted(alone, only(before, changed)))
        rates = {what: f"{count / given.windows:.1%}" for what, count in found.items()}
        sys.stdout.write(f"n = {n:,}: alarms {alarms / given.windows:.1%} ({hits} of features); found {rates}\n")
        sys.stdout.flush()
    if not given.skip_twenty:
        old, new = twenty()
        large = dataset(new, drawn(new, 1_000_000, [given.seed, 4]))
        small = dataset(old, drawn(old, 100_000, [given.seed, 3]))
        sys.stdout.write(f"three of twenty changed: {drifted(large, small)}\n")


def only(data: Dataset, column: Column) -> Dataset:
    """One column of a dataset."""
    frame = data.as_dataframe()[[column.name]]
    definition = (
        DataDefinition(categorical_columns=[column.name])
        if column.is_text
        else DataDefinition(numerical_columns=[column.name])
    )
    return Dataset.from_pandas(frame, data_definition=definition)


if __name__ == "__main__":
    main()
