"""The page of a data-quality run: what is worst comes first, and nothing in a table can break it."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.core.documents import Violation
from driftline.core.table_constraints import DataQualityConstraints, FeatureConstraints, FeatureOverride
from driftline.core.table_statistics import (
    FeatureStatistics,
    NumericalStatistics,
    StringStatistics,
    TableStatistics,
    TypeCounts,
)
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.engine.rejects import Reject
from driftline.pipeline.report import Frame
from driftline.pipeline.table_report import table_report_html
from driftline.reporting.data_quality import FeatureDrift, TableReport, render

MOST = 3_000_000
UGLY = ["", "<script>alert(1)</script>", "\"&'>", "x" * 10_000, "\x00\ud800\u202e", "名" * 500, "</details></table>"]


def _number(name: str, values: Any = (1.0, 2.0, 3.0), missing: int = 0) -> FeatureStatistics:
    array = np.asarray(values, dtype=float)
    moments = [float(of(array)) for of in (np.mean, np.sum, np.std, np.min, np.max)]
    numbers = NumericalStatistics(*moments, levels=(tuple(np.sort(array).tolist()),))
    return FeatureStatistics(name, "Fractional", array.size, missing, numbers)


def _text(name: str, counts: dict[str, int]) -> FeatureStatistics:
    texts = StringStatistics(len(counts), tuple(counts.items()))
    return FeatureStatistics(name, "String", sum(counts.values()), 0, None, texts)


def _table(*features: FeatureStatistics, rows: int = 100) -> TableStatistics:
    return TableStatistics(rows, features)


def _report(current: TableStatistics, verdict: Verdict | None = Verdict.OK, **changes: Any) -> TableReport:
    known = {"title": "Data quality of churn", "window": "23:00–00:00", "generated": "2026-11-23 00:00:01"}
    return TableReport(current=current, verdict=verdict, **(known | changes))


def _violation(name: str | None, check: str = "baseline_drift_check", said: str = "is off", **more: Any) -> Violation:
    return Violation(feature_name=name, constraint_check_type=check, description=said, **more)


def _rows(page: str) -> dict[str, list[str]]:
    """The cells of each feature's line, in the order of the page."""
    table = page.partition('aria-label="Table of features"')[2]
    lines = re.findall(r'<tr(?: class="above")?><th scope="row"><bdi>(.*?)</bdi></th>(.*?)</tr>', table)
    return {name: re.findall(r"<td[^>]*>(.*?)</td>", line) for name, line in lines if "<td" in line}


def test_the_worst_features_come_first(make: ModuleType) -> None:
    table = _table(*map(_number, "abcdef"))
    drift = (
        FeatureDrift("a", "Wasserstein", 0.01, 0.1, 0.5),
        FeatureDrift("b", "Wasserstein", 0.09, 0.1, 0.5),
        FeatureDrift("c", "Wasserstein", 0.3, 0.1, 1e-9, drifted=True),
        FeatureDrift("d", "Wasserstein", 0.2, 0.1, 0.04),
        FeatureDrift("e", "Wasserstein", reason="fewer than 30 values"),
    )
    wrong = (_violation("f", "completeness_check"),)
    page = render(_report(table, Verdict.VIOLATED, baseline=table, drift=drift, violations=wrong))
    make.sound(page, MOST)
    rows = _rows(page)
    assert list(rows) == ["f", "c", "d", "b", "a", "e"]
    found = ["✕ violated", "~ drifted", "✓ within chance", "✓ met", "✓ met", "? not compared"]
    assert [cells[0] for cells in rows.values()] == found
    assert rows["c"][1:] == [
        "Fractional", "100 %", "2.0000 ± 0.8165", "0.3000", "≤ 0.1000", "&lt;0.0001", "Wasserstein"
    ]  # fmt: skip
    assert rows["e"][4] == "fewer than 30 values"


