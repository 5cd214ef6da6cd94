"""Baselines and checks of bias from files and tables, from Python and from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

import driftline
from driftline import Verdict, baseline_bias, check_bias
from driftline.core.analysis_config import read_analysis_config
from driftline.core.bias_analysis import BiasAnalysis, FacetBias
from driftline.core.errors import InputError
from driftline.core.facets import Choice
from driftline.monitors.bias.recipe import Bias
from driftline.monitors.bias.state import BiasState
from driftline.testing import check_laws

FACETS = ["plan", "age>=50"]


def people(n: int = 2000, seed: int = 0, *, gap: float = 0.1) -> pa.Table:
    """Customers of whom those with plan tin are accepted more rarely by ``gap``."""
    random = np.random.default_rng(seed)
    tin = random.random(n) < 0.4
    paid = random.random(n) < 0.5
    score = np.clip(random.normal(0.3 + 0.4 * paid - gap * tin, 0.15), 0, 1)
    return pa.table(
        {
            "plan": np.where(tin, "tin", "gold"),
            "age": random.integers(18, 90, n),
            "visits": random.normal(size=n),
            "region": random.integers(0, 3, n),
            "paid": paid.astype(int),
            "score": score,
        }
    )


def measured(data: Any, **changed: Any) -> BiasAnalysis:
    options = {"label": "paid", "positive": "1", "facets": FACETS, "probability": "score", "group": "region"}
    return baseline_bias(data, **(options | changed)).analysis


def values(found: BiasAnalysis) -> dict[tuple[str, str, str], float | None]:
    return {(one.facet, one.value_or_threshold, m.name): m.value for one in found.facets for m in one.metrics}


def part(found: BiasAnalysis, facet: str, stage: str = "post_training") -> FacetBias:
    return next(one for one in found.facets if (one.facet, one.stage) == (facet, stage))


def test_files_of_every_kind_and_tables_give_the_same(tmp_path: Path) -> None:
    table = people(400)
    pq.write_table(table, tmp_path / "people.parquet", row_group_size=90)
    pacsv.write_csv(table, tmp_path / "people.csv")
    (tmp_path / "people.jsonl").write_text("\n".join(json.dumps(row) for row in table.to_pylist()))
    expected = values(measured(table))
    assert len(expected) == 3 * 21
    for name in ("people.parquet", "people.csv", "people.jsonl"):
        found = values(measured(tmp_path / name))
        # Feature columns of a file of texts are told apart batch by batch, so that only the flip test may differ.
        assert {key: value for key, value in found.items() if key[2] != "FT"} == {
            key: value for key, value in expected.items() if key[2] != "FT"
        }


def test_facets_are_called_as_the_original_calls_them() -> None:
    found = measured(people(), facets=["plan=gold", "age>50"])
    ages = people()["age"].to_numpy()
    assert [(one.facet, one.value_or_threshold) for one in found.facets] == [
        ("plan", "gold"),
        ("age", "(50.0, 89.0]"),
    ] * 2
    assert part(found, "age").rows == (int((ages > 50).sum()), 2000)
    assert part(measured(people(), facets=["age>=50"]), "age").value_or_threshold == "[50.0, 89.0]"


def test_the_flip_test_of_columns_that_are_not_numeric_has_the_originals_reason() -> None:
    found = {m.name: m for m in part(measured(people(), facets=["age>50"]), "age").metrics}
    assert found["FT"].error == "FlipTest does not support non-numeric columns"
    numeric = people().drop_columns(["plan"])
    flip = {m.name: m for m in part(measured(numeric, facets=["age>50"]), "age").metrics}["FT"]
    assert flip.value is not None
    assert flip.confidence_interval is not None


def test_whole_numbers_beside_fractions_are_a_feature_of_the_flip_test(tmp_path: Path) -> None:
    """A file's column of 6 and 6.5 is kept as text, and is one of numbers all the same."""
    table = people().drop_columns(["plan"])
    pacsv.write_csv(table.append_column("size", pa.array(np.arange(len(table)) % 7 / 2)), tmp_path / "people.csv")
    flip = {m.name: m for m in part(measured(tmp_path / "people.csv", facets=["age>50"]), "age").metrics}["FT"]
    exact = {
        m.name: m for m in part(measured(pacsv.read_csv(tmp_path / "people.csv"), facets=["age>50"]), "age").metrics
    }
    assert flip.value == exact["FT"].value is not None


def test_states_obey_the_laws_and_survive_saving() -> None:
    config = baseline_bias(
        people(50), label="paid", positive="1", facets=FACETS, probability="score", group="region"
    ).config.bias
    assert config is not None

    class Measured(Bias):
        name = "bias"

        def identity(self) -> BiasState:
            return self.merge([])

    check_laws(Measured(config), people(300).combine_chunks().to_batches())
    monitor = Bias(config)
    state = monitor.update(people(300).combine_chunks().to_batches()[0], np.arange(300, dtype=np.uint64))
    assert BiasState.load(state.save()) == state
    assert state.sample is not None
    with pytest.raises(InputError, match="not a saved BiasState"):
        BiasState.load(b"other")


