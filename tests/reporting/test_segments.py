"""Segments on the pages of both monitors: the worst first, what is left out counted, and no value that can break it."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.core.documents import Constraint
from driftline.core.table_constraints import DataQualityConstraints, FeatureConstraints, FeatureOverride
from driftline.core.table_statistics import TableStatistics
from driftline.core.verdict import Verdict
from driftline.reporting.data_quality import TableReport
from driftline.reporting.data_quality import render as render_table
from driftline.reporting.model_quality import render
from driftline.reporting.segments import read_segments
from driftline.reporting.sizes import MOST_BYTES, MOST_TABLE_BYTES

UGLY = ["", "<script>alert(1)</script>", "\"&'>", "x" * 10_000, "\x00\ud800\u202e", "名" * 500, "</div></section>"]


def rank(segment: Any, place: int = 1, column: Any = "plan", of: int = 3, **changes: Any) -> dict[str, Any]:
    known = {"column": column, "segment": segment, "rows": 120, "share": 0.4, "metric": "f2", "value": 0.5}
    known |= {"lower": 0.4, "upper": 0.6, "reference": 0.62, "place": place, "segments": of}
    return known | changes


def drifted(segment: Any, **changes: Any) -> dict[str, Any]:
    return rank(segment, **({"metric": "drifted_share", "violations": 1, "violated": ["income"]} | changes))


def quality(make: ModuleType, *ranks: Any, **changes: Any) -> str:
    statistics = make.binary() | {"segments": list(ranks)}
    constraints = {"f2": Constraint(0.7, "LessThanThreshold")}
    return render(make.report(statistics, **({"constraints": constraints} | changes)))


def table(*ranks: Any, constraints: DataQualityConstraints | None = None) -> str:
    return render_table(
        TableReport(
            title="Data quality", window="", verdict=Verdict.OK, generated="now", current=TableStatistics(100, ()),
            constraints=constraints, segments=ranks,
        )
    )  # fmt: skip


def section(page: str) -> str:
    """The segments as text."""
    found = re.search(r"<section><h2>Segments</h2>(.*?)</section>", page, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", found.group(1), flags=re.DOTALL).split())


def labels(make: ModuleType, page: str) -> list[list[str]]:
    """The names in each wide chart of segments, from the top."""
    charts = [one for one in make.drawings(page) if " by segment of " in (one.findtext(f"{make.SVG}title") or "")]
    return [
        [group.findtext(f"{make.SVG}text") or "" for group in chart.iter(f"{make.SVG}g")]
        for chart in charts
        if chart.get("width") == "900"
    ]


def test_segments_are_drawn_in_their_order_a_chart_a_column(make: ModuleType) -> None:
    ranks = rank("tin", 1, apart=True), rank("gold", 2), rank("below 30", 1, "age", 1)
    page = quality(make, *ranks)
    make.sound(page)
    assert labels(make, page) == [["tin", "gold"], ["below 30"]]
    said = section(page)
    assert "plan : 3 segments, the worst first by F2" in said
    assert "and 1 more segment" in said
    assert "age : 1 segment by F2" in said
    chart = make.titled(page, "F2 by segment of plan")
    words = [node.text for node in chart.iter(f"{make.SVG}text")]
    assert {"n 120 (40.0 %)", "0.5000", "0.4000 – 0.6000", "✕ worse", "all rows: 0.6200", "threshold ≥ 0.7000"} <= {
        *words
    }
    assert words.count("✕ worse") == 1


def test_one_column_divided_twice_has_two_charts(make: ModuleType) -> None:
    ranks = rank("below 30", 1, "age", 2), rank("30 and above", 2, "age", 2), rank("below 50", 1, "age", 1)
    assert labels(make, quality(make, *ranks)) == [["below 30", "30 and above"], ["below 50"]]


def test_what_is_violated_is_named_and_the_rest_counted(make: ModuleType) -> None:
    names = [f"metric_{number}" for number in range(8)]
    ranks = (
        rank("tin", 1, violations=2, violated=["f2", "recall"]),
        rank("lead", 2, violations=31, violated=names),
        rank("gold", 3),
    )
    said = section(quality(make, *ranks))
    assert "tin ✕ 2 : F2 , Recall" in said
    assert "lead ✕ 31 : Metric 0 , Metric 1 , Metric 2 , Metric 3 , Metric 4 , Metric 5 and 25 more" in said
    assert "gold ✕" not in said
    assert "Violated in it" not in section(quality(make, rank("gold")))


def test_a_segment_without_a_value_says_why(make: ModuleType) -> None:
    undefined = rank("tin", value=None, lower=None, upper=None, error="no actual positives")
    chart = make.titled(quality(make, undefined), "F2 by segment of plan")
    assert "no actual positives" in [node.text for node in chart.iter(f"{make.SVG}text")]


def test_an_error_has_an_axis_of_its_own(make: ModuleType) -> None:
    ranks = [rank("tin", metric="rmse", value=30166.2, lower=28100.0, upper=52400.0, reference=20000.0)]
    page = render(make.report(make.regression() | {"segments": ranks}))
    words = [node.text for node in make.titled(page, "RMSE by segment of plan").iter(f"{make.SVG}text")]
    assert {"0", "20,000", "60,000", "30,166.20"} <= set(words)


def test_a_page_without_segments_has_no_such_section(make: ModuleType) -> None:
    assert "Segments" not in quality(make)
    assert "Segments" not in table()
    empty = {"dataset": {"item_count": 0}, "binary_classification_metrics": {}, "segments": []}
    assert "Segments" not in render(make.report(empty, Verdict.UNKNOWN))


def test_segments_of_a_table_name_the_features_that_drifted(make: ModuleType) -> None:
    page = table(drifted("tin", apart=True), drifted("gold", place=2, violations=0, violated=[]))
    make.sound(page, MOST_TABLE_BYTES)
    said = section(page)
    assert "plan : 3 segments, the worst first by drifted share" in said
    assert "Features that drifted in it tin ✕ 1 : income" in said
    assert labels(make, page) == [["tin", "gold"]]


def test_values_of_a_sensitive_column_are_not_shown(make: ModuleType) -> None:
    hidden = FeatureConstraints("plan", "String", 1.0, override=FeatureOverride(sensitive=True))
    ranks = drifted("secret1"), drifted("secret2", place=2), drifted("[0, 3)", column="age")
    page = table(*ranks, constraints=DataQualityConstraints((hidden,)))
    assert "secret" not in page
    assert labels(make, page) == [["segment 1", "segment 2"], ["[0, 3)"]]
    assert "Its values are marked as sensitive and are not shown." in section(page)


@pytest.mark.parametrize("ugly", UGLY)
def test_names_of_any_kind(make: ModuleType, ugly: str) -> None:
    changes = {"column": ugly, "violations": 2, "violated": [ugly, ugly]}
    for page, most in (
        (quality(make, rank(ugly, **changes), rank(ugly, 2, error=ugly, value=None)), MOST_BYTES),
        (table(drifted(ugly, **changes)), MOST_TABLE_BYTES),
    ):
        make.sound(page, most)
        assert "<script" not in page


def test_many_long_segments_keep_the_page_small(make: ModuleType) -> None:
    ugly = "&'" * 5000
    names = [f"{number}{ugly}" for number in range(20)]
    ranks = [
        rank(name, place, column, 900, error=ugly, violations=900, violated=names)
        for column in names
        for place, name in enumerate(names, start=1)
    ]
    make.sound(quality(make, *ranks))
    page = table(*(one | {"metric": "drifted_share"} for one in ranks))
    make.sound(page, MOST_TABLE_BYTES)
    assert re.search(r"and 8\d\d more segments", section(page))
    assert re.search(r"and \d+ more columns", section(page))


@pytest.mark.parametrize("odd", [None, 7, "x", {}, [None, 3, "x"], [{}], [{"column": None, "rows": "x"}]])
def test_documents_of_any_shape(make: ModuleType, odd: Any) -> None:
    make.sound(render(make.report(make.binary() | {"segments": odd})))


ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.lists(st.text(max_size=3))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(st.sampled_from(sorted(rank("x", violations=1, violated=1))), ODD), max_size=4))
def test_any_document_gives_a_sound_page(make: ModuleType, ranks: list[dict[str, Any]]) -> None:
    make.sound(quality(make, *ranks))
    make.sound(table(*ranks), MOST_TABLE_BYTES)


def test_segments_that_were_ranked_before_places_were_kept() -> None:
    old = {"column": "plan", "segment": "tin", "rows": 9, "share": 0.5, "metric": "f2", "value": 0.5}
    groups = read_segments([old, old | {"segment": "gold"}, old | {"column": "age"}])
    assert [(group.column, group.every, len(group.segments)) for group in groups] == [("plan", 2, 2), ("age", 1, 1)]
    assert groups[0].guides == ()