def test_a_p_value_below_its_threshold_is_the_worse_the_smaller(make: ModuleType) -> None:
    table = _table(*(_text(name, {"x": 3}) for name in "ab"))
    drift = (FeatureDrift("a", "ChiSquared", 4.0, 0.1, 0.5), FeatureDrift("b", "ChiSquared", 9.0, 0.1, 0.01, True))
    rows = _rows(render(_report(table, drift=drift)))
    assert list(rows) == ["b", "a"]
    assert rows["b"][5:7] == ["p ≥ 0.1000", "0.010"]
    assert rows["a"][0] == "✓ met"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (_violation("age", value=0.6481, threshold=0.1), "age has drifted: its distance 0.65 is above 0.10"),
        (
            _violation("age", "completeness_check", value=0.926, threshold=1.0),
            "age is present in 92.6 % of the rows, not in 100 %",
        ),
        (
            _violation("age", "data_type_check", value=0.9996, threshold=1.0),
            "age is of its type in 99.96 % of its values, not in 100.00 %",
        ),
        (
            _violation("age", "categorical_values_check", value=0.5, threshold=0.9),
            "age has values that are not expected: 50.0 % are, not 90 %",
        ),
        (_violation("age", "missing_column_check"), "age is missing"),
        (_violation("age", "extra_column_check"), "age is a column that the baseline does not have"),
        (_violation("age", "completeness_check", value=92.6, threshold=100.0), "age: is off"),
        (_violation("age", "odd_check", said=""), "age does not pass its odd check"),
        (_violation(None, "odd_check", said="The table is odd"), "The table is odd"),
    ],
)
def test_the_verdict_is_one_sentence(make: ModuleType, wrong: Violation, said: str) -> None:
    page = render(_report(_table(_number("age")), Verdict.VIOLATED, violations=(wrong,)))
    assert make.headline(page) == said


def test_several_violations_are_counted_with_their_features(make: ModuleType) -> None:
    wrong = (_violation("b"), _violation("a", value=0.5, threshold=0.1), _violation("b", "completeness_check"))
    drift = (FeatureDrift("a", "PSI", 0.5, 0.1), FeatureDrift("b", "PSI", 0.2, 0.1), FeatureDrift("c", "PSI", 0.0, 0.1))
    table = _table(*map(_number, "abc"))
    page = render(_report(table, Verdict.VIOLATED, violations=wrong, drift=drift))
    said = "a has drifted: its distance 0.50 is above 0.10, and 2 more violations; 2 of 3 features are concerned"
    assert make.headline(page) == said
    assert "<h2>3 violations</h2>" in page


def test_ok_unknown_and_a_baseline_say_so(make: ModuleType) -> None:
    table = _table(_number("a"), _number("b"))
    constraints = DataQualityConstraints(tuple(FeatureConstraints(name, "Fractional", 1.0) for name in "ab"))
    page = render(_report(table, constraints=constraints, baseline=_table(_number("a"), rows=2333)))
    assert make.headline(page) == "All 2 features are as expected"
    assert "n = 100 rows with 2 features, held against a baseline of 2,333 rows with 1 feature" in page
    page = render(_report(table, Verdict.UNKNOWN, reasons=(Reason("no_rows", "the window holds no rows"),)))
    assert make.headline(page) == "Could not tell: the window holds no rows"
    page = render(_report(table, None, constraints=constraints))
    assert make.headline(page) == "Baseline with constraints suggested for 2 features"
    assert "Distance" not in page


def test_a_feature_opens_to_its_distributions_and_figures(make: ModuleType) -> None:
    now, was = _number("age", [1.0, 2.0, 5.0], missing=1), _number("age", [1.0, 2.0])
    expected = FeatureConstraints("age", "Fractional", 0.9, True, suggestion={"completeness": "it is so in 4 of 5"})
    page = render(_report(_table(now), baseline=_table(was), constraints=DataQualityConstraints((expected,))))
    assert make.titled(page, "Distribution") is not None
    text = " ".join(re.sub(r"<[^>]+>", " ", page.partition("<summary>")[2]).split())
    assert "missing 1 (25.0 %) 0" in text
    assert "largest 5 2" in text
    assert "completeness at least 90 % – it is so in 4 of 5" in text
    assert "negative values none" in text


def test_new_categories_and_samples_stand_with_their_violation(make: ModuleType) -> None:
    wrong = _violation("State", "categorical_values_check", new_categories=(("<b>ON</b>", 58),), samples=("f:7: {<}",))
    table = _table(_text("State", {"NY": 3, "<b>ON</b>": 1}))
    page = render(_report(table, Verdict.VIOLATED, violations=(wrong,), baseline=_table(_text("State", {"NY": 3}))))
    make.sound(page, MOST)
    assert '&lt;b&gt;ON&lt;/b&gt;</bdi></th><td class="number">58</td>' in page
    assert '<pre tabindex="0">f:7: {&lt;}</pre>' in page
    assert "<b>" not in page
    assert "<details open" in page, "the worst one stands open"


