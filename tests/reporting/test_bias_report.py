"""The page of a bias run: what grew comes first, every value is said in words, and no name can break it."""

from __future__ import annotations

import math
import re
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.core.bias_analysis import STAGES, BiasAnalysis, BiasMetric, FacetBias, Stage
from driftline.core.bias_metrics import DESCRIPTIONS
from driftline.core.documents import Interval, Violation
from driftline.core.verdict import Reason, Verdict
from driftline.reporting.bias import BiasReport, render
from driftline.reporting.bias_parts import BiasRow
from driftline.reporting.bias_sentences import meaning

MOST = 3_000_000
UGLY = ["", "<script>alert(1)</script>", "\"&'>", "x" * 10_000, "\x00\ud800\u202e", "名" * 500, "</table></section>"]


def _metric(name: str, value: float | None, error: str | None = None) -> BiasMetric:
    finite = value is not None and math.isfinite(value)
    interval = Interval(value - 0.05, value + 0.05, 0.95, "bootstrap") if finite else None  # type: ignore[operator]
    return BiasMetric(name, name, value, error, interval)


def _part(stage: Stage, value: str = "f", facet: str = "sex", **values: float | None) -> FacetBias:
    return FacetBias(stage, facet, value, tuple(_metric(*one) for one in values.items()), (100, 400))


def _analysis(*parts: FacetBias) -> BiasAnalysis:
    return BiasAnalysis("Churn", "1", parts)


def _report(current: BiasAnalysis, verdict: Verdict | None = Verdict.OK, **changes: Any) -> BiasReport:
    known = {"title": "Bias of churn", "window": "23:00–00:00", "generated": "2026-11-23 00:00:01"}
    return BiasReport(current=current, verdict=verdict, **(known | changes))


def _wrong(name: str, value: float, **more: Any) -> Violation:
    said = f"Value {value} does not meet the constraint requirement"
    given = {"facet": "sex", "facet_value": "f", "stage": "pre_training"} | more
    return Violation(metric_name=name, constraint_check_type="bias_drift_check", description=said, value=value, **given)


def _found(page: str) -> dict[str, list[str]]:
    """The cells of each metric's line."""
    lines = re.findall(r'<tr><th scope="row"><bdi>([^<]*)</bdi></th>(<td class="why">.*?)</tr>', page)
    return {name: re.findall(r"<td[^>]*>(.*?)</td>", line) for name, line in lines}


def test_each_metric_is_held_against_its_baseline(make: ModuleType) -> None:
    now = _analysis(_part("pre_training", DPL=0.31, CI=0.32, JS=0.01, LP=None, XX=0.5))
    was = _analysis(_part("pre_training", DPL=0.24, CI=0.30, JS=0.02, LP=0.1, KS=0.2))
    page = render(_report(now, Verdict.VIOLATED, baseline=was, violations=(_wrong("DPL", 0.31),)))
    make.sound(page, MOST)
    assert make.headline(page) == "DPL of sex: f is 0.31, further from the fair 0 than its baseline 0.24"
    assert "<p>What it says of sex: f: Its labels are positive 31.0 percentage points less often" in page
    rows = _found(page)
    assert {name: cells[1] for name, cells in rows.items()} == {
        "DPL": "✕ violated",
        "CI": "~ may be chance",
        "JS": "✓ not worse",
        "LP": "? not compared",
        "XX": "? not compared",
        "KS": "? not compared",
    }
    assert rows["DPL"] == [
        "Its labels are positive 31.0 percentage points less often than the others&#39;.",
        "✕ violated", "0.3100", "0.2600 to 0.3600", "0.2400",
    ]  # fmt: skip
    assert rows["LP"][0] == "No value: undefined."
    assert rows["KS"][0] == "No value: not measured this time."
    assert "It is 100 of 400 rows (25.0 %); the others are all other rows." in page


