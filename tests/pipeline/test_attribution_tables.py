"""Attributions from a table and a model to a verdict: columns, samples, baseline rows, files, planted changes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
import xgboost
from pyarrow import parquet

from driftline.core.attribution_analysis import Attribution, AttributionAnalysis, LabelAttributions
from driftline.core.errors import InputError
from driftline.core.sampling import GROUPS
from driftline.core.verdict import Verdict
from driftline.monitors.attribution.checks import check
from driftline.monitors.attribution.profile import AttributionProfile
from driftline.monitors.attribution.rows import explained
from driftline.pipeline.attribution_tables import (
    AttributionBaseline,
    ExplainOptions,
    baseline_attribution,
    check_attribution,
)
from driftline.serving.explain.explainer import open_explainer
from driftline.testing import START

FEATURES = ["age", "plan", "day"]


def table_of(n: int, seed: int = 0) -> pa.Table:
    rows = np.random.default_rng(seed).normal(size=(n, 3))
    return pa.table({name: rows[:, place] for place, name in enumerate(FEATURES)})


@pytest.fixture(scope="module")
def trained() -> Callable[..., xgboost.Booster]:
    def train(**more: Any) -> xgboost.Booster:
        rows = np.column_stack([column.to_numpy() for column in table_of(400).columns])
        data = xgboost.DMatrix(rows, rows @ [3.0, 1.0, 0.2] > 0, **more)
        return xgboost.train({"objective": "binary:logistic", "max_depth": 2, "nthread": 1}, data, 10)

    return train


@pytest.fixture(scope="module")
def model(trained: Callable[..., xgboost.Booster], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows the names of its features."""
    path: Path = tmp_path_factory.mktemp("model") / "named.json"
    trained(feature_names=FEATURES).save_model(path)
    return path