def test_values_of_a_sensitive_feature_are_not_shown(make: ModuleType) -> None:
    override = FeatureOverride(sensitive=True)
    expected = FeatureConstraints("ssn", "String", 1.0, None, ("secret1",), override)
    wrong = _violation(
        "ssn", "categorical_values_check", new_categories=(("secret2", 1),), samples=("f:1: secret3",), value=0.5
    )
    table = _table(_text("ssn", {"secret1": 3, "secret2": 1}))
    constraints = DataQualityConstraints((expected,))
    page = render(_report(table, Verdict.VIOLATED, violations=(wrong,), constraints=constraints, baseline=table))
    assert "secret" not in page
    assert "marked as sensitive" in page


def test_a_feature_that_changed_its_kind_is_drawn_as_both(make: ModuleType) -> None:
    page = render(_report(_table(_text("code", {"n/a": 1})), baseline=_table(_number("code"))))
    titles = [drawing.findtext(f"{make.SVG}title") for drawing in make.drawings(page)]
    assert titles == ["Distribution", "Categories"]
    assert "String (was Fractional)" in page


def test_a_missing_column_is_a_line_with_its_baseline(make: ModuleType) -> None:
    page = render(_report(_table(), baseline=_table(_number("gone")), drift=(FeatureDrift("gone", "", reason="gone"),)))
    make.sound(page, MOST)
    assert _rows(page)["gone"][:4] == ["? not compared", "no such column", "–", "–"]


def test_mixed_texts_are_counted_by_what_they_look_like() -> None:
    feature = FeatureStatistics("a", "String", 5, 0, None, StringStatistics(2), TypeCounts(integral=4, string=1))
    assert "4 integral, 1 string" in render(_report(_table(feature)))


def test_rejects_steps_and_counts(make: ModuleType) -> None:
    page = table_report_html(
        Frame(
            "Data quality",
            "now",
            Judgement(Verdict.OK),
            counts={"capture_records": 302},
            rejects=(Reject("captures", "broken_line", 12, ("a.jsonl:17: {<",)),),
            steps=(make.Step("profile", 300, 1, 0.0514),),
        ),
        current=_table(_number("a")),
    )
    assert '<pre tabindex="0">a.jsonl:17: {&lt;</pre>' in page
    assert '<th scope="row">profile</th><td class="number">300</td>' in page
    assert '<th scope="row">capture records</th><td class="number">302</td>' in page


@pytest.mark.parametrize("ugly", UGLY)
def test_names_and_categories_of_any_kind(make: ModuleType, ugly: str) -> None:
    table = _table(_text(ugly, {ugly: 3, "b": 1}), _number("x" + ugly))
    wrong = _violation(ugly, ugly, ugly, new_categories=((ugly, 1),), samples=(ugly,))
    drift = (FeatureDrift("x" + ugly, ugly, reason=ugly),)
    expected = FeatureConstraints(ugly, "String", 1.0, None, (ugly,), None, {"domain": ugly})
    page = render(
        _report(
            table, Verdict.VIOLATED, violations=(wrong,), drift=drift, title=ugly, window=ugly,
            baseline=table, constraints=DataQualityConstraints((expected,)),
        )
    )  # fmt: skip
    make.sound(page, MOST)
    assert "<script" not in page


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e308, -1e308, 5e-324, 0.0, None])
def test_values_of_any_kind(make: ModuleType, value: Any) -> None:
    numbers = NumericalStatistics(value, value, value, value, value, levels=((value or 0.0, 1.0),), not_finite=1)
    table = _table(
        FeatureStatistics("a", "Fractional", 3, 0, numbers),
        FeatureStatistics("b", "String", 3, 0, None, StringStatistics(0.0 if value is None else value, (("x", 3),))),
        FeatureStatistics("c", "Unknown", 0, 0),
    )
    drift = tuple(FeatureDrift(name, "PSI", value, value, value, drifted=True) for name in "abc")
    wrong = (
        _violation("a", value=value, threshold=value),
        _violation("b", "data_type_check", value=value, threshold=1.0),
    )
    expected = FeatureConstraints("a", "Fractional", value)
    page = render(
        _report(
            table, Verdict.VIOLATED, violations=wrong, drift=drift, baseline=table,
            constraints=DataQualityConstraints((expected,)),
        )
    )  # fmt: skip
    make.sound(page, MOST)


