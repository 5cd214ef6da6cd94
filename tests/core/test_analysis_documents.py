"""``analysis.json``: what is written reads back, files of the original are understood, broken ones are refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.core.analysis_documents import analysis_document, read_attribution, read_bias
from driftline.core.attribution_analysis import AGGREGATIONS, Attribution, AttributionAnalysis, LabelAttributions
from driftline.core.bias_analysis import STAGES, BiasAnalysis, BiasMetric, FacetBias
from driftline.core.bias_matching import part_key
from driftline.core.bias_metrics import DESCRIPTIONS, POST_TRAINING, PRE_TRAINING, fair_value, meant, metric_name
from driftline.core.constraint_documents import any_constraints_document, monitor_of, read_any_constraints, rules_of
from driftline.core.documents import Interval, dump
from driftline.core.errors import InputError

names = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["<script>", "(50.0, 89.0]", "日本", "\n", ""]
)
finite = st.floats(allow_nan=False, allow_infinity=False)
endless = st.floats(allow_nan=False)
intervals = st.builds(lambda a, b, name: Interval(min(a, b), max(a, b), 0.95, name), endless, endless, names)
metrics = st.builds(BiasMetric, names, names, st.none() | endless, st.none() | names, st.none() | intervals)
parts = st.builds(
    FacetBias,
    st.sampled_from(STAGES),
    names,
    names,
    st.lists(metrics, max_size=4, unique_by=lambda metric: metric.name).map(tuple),
    st.none() | st.tuples(st.integers(0, 2**53), st.integers(0, 2**53)),
)
analyses = st.builds(
    BiasAnalysis,
    names,
    names,
    st.lists(parts, max_size=5, unique_by=lambda one: (one.stage, one.facet, one.value_or_threshold)).map(tuple),
)
attributions = st.builds(Attribution, names, finite, st.none() | intervals)
labels = st.builds(
    LabelAttributions, names, st.lists(attributions, max_size=4, unique_by=lambda one: one.feature).map(tuple), finite
)
rankings = st.builds(
    AttributionAnalysis,
    st.lists(labels, min_size=1, max_size=3, unique_by=lambda one: one.label).map(tuple),
    st.sampled_from(AGGREGATIONS),
    names,
    st.integers(0, 2**53),
)
# Written by hand after the service's format.
ORIGINAL: dict[str, Any] = {
    "version": "1.0",
    "post_training_bias_metrics": {
        "label": "Churn",
        "label_value_or_threshold": "1",
        "facets": {
            "Account Length": [
                {
                    "value_or_threshold": "(100, 243]",
                    "metrics": [
                        {"name": "DI", "description": "Disparate Impact (DI)", "value": "Infinity"},
                        {"name": "CDDPL", "description": "…", "value": None, "error": "Group variable is empty"},
                    ],
                }
            ]
        },
    },
    "explanations": {
        "kernel_shap": {"label0": {"global_shap_values": {"Day Mins": 0.5, "State": 0}, "expected_value": 0.25}},
        "pdp": [],
    },
}


def _ordered(analysis: BiasAnalysis) -> BiasAnalysis:
    """As a file groups them: by stage, then by facet in the order they are met."""
    met = list(dict.fromkeys((one.stage, one.facet) for one in analysis.facets))
    key = {pair: (STAGES.index(pair[0]), place) for place, pair in enumerate(met)}
    return BiasAnalysis(
        analysis.label,
        analysis.label_value_or_threshold,
        tuple(sorted(analysis.facets, key=lambda one: key[one.stage, one.facet])),
    )


@given(analyses, st.none() | rankings)
def test_bias_reads_back_alone_and_beside_attributions(bias: BiasAnalysis, ranking: AttributionAnalysis | None) -> None:
    data = dump(analysis_document(bias, ranking))
    assert read_bias(data, "analysis.json") == _ordered(bias)
    assert json.loads(data)["version"] == "1.0"
    if ranking is not None:
        assert read_attribution(data, "analysis.json") == ranking


@given(rankings)
def test_attributions_read_back(ranking: AttributionAnalysis) -> None:
    data = dump(any_constraints_document(ranking))
    assert read_any_constraints(data, "constraints.json") == ranking


def test_files_of_the_original_are_read() -> None:
    data = json.dumps(ORIGINAL).encode()
    bias = read_bias(data, "analysis.json")
    (part,) = bias.facets
    assert (bias.label, bias.label_value_or_threshold, part.stage, part.rows) == ("Churn", "1", "post_training", None)
    assert [(metric.name, metric.value, metric.error) for metric in part.metrics] == [
        ("DI", math.inf, None),
        ("CDDPL", None, "Group variable is empty"),
    ]
    found = read_attribution(data, "analysis.json")
    assert found == AttributionAnalysis(
        (LabelAttributions("label0", (Attribution("Day Mins", 0.5), Attribution("State", 0.0)), 0.25),)
    )
    # A reader of the original finds nothing but what it knows where it looks.
    written = analysis_document(bias, found)
    assert written["post_training_bias_metrics"] == ORIGINAL["post_training_bias_metrics"] | {
        "facets": {"Account Length": [{"value_or_threshold": "(100, 243]", "metrics": [
            {"name": "DI", "description": "Disparate Impact (DI)", "value": math.inf},
            {"name": "CDDPL", "description": "…", "value": None, "error": "Group variable is empty"},
        ]}]}
    }  # fmt: skip
    assert list(written["explanations"]["kernel_shap"]) == ["label0"]


def test_values_may_be_numbers_and_nan_is_none() -> None:
    document = json.loads(json.dumps(ORIGINAL))
    section = document["post_training_bias_metrics"]
    section["label_value_or_threshold"] = 1
    section["facets"]["Account Length"][0]["value_or_threshold"] = 0.5
    section["facets"]["Account Length"][0]["metrics"][0]["value"] = "NaN"
    document["pre_training_bias_metrics"] = section | {"label_value_or_threshold": "(0.5, 1.0]"}
    found = read_bias(json.dumps(document).encode(), "analysis.json")
    assert found.label_value_or_threshold == "(0.5, 1.0]"
    assert [part.stage for part in found.facets] == list(STAGES)
    assert found.facets[0].value_or_threshold == "0.5"
    assert found.facets[0].metrics[0].value is None


def _entry(document: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = document["post_training_bias_metrics"]["facets"]["Account Length"][0]
    return entry


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.pop("post_training_bias_metrics"), "holds no bias metrics"),
        (lambda d: d.update(post_training_bias_metrics=[]), "post_training_bias_metrics must be an object"),
        (lambda d: d["post_training_bias_metrics"].pop("label"), "has no label"),
        (lambda d: d["post_training_bias_metrics"].update(label=True), "label must be a text"),
        (lambda d: d["post_training_bias_metrics"].update(facets=None), "facets must be an object"),
        (lambda d: d["post_training_bias_metrics"]["facets"].update(x={}), "facet x must be a list"),
        (lambda d: d["post_training_bias_metrics"]["facets"].update(x=[1]), "facet x, entry 1 must be an object"),
        (lambda d: d["post_training_bias_metrics"]["facets"].update(x=[{}]), "facet x has no value_or_threshold"),
        (lambda d: d["post_training_bias_metrics"]["facets"]["Account Length"].append(_entry(d)), "'(100, 243]' twice"),
        (lambda d: _entry(d).pop("metrics"), "metrics must be a list"),
        (lambda d: _entry(d)["metrics"].append({"name": "DI", "value": 1}), "metric DI stands there twice"),
        (lambda d: _entry(d)["metrics"][0].pop("name"), "has no name"),
        (lambda d: _entry(d)["metrics"][0].pop("value"), "metric DI has no value"),
        (lambda d: _entry(d)["metrics"][0].update(value="much"), "value is not a number"),
        (lambda d: _entry(d)["metrics"][0].update(value=True), "value is not a number"),
        (lambda d: _entry(d)["metrics"][0].update(confidence_interval=[0, 1]), "confidence_interval must be an object"),
        (lambda d: _entry(d)["metrics"][0].update(confidence_interval={"lower": 2, "upper": 1}), "is no interval"),
        (lambda d: _entry(d).update(rows=[1]), "rows must be two counts"),
        (lambda d: _entry(d).update(rows=[-1, 2]), "rows is not a count"),
        (
            lambda d: d.update(pre_training_bias_metrics=d["post_training_bias_metrics"] | {"label": "other"}),
            "is about two labels",
        ),
    ],
)
def test_a_broken_bias_analysis_is_refused_with_its_place(change: Any, said: str) -> None:
    document = json.loads(json.dumps(ORIGINAL))
    change(document)
    with pytest.raises(InputError, match=r"analysis\.json") as caught:
        read_bias(json.dumps(document).encode(), "analysis.json")
    assert said in caught.value.what
    assert caught.value.hint


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda e: e.pop("kernel_shap"), "has no kernel_shap"),
        (lambda e: e.update(kernel_shap={}), "kernel_shap has no label"),
        (lambda e: e["kernel_shap"].update(label0=3), "kernel_shap.label0 must be an object"),
        (lambda e: e["kernel_shap"]["label0"].pop("expected_value"), "has no expected_value"),
        (lambda e: e["kernel_shap"]["label0"].update(expected_value=[0.1]), "expected_value is not a number"),
        (lambda e: e["kernel_shap"]["label0"].pop("global_shap_values"), "has no global_shap_values"),
        (lambda e: e["kernel_shap"]["label0"]["global_shap_values"].update(x="Infinity"), "x is not a finite number"),
        (lambda e: e["kernel_shap"]["label0"]["global_shap_values"].update(x={"a": 1}), "x is not a number"),
        (lambda e: e.update(driftline={"aggregation": "sum"}), "'sum' is no aggregation"),
        (lambda e: e.update(driftline={"rows": 1.5}), "rows is not a count"),
        (lambda e: e.update(driftline=7), "explanations.driftline must be an object"),
    ],
)
def test_broken_attributions_are_refused_with_their_place(change: Any, said: str) -> None:
    document = json.loads(json.dumps(ORIGINAL))
    change(document["explanations"])
    with pytest.raises(InputError, match=r"analysis\.json") as caught:
        read_attribution(json.dumps(document).encode(), "analysis.json")
    assert said in caught.value.what
    with pytest.raises(InputError, match="holds no attributions"):
        read_attribution(b"{}", "analysis.json")


def test_an_analysis_serves_as_constraints_of_its_monitor() -> None:
    data = json.dumps(ORIGINAL).encode()
    with pytest.raises(InputError, match="constraints of both monitors"):
        read_any_constraints(data, "constraints.json")
    bias = read_any_constraints(data, "constraints.json", "bias")
    ranking = read_any_constraints(data, "constraints.json", "attribution")
    assert [monitor_of(one) for one in (bias, ranking)] == ["bias", "attribution"]
    alone = dump(any_constraints_document(bias))
    assert read_any_constraints(alone, "constraints.json") == bias
    with pytest.raises(InputError, match="holds no constraints of the attribution monitor"):
        read_any_constraints(alone, "constraints.json", "attribution")
    with pytest.raises(InputError, match="holds no constraints of the data-quality monitor"):
        read_any_constraints(alone, "constraints.json", "data-quality")
    with pytest.raises(InputError, match="no settings"):
        rules_of(bias)


def test_ten_thousand_features_are_read() -> None:
    features = tuple(Attribution(f"<script>{place}", float(place)) for place in range(10_000))
    ranking = AttributionAnalysis((LabelAttributions("label0", features, 0.0),))
    assert read_attribution(dump(analysis_document(None, ranking)), "analysis.json") == ranking


def test_an_interval_is_found_by_its_lower_end() -> None:
    def key(value: str) -> str:
        return part_key(FacetBias("pre_training", "age", value, ()))[2]

    assert key("(50.0, 89.0]") == key("(50.0, 91.5]") != key("(51.0, 89.0]")
    assert key("(-1e-05, inf]") == key("(-1e-05, 3]")
    assert key("30,65") == "30,65"
    assert key("(a, b]") == "(a, b]"
    assert key("[50.0, 89.0]") != key("(50.0, 89.0]")


@pytest.mark.shared
@pytest.mark.parametrize("name", ["bias_categorical.json", "bias_numeric.json"])
def test_the_published_figures_have_known_names_and_read_back(published: Path, name: str) -> None:
    golden = json.loads((published / "golden" / name).read_text())
    parts: dict[Any, FacetBias] = {}
    for report in golden["reports"]:
        metrics = tuple(
            BiasMetric(
                metric,
                DESCRIPTIONS[report["stage"]][metric],
                math.inf if one["value"] == "Infinity" else one["value"],
                one.get("error"),
            )
            for metric, one in report["metrics"].items()
        )
        part = FacetBias(report["stage"], report["facet"], report["value_or_threshold"], metrics)
        assert {metric.name for metric in metrics} == set(DESCRIPTIONS[part.stage])
        parts[part.stage, part.facet, part.value_or_threshold] = part
    ordered = sorted(parts.values(), key=lambda one: STAGES.index(one.stage))
    analysis = BiasAnalysis(golden["label"], "1", tuple(ordered))
    data = dump(analysis_document(analysis))
    assert read_bias(data, name) == _ordered(analysis)
    assert (b'"Infinity"' in data) == any(metric.value == math.inf for one in ordered for metric in one.metrics)


def test_metrics_have_one_name_each_and_a_fair_value() -> None:
    assert not set(PRE_TRAINING) & set(POST_TRAINING)
    assert [name for name in (*PRE_TRAINING, *POST_TRAINING) if fair_value(name) != 0] == ["DI"]
    assert metric_name("dpl", "pre_training") == "DPL"
    assert meant("DPLL", "pre_training") == "did you mean DPL?"
    assert meant("zzzz", "post_training").startswith("known are ")