@pytest.fixture(scope="module")
def nameless(trained: Callable[..., xgboost.Booster], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("model") / "nameless.json"
    trained().save_model(path)
    return path


def black_box(rows: Any) -> Any:
    """A model that only predicts: 3·age + plan + 0.2·day."""
    return rows @ np.array([3.0, 1.0, 0.2])


def values(analysis: AttributionAnalysis) -> dict[str, float]:
    return {one.feature: one.value for one in analysis.labels[0].features}


def test_attributions_are_those_of_the_library(model: Path) -> None:
    table = table_of(300, 1)
    found = baseline_attribution(table, model, now=START)
    booster = xgboost.Booster(model_file=model)
    rows = np.column_stack([column.to_numpy() for column in table.columns])
    contributions = booster.predict(xgboost.DMatrix(rows, feature_names=FEATURES), pred_contribs=True)
    assert list(values(found.analysis).values()) == pytest.approx(np.abs(contributions[:, :3]).mean(axis=0), rel=1e-5)
    assert found.analysis.labels[0].expected_value == pytest.approx(contributions[0, 3], rel=1e-5)
    assert (found.rows, found.analysis.rows, found.analysis.method) == (300, 300, "tree_shap")
    assert found.baseline_rows is None


def test_columns_are_put_into_the_model_s_order(model: Path, nameless: Path) -> None:
    table = table_of(300, 1)
    wanted = values(baseline_attribution(table, model).analysis)
    turned = table.select(["day", "age", "plan"]).append_column("label", pa.array(["yes"] * 300))
    assert values(baseline_attribution(turned, model).analysis) == wanted
    behind = table.add_column(0, "label", pa.array(["yes"] * 300))
    assert values(baseline_attribution(behind, nameless, label="label").analysis) == wanted
    assert values(baseline_attribution(behind, nameless, exclude=["label"]).analysis) == wanted


def test_a_check_knows_columns_by_the_baseline_s_names(nameless: Path) -> None:
    table = table_of(300, 1)
    baseline = baseline_attribution(table, nameless)
    turned = check_attribution(table.select(["day", "age", "plan"]), nameless, baseline)
    assert (turned.verdict, turned.drift[0].ndcg) == (Verdict.OK, 1.0)
    unnamed = check_attribution(table.rename_columns(["_c0", "_c1", "_c2"]), nameless, baseline)
    assert unnamed.drift == turned.drift
    with pytest.raises(InputError, match="no column 'day', a feature of the model"):
        check_attribution(table.rename_columns(["age", "plan", "hour"]), nameless, baseline)


@pytest.mark.parametrize("drop", ["age", "plan"])
def test_a_missing_feature_is_named(model: Path, drop: str) -> None:
    with pytest.raises(InputError, match=f"the table has no column '{drop}', a feature of the model"):
        baseline_attribution(table_of(30).drop_columns([drop]), model)


def test_a_textual_feature_is_named_with_its_row(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("age,plan,day\n1,2,3\n1,gold,3\n")
    with pytest.raises(InputError, match=r"orders\.csv: column 'plan', a feature of the model") as caught:
        baseline_attribution(path, model)
    assert caught.value.evidence == "row 2: 'gold'"


def test_no_rows(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("age,plan,day\n")
    with pytest.raises(InputError, match="has no rows"):
        baseline_attribution(path, model)
    checked = check_attribution(path, model, baseline_attribution(table_of(50), model))
    assert (checked.verdict, checked.judgement.reasons[0].code) == (Verdict.UNKNOWN, "no_rows")
    checked.write(tmp_path / "report")


def test_a_changed_ranking_is_found_and_none_is_not() -> None:
    baseline = baseline_attribution(table_of(500), black_box)
    assert check_attribution(table_of(300, 5), black_box, baseline)
    table = table_of(300, 5)
    shrunk = table.set_column(0, "age", pa.array(table["age"].to_numpy() / 100))
    checked = check_attribution(shrunk, black_box, baseline)
    assert not checked
    assert str(checked).startswith("VIOLATED (n = 300)\n  label0: Feature attribution drift 0.")
    worst = checked.drift[0].changes[0]
    assert (worst.feature, worst.baseline_place) == ("age", 1)
    assert worst.live_place > 1
    assert checked.metrics()[-1].value == checked.drift[0].ndcg


def test_the_aggregation_is_the_baseline_s(model: Path) -> None:
    baseline = baseline_attribution(table_of(100), model, options=ExplainOptions(aggregation="median"))
    assert check_attribution(table_of(100), model, baseline).analysis.aggregation == "median"
    with pytest.raises(InputError, match="by mean_sq cannot be compared with a baseline by median"):
        check_attribution(table_of(100), model, baseline, options=ExplainOptions(aggregation="mean_sq"))
    original = AttributionAnalysis((LabelAttributions("label0", (Attribution("age", 1.0),), 0.0),))
    asked = check_attribution(table_of(100), model, original, options=ExplainOptions(aggregation="mean_sq"))
    assert asked.analysis.aggregation == "mean_sq"


def test_several_outputs(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(300, 3))
    data = xgboost.DMatrix(rows, rows[:, :3].argmax(axis=1), feature_names=FEATURES)
    path = tmp_path / "classes.json"
    parameters = {"objective": "multi:softprob", "num_class": 3, "max_depth": 2, "nthread": 1}
    xgboost.train(parameters, data, 5).save_model(path)
    options = ExplainOptions(classes=("cat", "dog", "bird"))
    baseline = baseline_attribution(table_of(200), path, options=options, local=tmp_path / "local.parquet")
    assert [label.label for label in baseline.analysis.labels] == ["cat", "dog", "bird"]
    heaviest = [max(label.features, key=lambda one: one.value).feature for label in baseline.analysis.labels]
    assert heaviest == FEATURES
    local = parquet.read_table(tmp_path / "local.parquet")
    assert local.column_names[:2] == ["age_cat", "age_dog"]
    assert local.column_names[9:] == ["cat", "dog", "bird"]
    checked = check_attribution(table_of(200, 3), path, baseline, options=options)
    assert [(one.label, one.ndcg) for one in checked.drift] == [(one, 1.0) for one in ("cat", "dog", "bird")]


def test_a_sample_is_the_same_every_time_and_of_the_size_asked_for(model: Path) -> None:
    table = table_of(900)
    few = baseline_attribution(table, model, options=ExplainOptions(rows=200))
    assert (few.rows, few.analysis.rows) == (900, 200)
    assert baseline_attribution(table, model, options=ExplainOptions(rows=200)).analysis == few.analysis
    assert baseline_attribution(table, model, options=ExplainOptions(rows=200, seed=1)).analysis != few.analysis
    every = values(baseline_attribution(table, model).analysis)
    assert values(few.analysis) == pytest.approx(every, rel=0.25)


def test_as_many_rows_as_an_error_needs(model: Path) -> None:
    table = table_of(30_000)
    rough, fine = (
        baseline_attribution(table, model, options=ExplainOptions(error=error)).analysis for error in (0.1, 0.005)
    )
    assert rough.rows == 1000
    assert 1000 < fine.rows < 30_000
    total = sum(one.value for one in fine.labels[0].features)
    reaches = [one.confidence_interval.upper - one.value for one in fine.labels[0].features if one.confidence_interval]
    # Intervals by 64 groups are known to some 9 %.
    assert max(reaches) / total == pytest.approx(0.005, rel=0.3)


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"error": 0.0}, {"error": 1.0}, {"rows": 5, "error": 0.1}])
def test_a_sample_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        ExplainOptions(**wrong)