def test_two_thousand_features_stay_below_three_megabytes(make: ModuleType) -> None:
    rng = np.random.default_rng(4)
    categories = {f"category {place}": 2000 - place for place in range(200)}
    features = [
        _text(f"feature {place}", categories) if place % 2 else _number(f"feature {place}", rng.normal(0, 1, 500))
        for place in range(2000)
    ]
    drift = tuple(FeatureDrift(one.name, "JensenShannon", 0.05, 0.1, 0.5) for one in features)
    wrong = tuple(_violation(one.name, said="d" * 150, value=0.2, threshold=0.1) for one in features)
    table = _table(*features)
    page = render(_report(table, Verdict.VIOLATED, violations=wrong, drift=drift, baseline=table))
    make.sound(page, MOST)
    assert len(_rows(page)) == 2000
    assert page.count("<details") == 100
    assert "Distributions are drawn of the first 100 features." in page


def test_a_page_of_nothing_but_ugly_text_stays_bounded(make: ModuleType) -> None:
    ugly = "&'" * 5000
    names = [f"{number}{ugly}" for number in range(3000)]
    features = tuple(_text(name, {f"{place}{ugly}": 1 for place in range(30)}) for name in names)
    each = {"new_categories": tuple((name, 1) for name in names[:50]), "samples": (ugly,) * 50}
    wrong = tuple(_violation(name, ugly, ugly, **each) for name in names)
    drift = tuple(FeatureDrift(name, ugly, reason=ugly) for name in names)
    expected = tuple(FeatureConstraints(name, "String", 1.0, None, tuple(names[:50])) for name in names)
    page = render(
        _report(
            TableStatistics(1, features), Verdict.UNKNOWN, violations=wrong * 2, drift=drift, title=ugly,
            baseline=TableStatistics(1, features), constraints=DataQualityConstraints(expected),
            reasons=(Reason(ugly, ugly, dict.fromkeys(names[:50], ugly)),) * 50,
            rejects=tuple(Reject(name, ugly, 10**30, (ugly,) * 9) for name in names[:50]),
            segments=tuple({"column": name, "segment": ugly, "metric": ugly, "violated": names} for name in names[:50]),
        )
    )  # fmt: skip
    make.sound(page, MOST)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_table_gives_a_sound_page(make: ModuleType, data: st.DataObject) -> None:
    def feature(name: str) -> FeatureStatistics:
        number = st.none() | st.floats()
        levels = tuple(map(tuple, data.draw(st.lists(st.lists(st.floats(), max_size=5), max_size=3))))
        numbers = NumericalStatistics(*(data.draw(number) for _ in range(5)), levels=levels)
        counts = data.draw(st.dictionaries(st.text(max_size=5), st.integers(0, 10**20), max_size=4))
        texts = StringStatistics(data.draw(st.floats()), tuple(counts.items()), data.draw(st.booleans()))
        kinds = st.sampled_from(["Integral", "Fractional", "String", "Unknown"])
        present, missing = data.draw(st.integers(0, 10**18)), data.draw(st.integers(0, 10**18))
        chosen = data.draw(st.sampled_from([(numbers, None), (None, texts), (numbers, texts), (None, None)]))
        return FeatureStatistics(name, data.draw(kinds), present, missing, *chosen)

    names = data.draw(st.lists(st.text(max_size=6), max_size=4, unique=True))
    drift = tuple(
        FeatureDrift(
            name,
            data.draw(st.sampled_from(["PSI", "ChiSquared"])),
            *data.draw(st.tuples(*[st.none() | st.floats()] * 3)),
        )
        for name in names
    )
    wrong = tuple(
        _violation(
            name,
            data.draw(st.sampled_from(["completeness_check", "baseline_drift_check", "x"])),
            value=data.draw(st.floats()),
            threshold=data.draw(st.floats()),
        )
        for name in names[:2]
    )
    page = render(
        _report(
            TableStatistics(data.draw(st.integers(0, 10**20)), tuple(map(feature, names))),
            data.draw(st.none() | st.sampled_from(Verdict)),
            baseline=data.draw(st.none() | st.just(TableStatistics(1, tuple(map(feature, names[1:]))))),
            drift=drift,
            violations=wrong,
        )
    )  # fmt: skip
    make.sound(page, MOST)
