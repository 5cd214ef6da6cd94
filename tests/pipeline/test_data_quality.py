"""Data quality from files to verdicts: the published figures, tables and captures alike, rows that broke a rule."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost

from driftline.core.errors import InputError
from driftline.core.records import CaptureData, CaptureRecord, EventMetadata, Payload
from driftline.core.verdict import Verdict
from driftline.core.window import HOUR, Window
from driftline.pipeline import DataQualityRun, RunResult, run_monitor
from driftline.pipeline.data_tables import DataBaseline, baseline_data_quality, check_data_quality
from driftline.testing import START, write_captures


@pytest.fixture(scope="module")
def golden(published: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((published / "golden" / "data_quality_churn.json").read_text())
    return found


@pytest.fixture(scope="module")
def churn(published: Path) -> DataBaseline:
    return baseline_data_quality(published / "churn" / "training-dataset-with-header.csv")


def record(number: int, inputs: str, output: str) -> CaptureRecord:
    sides = CaptureData(Payload(inputs, "CSV", "text/csv", "INPUT"), Payload(output, "CSV", "text/csv", "OUTPUT"))
    time = START + timedelta(seconds=number)
    return CaptureRecord(sides, EventMetadata(f"event-{number}", f"order-{number}", inference_time=time))


@pytest.fixture
def predictions(published: Path, tmp_path: Path) -> Path:
    """The published model's answers to its published 334 inputs, as captures."""
    with (published / "churn" / "test-dataset-input-cols.csv").open(newline="") as text:
        rows = list(csv.reader(text))
    model = xgboost.Booster()
    model.load_model(published / "churn" / "xgb-churn-prediction-model.json")
    scores = model.predict(xgboost.DMatrix(np.array(rows, dtype=float)))
    folder = tmp_path / "captures"
    write_captures(
        folder, (record(n, ",".join(row), repr(float(s))) for n, (row, s) in enumerate(zip(rows, scores, strict=True)))
    )
    return folder


def test_every_published_figure_of_the_baseline_is_reproduced(churn: DataBaseline, golden: dict[str, Any]) -> None:
    for wanted in golden["statistics"]:
        feature = churn.statistics.feature(wanted["name"])
        assert feature is not None
        numbers = feature.numerical
        assert numbers is not None
        assert (feature.inferred_type, feature.num_present, feature.num_missing) == (
            wanted["inferred_type"],
            wanted["num_present"],
            wanted["num_missing"],
        )
        assert numbers.sum == pytest.approx(wanted["sum"], rel=1e-12)
        # Published with six digits after the point.
        assert numbers.mean == pytest.approx(wanted["mean"], abs=5e-7)
        assert numbers.std_dev == pytest.approx(wanted["std_dev"], abs=5e-7)
        assert (numbers.min, numbers.max) == (wanted["min"], wanted["max"])
        shown = {"lower_bound": numbers.buckets[0].lower, "upper_bound": numbers.buckets[0].upper, "count": 0}
        # The published text is cut within the word "count".
        assert str([shown]).startswith(wanted["first_bucket"].removesuffix("..."))
        assert (numbers.c, numbers.k) == (wanted["kll_c"], wanted["kll_k"])


def test_the_published_constraints_follow(churn: DataBaseline, golden: dict[str, Any]) -> None:
    found = {feature.name: feature for feature in churn.constraints.features}
    for wanted in golden["constraints"]:
        feature = found[wanted["name"]]
        assert feature.inferred_type == wanted["inferred_type"]
        assert feature.completeness == wanted["completeness"]
        assert feature.is_non_negative == wanted["is_non_negative"]


def test_real_predictions_have_the_published_kind_of_violation(churn: DataBaseline, predictions: Path) -> None:
    result = run_monitor(DataQualityRun(str(predictions), churn.constraints, churn.statistics))
    assert (result.judgement.verdict, result.item_count) == (Verdict.VIOLATED, 334)
    types = [one for one in result.violations if one.constraint_check_type == "data_type_check"]
    # One line of the published inputs holds fractions where the training data had whole numbers, as the violations that
    # the original published for these inputs say; with the probability itself they are the 60 that it counted.
    assert len(types) == 60
    assert types[0].feature_name == "Churn"
    assert types[0].description == (
        "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. "
        "Observed: Only 0.0% of data is Integral."
    )
    assert types[0].samples[0].startswith('order-0: {"Churn":0.0')