def test_ratios_and_what_reaches_far_have_axes_of_their_own(make: ModuleType) -> None:
    page = render(_report(_analysis(_part("post_training", DPPL=0.2, AD=-0.1, DI=0.6, TE=3.5, FT=None))))
    wide = [drawing for drawing in make.drawings(page) if drawing.get("width") == "900"]
    said = [drawing.findtext(f"{make.SVG}desc") for drawing in wide]
    assert [text.partition(";")[0] for text in said] == ["fair: 0", "fair: 1", "fair: 0"]
    assert "FT has no value: undefined" in said[0]
    assert "baseline" not in "".join(said)


def test_the_baseline_is_drawn_beside_the_value(make: ModuleType) -> None:
    now, was = (_analysis(_part("pre_training", DPL=value)) for value in (0.1, 0.3))
    page = render(_report(now, baseline=was))
    (drawing, _) = make.drawings(page)
    assert "DPL 0.1000 (0.0500 to 0.1500), baseline 0.3000, ✓" in (drawing.findtext(f"{make.SVG}desc") or "")
    # One in the legend, one in the row.
    assert len([one for one in drawing.iter(f"{make.SVG}polygon") if one.get("class") == "was-mark"]) == 2


def test_an_interval_is_the_same_part_though_its_upper_end_moved(make: ModuleType) -> None:
    now = _analysis(_part("pre_training", "(50.0, 91.0]", "age", DPL=0.1))
    was = _analysis(_part("pre_training", "(50.0, 89.0]", "age", DPL=0.3))
    page = render(_report(now, baseline=was))
    assert _found(page)["DPL"][1] == "✓ not worse"
    assert "<h2>age: (50.0, 91.0]</h2>" in page


def test_parts_with_violations_come_first_then_those_that_grew(make: ModuleType) -> None:
    now = _analysis(*(_part("pre_training", value, DPL=size) for value, size in (("a", 0.1), ("b", 0.5), ("c", 0.2))))
    was = _analysis(*(_part("pre_training", value, DPL=0.1) for value in "abc"))
    wrong = (_wrong("DPL", 0.2, facet_value="c", stage=None), _wrong("ZZ", 0.2))
    page = render(_report(now, Verdict.VIOLATED, baseline=was, violations=wrong))
    assert re.findall(r"<h2>sex: (\w)</h2>", page) == ["c", "b", "a"]
    assert make.headline(page).endswith("and 1 more violation")
    assert "<h2>2 violations</h2>" in page


def test_infinite_values_are_said_not_drawn(make: ModuleType) -> None:
    now = _analysis(_part("post_training", DI=math.inf, TE=-math.inf, DAR=math.nan))
    page = render(_report(now, Verdict.OK, baseline=_analysis(_part("post_training", DI=1.2, TE=0.5, DAR=0.1))))
    make.sound(page, MOST)
    rows = _found(page)
    assert rows["DI"][0] == "None of the others is predicted positive."
    assert (rows["DI"][2], rows["TE"][2], rows["DAR"][2]) == ("∞", "−∞", "–")
    wrong = (_wrong("DI", math.inf, stage="post_training"),)
    page = render(_report(now, Verdict.VIOLATED, baseline=_analysis(_part("post_training", DI=1.2)), violations=wrong))
    assert make.headline(page) == "DI of sex: f has no end, further from the fair 1 than its baseline 1.2"


def test_ok_unknown_and_a_baseline_say_so(make: ModuleType) -> None:
    found = _analysis(_part("pre_training", DPL=0.1, CI=0.2))
    assert make.headline(render(_report(found, baseline=found))) == "No bias has grown: 2 metrics held"
    assert make.headline(render(_report(found))) == "Nothing is violated"
    page = render(_report(found, None))
    assert make.headline(page) == "Baseline with 2 bias metrics of 1 part"
    assert "Found" not in page
    assert "n = 400 rows. Label Churn, positive: 1. 1 facet with 1 part" in page
    reason = Reason("too_few_rows", "12 rows are too few", {"rows": 12})
    page = render(_report(found, Verdict.UNKNOWN, baseline=found, reasons=(reason,)))
    assert make.headline(page) == "Could not tell: 12 rows are too few"
    assert _found(page)["DPL"][1] == "? not compared"