def test_a_black_box_is_explained_against_rows_of_its_own(tmp_path: Path) -> None:
    options = ExplainOptions(rows=60, baseline_count=3)
    baseline = baseline_attribution(table_of(400), black_box, options=options, now=START)
    assert baseline.analysis.method in ("permutation_shap", "kernel_shap")
    assert baseline.baseline_rows.shape == (3, 3)
    found = values(baseline.analysis)
    assert found["age"] > found["plan"] > found["day"]
    files = baseline.write(tmp_path / "baseline")
    assert [file.name for file in files] == ["analysis.json", "analysis_config.json", "report.html"]
    # The rows are found beside the analysis, and are the same to the last digit.
    for given in (baseline, files[0]):
        checked = check_attribution(table_of(400), black_box, given, options=options)
        assert (checked.verdict, checked.drift[0].ndcg) == (Verdict.OK, 1.0)
        assert values(checked.analysis) == found
    with pytest.raises(InputError, match="baseline rows"):
        check_attribution(table_of(400), black_box, baseline.analysis, options=options)


def test_a_black_box_has_a_thousand_rows_explained_by_default() -> None:
    rows = pa.table({name: [0.0] for name in FEATURES})
    found = baseline_attribution(table_of(1500), black_box, baseline_rows=rows)
    assert (found.rows, found.analysis.rows) == (1500, 1000)
    # Of a linear model attributions are known: the weight times the distance from the baseline row.
    sizes = [float(np.abs(column.to_numpy()).mean()) for column in table_of(1500).columns]
    wanted = dict(zip(FEATURES, np.multiply(sizes, [3.0, 1.0, 0.2]).tolist(), strict=True))
    assert values(found.analysis) == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("rows", [{"age": [1.0]}, {"age": ["x"], "plan": [1], "day": [1]}])
def test_baseline_rows_must_fit(model: Path, rows: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="the baseline rows"):
        baseline_attribution(table_of(40), model, baseline_rows=pa.table(rows))


def test_baseline_rows_are_there(model: Path, tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("age,plan,day\n")
    with pytest.raises(InputError, match="have no rows"):
        baseline_attribution(table_of(40), model, baseline_rows=tmp_path / "none.csv")


@pytest.mark.parametrize("name", ["local.parquet", "explanations_shap/out.csv"])
def test_local_values_are_saved(model: Path, tmp_path: Path, name: str) -> None:
    found = baseline_attribution(table_of(50), model, local=tmp_path / name)
    if name.endswith(".csv"):
        with (tmp_path / name).open(newline="") as text:
            head, *lines = list(csv.reader(text))
        rows = np.array(lines, dtype=float)
    else:
        saved = parquet.read_table(tmp_path / name)
        head, rows = saved.column_names, np.column_stack([column.to_numpy() for column in saved.columns])
    assert head == [*FEATURES, "label0"]
    assert np.abs(rows[:, :3]).mean(axis=0).tolist() == pytest.approx(list(values(found.analysis).values()))
    assert rows[:, :3].sum(axis=1) + found.analysis.labels[0].expected_value == pytest.approx(rows[:, 3], abs=1e-5)
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == [Path(name).name]


def test_half_a_file_of_local_values_is_no_file(model: Path, tmp_path: Path) -> None:
    def tables() -> Any:
        yield table_of(40).to_batches()[0]
        raise pa.ArrowInvalid("the stream broke off")

    stream = pa.RecordBatchReader.from_batches(table_of(1).schema, tables())
    with pytest.raises(InputError):
        baseline_attribution(stream, model, local=tmp_path / "local.parquet")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="end it in"):
        baseline_attribution(table_of(40), model, local=tmp_path / "local.txt")


def test_what_is_written_is_read_again(model: Path, tmp_path: Path) -> None:
    baseline = baseline_attribution(table_of(200), model, now=START)
    analysis, _, report = baseline.write(tmp_path)
    assert json.loads(analysis.read_text())["explanations"]["kernel_shap"]["label0"]["global_shap_values"] == values(
        baseline.analysis
    )
    assert "<!DOCTYPE html>" in report.read_text()[:100]
    checked = check_attribution(table_of(200), model, analysis, now=START)
    assert checked.baseline == baseline.analysis
    assert check_attribution(table_of(200), model, json.loads(analysis.read_text()), now=START) == checked
    names = [path.name for path in checked.write(tmp_path / "report")]
    assert names == ["analysis.json", "constraint_violations.json", "constraints.json", "report.html"]
    assert json.loads((tmp_path / "report" / "constraint_violations.json").read_text()) == {"violations": []}
    assert str(checked) == "OK (n = 200)"
    assert "<iframe" in checked._repr_html_()
    with pytest.raises(InputError, match="cannot be read"):
        check_attribution(table_of(40), model, tmp_path / "nothing.json")