def test_a_table_is_ok_against_itself_and_written_as_it_was(
    churn: DataBaseline, published: Path, tmp_path: Path
) -> None:
    files = churn.write(tmp_path / "baseline")
    assert [file.name for file in files] == ["statistics.json", "constraints.json", "report.html"]
    checked = check_data_quality(
        published / "churn" / "training-dataset-with-header.csv", files[1], baseline=files[0], now=START
    )
    assert checked
    assert str(checked).splitlines() == ["OK (n = 2333)"]
    assert json.loads(checked.write(tmp_path / "report")[2].read_text()) == {"violations": []}


@pytest.fixture
def orders() -> pa.Table:
    random = np.random.default_rng(5)
    return pa.table(
        {
            "age": pa.array(random.integers(18, 80, 2000)),
            "plan": pa.array(random.choice(["gold", "silver", "tin"], 2000)),
            "paid": pa.array(random.random(2000) * 100),
        }
    )


def test_rows_that_broke_a_rule_are_shown_with_it(orders: pa.Table) -> None:
    baseline = baseline_data_quality(orders)
    texts = [*map(str, orders.column("age").to_pylist()[:197]), "old", "17.5", ""]
    plans = [*orders.column("plan").to_pylist()[:198], "platinum", "<b>"]
    now = pa.table({"age": texts, "plan": plans, "paid": orders.column("paid").slice(0, 200)})
    checked = check_data_quality(now, baseline)
    assert not checked
    by_check = {one.constraint_check_type: one for one in checked.violations}
    assert [sample[:13] for sample in by_check["data_type_check"].samples] == ['{"age":"old",', '{"age":"17.5"']
    assert [sample[:10] for sample in by_check["completeness_check"].samples] == ['{"age":"",']
    assert by_check["categorical_values_check"].new_categories == (("<b>", 1), ("platinum", 1))
    assert [sample[:10] for sample in by_check["categorical_values_check"].samples] == ['{"plan":"p', '{"plan":"<']
    page = checked._repr_html_()
    assert "platinum" in page
    assert "&lt;b&gt;" in page.replace("&amp;", "&")


def test_drift_is_found_and_no_drift_is_not(orders: pa.Table) -> None:
    baseline = baseline_data_quality(orders)
    assert check_data_quality(orders.slice(0, 500), baseline)
    older = orders.set_column(0, "age", pa.array(orders.column("age").to_numpy() + 20))
    checked = check_data_quality(older, baseline)
    assert [(one.feature_name, one.constraint_check_type) for one in checked.violations] == [
        ("age", "baseline_drift_check")
    ]
    assert checked.drift is not None
    assert checked.drift.drifted_share == pytest.approx(1 / 3)


def test_a_column_more_and_one_less_are_told(orders: pa.Table) -> None:
    baseline = baseline_data_quality(orders)
    other = orders.rename_columns(["age", "plan", "price"])
    found = {one.constraint_check_type: one.feature_name for one in check_data_quality(other, baseline).violations}
    assert found == {"missing_column_check": "paid", "extra_column_check": "price"}
    assert check_data_quality(orders.append_column("more", orders.column("age")), baseline, exclude=["more"])


def test_too_few_rows_are_no_verdict(orders: pa.Table) -> None:
    checked = check_data_quality(orders.slice(0, 10), baseline_data_quality(orders))
    assert (checked.verdict, [reason.code for reason in checked.judgement.reasons]) == (
        Verdict.UNKNOWN,
        ["too_few_rows"],
    )


def test_segments_of_a_table_are_ranked(orders: pa.Table) -> None:
    baseline = baseline_data_quality(orders)
    ages = orders.column("age").to_numpy() + np.where(orders.column("plan").to_numpy() == "tin", 30, 0)
    checked = check_data_quality(orders.set_column(0, "age", pa.array(ages)), baseline, segments=["plan"])
    first, *others = checked.segments
    assert (first.segment, first.value) == ("tin", pytest.approx(1 / 2))
    assert [one.value for one in others] == [0.0, 0.0]
    assert (first.violated, first.violations) == (("age",), 1)
    assert [(one.place, one.segments, one.reference) for one in checked.segments] == [
        (place, 3, first.reference) for place in (1, 2, 3)
    ]
    assert "Drifted share by segment of plan" in checked._repr_html_()