def test_the_same_rows_are_no_drift_and_a_larger_gap_is() -> None:
    baseline = baseline_bias(people(), label="paid", positive="1", facets=FACETS, probability="score")
    same = check_bias(people(seed=1), baseline)
    assert same
    assert same.verdict is Verdict.OK
    worse = check_bias(people(seed=1, gap=0.4), baseline)
    assert worse.verdict is Verdict.VIOLATED
    assert {"DPPL", "DI"} <= {one.metric_name for one in worse.violations}
    # GE is about all rows, whatever their facet.
    assert {one.metric_name for one in worse.violations if one.facet == "age"} <= {"GE"}
    assert "DPPL of plan" in str(worse)
    assert len(check_bias(people(seed=1), baseline, rule="plain").violations) > 0
    assert check_bias(people(40, seed=1), baseline).verdict is Verdict.UNKNOWN


def test_what_was_written_is_what_a_check_reads(tmp_path: Path) -> None:
    baseline = baseline_bias(people(), label="paid", positive="1", facets=FACETS, probability="score", threshold=0.6)
    paths = baseline.write(tmp_path / "base")
    assert [path.name for path in paths] == ["analysis.json", "analysis_config.json", "report.html"]
    config = read_analysis_config(paths[1].read_bytes(), "config")
    assert config == baseline.config
    again = check_bias(people(seed=1, gap=0.4), paths[0], config=config)
    assert again.violations == check_bias(people(seed=1, gap=0.4), baseline).violations
    document = json.loads(paths[0].read_text())
    assert check_bias(people(seed=1), document, config=config).baseline == baseline.analysis
    written = again.write(tmp_path / "report")
    assert [path.name for path in written] == [
        "analysis.json",
        "constraint_violations.json",
        "constraints.json",
        "report.html",
    ]
    assert json.loads(written[1].read_text())["violations"][0]["constraint_check_type"] == "bias_drift_check"
    assert "<html" in written[3].read_text()


def test_infinite_metrics_are_written_and_read_back(tmp_path: Path) -> None:
    table = pa.table({"f": ["a", "b"] * 50, "y": [1, 0] * 50, "p": [0, 1] * 50})
    baseline = baseline_bias(table, label="y", positive="1", facets=["f=b"], predicted="p")
    path = baseline.write(tmp_path)[0]
    found = check_bias(table, path, config=baseline.config)
    assert values(found.baseline) == values(baseline.analysis)
    assert values(baseline.analysis)["f", "b", "DI"] == float("inf")
    assert '"Infinity"' in path.read_text()


def test_labels_that_have_not_come_yet_leave_metrics_of_predictions() -> None:
    table = people(500)
    unlabelled = table.set_column(table.schema.get_field_index("paid"), "paid", pa.nulls(500, pa.int64()))
    found = baseline_bias(unlabelled, label="paid", positive="1", facets=["plan=tin"], probability="score")
    assert found.notes == ("500 rows have no label: only metrics of predictions count them",)
    metrics = values(found.analysis)
    assert metrics["plan", "tin", "DPL"] is None
    assert metrics["plan", "tin", "DPPL"] == values(measured(table))["plan", "tin", "DPPL"]


def test_without_predictions_there_are_metrics_of_labels_only() -> None:
    found = measured(people(100), probability=None)
    assert {one.stage for one in found.facets} == {"pre_training"}


@pytest.mark.parametrize(
    ("column", "positive", "expected"),
    [
        (pa.array([True, False, True, None]), "1", [1, 0, 1]),
        (pa.array([True, False, True, None]), "true", [1, 0, 1]),
        (pa.array([" 1 ", "0", "1.0", ""]), "1", [1, 0, 1]),
        (pa.array([1.0, 0.0, 1.0, float("nan")]), "1", [1, 0, 1]),
        (pa.array([0.9, 0.1, float("inf"), None]), ">0.5", [1, 0, 1]),
        (pa.array(["jaß", "nein", "jaß", None]).dictionary_encode(), "jaß", [1, 0, 1]),
        (pa.array(["3", "1", "2", "x"]), ">=2", [1, 0, 1]),
        (pa.array([3, 1, 2, None]), ["3", "2"], [1, 0, 1]),
    ],
)
def test_labels_of_every_type(column: Any, positive: Any, expected: list[int]) -> None:
    table = pa.table({"f": ["a", "b", "a", "b"], "y": column})
    found = baseline_bias(table, label="y", positive=positive, facets=["f=a"])
    assert part(found.analysis, "f", "pre_training").rows == (2, 3)
    assert values(found.analysis)["f", "a", "DPL"] == expected[1] - (expected[0] + expected[2]) / 2


