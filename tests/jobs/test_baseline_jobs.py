"""Baselines as jobs: datasets in buckets become documents in buckets, with the published figures."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost

from driftline.core.errors import DriftlineError, InputError
from driftline.core.uris import object_uri
from driftline.jobs.baselines.job import run
from driftline.jobs.batch_kinds import BatchDone, BatchWork, read_settings
from driftline.storage.buckets import open_objects
from driftline.storage.layout import Layout
from driftline.storage.objects import Objects

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
COLUMNS = {
    "problem_type": "BinaryClassification",
    "label": "label",
    "prediction": "prediction",
    "probability": "probability",
}
OK = "Completed: Job completed successfully with no violations."
ROWS = "".join(f"{place % 7},{place % 3}.5,{'ab'[place % 2]}\n" for place in range(100))


@pytest.fixture
def objects(layout: Layout) -> Objects:
    return open_objects(layout)


def put(objects: Objects, uri: str, content: str | bytes) -> str:
    objects.write(object_uri(uri), content.encode() if isinstance(content, str) else content)
    return uri


def get(objects: Objects, uri: str) -> Any:
    return json.loads(objects.read(object_uri(uri)))


def do(layout: Layout, **settings: Any) -> BatchDone:
    given = {"output": "s3://bucket/out", **settings}
    work = BatchWork("job", read_settings("baseline", given), str(layout.data), NOW)
    return run(work, lambda *_: None)


def test_data_quality_has_the_published_figures(layout: Layout, objects: Objects, published: Path) -> None:
    golden = json.loads((published / "golden" / "data_quality_churn.json").read_text())
    rows = (published / "churn" / "training-dataset-with-header.csv").read_bytes()
    dataset = put(objects, "s3://bucket/base/training.csv", rows)
    done = do(layout, monitor="data-quality", dataset=dataset, format={"kind": "csv", "header": True})
    assert (done.message, done.result) == (OK, {"item_count": 2333})
    constraints = get(objects, "s3://bucket/out/constraints.json")
    by_name = {feature["name"]: feature for feature in constraints["features"]}
    for wanted in golden["constraints"]:
        found = by_name[wanted["name"]]
        assert (found["inferred_type"], found["completeness"]) == (wanted["inferred_type"], wanted["completeness"])
    statistics = get(objects, "s3://bucket/out/statistics.json")
    means = {one["name"]: one["numerical_statistics"]["mean"] for one in statistics["features"][:10]}
    for wanted in golden["statistics"]:
        assert means[wanted["name"]] == pytest.approx(wanted["mean"], abs=1e-6)
    assert statistics["dataset"]["item_count"] == 2333
    config = constraints["monitoring_config"]
    assert (config["evaluate_constraints"], config["emit_metrics"]) == ("Enabled", "Enabled")
    assert {"datatype_check_threshold", "domain_content_threshold"} < config.keys()
    compared = config["distribution_constraints"]
    assert (compared["perform_comparison"], compared["comparison_threshold"]) == ("Enabled", 0.1)
    assert compared["categorical_drift_method"] == "LInfinity"
    assert {"comparison_method", "categorical_comparison_threshold"} < compared.keys()


def test_model_quality_has_the_published_figures(layout: Layout, objects: Objects, published: Path) -> None:
    golden = json.loads((published / "golden" / "model_quality_churn.json").read_text())
    rows = (published / "churn" / "validation_with_predictions.csv").read_bytes()
    dataset = put(objects, "s3://bucket/base/rows.csv", rows)
    given: dict[str, Any] = {"monitor": "model-quality", "dataset": dataset, "format": {"header": True}}
    assert do(layout, columns=COLUMNS, **given).result == {"item_count": 201}
    found = get(objects, "s3://bucket/out/constraints.json")["binary_classification_constraints"]
    for name, wanted in golden["constraints"].items():
        threshold = golden["true_auc"] if name == "auc" else wanted["threshold"]
        assert found[name]["threshold"] == pytest.approx(threshold, abs=1e-12), name
    # By number, in two files without names, it is the same.
    head, *lines = rows.decode().splitlines(keepends=True)
    put(objects, "s3://bucket/parts/a", "".join(lines[:50]))
    put(objects, "s3://bucket/parts/b", "".join(lines[50:]).rstrip("\n"))
    put(objects, "s3://bucket/parts/_SUCCESS", "")
    names = head.strip().split(",")
    numbered = {key: str(names.index(name)) if name in names else name for key, name in COLUMNS.items()}
    parts = given | {"dataset": "s3://bucket/parts", "format": {"header": False}, "output": "s3://bucket/again"}
    assert do(layout, columns=numbered, **parts).result == {"item_count": 201}
    assert get(objects, "s3://bucket/again/constraints.json")["binary_classification_constraints"] == found
    # Against constraints that nobody meets it says what is violated.
    document = get(objects, "s3://bucket/out/constraints.json")
    document["binary_classification_constraints"]["accuracy"]["threshold"] = 1.5
    strict = put(objects, "s3://bucket/strict.json", json.dumps(document))
    checked = do(layout, columns=COLUMNS, constraints=strict, **given | {"output": "s3://bucket/checked"})
    assert checked.message == "CompletedWithViolations: Job completed successfully with 1 violations."
    assert checked.result == {"item_count": 201, "violations": 1, "verdict": "VIOLATED"}
    [violation] = get(objects, "s3://bucket/checked/constraint_violations.json")["violations"]
    assert violation["metric_name"] == "accuracy"


def test_every_format_is_read(layout: Layout, objects: Objects) -> None:
    records = [{"n": place, "text": "ab"[place % 2]} for place in range(40)]
    table = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(records), table)
    for content, wanted in (
        (ROWS, {"kind": "csv", "header": False}),
        ("".join(json.dumps(record) + "\n" for record in records), {"kind": "json"}),
        (json.dumps(records), {"kind": "json", "lines": False}),
        (table.getvalue().to_pybytes(), {"kind": "parquet"}),
    ):
        dataset = put(objects, "s3://bucket/any/data", content)
        done = do(layout, monitor="data-quality", dataset=dataset, format=wanted)
        features = [one["name"] for one in get(objects, "s3://bucket/out/statistics.json")["features"]]
        expected = (100, ["_c0", "_c1", "_c2"]) if wanted["kind"] == "csv" else (40, ["n", "text"])
        assert (done.result["item_count"], features) == expected


def test_scripts_before_and_after(layout: Layout, objects: Objects) -> None:
    before = (
        "def preprocess_handler(line):\n"
        "    first, second, _ = line.split(',')\n"
        "    return {'sum': float(first) + float(second)}\n"
    )
    after = (
        "import os, pathlib\n"
        "def postprocess_handler():\n"
        "    folder = pathlib.Path(os.environ['output_path'])\n"
        "    (folder / 'told.txt').write_text(os.environ['dataset_format'])\n"
        "    assert (folder / 'statistics.json').is_file()\n"
    )
    do(
        layout,
        monitor="data-quality",
        dataset=put(objects, "s3://bucket/rows.csv", ROWS),
        format={"header": False},
        preprocessor=put(objects, "s3://bucket/code/before.py", before),
        postprocessor=put(objects, "s3://bucket/code/after.py", after),
    )
    [feature] = get(objects, "s3://bucket/out/statistics.json")["features"]
    assert (feature["name"], feature["inferred_type"]) == ("sum", "Fractional")
    assert get(objects, "s3://bucket/out/told.txt") == {"csv": {"header": False}}


def test_columns_are_held_against_a_baseline(layout: Layout, objects: Objects) -> None:
    given: dict[str, Any] = {"monitor": "data-quality", "format": {"header": False}}
    do(layout, dataset=put(objects, "s3://bucket/rows.csv", ROWS), **given)
    against = {name: f"s3://bucket/out/{name}.json" for name in ("constraints", "statistics")}
    again = do(layout, dataset="s3://bucket/rows.csv", **given, **against, output="s3://bucket/same")
    assert again.result["violations"] == 0
    assert get(objects, "s3://bucket/same/constraint_violations.json") == {"violations": []}
    odd = put(objects, "s3://bucket/odd.csv", ROWS.replace("1.5", "odd"))
    found = do(layout, dataset=odd, **given, **against, output="s3://bucket/odd")
    assert found.message.startswith("CompletedWithViolations: Job completed successfully with ")
    kinds = {
        one["constraint_check_type"] for one in get(objects, "s3://bucket/odd/constraint_violations.json")["violations"]
    }
    assert "data_type_check" in kinds


@pytest.fixture
def model(layout: Layout) -> str:
    """A model of three features that answers with a probability; its path below the data folder."""
    rows = np.random.default_rng(7).normal(size=(300, 3)).astype(np.float32)
    data = xgboost.DMatrix(rows, (rows[:, 0] > 0).astype(int))
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_depth": 2}, data, 3)
    path = layout.model("churn") / "model.json"
    path.parent.mkdir(parents=True)
    booster.save_model(path)
    return str(path.relative_to(layout.data))


def analysis(*methods: str) -> dict[str, Any]:
    """A configuration as the SDK writes one."""
    known = {
        "shap": {
            "baseline": [[0.0] * 3],
            "num_samples": 10,
            "agg_method": "mean_abs",
            "save_local_shap_values": True,
        },
        "pre_training_bias": {"methods": "all"},
        "post_training_bias": {"methods": "all"},
    }
    return {
        "dataset_type": "text/csv",
        "headers": ["truth", "a", "b", "c"],
        "label": "truth",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "b", "value_or_threshold": [0.5]}],
        "methods": {"report": {"name": "report", "title": "Analysis"}, **{name: known[name] for name in methods}},
        "predictor": {"model_name": "churn", "instance_type": "ml.m5.xlarge", "initial_instance_count": 1},
        "probability_threshold": 0.5,
    }


def test_bias_and_attributions_of_a_model_without_predictions(layout: Layout, objects: Objects, model: str) -> None:
    rows = np.random.default_rng(8).normal(size=(200, 3))
    lines = [f"{int(row[0] > 0)}," + ",".join(map(str, row)) for row in rows.tolist()]
    given: dict[str, Any] = {
        "monitor": "bias",
        "dataset": put(objects, "s3://bucket/rows.csv", "\n".join(lines)),
        "model": model,
    }
    config = analysis("pre_training_bias", "post_training_bias", "shap")
    placed = put(objects, "s3://bucket/out/analysis_config.json", json.dumps(config))
    done = do(layout, analysis_config=placed, **given)
    assert (done.message, done.result) == (OK, {"item_count": 200})
    found = get(objects, "s3://bucket/out/analysis.json")
    [facet] = found["post_training_bias_metrics"]["facets"]["b"]
    measured = {metric["name"]: metric["value"] for metric in facet["metrics"]}
    # The model finds the truth, which has no bias to speak of.
    assert measured["AD"] == pytest.approx(0, abs=0.1)
    assert set(found["explanations"]["kernel_shap"]["label0"]["global_shap_values"]) == {"a", "b", "c"}
    assert get(objects, placed) == config
    local = objects.read(object_uri("s3://bucket/out/explanations_shap/out.csv")).decode()
    assert len(local.splitlines()) == 201
    for page in ("report.html", "report_bias.html"):
        assert b"<html" in objects.read(object_uri(f"s3://bucket/out/{page}"))
    against = {"constraints": "s3://bucket/out/analysis.json", "analysis_config": config, "output": "s3://bucket/same"}
    for monitor in ("bias", "attribution"):
        assert do(layout, **given | against | {"monitor": monitor}).result["violations"] == 0


def test_what_is_missing_is_said(layout: Layout, objects: Objects) -> None:
    rows = put(objects, "s3://bucket/rows.csv", "1,2,3,4\n" * 50)
    config = analysis("post_training_bias")
    bias = {"monitor": "bias", "dataset": rows, "analysis_config": config}
    for settings, said in (
        (
            {"monitor": "data-quality", "dataset": "s3://nowhere/a.csv"},
            'No S3 objects found under S3 URL "s3://nowhere',
        ),
        ({"monitor": "data-quality", "dataset": rows, "constraints": "s3://bucket/none"}, "No S3 objects found"),
        ({"monitor": "data-quality", "dataset": put(objects, "s3://bucket/empty.csv", "")}, "has no rows"),
        ({"monitor": "model-quality", "dataset": rows, "columns": COLUMNS | {"label": "9"}}, "there is no column 9"),
        (bias | {"analysis_config": "s3://bucket/rows.csv"}, "is no JSON object"),
        (bias, "no model is named"),
        (bias | {"model": "../../etc/passwd"}, "not in the data folder"),
        (bias | {"constraints": "s3://bucket/none", "monitor": "attribution"}, "says nothing of attribution"),
    ):
        with pytest.raises(InputError, match=said):
            do(layout, **settings)
    assert [one for one in layout.job("job").iterdir() if one.is_dir()] == []


def test_an_empty_dataset_has_nothing_to_join(layout: Layout, objects: Objects) -> None:
    empty = put(objects, "s3://bucket/empty.csv", "")
    with pytest.raises(DriftlineError, match="no rows"):
        do(layout, monitor="model-quality", dataset=empty, columns=COLUMNS)