@pytest.mark.parametrize("data", [pa.table({"x": pa.array([], pa.int64())}), 7, "nowhere.csv"])
def test_data_without_rows_is_no_baseline(data: Any) -> None:
    with pytest.raises(InputError):
        baseline_data_quality(data)


def captured(folder: Path, **options: Any) -> RunResult:
    """The first two hours."""
    window = Window(START, START + 2 * HOUR)
    run = DataQualityRun(str(folder), window=window, as_of=window.end, pieces=str(folder.parent / "pieces"), **options)
    return run_monitor(run)


def steps(result: RunResult) -> list[str]:
    return [step.name for step in result.steps]


def test_a_kept_hour_is_not_decoded_again(churn: DataBaseline, predictions: Path) -> None:
    options = {"constraints": churn.constraints, "baseline": churn.statistics}
    first, second = captured(predictions, **options), captured(predictions, **options)
    assert (steps(first), steps(second)) == (["decode and analyse", "check"], ["check"])
    assert (first.violations, first.statistics) == (second.violations, second.statistics)
    assert second.counts == first.counts | {"capture_files_read": 0}
    write_captures(predictions, [record(4000, "1,2", "0.5")], name="late")
    third = captured(predictions, **options)
    assert steps(third) == ["decode and analyse", "check"]
    assert third.counts["capture_records"] == 335


def test_decoded_hours_serve_whoever_looks_at_every_row(shop: Path, tmp_path: Path) -> None:
    options = {"decoded": str(tmp_path / "decoded"), "segments": ("_c2",)}
    first = captured(shop, **options)
    assert len(list((tmp_path / "decoded").rglob("part-*.parquet"))) == 1
    for file in shop.rglob("*.jsonl"):
        size = file.stat().st_size
        file.write_bytes(b"x" * (size - 1) + b"\n")  # of the same name and size: whoever reads it finds nothing
    second = captured(shop, **options)
    assert first.statistics == second.statistics
    assert second.counts == first.counts | {"capture_files_read": 0}
    assert first.counts["capture_records"] == 200


def test_what_is_published_has_the_original_s_names(churn: DataBaseline, predictions: Path) -> None:
    metrics = captured(predictions, constraints=churn.constraints, baseline=churn.statistics).metrics
    assert {f"{kind}_Churn" for kind in ("feature_data", "feature_non_null", "feature_baseline_drift")} <= set(metrics)
    assert "drifted_share" in metrics


def test_the_store_keeps_no_sketches(churn: DataBaseline, predictions: Path, tmp_path: Path) -> None:
    result = captured(
        predictions, constraints=churn.constraints, baseline=churn.statistics, report=str(tmp_path / "report")
    )
    kept = result.statistics["features"][1]["numerical_statistics"]["distribution"]["kll"]
    whole = json.loads((tmp_path / "report" / "statistics.json").read_text())["features"][1]
    assert len(kept["buckets"]) == 10
    assert not any(kept["sketch"]["data"])
    assert any(whole["numerical_statistics"]["distribution"]["kll"]["sketch"]["data"])
    assert (tmp_path / "report" / "constraint_violations.json").is_file()
    assert "<html" in (tmp_path / "report" / "report.html").read_text()