def test_infinities_and_missing_values_are_explained(model: Path) -> None:
    column = pa.array([float("inf"), float("-inf"), float("nan"), None, 1e308] * 10)
    found = baseline_attribution(table_of(50).set_column(0, "age", column), model)
    assert found.analysis.rows == 50


# The published model, with its published data.


@pytest.fixture(scope="module")
def churn(published: Path) -> tuple[Path, AttributionBaseline]:
    model = published / "churn" / "xgb-churn-prediction-model.json"
    return model, baseline_attribution(
        published / "churn" / "training-dataset-with-header.csv", model, label="Churn", now=START
    )


def test_other_rows_of_the_published_data_are_no_drift(
    churn: tuple[Path, AttributionBaseline], published: Path
) -> None:
    model, baseline = churn
    assert (baseline.analysis.rows, len(baseline.features)) == (2333, 69)
    checked = check_attribution(published / "churn" / "test-dataset-input-cols.csv", model, baseline)
    assert (checked.verdict, checked.analysis.rows) == (Verdict.OK, 334)
    assert checked.drift[0].ndcg == pytest.approx(1.0, abs=0.001)
    checked = check_attribution(published / "churn" / "validation.csv", model, baseline, label="_c0")
    assert (checked.verdict, checked.analysis.rows) == (Verdict.OK, 666)


def test_a_planted_change_of_the_published_model_s_ranking_is_found(
    churn: tuple[Path, AttributionBaseline], published: Path, tmp_path: Path
) -> None:
    model, baseline = churn
    with (published / "churn" / "test-dataset-input-cols.csv").open(newline="") as text:
        rows = np.array(list(csv.reader(text)), dtype=float)
    place = {name: number for number, name in enumerate(baseline.features)}
    # Minutes abroad arrive as seconds, and everybody seems to have the international plan.
    rows[:, place["Intl Mins"]] *= 60
    rows[:, place["Int'l Plan_no"]], rows[:, place["Int'l Plan_yes"]] = 0, 1
    path = tmp_path / "window.csv"
    np.savetxt(path, rows, delimiter=",", fmt="%.17g")
    checked = check_attribution(path, model, baseline)
    assert checked.verdict is Verdict.VIOLATED
    (violation,) = checked.violations
    assert violation.value is not None
    assert violation.description == f"Feature attribution drift {violation.value:.4g} exceeds threshold 0.9"
    worst = checked.drift[0].changes[0]
    assert worst.feature == "Day Mins"
    assert worst.live_place > worst.baseline_place == 1
    assert worst.live_share < worst.baseline_share


def test_chance_raises_no_alarm_where_the_plain_rule_does(
    churn: tuple[Path, AttributionBaseline], published: Path
) -> None:
    """Windows of 100 of the published rows, by the mean of squares, which few rows decide."""
    explainer = open_explainer(churn[0])
    with (published / "churn" / "training-dataset-with-header.csv").open(newline="") as text:
        local = explainer.explain(np.array(list(csv.reader(text))[1:], dtype=float)[:, 1:])
    measuring = AttributionProfile(
        explainer.features, explainer.labels, explainer.expected, method="tree_shap", aggregation="mean_sq"
    )
    random = np.random.default_rng(0)

    def state(rows: Any) -> Any:
        group = random.integers(0, GROUPS, len(rows)).astype(np.uint8)
        return measuring.update(explained(group, local.values[rows], local.scores[rows]))

    order = random.permutation(len(local.scores))
    baseline = measuring.result(state(order[:1200]))
    verdicts: dict[Any, list[Verdict]] = {"interval": [], "plain": []}
    for _ in range(200):
        drift = measuring.compare(state(random.choice(order[1200:], 100, replace=False)), baseline)
        for rule, found in verdicts.items():
            found.append(check(drift, msgspec.structs.replace(baseline, rows=100), baseline, rule=rule)[0].verdict)
    # In 1,000 windows (docs/attribution.md) 4.4 % were below the threshold, and no whole interval was.
    assert verdicts["interval"].count(Verdict.VIOLATED) <= 1
    assert 0 < verdicts["plain"].count(Verdict.VIOLATED) < 20
