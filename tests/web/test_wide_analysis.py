"""The analysis of a table of two thousand columns: fifty a page, whatever they are called, and never too large."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from litestar.testing import TestClient

from driftline.core.documents import Violation, dump
from driftline.core.table_constraints import FeatureOverride
from driftline.core.table_constraints_document import table_constraints_document
from driftline.core.table_statistics import (
    Bucket,
    FeatureStatistics,
    NumericalStatistics,
    StringStatistics,
    TableStatistics,
)
from driftline.core.table_statistics_document import write_statistics
from driftline.core.verdict import Verdict
from driftline.core.window import HOUR, Window
from driftline.monitors.data_quality.drift import compare
from driftline.monitors.data_quality.suggest import suggest
from driftline.pipeline.data_quality import kept_document
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.service import Service
from driftline.storage import endpoints, executions
from driftline.testing import START

COLUMNS = 2000
BUDGET = 120_000


def named(number: int) -> str:
    """A name that no two columns share and that does not compress."""
    random = np.random.default_rng(number)
    odd = "".join(map(chr, random.integers(0x4E00, 0x9FA0, 60)))
    return f"{number}</td><script>{odd}"


def feature(name: str, values: Any) -> FeatureStatistics:
    """The statistics of numbers, with a small sketch."""
    array = np.sort(np.asarray(values, dtype=float))
    counts, edges = np.histogram(array, 10)
    buckets = tuple(Bucket(*map(float, one)) for one in zip(edges[:-1], edges[1:], counts, strict=True))
    moments = [float(of(array)) for of in (np.mean, np.sum, np.std, np.min, np.max)]
    return FeatureStatistics(
        name, "Fractional", array.size, 0, NumericalStatistics(*moments, buckets, (tuple(array.tolist()),))
    )


def table(shift: float) -> TableStatistics:
    """All columns; every seventh is moved."""
    draws = np.random.default_rng(3).normal(size=(COLUMNS, 60))
    return TableStatistics(
        60, tuple(feature(named(place), row + shift * (place % 7 == 0)) for place, row in enumerate(draws))
    )


def finished(service: Service, now: TableStatistics, was: TableStatistics, **limits: Any) -> str:
    """A run that found ``now``, held against ``was``; its id."""
    constraints = msgspec.structs.replace(suggest(was), **limits)
    drift = compare(now, was, constraints)
    wrong = [
        Violation(
            feature_name=one.name, constraint_check_type="baseline_drift_check", description="It drifted",
            value=one.distance, threshold=one.threshold, samples=('o-1: {"a":1}',),
        )
        for one in drift.features if one.drifted
    ]  # fmt: skip
    service.put_baseline("wide", dump(table_constraints_document(constraints)), write_statistics(was))
    with service.store.write() as db:
        endpoints.create(
            db, "wide", model_path="models/none", now=START, model=ModelDescription(), capture=CaptureSettings()
        )
    service.create_schedule(
        "wide", endpoint="wide", cron="0 * * * *", monitor="data-quality", baseline="wide", attributes={}
    )
    report = service.layout.data / "reports" / "wide"
    report.mkdir(parents=True)
    (report / "statistics.json").write_bytes(write_statistics(now))
    outcome = executions.Outcome(
        "CompletedWithViolations", Verdict.VIOLATED, "done", violations=tuple(wrong), item_count=now.item_count,
        statistics=msgspec.json.decode(dump(kept_document(now, drift, "then"))),
    )  # fmt: skip
    window = Window(START, START + HOUR)
    with service.store.write() as db:
        schedule = service.get_schedule("wide")
        executions.add(db, schedule, window, tick=window.end, revision=1, report="reports/wide", now=START)
        run = executions.claim(db, owner="x", now=START, real=START, lease=timedelta(minutes=1))
        assert run is not None
        executions.finish(db, run, outcome, START)
    return run.id


def test_a_page_holds_fifty_of_two_thousand_columns(web: TestClient[Any], service: Service) -> None:
    run = finished(service, table(3.0), table(0.0))
    for query, first, last in (("", 1, 50), ("?page=2", 51, 100), ("?page=40", 1951, 2000), ("?page=999", 1951, 2000)):
        answer = web.get(f"/runs/{run}/analysis{query}")
        assert f"Features {first}–{last} of 2000, the worst first" in answer.text
        assert len(zlib.compress(answer.content)) < BUDGET
        assert "<script>" not in answer.text
    names = [one["name"] for one in web.get(f"/runs/{run}/analysis.json").json()["features"]]
    assert all(int(name.partition("<")[0]) % 7 == 0 for name in names)
    assert [one["name"] for one in web.get(f"/runs/{run}/analysis.json?q=1234%3C").json()["features"]] == [named(1234)]
    page = web.get(f"/runs/{run}/analysis").text
    assert 'rel="next" href="?page=2"' in page
    assert 'rel="prev"' not in page
    assert "286 violations" in page
    assert "and 266 more" in page
    one = web.get(f"/runs/{run}/violations/285")
    assert one.status_code == 200
    assert len(zlib.compress(one.content)) < BUDGET


@pytest.mark.parametrize("place", ["analysis", "violations/0"])
def test_values_of_a_sensitive_feature_are_in_no_form_of_a_page(
    web: TestClient[Any], service: Service, place: str
) -> None:
    def side(*texts: str) -> TableStatistics:
        string = StringStatistics(len(texts), tuple((text, 300) for text in texts))
        return TableStatistics(600, (FeatureStatistics("name", "String", 600, 0, None, string),))

    now, was = side("Ann Secret", "Cy Secret"), side("Ann Secret", "Bo Secret")
    (limits,) = suggest(was).features
    hidden = msgspec.structs.replace(limits, override=FeatureOverride(sensitive=True))
    run = finished(service, now, was, features=(hidden,))
    for form in (place, f"{place}.json"):
        answer = web.get(f"/runs/{run}/{form}")
        assert answer.status_code == 200
        assert "Secret" not in answer.text
    assert "marked as sensitive" in web.get(f"/runs/{run}/{place}").text