def test_no_captures_are_no_verdict_with_a_checklist(tmp_path: Path) -> None:
    (tmp_path / "captures").mkdir()
    (reason,) = captured(tmp_path / "captures").judgement.reasons
    assert reason.code == "no_captures"
    assert ("capture records found", "0") in reason.checklist


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Two hundred orders: age and plan go in, a score comes out."""
    random = np.random.default_rng(6)
    plans = random.choice(["gold", "tin"], 200)
    folder = tmp_path / "captures"
    write_captures(folder, (record(n, f"{20 + n % 50},{plan}", f"0.{n:03}") for n, plan in enumerate(plans)))
    return folder


def test_a_script_makes_the_rows_and_its_words_are_kept(shop: Path, tmp_path: Path) -> None:
    script = tmp_path / "clean.py"
    script.write_text(
        "def preprocess_handler(record, logger):\n"
        "    age, plan = record.endpoint_input.data.split(',')\n"
        "    if plan == 'tin':\n        return []\n"
        "    logger.info('gold of %s', age)\n"
        "    return {'age': int(age), 'score': float(record.endpoint_output.data)}\n"
    )
    result = captured(shop, preprocessor=str(script), report=str(tmp_path / "report"))
    assert [one["name"] for one in result.statistics["features"]] == ["age", "score"]
    assert 0 < result.item_count < 200
    assert result.counts["capture_records"] == 200
    assert "gold of" in (tmp_path / "report" / "preprocess.log").read_text()


def test_a_script_that_breaks_shows_the_record(shop: Path, tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("def preprocess_handler(record):\n    print('here')\n    return {'x': 1 / 0}\n")
    with pytest.raises(InputError, match="ZeroDivisionError") as error:
        captured(shop, preprocessor=str(script), report=str(tmp_path / "report"))
    assert "event-0" in error.value.evidence
    assert "here" in (tmp_path / "report" / "preprocess.log").read_text()


def test_a_script_that_is_not_there_is_named(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the script .*gone\.py cannot be read"):
        captured(shop, preprocessor=str(tmp_path / "gone.py"))


def test_a_script_runs_after_the_report(shop: Path, tmp_path: Path) -> None:
    script = tmp_path / "after.py"
    script.write_text(
        "import os, pathlib\n"
        "def postprocess_handler():\n"
        "    print(sorted(p.name for p in pathlib.Path(os.environ['output_path']).iterdir()))\n"
    )
    result = captured(shop, postprocessor=str(script), report=str(tmp_path / "report"))
    assert steps(result)[-1] == "postprocess"
    assert "statistics.json" in (tmp_path / "report" / "postprocess.log").read_text()


def test_a_custom_analyzer_is_published_beside_ours(shop: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.py"
    file.write_text(
        "from dataclasses import dataclass\n"
        "from driftline.core.state import State\n"
        "@dataclass(frozen=True, eq=False)\n"
        "class Seen(State):\n    rows: int = 0\n"
        "class Rows:\n"
        "    name = 'rows'\n"
        "    def identity(self):\n        return Seen()\n"
        "    def update(self, batch):\n        return Seen(batch.num_rows)\n"
        "    def merge(self, states):\n        return Seen(sum(one.rows for one in states))\n"
        "    def result(self, state):\n        return {'seen': state.rows}\n"
    )
    result = captured(shop, analyzers=(f"{file}:Rows",))
    assert result.statistics["custom"] == {"rows": {"seen": 200}}
    assert result.metrics["rows.seen"] == 200


def test_the_segment_that_drifted_is_first(tmp_path: Path) -> None:
    random = np.random.default_rng(9)
    plans = random.choice(["gold", "silver", "tin"], 3000)
    ages = random.normal(40, 10, (3000, 6))
    before = {"score": random.random(3000), **{f"n{i}": ages[:, i] for i in range(6)}, "plan": plans}
    baseline = baseline_data_quality(pa.table(before))
    ages[plans == "tin"] += 15
    folder = tmp_path / "captures"
    write_captures(
        folder,
        (
            record(n, ",".join(map(str, [*row, plan])), str(score))
            for n, (row, plan, score) in enumerate(zip(ages.tolist(), plans, before["score"], strict=True))
        ),
    )
    result = captured(
        folder,
        constraints=baseline.constraints,
        baseline=baseline.statistics,
        segments=("plan", "n0:30,50"),
        report=str(tmp_path / "report"),
    )
    first, *others = [one for one in result.statistics["segments"] if one["column"] == "plan"]
    assert (first["segment"], first["rows"]) == ("tin", int((plans == "tin").sum()))
    assert first["value"] > max(one["value"] for one in others)
    assert set(first["violated"]) == {f"n{i}" for i in range(6)}
    page = (tmp_path / "report" / "report.html").read_text()
    assert all(f"Drifted share by segment of {column}" in page for column in ("plan", "n0"))
    assert {one["segment"] for one in result.statistics["segments"] if one["column"] == "n0"} == {
        "below 30",
        "[30, 50)",
        "50 and above",
    }
