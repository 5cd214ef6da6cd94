"""``constraints.json`` of a table: it reads back, the original's files work, broken ones are refused with a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.constraint_documents import any_constraints_document, monitor_of, read_any_constraints
from driftline.core.documents import Constraint, ModelQualityConstraints, dump, read_constraints
from driftline.core.errors import InputError
from driftline.core.table_constraints import (
    CategoricalMethod,
    DataQualityConstraints,
    DistributionConstraints,
    DriftRules,
    FeatureConstraints,
    FeatureOverride,
    NumericMethod,
    Switch,
)
from driftline.core.table_constraints_document import read_table_constraints, table_constraints_document
from driftline.core.table_settings import methods_of
from driftline.core.table_statistics import InferredType

VALID = b"""{
  "version": 0.0,
  "features": [
    {
      "name": "age",
      "inferred_type": "Integral",
      "completeness": 1.0,
      "num_constraints": {"is_non_negative": true}
    },
    {
      "name": "plan",
      "inferred_type": "String",
      "completeness": 0.98,
      "string_constraints": {
        "domains": [
          "basic",
          "gold"
        ]
      },
      "monitoring_config_overrides": {
        "sensitive": true,
        "distribution_constraints": {
          "categorical_drift_method": "PSI",
          "categorical_comparison_threshold": 0.3
        }
      },
      "suggestion": {"completeness": "98 of 100 values were present"}
    }
  ],
  "monitoring_config": {
    "evaluate_constraints": "Enabled",
    "emit_metrics": "Disabled",
    "datatype_check_threshold": 0.9,
    "domain_content_threshold": 0.8,
    "exact_types": true,
    "distribution_constraints": {
      "perform_comparison": "Enabled",
      "comparison_method": "Simple"
    },
    "driftline_drift": {
      "numeric_method": "PSI",
      "false_discovery_rate": null,
      "minimum_sample": 10
    }
  }
}
"""
READ = DataQualityConstraints(
    (
        FeatureConstraints("age", "Integral", 1.0, True),
        FeatureConstraints(
            "plan",
            "String",
            0.98,
            domain=("basic", "gold"),
            override=FeatureOverride(comparison_threshold=0.3, comparison_method="PSI", sensitive=True),
            suggestion={"completeness": "98 of 100 values were present"},
        ),
    ),
    emit_metrics="Disabled",
    datatype_check_threshold=0.9,
    domain_content_threshold=0.8,
    exact_types=True,
    distribution=DistributionConstraints(comparison_method="Simple"),
    drift=DriftRules(numeric_method="PSI", false_discovery_rate=None, minimum_sample=10),
)

texts = st.text(st.characters(codec="utf-8"), max_size=8)
shares = st.floats(0, 1)
distances = st.floats(0, allow_infinity=False, allow_nan=False)
switches = st.sampled_from(get_args(Switch))


@st.composite
def features(draw: st.DrawFn) -> FeatureConstraints:
    kind: InferredType = draw(st.sampled_from(get_args(InferredType)))
    override = FeatureOverride(
        draw(st.none() | shares),
        draw(st.none() | shares),
        draw(st.none() | switches),
        draw(st.none() | distances),
        draw(st.none() | st.sampled_from(methods_of(kind))),
        draw(st.none() | st.booleans()),
        draw(st.none() | switches),
        draw(st.none() | switches),
    )
    return FeatureConstraints(
        draw(texts),
        kind,
        draw(st.none() | shares),
        draw(st.none() | st.booleans()),
        draw(st.none() | st.lists(texts, max_size=3).map(tuple)),
        None if override == FeatureOverride() else override,
        draw(st.dictionaries(texts, texts, max_size=2)),
    )


rules = st.builds(
    DriftRules,
    st.sampled_from(get_args(NumericMethod)),
    distances,
    st.sampled_from(get_args(CategoricalMethod)),
    distances,
    st.none() | st.floats(0, 1, exclude_min=True, exclude_max=True),
    st.integers(1, 10**9),
    st.none() | shares,
)
distributions = st.builds(
    DistributionConstraints,
    switches,
    distances,
    st.sampled_from(["Robust", "Simple"]),
    distances,
    st.sampled_from(["LInfinity", "ChiSquared"]),
)
tables = st.builds(
    DataQualityConstraints,
    st.lists(features(), max_size=3, unique_by=lambda feature: feature.name).map(tuple),
    switches,
    switches,
    shares,
    shares,
    st.booleans(),
    distributions,
    st.none() | rules,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(tables)
def test_constraints_read_back(constraints: DataQualityConstraints) -> None:
    written = dump(table_constraints_document(constraints))
    assert read_table_constraints(written, "c.json") == constraints
    assert read_any_constraints(written, "c.json") == constraints


@pytest.mark.parametrize("data", [VALID, b"\xef\xbb\xbf" + VALID, VALID.replace(b"\n", b"\r\n")])
def test_an_edited_file_works(data: bytes) -> None:
    assert read_table_constraints(data, "c.json") == READ


def test_what_is_absent_or_null_has_its_default() -> None:
    least = b'{"features": [{"name": "a", "inferred_type": "Unknown"}]}'
    nulls = b"""{"version": 0, "features": [{"name": "a", "inferred_type": "Unknown", "completeness": null,
        "num_constraints": null, "string_constraints": {"domains": null}, "monitoring_config_overrides": {},
        "suggestion": null}], "monitoring_config": {"distribution_constraints": {}, "driftline_drift": null}}"""
    plain = DataQualityConstraints((FeatureConstraints("a", "Unknown"),))
    assert read_table_constraints(least, "c") == read_table_constraints(nulls, "c") == plain
    assert read_table_constraints(b'{"features": [], "monitoring_config": {"driftline_drift": {}}}', "c") == (
        DataQualityConstraints((), drift=DriftRules())
    )


def test_constraints_without_anything_of_ours_have_only_keys_of_the_original() -> None:
    document = table_constraints_document(
        DataQualityConstraints(
            (
                FeatureConstraints("age", "Integral", 1.0, True),
                FeatureConstraints(
                    "plan", "String", 1.0, None, ("a",), FeatureOverride(evaluate_constraints="Disabled")
                ),
            )
        )
    )
    assert document == {
        "version": 0.0,
        "features": [
            {
                "name": "age",
                "inferred_type": "Integral",
                "completeness": 1.0,
                "num_constraints": {"is_non_negative": True},
            },
            {
                "name": "plan",
                "inferred_type": "String",
                "completeness": 1.0,
                "string_constraints": {"domains": ["a"]},
                "monitoring_config_overrides": {"evaluate_constraints": "Disabled"},
            },
        ],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": 0.1,
                "comparison_method": "Robust",
                "categorical_comparison_threshold": 0.1,
                "categorical_drift_method": "LInfinity",
            },
        },
    }


def override_of(
    kind: str, overrides: dict[str, Any], key: str = "monitoring_config_overrides"
) -> FeatureOverride | None:
    document = {"features": [{"name": "a", "inferred_type": kind, key: overrides}]}
    return read_table_constraints(json.dumps(document).encode(), "c.json").features[0].override


def test_overrides_are_read_in_every_spelling_of_the_original() -> None:
    disabled = FeatureOverride(evaluate_constraints="Disabled")
    assert override_of("Integral", {"evaluate_constraints": "Disabled"}) == disabled
    assert override_of("Integral", {"evaluate_constraints": "Disabled"}, "monitoringConfigOverrides") == disabled
    inner = {"monitoring_config_overrides": {"evaluate_constraints": "Disabled"}}
    assert override_of("String", inner, "string_constraints") == disabled
    assert override_of("Integral", {}) is None


def test_of_a_whole_block_only_the_comparison_of_the_type_counts() -> None:
    block = {
        "distribution_constraints": {
            "perform_comparison": "Enabled",
            "comparison_threshold": 0.2,
            "comparion_method": "Simple",
            "categorical_comparison_threshold": 0.3,
            "categorical_drift_method": "ChiSquared",
        }
    }
    assert override_of("Fractional", block) == FeatureOverride(
        perform_comparison="Enabled", comparison_threshold=0.2, comparison_method="Simple"
    )
    assert override_of("String", block) == FeatureOverride(
        perform_comparison="Enabled", comparison_threshold=0.3, comparison_method="ChiSquared"
    )
    assert override_of("String", {"comparison_method": "JensenShannon", "comparison_threshold": 1}) == FeatureOverride(
        comparison_threshold=1.0, comparison_method="JensenShannon"
    )


BROKEN = [
    (
        b'"Integral"',
        b'"Int"',
        'line 6: feature age: inferred_type: "Int" is not Integral, Fractional, String or Unknown',
    ),
    (b'"inferred_type": "Integral",', b"", "line 4: feature age: inferred_type is missing"),
    (
        b'"completeness": 1.0',
        b'"completeness": 1.01',
        "line 7: feature age: completeness: 1.01 is not a number from 0 to",
    ),
    (
        b'"completeness": 1.0',
        b'"completeness": -1',
        "line 7: feature age: completeness: -1.0 is not a number from 0 to 1",
    ),
    (b'"completeness": 1.0', b'"completeness": NaN', "line 7: feature age: completeness: NaN is not"),
    (b'"completeness": 1.0', b'"completeness": "1"', 'line 7: feature age: completeness: "1" is not'),
    (b'"completeness": 1.0', b'"completeness": true', "line 7: feature age: completeness: true is not"),
    (b'"completeness": 1.0', b'"completeness": 1' + b"0" * 400, "line 7: feature age: completeness: Infinity is not"),
    (
        b'"completeness": 1.0',
        b'"completness": 1',
        'line 7: feature age: "completness" is not known here; did you mean co',
    ),
    (
        b'"completeness": 1.0',
        b'"xyz": 1',
        'line 7: feature age: "xyz" is not known here; known are name, inferred_type',
    ),
    (
        b'"is_non_negative": true',
        b'"is_non_negative": 1',
        "line 8: feature age: is_non_negative: 1.0 is not true or false",
    ),
    (
        b"is_non_negative",
        b"is_not_negative",
        'line 8: feature age: "is_not_negative" is not known here; did you mean is_',
    ),
    (b'{"is_non_negative": true}', b"[]", "line 8: feature age: num_constraints must be an object"),
    (b'"name": "age"', b'"name": 7', "line 5: features: a feature needs a name"),
    (b'      "name": "age",\n', b"", "line 4: features: a feature needs a name"),
    (b'"plan"', b'"age"', "line 11: feature age is described twice"),
    (b'"gold"', b"3", "line 17: feature plan: domain: 3.0 is not a text; write it in quotes"),
    (b'"gold"', b"null", "line 17: feature plan: domain: null is not a text"),
    (b'"domains": [', b'"domain": [', 'line 15: feature plan: "domain" is not known here; did you mean domains?'),
    (
        b'[\n          "basic",\n          "gold"\n        ]',
        b'"gold"',
        'line 15: feature plan: domain: "gold" is not a',
    ),
    (b'"sensitive": true', b'"sensitive": "yes"', 'line 21: feature plan: sensitive: "yes" is not true or false'),
    (
        b'"PSI",\n          "cat',
        b'"Wasserstein",\n          "cat',
        'line 23: feature plan: categorical_drift_method: "Wass',
    ),
    (
        b"categorical_drift_method",
        b"comparison_metod",
        'line 23: feature plan: "comparison_metod" is not known here; did',
    ),
    (
        b'"categorical_drift_method": "PSI"',
        b'"comparison_method": "Wasserstein"',
        "line 23: feature plan: comparison_meth",
    ),
    (b"0.3", b"-0.3", "line 24: feature plan: categorical_comparison_threshold: -0.3 is not a finite number from 0"),
    (
        b'{"completeness": "98 of 100 values were present"}',
        b'"good"',
        'line 27: feature plan: suggestion: "good" is not',
    ),
    (b'"98 of 100 values were present"', b"98", "line 27: feature plan: suggestion: {"),
    (
        b'"monitoring_config": {',
        b'"monitoring": {',
        'line 30: "monitoring" is not known here; did you mean monitoring_con',
    ),
    (
        b'"evaluate_constraints": "Enabled"',
        b'"evaluate_constraints": true',
        "line 31: monitoring_config: evaluate_constr",
    ),
    (b'"Disabled"', b'"Off"', 'line 32: monitoring_config: emit_metrics: "Off" is not Enabled or Disabled'),
    (b"0.9,", b"90,", "line 33: monitoring_config: datatype_check_threshold: 90.0 is not a number from 0 to 1"),
    (
        b"emit_metrics",
        b"emit_metric",
        'line 32: monitoring_config: "emit_metric" is not known here; did you mean emit_met',
    ),
    (
        b'"Simple"',
        b'"PSI"',
        'line 38: distribution_constraints: comparison_method: "PSI" is not Robust or Simple; other m',
    ),
    (
        b'"PSI",\n      "false',
        b'"psi",\n      "false',
        'line 41: driftline_drift: numeric_method: "psi" is not Simple, Robust',
    ),
    (b"null", b"1", "line 42: driftline_drift: false_discovery_rate: 1.0 is not a number between 0 and 1, or null"),
    (b'"minimum_sample": 10', b'"minimum_sample": 1.5', "line 43: driftline_drift: minimum_sample: 1.5 is not a whole"),
    (
        b'"minimum_sample": 10',
        b'"minimum_samples": 5',
        'line 43: driftline_drift: "minimum_samples" is not known here; ',
    ),
    (b'"age",', b'"age"', "line 6: not valid JSON"),
    (b"  }\n}\n", b"  }\n", "line 46: not valid JSON"),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN)
def test_a_broken_file_is_refused_with_its_line(old: bytes, new: bytes, message: str) -> None:
    assert old in VALID
    with pytest.raises(InputError) as error:
        read_table_constraints(VALID.replace(old, new, 1), "my/c.json")
    assert error.value.what.startswith("my/c.json, " + message)
    assert error.value.evidence
    assert error.value.hint


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1: not valid JSON"),
        (b"null", "must hold a JSON object"),
        (b"{}", "holds no constraints"),
        (b'{"version": 0, "monitoring_config": {}}', "holds no constraints"),
        (b'{"features": [], "regression_constraints": {}}', "holds constraints of both monitors"),
        (b'{"features": {}}', "features must be a list"),
        (b'{"features": null}', "features must be a list"),
        (b'{"features": [3]}', "features: every element must be an object"),
        (b'{"features": [null]}', "a feature needs a name"),
        (b'{"features": [], "monitoring_config": 3}', "monitoring_config must be an object"),
        (b"\xff\xfe{}", "is not UTF-8 text"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_constraints_file_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_any_constraints(data, "c.json")
    assert message in error.value.what


def test_a_file_tells_its_monitor() -> None:
    model = ModelQualityConstraints("Regression", {"mae": Constraint(1.0, "GreaterThanThreshold")})
    assert read_any_constraints(dump(any_constraints_document(model)), "c") == model
    assert monitor_of(model) == "model-quality"
    assert monitor_of(read_any_constraints(VALID, "c")) == "data-quality"
    assert any_constraints_document(READ) == table_constraints_document(READ)
    with pytest.raises(InputError, match="holds no model-quality constraints"):
        read_constraints(VALID, "c")
    with pytest.raises(InputError, match="holds no data-quality constraints"):
        read_table_constraints(dump(any_constraints_document(model)), "c")


def check_only_inputerror(data: bytes) -> None:
    try:
        read = read_any_constraints(data, "c.json")
    except InputError as error:
        str(error).encode()
        return
    assert read_any_constraints(dump(any_constraints_document(read)), "again") == read


@settings(max_examples=300, deadline=None, derandomize=True)
@given(edits=st.lists(st.tuples(st.integers(0, len(VALID)), st.integers(0, 3), st.binary(max_size=3)), max_size=3))
def test_an_edited_file_is_read_or_refused(edits: list[tuple[int, int, bytes]]) -> None:
    data = VALID
    for place, cut, put in edits:
        data = data[:place] + put + data[place + cut :]
    check_only_inputerror(data)


KEYS = ("name", "inferred_type", "num_constraints", "domains", "monitoring_config_overrides", "comparison_method")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["String", "Enabled", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(features=json_values, config=json_values, indent=st.sampled_from([None, 1]))
def test_any_json_is_read_or_refused(features: Any, config: Any, indent: int | None) -> None:
    document = {"features": features, "monitoring_config": config}
    check_only_inputerror(json.dumps(document, indent=indent).encode())
    entry = {"name": "a", "inferred_type": "String", "string_constraints": features, "suggestion": config}
    check_only_inputerror(json.dumps({"features": [entry]}, indent=indent).encode())


def test_the_published_constraints_are_read(published: Path) -> None:
    listed = json.loads((published / "golden" / "data_quality_churn.json").read_bytes())["constraints"]
    document = {
        "version": 0.0,
        "features": [
            {
                "name": one["name"],
                "inferred_type": one["inferred_type"],
                "completeness": one["completeness"],
                "num_constraints": {"is_non_negative": one["is_non_negative"]},
            }
            for one in listed
        ],
    }
    read = read_table_constraints(json.dumps(document).encode(), "c.json")
    assert len(read.features) == 10
    assert table_constraints_document(read)["features"] == document["features"]


def test_two_thousand_features_are_read_and_a_broken_one_is_found() -> None:
    wide = DataQualityConstraints(tuple(FeatureConstraints(f"f{place}", "Integral", 1.0) for place in range(2000)))
    written = dump(table_constraints_document(wide))
    assert read_table_constraints(written, "c.json") == wide
    broken = written[::-1].replace(b"largetnI", b"tnI", 1)[::-1]
    with pytest.raises(InputError, match="line 10001: feature f1999: inferred_type"):
        read_table_constraints(broken, "c.json")


def test_files_of_the_original_s_first_version_are_read_in_their_own_words() -> None:
    old = {
        "features": [{"name": "plan", "inferred_type": "String", "string_constraints": {"domains": ["a"]}}],
        "monitoring_config": {
            "distribution_constraints": {
                "enable_comparisons": False,
                "min_domain_mass": 0.9,
                "comparison_threshold": 1.0,
            }
        },
    }
    read = read_table_constraints(json.dumps(old).encode(), "c.json")
    assert (read.distribution.perform_comparison, read.distribution.comparison_threshold) == ("Disabled", 1.0)
    assert read.domain_content_threshold == 0.9
    old["monitoring_config"]["distribution_constraints"]["enable_comparisons"] = "yes"  # type: ignore[index]
    with pytest.raises(InputError, match="enable_comparisons"):
        read_table_constraints(json.dumps(old).encode(), "c.json")
