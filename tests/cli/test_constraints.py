"""``driftline constraints``: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driftline.core.attribution_analysis import Attribution, AttributionAnalysis, LabelAttributions
from driftline.core.bias_analysis import BiasAnalysis, BiasMetric, FacetBias
from driftline.core.constraint_documents import any_constraints_document, read_any_constraints
from driftline.core.documents import Constraint, ModelQualityConstraints, dump
from driftline.core.table_constraints import DataQualityConstraints, FeatureConstraints

Cli = Callable[..., Any]
TABLE = DataQualityConstraints(
    (
        FeatureConstraints("age", "Integral", 1.0, True, suggestion={"completeness": "9 of 9 values were present"}),
        FeatureConstraints("plan", "String", 1.0, domain=("basic", "gold")),
    )
)
MODEL = ModelQualityConstraints("BinaryClassification", {"f2": Constraint(0.6, "LessThanThreshold", "because")})

BIAS = BiasAnalysis(
    "churn",
    "1",
    (FacetBias("pre_training", "sex", "f", (BiasMetric("CI", "", 0.3), BiasMetric("CDDL", "", None, "no group"))),),
)
RANKING = AttributionAnalysis((LabelAttributions("label0", (Attribution("a", 0.1), Attribution("b", 0.5)), 0.2),))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.json"
    path.write_bytes(dump(any_constraints_document(TABLE)))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.json"
    path.write_bytes(dump(any_constraints_document(MODEL)))
    return path


def test_constraints_are_shown_with_their_reasons(cli: Cli, table: Path, model: Path) -> None:
    done = cli("constraints", "show", table)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "data quality, 2 features"
    assert "completeness 1.0 (9 of 9 values were present); is_non_negative true" in done.out
    assert 'domain "basic", "gold"' in done.out
    done = cli("constraints", "show", model)
    assert done.out.splitlines()[0] == "model quality, BinaryClassification"
    assert done.out.splitlines()[2].split() == ["f2", "LessThanThreshold", "0.6", "because"]


def test_constraints_are_shown_as_the_document(cli: Cli, table: Path) -> None:
    done = cli("constraints", "show", table, "--json")
    assert json.loads(done.out) == json.loads(table.read_bytes())


def test_an_edit_changes_the_file_and_says_so(cli: Cli, table: Path) -> None:
    done = cli("constraints", "edit", table, "--set", "age.completeness=0.98", "--set", "plan.domain+=silver")
    assert (done.code, done.err) == (0, "")
    assert done.out == 'feature age: completeness 1.0 → 0.98\nfeature plan: domain + "silver"\n'
    age, plan = read_any_constraints(table.read_bytes(), "c").features  # type: ignore[union-attr]
    assert (age.completeness, age.suggestion, plan.domain) == (0.98, {}, ("basic", "gold", "silver"))
    assert [path.name for path in table.parent.iterdir()] == ["table.json"]


def test_an_edit_may_go_to_another_file(cli: Cli, table: Path, tmp_path: Path) -> None:
    before, other = table.read_bytes(), tmp_path / "new" / "c.json"
    done = cli(
        "constraints", "edit", table, "--remove", "plan", "--remove", "age.is_non_negative", "-o", other, "--json"
    )
    assert [(change["path"], change["kind"]) for change in json.loads(done.out)] == [
        ("age.is_non_negative", "removed"),
        ("plan", "removed"),
    ]
    assert table.read_bytes() == before
    told = cli("constraints", "diff", table, other)
    assert (told.code, len(told.out.splitlines())) == (0, 2)
    assert cli("constraints", "diff", other, table).out.startswith("feature age: is_non_negative true (was not set)")
    assert json.loads(cli("constraints", "diff", table, other, "--json").out) == json.loads(done.out)


def test_a_dry_run_writes_nothing(cli: Cli, model: Path) -> None:
    before = model.read_bytes()
    done = cli("constraints", "edit", model, "--set", "f2.threshold=0.5", "--dry-run")
    assert (done.code, done.out) == (0, "metric f2: threshold 0.6 → 0.5\n")
    assert model.read_bytes() == before
    assert cli("constraints", "edit", model, "--set", "f2.threshold=0.5").code == 0
    found = read_any_constraints(model.read_bytes(), "c")
    assert found == ModelQualityConstraints("BinaryClassification", {"f2": Constraint(0.5, "LessThanThreshold")})


def test_no_difference_is_said(cli: Cli, table: Path) -> None:
    inode = table.stat().st_ino
    assert cli("constraints", "edit", table, "--set", "age.completeness=1").out == "no difference\n"
    assert table.stat().st_ino == inode
    done = cli("constraints", "diff", table, table)
    assert (done.code, done.out) == (0, "no difference\n")
    assert json.loads(cli("constraints", "diff", table, table, "--json").out) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to change"),
        (("--set", "age.completeness"), "is no edit"),
        (("--set", "age.completeness=2"), "feature age: completeness: 2.0 is not a number from 0 to 1"),
        (("--set", "agee.completeness=1"), "did you mean age?"),
        (("--remove", "nobody"), "there is no feature nobody"),
        (("--set", "age.completeness=0.5", "--set", "plan.domain-=x"), 'the domain does not hold "x"'),
    ],
)
def test_a_refused_edit_leaves_the_file_alone(cli: Cli, table: Path, words: tuple[str, ...], said: str) -> None:
    before = table.read_bytes()
    done = cli("constraints", "edit", table, *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "to do:" in done.err
    assert table.read_bytes() == before
    assert set(json.loads(cli("constraints", "edit", table, *words, "--json").err)) == {"error"}


def test_a_broken_file_is_refused_with_its_line(cli: Cli, table: Path) -> None:
    table.write_bytes(table.read_bytes().replace(b'"Integral"', b'"Int"'))
    for words in (("show", table), ("diff", table, table), ("edit", table, "--set", "age.completeness=1")):
        done = cli("constraints", *words)
        assert (done.code, done.out) == (2, "")
        assert f"{table}, line 6: feature age: inferred_type" in done.err


def test_what_cannot_be_compared_or_read_is_2(cli: Cli, table: Path, model: Path, tmp_path: Path) -> None:
    assert "constraints of different things" in cli("constraints", "diff", table, model).err
    done = cli("constraints", "show", tmp_path / "absent.json")
    assert (done.code, "cannot be read" in done.err) == (2, True)
    (tmp_path / "file").write_text("")
    done = cli("constraints", "edit", table, "--set", "age.completeness=0.5", "-o", tmp_path / "file" / "c.json")
    assert (done.code, "cannot write" in done.err) == (2, True)


def test_analyses_are_shown_and_not_edited(cli: Cli, tmp_path: Path) -> None:
    bias, ranking = tmp_path / "bias.json", tmp_path / "ranking.json"
    bias.write_bytes(dump(any_constraints_document(BIAS)))
    ranking.write_bytes(dump(any_constraints_document(RANKING)))
    lines = cli("constraints", "show", bias).out.splitlines()
    assert lines[0] == "bias, label churn 1"
    assert lines[2].split() == ["pre_training", "sex", "f", "CI", "0.3"]
    assert lines[3].split() == ["pre_training", "sex", "f", "CDDL", "–", "no", "group"]
    lines = cli("constraints", "show", ranking).out.splitlines()
    assert lines[0] == "attribution, mean_abs by kernel_shap"
    assert [line.split() for line in lines[2:]] == [["label0", "1", "b", "0.5"], ["label0", "2", "a", "0.1"]]
    for arguments in (("edit", bias, "--set", "CI.threshold=1"), ("diff", bias, bias)):
        done = cli("constraints", *arguments)
        assert done.code == 2
        assert "an analysis has no settings" in done.err
