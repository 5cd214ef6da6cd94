"""The page of an attribution run: what changed comes first, bars say what the numbers say, no name can break it."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.core.attribution_analysis import Attribution, AttributionAnalysis, LabelAttributions
from driftline.core.documents import Interval, Violation
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.pipeline.attribution_report import attribution_report_html
from driftline.pipeline.report import Frame
from driftline.reporting.attribution import AttributionReport, RankingDrift, render
from driftline.reporting.rankings import rankings_of

MOST = 300_000
UGLY = ["", "<script>alert(1)</script>", "\"&'>", "x" * 10_000, "\x00\ud800\u202e", "名" * 500, "</table></section>"]


def _label(name: str = "label0", /, **values: float) -> LabelAttributions:
    features = tuple(
        Attribution(one, value, Interval(0.9 * value, 1.1 * value, 0.95, "x")) for one, value in values.items()
    )
    return LabelAttributions(name, features, -1.5)


def _analysis(*labels: LabelAttributions, rows: int = 500) -> AttributionAnalysis:
    return AttributionAnalysis(labels, "mean_abs", "tree_shap", rows)


def _report(current: AttributionAnalysis, verdict: Verdict | None = Verdict.OK, **changes: Any) -> AttributionReport:
    known = {"title": "Attribution of churn", "window": "23:00–00:00", "generated": "2026-11-23 00:00:01"}
    return AttributionReport(current=current, verdict=verdict, **(known | changes))


def _wrong(label: str = "label0") -> Violation:
    return Violation(
        metric_name="shap",
        constraint_check_type="feature_attribution_drift_check",
        description="Feature attribution drift 0.69 exceeds threshold 0.9",
        label=label,
        item_count=500,
    )


def _rows(page: str) -> dict[str, list[str]]:
    table = page.partition('class="rankings"')[2].partition("</table>")[0]
    lines = re.findall(r'<tr><th scope="row"><bdi>(.*?)</bdi></th>(.*?)</tr>', table)
    return {name: re.findall(r"<td[^>]*>(.*?)</td>", line) for name, line in lines}


# The worked example of the original's documentation.
WAS = _analysis(_label(SAT=0.70, GPA=0.50, rank=0.05), rows=900)
NOW = _analysis(_label(SAT=0.10, GPA=0.20, rank=0.70))


def test_the_worked_example_is_told_as_it_is(make: ModuleType) -> None:
    drift = (RankingDrift("label0", 0.688, 0.66, 0.71, 0.9, True, losses={"SAT": 0.33, "rank": -0.02}),)
    page = render(_report(NOW, Verdict.VIOLATED, baseline=WAS, drift=drift, violations=(_wrong(),)))
    make.sound(page, MOST)
    assert make.headline(page) == "The features weigh otherwise: their NDCG 0.69 is below 0.90"
    assert _rows(page) == {
        "rank": ["1", "0.7000", "0.6300 – 0.7700", "70.0 %", "3", "▲ 2", "0.0500", "4.0 %"],
        "GPA": ["2", "0.2000", "0.1800 – 0.2200", "20.0 %", "2", "=", "0.5000", "40.0 %"],
        "SAT": ["3", "0.1000", "0.0900 – 0.1100", "10.0 %", "1", "▼ 2", "0.7000", "56.0 %"],
    }
    assert re.findall(r"<li>(.*?)</li>", page) == [
        "SAT fell from rank 1 to 3; its share went from 56.0 % to 10.0 %, which takes 0.330 from the NDCG",
        "rank rose from rank 3 to 1; its share went from 4.0 % to 70.0 %",
        "GPA kept rank 2; its share went from 40.0 % to 20.0 %",
    ]
    said = "n = 500 rows. A feature weighs the mean of absolute SHAP values by exact TreeSHAP; baseline of 900 rows"
    assert said in page
    assert "Without any feature the model would say -1.5000, in the baseline -1.5000." in page


@pytest.mark.parametrize("narrow", [False, True])
def test_bars_are_as_long_as_the_weights(make: ModuleType, narrow: bool) -> None:
    page = render(_report(NOW, baseline=WAS))
    drawings = [one for one in make.drawings(page) if one.findtext(f"{make.SVG}title") == "3 features by weight"]
    drawing = drawings[narrow]
    left, whole = (0, 334) if narrow else (230, 380)
    # The longest thing is the upper end of an interval, 1.1 × 0.70.
    for row, now, was in zip(drawing.iter(f"{make.SVG}g"), (0.7, 0.2, 0.1), (0.05, 0.5, 0.7), strict=True):
        bars = {one.get("class"): one for one in row.iter(f"{make.SVG}rect")}
        for class_, value in (("bins", now), ("was-bins", was)):
            assert float(bars[class_].get("x")) == left
            assert float(bars[class_].get("width")) == pytest.approx(value / 0.77 * whole, abs=0.02)


def test_features_of_one_side_only_are_told(make: ModuleType) -> None:
    now, was = _analysis(_label(a=0.5, b=0.1)), _analysis(_label(a=0.5, c=0.3))
    page = render(_report(now, baseline=was))
    rows = _rows(page)
    assert rows["b"][4:] == ["–", "new", "–", "–"]
    assert rows["c"][:4] == ["–", "–", "–", "–"]
    assert rows["c"][5] == "gone"
    assert "b is new" in page
    assert "c is no longer there" in page


def test_features_without_weight_are_counted_not_drawn(make: ModuleType) -> None:
    page = render(_report(_analysis(_label(a=0.5, b=0.0, c=0.0)), baseline=_analysis(_label(a=0.5, b=0.1, c=0.0))))
    drawing = make.titled(page, "3 features by weight")
    assert len(list(drawing.iter(f"{make.SVG}g"))) == 2
    assert "1 more weigh nothing." in page
    page = render(_report(_analysis(_label(a=0.0)), None))
    make.sound(page, MOST)
    assert "No feature weighs anything." in page


def test_single_labels_of_two_names_are_the_same(make: ModuleType) -> None:
    report = _report(_analysis(_label("churn", a=1.0)), baseline=_analysis(_label("label0", a=2.0)))
    (ranking,) = rankings_of(report)
    assert (ranking.label, ranking.compared, ranking.features[0].rise) == ("churn", True, 0)


def test_labels_are_ordered_by_what_is_worst(make: ModuleType) -> None:
    now = _analysis(*(_label(name, a=1.0, b=0.5) for name in ("cat", "dog", "owl", "fox")))
    drift = (
        RankingDrift("cat", 0.99, 0.98, 1.0),
        RankingDrift("dog", 0.88, 0.85, 0.93),
        RankingDrift("owl", reason="the baseline has no output of this name"),
        RankingDrift("fox", 0.95, violated=True, threshold=0.97),
    )
    page = render(_report(now, Verdict.VIOLATED, baseline=now, drift=drift, violations=(_wrong("fox"),)))
    assert re.findall(r"<h2>(\w+): 2 features</h2>", page) == ["fox", "dog", "cat", "owl"]
    assert make.headline(page) == "The features of fox weigh otherwise: their NDCG 0.95 is below 0.97"
    drawing = make.titled(page, "NDCG against the baseline&#39;s ranking".replace("&#39;", "'"))
    said = drawing.findtext(f"{make.SVG}desc")
    assert "fox 0.9500, ✕ drifted" in said
    assert "dog 0.8800 (0.8500 to 0.9300), ? unsure" in said
    assert "cat 0.9900 (0.9800 to 1.0000), ✓ met" in said
    assert "owl has no value: the baseline has no output of this name" in said


def test_ok_unknown_and_a_baseline_say_so(make: ModuleType) -> None:
    drift = (RankingDrift("label0", 0.99, 0.98, 1.0),)
    page = render(_report(WAS, baseline=WAS, drift=drift))
    assert make.headline(page) == "The features weigh as they did"
    assert "<li>" not in page
    assert make.headline(render(_report(WAS, baseline=WAS))) == "Nothing is violated"
    page = render(_report(WAS, None))
    assert make.headline(page) == "Baseline of attributions with 3 features"
    assert "Rank before" not in page
    two = _analysis(_label("a", x=1.0), _label("b", x=1.0))
    page = render(_report(two, baseline=two, drift=(RankingDrift("a", 0.99), RankingDrift("b", reason="none"))))
    assert make.headline(page) == "The features weigh as they did, for 1 of 2 labels"
    page = attribution_report_html(
        Frame("Attribution", "now", Judgement(Verdict.UNKNOWN, (Reason("too_few_rows", "12 rows are too few"),))),
        current=WAS,
        baseline=AttributionAnalysis(WAS.labels, "median", "kernel_shap", 9),
        drift=drift,
    )
    make.sound(page, MOST)
    assert make.headline(page) == "Could not tell: 12 rows are too few"
    assert "The baseline was made otherwise: the median of absolute SHAP values by Kernel SHAP." in page


@pytest.mark.parametrize("name", UGLY)
def test_hostile_names_do_no_harm(make: ModuleType, name: str) -> None:
    label = LabelAttributions(
        name, (Attribution(name, 1.0, Interval(0.0, 2.0, 0.95, name)), Attribution("b", 2.0)), 0.0
    )
    found = AttributionAnalysis((label, _label("other", b=1.0)), "mean_abs", name, 3)
    drift = (RankingDrift(name, 0.5, 0.4, 0.6, 0.9, True, losses={name: 0.4}), RankingDrift("other", reason=name))
    for verdict in Verdict:
        report = _report(found, verdict, baseline=found, violations=(_wrong(name),), drift=drift, title=name)
        page = render(report)
        make.sound(page, MOST)
        assert "<script" not in page


def test_ten_thousand_features_and_a_thousand_labels_stay_small(make: ModuleType) -> None:
    many = _analysis(
        LabelAttributions("label0", tuple(Attribution("f" * 500 + str(n), 1.0 / (n + 1)) for n in range(10_000)), 0.0)
    )
    page = render(_report(many, baseline=many))
    make.sound(page, MOST)
    assert re.search(r"9,\d\d0 more features", page)
    labels = _analysis(*(_label("<script>" * 30 + str(n), a=1.0, b=0.5) for n in range(1000)))
    drift = tuple(RankingDrift(one.label, 0.95, 0.94, 0.96) for one in labels.labels)
    page = render(_report(labels, baseline=labels, drift=drift))
    make.sound(page, MOST)
    assert "more labels</p>" in page


numbers = st.floats() | st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(numbers, max_size=5), st.lists(numbers, max_size=5), numbers)
def test_any_numbers_make_a_sound_page(make: ModuleType, now: list[float], was: list[float], ndcg: float) -> None:
    sides = [
        AttributionAnalysis((LabelAttributions("y", tuple(Attribution(f"f{n}", v) for n, v in enumerate(side)), ndcg),))
        for side in (now, was)
    ]
    drift = (RankingDrift("y", ndcg, ndcg, 1.0, losses={"f0": ndcg}),)
    make.sound(render(_report(sides[0], baseline=sides[1], drift=drift)), MOST)
    make.sound(render(_report(sides[0], Verdict.VIOLATED, drift=drift, violations=(_wrong("y"),))), MOST)


def test_nothing_at_all_has_a_page(make: ModuleType) -> None:
    page = render(_report(AttributionAnalysis(())))
    make.sound(page, MOST)
    page = render(_report(AttributionAnalysis((LabelAttributions("y", (), 0.0),)), None))
    assert "There is none." in page
