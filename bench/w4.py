"""W4: every bias metric that counts tell, of one facet within five regions, from a Parquet file of a million rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bias_data
import peers
from contest import HERE, Bench, Subject, compare, said

LIMIT = 300


def tables(bench: Bench) -> None:
    """driftline's own command for a table, and one group-by of DuckDB with the formulas by hand."""
    file, report = str(bias_data.table(bench.data, bench.options.rows)), bench.work / "w4"
    name = bench.driftline("xgboost")
    python = peers.python(bench.work, name)
    columns = [
        "--label",
        "label",
        "--positive",
        "1",
        "--predicted",
        "predicted",
        "--facet",
        "sex=f",
        "--group",
        "region",
    ]
    ours = [str(python.with_name("driftline")), "baseline", "bias", file, *columns, "-o", str(report)]
    floor = [str(python), str(HERE / "w4_floor.py"), file]
    subjects = [
        Subject("driftline", peers.version(bench.work, name, "driftline"), ours, lambda _: metrics(report)),
        Subject("floor", "DuckDB " + peers.version(bench.work, name, "duckdb"), floor, said),
    ]
    bench.rounds("w4", subjects, LIMIT)
    compare(subjects)


def metrics(report: Path) -> dict[str, Any]:
    """What driftline wrote of the one facet, by the metrics' names."""
    document = json.loads((report / "analysis.json").read_text(encoding="utf-8"))
    stages = [document[f"{stage}_bias_metrics"]["facets"]["sex"] for stage in ("pre_training", "post_training")]
    return {metric["name"]: metric["value"] for facets in stages for metric in facets[0]["metrics"]}