def test_a_facet_with_very_many_values_is_bounded_and_said() -> None:
    n = 3000
    table = pa.table({"who": [f"user-{number}" for number in range(n)], "y": [0, 1] * (n // 2)})
    found = baseline_bias(table, label="y", positive="1", facets=["who"])
    assert len(found.analysis.facets) == 50
    assert found.notes[0].startswith("who has more than 1,000 values: only 50")


def test_ugly_columns_are_values_with_a_reason() -> None:
    columns = {"empty": pa.nulls(40), "same": pa.array(["x"] * 40), "huge": pa.array([1e308, -1e308] * 20)}
    table = pa.table(columns | {"y": [0, 1] * 20})
    found = baseline_bias(table, label="y", positive="1", facets=["same", "huge>0", "empty=1"])
    assert {m.error for m in part(found.analysis, "same", "pre_training").metrics if m.name == "CI"} == {
        "every row with a label is in the facet"
    }
    assert {m.error for m in part(found.analysis, "empty", "pre_training").metrics if m.name == "CI"} == {
        "no row has a label"
    }
    assert values(found.analysis)["huge", "(0.0, 1e+308]", "CI"] == 0.0


def test_one_value_of_the_originals_configuration_is_what_the_column_says() -> None:
    both = Choice(("50",), 50.0)
    facets = [driftline_facet("age", both)]
    table = people(300)
    assert part(measured(table, facets=facets), "age").value_or_threshold == "(50.0, 89.0]"
    few = table.set_column(1, "age", pa.array([50, 60] * 150))
    assert part(measured(few, facets=facets), "age").value_or_threshold == "50"
    # A baseline has decided already.
    before = measured(table, facets=facets)
    checked = check_bias(few, before, label="paid", positive="1", facets=facets, probability="score")
    assert part(checked.analysis, "age").value_or_threshold == "(50.0, 60.0]"


def driftline_facet(name: str, choice: Choice) -> Any:
    from driftline.core.facets import FacetConfig

    return FacetConfig(name, choice)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"label": "nothing"}, "no label column 'nothing'"),
        ({"facets": ["nothing"]}, "no facet column 'nothing'"),
        ({"group": "nothing"}, "no group column 'nothing'"),
        ({"probability": "nothing"}, "no probability column 'nothing'"),
        ({"facets": []}, "has no facet"),
        ({"label": None}, "the column of labels must be named"),
        ({"positive": None}, "which labels are positive must be named"),
        ({"config": read_analysis_config(b'{"attribution": {}}', "c")}, "described twice"),
    ],
)
def test_what_cannot_be_used_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        measured(people(50), **changed)


def test_a_table_without_rows_is_no_baseline_and_no_verdict() -> None:
    with pytest.raises(InputError, match="has no rows"):
        measured(people(0))
    baseline = baseline_bias(people(), label="paid", positive="1", facets=FACETS, probability="score")
    assert check_bias(people(0), baseline).verdict is Verdict.UNKNOWN
    with pytest.raises(InputError, match="cannot be read"):
        check_bias(people(50), "/no/such/analysis.json", config=baseline.config)
    nothing = msgspec.structs.replace(baseline.config, bias=None)
    with pytest.raises(InputError, match="no bias analysis"):
        check_bias(people(50), baseline, config=nothing)


def test_the_public_names_are_these() -> None:
    assert driftline.BiasBaseline.__name__ == "BiasBaseline"
    assert "<iframe" in baseline_bias(people(60), label="paid", positive="1", facets=["plan"])._repr_html_()


@pytest.mark.shared
def test_every_published_metric_of_the_tables_is_reproduced_from_their_files(published: Path) -> None:
    for kind in ("numeric", "categorical"):
        reports = json.loads((published / "golden" / f"bias_{kind}.json").read_text())["reports"]
        file = published / "golden" / f"bias_{kind}.csv"
        seen = set()
        for facets in (["sex", "age>50"], [f"sex={'1' if kind == 'numeric' else 'f'}", "age=30,65"]):
            found = baseline_bias(
                file, label="label", positive="1", facets=facets, predicted="predicted", group="region"
            ).analysis
            here = {(one.stage, one.facet, one.value_or_threshold): one for one in found.facets}
            for place, report in enumerate(reports):
                one = here.get((report["stage"], report["facet"], report["value_or_threshold"]))
                if one is None:
                    continue
                seen.add(place)
                assert [metric.name for metric in one.metrics] == list(report["metrics"])
                for metric in one.metrics:
                    expected = report["metrics"][metric.name]
                    if metric.name != "FT":
                        assert metric.value == pytest.approx(float(expected["value"]), abs=1e-12)
                    elif expected["value"] is None:
                        assert (metric.value, metric.error) == (None, expected["error"])
        assert len(seen) == len(reports) == 12