def test_a_metric_that_the_run_did_not_check_is_not_called_met(make: ModuleType) -> None:
    found = _analysis(_part("pre_training", DPL=0.1, CI=0.2))
    why = Reason("not_compared", "1 of 2 metrics was not checked", {"metrics": {"CI of sex f": "5 rows in the facet"}})
    page = render(_report(found, baseline=found, reasons=(why,)))
    assert [cells[1] for cells in _found(page).values()] == ["✓ not worse", "? not compared"]
    assert '<th scope="row">CI of sex f</th><td>5 rows in the facet</td>' in page


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("value", [0.0, 0.3, -0.3, 1e308, math.inf, -math.inf, 1e-9])
def test_every_metric_has_a_sentence_for_every_value(stage: Stage, value: float) -> None:
    for name in DESCRIPTIONS[stage]:
        said = meaning(BiasRow(stage, name, BiasMetric(name, "", value)))
        assert said.endswith((".", "…"))
        assert "{" not in said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CI", 0.3, "It is 35.0 % of the rows."),
        ("DPL", -0.2, "Its labels are positive 20.0 percentage points more often than the others'."),
        ("DPL", 0.0, "Its labels are positive as often as the others'."),
        (
            "DI",
            0.64,
            "It is predicted positive 0.64 times as often as the others; below 0.8 is widely held to be unfair.",
        ),
        ("TE", -0.64, "Per false positive it has 0.64 fewer false negatives than the others."),
        ("AD", 0.05, "Its predictions are right 5.0 percentage points less often than the others'."),
        ("SD", 0.05, "Its negatives are recognised 5.0 percentage points more often than the others'."),
        ("TVD", 0.238, "23.8 % of its labels would have to change to be distributed as the others' are."),
    ],
)
def test_a_value_is_said_in_words(name: str, value: float, said: str) -> None:
    assert meaning(BiasRow("pre_training", name, BiasMetric(name, "", value))) == said


@pytest.mark.parametrize("name", UGLY)
def test_hostile_names_do_no_harm(make: ModuleType, name: str) -> None:
    metric = BiasMetric(name, name, 0.1, None, Interval(0.0, 0.2, 0.95, name))
    failed = BiasMetric(name + "2", name, None, name)
    found = BiasAnalysis(name, name, (FacetBias("pre_training", name, name, (metric, failed), (1, 2)),))
    wrong = Violation(
        metric_name=name, constraint_check_type=name, description=name, facet=name, facet_value=name, stage=name
    )
    reason = Reason(name, name, {"metrics": {name: name}, "values": [name]})
    for verdict in Verdict:
        report = _report(found, verdict, baseline=found, violations=(wrong,), reasons=(reason,), title=name)
        page = render(report)
        make.sound(page, MOST)
        assert "<script" not in page


def test_a_page_of_many_parts_stays_small(make: ModuleType) -> None:
    names = {name: 0.1 for stage in STAGES for name in DESCRIPTIONS[stage]}
    parts = [_part(stage, "v" * 300 + str(place), **names) for place in range(1000) for stage in STAGES]
    found = _analysis(*parts)
    page = render(_report(found, baseline=found))
    make.sound(page, MOST)
    assert "<h2>More parts</h2>" in page
    assert "more parts</p>" in page


values = st.none() | st.floats() | st.sampled_from([0.0, 1e308, -1e308, 5e-324])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(values, min_size=4, max_size=4), st.floats(), st.floats())
def test_any_numbers_make_a_sound_page(make: ModuleType, given: list[float | None], lower: float, upper: float) -> None:
    interval = Interval(lower, upper, 0.95, "x")
    names = ("DPL", "KL", "DI", "TE")
    now = [BiasMetric(name, "", value, None, interval) for name, value in zip(names, given, strict=True)]
    was = [BiasMetric(name, "", value) for name, value in zip(names, reversed(given), strict=True)]
    sides = [_analysis(FacetBias("pre_training", "sex", "f", tuple(side))) for side in (now, was)]
    wrong = (_wrong("DI", 1.0), _wrong("KL", 1.0))
    make.sound(render(_report(sides[0], Verdict.VIOLATED, baseline=sides[1], violations=wrong)), MOST)
