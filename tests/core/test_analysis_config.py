"""The analysis configuration: the original's and ours say the same, and what cannot be is named with its line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.core.analysis_config import (
    AnalysisConfig,
    BiasConfig,
    Choice,
    FacetConfig,
    PredictorConfig,
    ShapConfig,
    analysis_config_document,
    facet_text,
    parse_facet,
    parse_positive,
    read_analysis_config,
)
from driftline.core.bias_metrics import POST_TRAINING, PRE_TRAINING
from driftline.core.errors import InputError

HEADERS = ["Churn", "Account Length", "plan", "id"]
# Written by hand after the published schema.
ORIGINAL: dict[str, Any] = {
    "version": "1.0",
    "dataset_type": "text/csv",
    "headers": HEADERS,
    "label": "Churn",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": 1, "value_or_threshold": [100]}, {"name_or_index": "plan"}],
    "group_variable": "plan",
    "joinsource_name_or_index": "id",
    "probability_threshold": 0.8,
    "methods": {
        "pre_training_bias": {"methods": "all"},
        "post_training_bias": {"methods": ["DPPL", "DCAcc"]},
        "shap": {
            "baseline": [[1, 2.5, None], {"features": [3, "gold", 0]}],
            "num_samples": 50,
            "agg_method": "mean_sq",
            "use_logit": True,
            "save_local_shap_values": False,
            "seed": 7,
            "features_to_explain": ["plan"],
        },
        "report": {"name": "report", "title": "Churn"},
    },
    "predictor": {"model_name": "m", "instance_type": "i", "initial_instance_count": 1, "label_headers": ["no", "yes"]},
}


def _read(document: dict[str, Any], **more: Any) -> AnalysisConfig:
    return read_analysis_config(json.dumps(document, indent=1).encode(), "config.json", **more)


def _changed(change: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(ORIGINAL))
    change(document)
    return document


def test_the_original_is_read_into_our_own_form() -> None:
    found = _read(ORIGINAL)
    assert found.bias == BiasConfig(
        "Churn",
        Choice(("1",), 1.0),
        (FacetConfig("Account Length", Choice(("100",), 100.0)), FacetConfig("plan")),
        group="plan",
        probability_threshold=0.8,
        post_training=("DPPL", "DCA"),
    )
    assert found.bias.pre_training == tuple(PRE_TRAINING)
    assert found.attribution == ShapConfig(((1.0, 2.5, None), (3.0, "gold", 0.0)), 50, "mean_sq", True, False, 7)
    assert found.predictor == PredictorConfig(label_headers=("no", "yes"))
    assert (found.headers, found.exclude, found.title) == (tuple(HEADERS), ("Churn", "id"), "Churn")
    assert [key for key, _ in found.ignored] == [
        "methods.shap.features_to_explain",
        "predictor.model_name",
        "predictor.instance_type",
        "predictor.initial_instance_count",
    ]


def test_our_own_form_reads_back() -> None:
    found = _read(ORIGINAL)
    assert _read(analysis_config_document(found)) == found


def test_facets_may_be_written_as_on_the_command_line() -> None:
    bias = {"label": "y", "positive": "1", "facets": ["Account Length>=100", "plan=gold,tin", {"name": "sex"}]}
    found = _read({"bias": bias, "exclude": ["id"]})
    assert found.bias is not None
    assert found.bias.facets == (*map(parse_facet, bias["facets"][:2]), FacetConfig("sex"))  # type: ignore[arg-type]
    assert found.bias.positive == Choice(("1",))
    assert found.bias.post_training == tuple(POST_TRAINING)
    assert found.not_features == ("id", "y")


def test_columns_by_number_get_their_names() -> None:
    document = _changed(lambda d: (d.pop("headers"), d.update(label=0, joinsource_name_or_index=3)))
    assert _read(document, headers=HEADERS).exclude == ("Churn", "id")
    nameless = _read(document)
    assert nameless.exclude == ("_c0", "_c3")
    assert nameless.bias is not None
    assert nameless.bias.facets[0].name == "_c1"


def test_one_kind_of_analysis_is_enough() -> None:
    bias = _read(_changed(lambda d: (d["methods"].pop("shap"), d["methods"].pop("pre_training_bias"))))
    assert bias.attribution is None
    assert bias.bias is not None
    assert bias.bias.pre_training == ()
    shap = _read({"dataset_type": "text/csv", "label": 0, "methods": {"shap": {}}, "predictor": {"probability": 1}})
    assert shap == AnalysisConfig(
        exclude=("_c0",), attribution=ShapConfig(save_local=True), predictor=PredictorConfig(probability="1")
    )


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (lambda d: d.update(lable=1), '"lable": 1', '"lable" is not known here; did you mean label?'),
        (lambda d: d["methods"].update(shapp={}), '"shapp": {}', "did you mean shap?"),
        (lambda d: d["methods"]["shap"].update(num_sample=1), '"num_sample": 1', "did you mean num_samples?"),
        (lambda d: d["facet"][0].update(nam=1), '"nam": 1', '"nam" is not known here'),
        (lambda d: d["predictor"].update(modelname="m"), '"modelname": "m"', "did you mean model_name?"),
        (lambda d: d.update(version="2.0"), '"version": "2.0",', "version"),
        (lambda d: d.update(dataset_type="application/x-image"), '"dataset_type"', "is no table"),
        (lambda d: d["facet"][1].update(name_or_index="plam"), '"name_or_index": "plam"', "did you mean plan?"),
        (lambda d: d["facet"][0].update(name_or_index=4), '"name_or_index": 4,', "there are 4, from 0"),
        (lambda d: d["facet"][0].update(name_or_index=0.5), '"name_or_index": 0.5', "not the number of a column"),
        (lambda d: d["facet"][0].update(name_or_index=[1]), '"name_or_index": [', "neither the name nor the number"),
        (lambda d: d["facet"][0].pop("name_or_index"), "{", "a facet needs name_or_index"),
        (lambda d: d["facet"][0].update(value_or_threshold=[[1]]), "[", "neither a text nor a number"),
        (lambda d: d["facet"][0].update(value_or_threshold={}), '"value_or_threshold": {}', "must be a list"),
        (lambda d: d["facet"].append(3), "3", "is not an object"),
        (lambda d: d.pop("facet"), "{", "facet is missing"),
        (lambda d: d.pop("label_values_or_threshold"), "{", "label_values_or_threshold is missing"),
        (lambda d: d.update(probability_threshold=1.5), '"probability_threshold": 1.5', "is not from 0 to 1"),
        (lambda d: d.update(facet_dataset_uri="s3://x"), '"facet_dataset_uri"', "is not supported: put the column"),
        (lambda d: d["methods"]["pre_training_bias"].update(methods=["CLI"]), '"CLI"', "did you mean CI?"),
        (lambda d: d["methods"]["pre_training_bias"].update(methods=["DPPL"]), '"DPPL"', "is no metric of pre"),
        (lambda d: d["methods"]["shap"].update(seed=1.5), '"seed": 1.5', "not a whole number"),
        (lambda d: d["methods"]["shap"].update(seed=True), '"seed": true', "not a whole number"),
        (lambda d: d["methods"]["shap"].update(num_samples=0), '"num_samples": 0', "not a number from 1"),
        (lambda d: d["methods"]["shap"].update(use_logit="yes"), '"use_logit": "yes"', "neither true nor false"),
        (lambda d: d["methods"]["shap"].update(agg_method="sum"), '"agg_method": "sum"', "use mean_abs, median"),
        (lambda d: d["methods"]["shap"].update(baseline={}), '"baseline": {}', "must be a list of rows"),
        (lambda d: d["methods"]["shap"].update(baseline=[3]), "3", "row 1 is not a list of values"),
        (lambda d: d["methods"]["shap"].update(baseline=[[True]]), "[", "neither a number nor a text"),
        (lambda d: d["methods"]["shap"].update(text_config={}), '"text_config": {}', "is not supported"),
        (lambda d: d.update(methods={"report": {"name": "r"}}), '"methods": {', "has neither shap nor"),
        (lambda d: d.update(methods=[]), "", "has neither shap nor"),
        (lambda d: d.update(methods=3), '"methods": 3', "is not an object"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(change: Any, line: str, said: str) -> None:
    with pytest.raises(InputError, match=r"^config\.json, line \d+: ") as caught:
        _read(_changed(change))
    assert said in caught.value.what
    assert caught.value.evidence.startswith(line)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"headers": []}, "says nothing to analyse"),
        ({"bias": {"label": "y", "positive": "1", "facets": []}}, "has no facet"),
        ({"bias": {"label": "y", "positive": "1", "facets": ["a", "a=1"]}}, "'a' is there twice"),
        ({"bias": {"label": "y", "positive": {}, "facets": ["a"]}}, "which labels are positive"),
        ({"bias": {"label": "y", "positive": "1", "facets": ["a"], "pre_training": ["XX"]}}, "no metric of pre_train"),
        ({"bias": {"label": "y", "positive": "1", "facets": ["a"], "probability_threshold": 2}}, "not from 0 to 1"),
        ({"bias": {"label": "y", "positive": "1", "facets": [{"nme": "a"}]}}, "config.json: Object"),
        ({"bias": {"label": "y", "positive": "1", "facets": ["a<3"]}}, "above a threshold, not below"),
        ({"bias": []}, "config.json: Expected"),
        ({"attribution": {"samples": 0}}, "samples is 0"),
        ({"attribution": {"seed": -1}}, "seed is -1"),
        ({"attribution": {"baseline": []}}, "rows are not alike"),
        ({"attribution": {"baseline": [[1], [1, 2]]}}, "rows are not alike"),
        ({"attribution": {"aggregation": "sum"}}, "Invalid enum value 'sum'"),
        ({"attribution": {}, "colour": 1}, "unknown field `colour`"),
    ],
)
def test_what_cannot_be_of_our_own_form_is_refused(document: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        _read(document)
    assert said in caught.value.what
    assert caught.value.hint


@pytest.mark.parametrize("data", [b"", b"[]", b'{"bias": NaN}', b'{"bias": {"facets": 1e999}}', b"\xff", b'{"bias"'])
def test_what_is_no_configuration_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"config\.json"):
        read_analysis_config(data, "config.json")


signless = st.text(
    st.characters(codec="utf-8", exclude_characters="<>=\r\n\0", exclude_categories=["C", "Z"]), min_size=1
)
values = st.lists(signless | st.sampled_from(["a, b", 'say "x"', "=", " x"]), max_size=3)


@given(signless, values, st.none() | st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_a_facet_reads_back_from_its_text(
    name: str, given: list[str], threshold: float | None, inclusive: bool
) -> None:
    stripped = tuple(dict.fromkeys(value.strip() for value in given))
    choice = Choice(stripped) if stripped else Choice((), threshold, inclusive and threshold is not None)
    facet = FacetConfig(name, choice)
    assert parse_facet(facet_text(facet)) == facet


@pytest.mark.parametrize("text", ["", "=gold", " >3", "age>", "age>old", "age>inf", "age>nan", "plan=", "plan=a,,b"])
def test_a_facet_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="facet") as caught:
        parse_facet(text)
    assert "write NAME" in caught.value.hint


def test_positive_labels_are_values_or_a_threshold() -> None:
    assert parse_positive("yes, maybe") == Choice(("yes", "maybe"))
    assert parse_positive(" >= 0.5") == Choice((), 0.5, True)
    assert parse_positive("a=b") == Choice(("a=b",))
    for text in ("", ">", "<1"):
        with pytest.raises(InputError, match="positive label"):
            parse_positive(text)
