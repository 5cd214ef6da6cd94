"""The page of a run's analysis and those of its violations, for all four monitors of a small model."""

from __future__ import annotations

import re
import shutil
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from litestar.testing import TestClient

from driftline.core.analysis_config import analysis_config_document
from driftline.core.analysis_documents import analysis_document
from driftline.core.documents import constraints_document, dump
from driftline.core.records import CaptureData, CaptureRecord, EventMetadata, Payload
from driftline.core.table_constraints_document import table_constraints_document
from driftline.core.table_statistics_document import write_statistics
from driftline.core.window import HOUR, Window
from driftline.jobs.executions import Worker
from driftline.jobs.planning import plan_due
from driftline.pipeline import baseline_model_quality, run_monitor
from driftline.pipeline.attribution_tables import baseline_attribution
from driftline.pipeline.bias_tables import baseline_bias
from driftline.pipeline.data_tables import baseline_data_quality
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.resources.executions import Execution
from driftline.service import Service
from driftline.storage import baselines, endpoints, executions
from driftline.testing import START, FakeClock, write_captures, write_labels

EVIL = "<script>alert('x')</script>"
MONITORS = ("model-quality", "data-quality", "bias", "attribution")
NAMES = ("score", "age", "calls", EVIL, "plan")
Runs = dict[str, list[Execution]]
"""The runs of each monitor: as ever, without data, moved, moved."""
_ROWS = 300


def rows(seed: int, *, moved: bool = False) -> pa.Table:
    """Rows with what the model says of them and the truth; of ``moved`` ones the calls count most and plans are new."""
    random = np.random.default_rng(seed)
    age, calls, other = random.integers(18, 90, _ROWS), random.normal(5, 2, _ROWS), random.normal(0, 1, _ROWS)
    label = (age + 4 * calls + random.normal(0, 8, _ROWS) > 75).astype(int)
    plan = random.choice(["gold", "tin"], _ROWS)
    if moved:
        age, other = random.integers(46, 56, _ROWS), other * 9
        calls, plan = calls * 9 + 30, np.where(np.arange(_ROWS) % 3 == 0, "brass & <co>", plan)
    return pa.table({"label": label, "age": age, "calls": calls, "other": other, "plan": plan})


def build(folder: Path, clock: FakeClock, service: Service) -> Runs:
    """The endpoint ``churn`` with a baseline and an hourly schedule of each monitor, and four hours of them."""
    table = rows(1)
    model = folder / "model.json"
    _train(table, model)
    for name, (constraints, statistics) in _baselines(table, model).items():
        service.put_baseline(name, constraints, statistics)
    place = service.layout.model("churn") / "model.json"
    place.parent.mkdir(parents=True)
    place.write_bytes(model.read_bytes())
    with service.store.write() as db:
        endpoints.create(
            db, "churn", model_path=service.layout.relative(place), now=START, upstream=None,
            model=ModelDescription(runtime="xgboost", n_features=3), capture=CaptureSettings(),
        )  # fmt: skip
    _schedules(service)
    found: Runs = {name: [] for name in MONITORS}
    for hour, moved in ((0, False), (1, None), (2, True), (3, True)):
        if moved is not None:
            _hour(service, hour, rows(2 + hour, moved=moved), model)
        clock.set(START + (hour + 1) * HOUR + timedelta(minutes=1))
        plan_due(service.store, service.layout, service.now())
        worker = Worker(service.store, service.layout, run_monitor, clock, owner="w")
        for _ in MONITORS:
            run = worker.run_next()
            assert run is not None
            found[run.schedule].append(run)
    return found


def _schedules(service: Service) -> None:
    score: dict[str, Any] = {"probability_attribute": 0, "probability_threshold": 0.5}
    known = {"names": ["score", "age", "calls", "other", "plan"]}
    attributes: dict[str, dict[str, Any]] = {
        "model-quality": score,
        "data-quality": {"names": list(NAMES)},
        "bias": score | known,
        "attribution": known | {"exclude": ["plan"], "threshold": 0.999, "rule": "plain"},
    }
    for name in MONITORS:
        service.create_schedule(
            name, endpoint="churn", cron="0 * * * *", monitor=name, baseline=name, attributes=attributes[name]
        )


def _matrix(table: pa.Table) -> Any:
    return np.column_stack([table[name].to_numpy().astype(float) for name in ("age", "calls", "other")])


def _train(table: pa.Table, path: Path) -> None:
    data = xgboost.DMatrix(_matrix(table), table["label"].to_numpy(), feature_names=["age", "calls", "other"])
    options = {"objective": "binary:logistic", "nthread": 1, "max_depth": 3, "seed": 1}
    xgboost.train(options, data, 12).save_model(path)


def scores(table: pa.Table, model: Path) -> Any:
    """What the model says of rows."""
    names = ["age", "calls", "other"]
    return xgboost.Booster(model_file=model).predict(xgboost.DMatrix(_matrix(table), feature_names=names)).astype(float)


def _baselines(table: pa.Table, model: Path) -> dict[str, tuple[bytes, bytes]]:
    said = scores(table, model)
    scored = table.append_column("score", pa.array(said))
    quality = baseline_model_quality(scored, label="label", probability="score")
    captured = pa.table(
        {name: scored[column] for name, column in zip(NAMES, ("score", "age", "calls", "other", "plan"), strict=True)}
    )
    data = baseline_data_quality(captured)
    fair = baseline_bias(
        scored, label="label", positive="1", facets=["age>=50"], probability="score", threshold=0.5, exclude=["plan"]
    )
    weights = baseline_attribution(table.drop_columns(["plan"]), model, label="label")
    attribution = dump(analysis_document(attribution=weights.analysis))
    return {
        "model-quality": (dump(constraints_document(quality.constraints)), dump(quality.statistics)),
        "data-quality": (dump(table_constraints_document(data.constraints)), write_statistics(data.statistics)),
        "bias": (dump(analysis_document(fair.analysis)), dump(analysis_config_document(fair.config))),
        "attribution": (attribution, dump(analysis_config_document(weights.config()))),
    }


def _hour(service: Service, hour: int, table: pa.Table, model: Path) -> None:
    base = START + hour * HOUR
    cells = table.select(["age", "calls", "other", "plan"]).to_pylist()
    records = [
        CaptureRecord(
            CaptureData(
                Payload(",".join(map(str, row.values())), "CSV", mode="INPUT"),
                Payload(repr(said), "CSV", mode="OUTPUT"),
            ),
            EventMetadata(
                f"event-{hour}-{place}", f"order-{hour}-{place}", inference_time=base + timedelta(seconds=place)
            ),
        )
        for place, (row, said) in enumerate(zip(cells, scores(table, model).tolist(), strict=True))
    ]
    write_captures(service.layout.captures("churn"), records)
    truth = {f"order-{hour}-{place}": str(label) for place, label in enumerate(table["label"].to_pylist())}
    write_labels(service.layout.labels("churn"), truth, collected=base)


class World(NamedTuple):
    """A service with its runs, and a client of its pages."""

    service: Service
    runs: Runs
    web: TestClient[Any]

    def page(self, run: Execution, place: str = "analysis") -> str:
        """A page of a run."""
        answer = self.web.get(f"/runs/{run.id}/{place}")
        assert answer.status_code == 200, answer.text[:2000]
        sound(answer.text)
        return answer.text

    def twin(self, run: Execution, place: str = "analysis") -> Any:
        """The same as data."""
        return self.web.get(
            f"/runs/{run.id}/{place.replace('?', '.json?') if '?' in place else place + '.json'}"
        ).json()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, over: Callable[[Service], TestClient[Any]]) -> Iterator[World]:
    folder, clock = tmp_path_factory.mktemp("four"), FakeClock()
    with Service(folder / "data", clock=clock) as service:
        runs = build(folder, clock, service)
        with over(service) as web:
            yield World(service, runs, web)


def sound(page: str) -> None:
    """Nothing in a page can run, it has one headline, and it is small."""
    assert "<script>" not in page
    assert 'style="' not in page
    assert page.count("<h1") == 1
    assert len(zlib.compress(page.encode())) < 120_000


@pytest.mark.parametrize("monitor", MONITORS)
@pytest.mark.parametrize("hour", range(4))
def test_every_run_has_its_analysis(world: World, monitor: str, hour: int) -> None:
    run = world.runs[monitor][hour]
    page, twin = world.page(run), world.twin(run)
    assert twin["head"]["id"] == run.id
    assert twin["head"]["monitor"] == monitor
    assert "<svg" not in str(twin)
    assert "svg" in page or hour == 1
    assert f'href="/runs/{run.id}"' in page
    beside = world.runs[monitor]
    for rel, place in (("prev", hour - 1), ("next", hour + 1)):
        link = f'rel="{rel}" href="/runs/{beside[place].id}/analysis"' if 0 <= place < 4 else f'rel="{rel}"'
        assert (link in page) == (0 <= place < 4)


@pytest.mark.parametrize("monitor", MONITORS)
def test_a_run_that_could_not_tell_says_why_and_draws_nothing(world: World, monitor: str) -> None:
    page = world.page(world.runs[monitor][1])
    assert '<h1 class="UNKNOWN"><span aria-hidden="true">?</span>' in page
    assert "captures looked for in" in page
    assert "<svg" not in page


@pytest.mark.parametrize("monitor", MONITORS)
def test_every_violation_has_its_page(world: World, monitor: str) -> None:
    run = world.runs[monitor][3]
    analysis = world.page(run)
    for number, violation in enumerate(run.violations):
        page, twin = world.page(run, f"violations/{number}"), world.twin(run, f"violations/{number}")
        assert twin["violation"]["description"] == violation.description
        assert f'href="/runs/{run.id}/violations/{number}"' in analysis
        assert f"violation {number + 1} of {len(run.violations)}" in page
        assert (f'rel="next" href="/runs/{run.id}/violations/{number + 1}"' in page) == (
            number + 1 < len(run.violations)
        )
        assert f'href="/baselines/{monitor}#' in page
    assert run.violations


@pytest.mark.parametrize("place", ["violations/99", "violations/-1", "violations/x", "violations/9999999999999"])
def test_there_is_no_other_violation(world: World, place: str) -> None:
    assert world.web.get(f"/runs/{world.runs['bias'][3].id}/{place}").status_code == 404


@pytest.mark.parametrize("path", ["/runs/none/analysis", "/runs/none/violations/0"])
def test_there_is_no_analysis_of_no_run(world: World, path: str) -> None:
    assert world.web.get(path).status_code == 404


def test_the_metrics_are_those_of_the_run(world: World) -> None:
    run = world.runs["model-quality"][3]
    page = world.page(run)
    family = run.statistics["binary_classification_metrics"]
    for name in ("recall", "f2", "auc"):
        assert f"{family[name]['value']:.4f}" in page
    matrix = family["confusion_matrix"]
    total = sum(sum(row.values()) for row in matrix.values())
    assert f"Confusion matrix of {total} predictions" in page
    assert world.twin(run)["report"]["statistics"]["binary_classification_metrics"]["f2"] == family["f2"]


def test_the_matrix_of_the_baseline_is_a_link_away(world: World) -> None:
    run = world.runs["model-quality"][3]
    here = f"/runs/{run.id}/analysis"
    assert f'<a href="{here}?baseline=1">show the baseline&#39;s</a>' in world.page(run)
    other = world.page(run, "analysis?baseline=1")
    assert "Confusion matrix of the baseline’s 300 predictions" in other
    assert f'<a href="{here}">show this data&#39;s</a>' in other
    assert world.twin(run, "analysis?baseline=1")["baseline_matrix"] is True


def test_a_violated_metric_stands_with_both_matrices(world: World) -> None:
    run = world.runs["model-quality"][3]
    place = next(n for n, one in enumerate(run.violations) if one.metric_name == "accuracy")
    page, twin = world.page(run, f"violations/{place}"), world.twin(run, f"violations/{place}")
    assert "Now: 300 predictions" in page
    assert "Baseline: 300 predictions" in page
    assert twin["detail"]["matrix"] == run.statistics["binary_classification_metrics"]["confusion_matrix"]
    assert "metric=accuracy" in page
    recent = twin["standing"]["recent"]
    values = [one.statistics.get("binary_classification_metrics", {}) for one in world.runs["model-quality"]]
    assert [one["run"] for one in recent] == [one.id for one in world.runs["model-quality"]]
    assert [one["value"] for one in recent] == [
        family["accuracy"]["value"] if run.item_count else None
        for family, run in zip(values, world.runs["model-quality"], strict=True)
    ]


def test_it_says_since_when_and_counts_what_could_not_tell(world: World) -> None:
    runs = world.runs["model-quality"]
    standing = world.twin(runs[3], _violation(runs[3], "recall"))["standing"]
    before = [n for n, one in enumerate(runs) if any(v.metric_name == "recall" for v in one.violations)]
    assert standing["since"]["run"] == runs[before[0]].id
    assert standing["runs"] == len(before)
    assert standing["untold"] == (1 if before[0] == 0 else 0)
    calls = world.runs["data-quality"]
    twin = world.twin(calls[3], _violation(calls[3], "calls"))
    assert twin["standing"]["since"]["run"] == calls[2].id
    assert (twin["standing"]["runs"], twin["standing"]["longer"]) == (2, False)
    page = world.page(calls[3], _violation(calls[3], "calls"))
    assert f'<a href="/runs/{calls[2].id}">2026-11-22 12:00</a>, 2 runs' in page
    assert f'<a href="/runs/{calls[2].id}/violations/' in page


def _violation(run: Execution, subject: str, check: str = "") -> str:
    found = (n for n, one in enumerate(run.violations) if one.subject == subject and check in one.constraint_check_type)
    return f"violations/{next(found)}"


def test_the_drift_of_a_feature_is_drawn_with_rows_that_show_it(world: World) -> None:
    run = world.runs["data-quality"][3]
    page, twin = world.page(run, _violation(run, "calls")), world.twin(run, _violation(run, "calls"))
    assert "Distribution now and in the baseline" in page
    assert "this data, n 300" in page
    assert "baseline, n 300" in page
    table = twin["detail"]["rows"]["table"]
    assert table["columns"][0] == "calls"
    assert 0 < len(table["rows"]) <= 10
    moved = {f"{value:.6g}" for value in rows(5, moved=True)["calls"].to_pylist()}
    assert {row[0] for row in table["rows"]} <= moved
    bins = twin["detail"]["feature"]["drawn"]["numbers"]
    apart = [now - was for now, was in zip(bins["now"], bins["was"], strict=True)]
    low = bins["edges"][apart.index(max(apart))]
    assert all(float(row[0]) >= low - 1e-3 for row in table["rows"])


def test_new_categories_stand_with_their_counts_and_records(world: World) -> None:
    run = world.runs["data-quality"][3]
    place = _violation(run, "plan", "categorical")
    page, twin = world.page(run, place), world.twin(run, place)
    assert '<bdi>brass &amp; &lt;co&gt;</bdi></th><td class="number">100</td>' in page
    assert twin["records"]["table"]["columns"][0] == "plan"
    assert {row[0] for row in twin["records"]["table"]["rows"]} == {"brass & <co>"}
    assert all(re.fullmatch(r"order-3-\d+", one) for one in twin["records"]["table"]["ids"])
    assert {row[0] for row in twin["detail"]["rows"]["table"]["rows"]} == {"brass & <co>"}


def test_features_are_found_by_a_part_of_their_name(world: World) -> None:
    run = world.runs["data-quality"][3]
    every = world.twin(run)
    assert {one["name"] for one in every["features"]} == set(NAMES)
    assert every["found"] == {"search": "", "features": 5, "of": 5, "page": 1, "pages": 1}
    found = world.twin(run, "analysis?q=SCRIPT")
    assert [one["name"] for one in found["features"]] == [EVIL]
    page = world.page(run, "analysis?q=%3Cscript%3E&page=7")
    assert "1 of 5 features have “<bdi>&lt;script&gt;</bdi>” in their name." in page
    assert "0 of 5 features" in world.page(run, "analysis?q=nothing")
    assert "of 5" in world.page(run, "analysis?page=x")


def test_shares_of_the_drawn_bins_are_those_of_the_captured_rows(world: World) -> None:
    run = world.runs["data-quality"][0]
    (age,) = (one for one in world.twin(run, "analysis?q=age")["features"] if one["name"] == "age")
    bins = age["drawn"]["numbers"]
    given = rows(2)["age"].to_numpy()
    counted = np.histogram(given, bins=np.asarray(bins["edges"]))[0] / len(given)
    assert np.allclose(bins["now"], counted, atol=0.01)
    assert age["now"]["numerical"]["mean"] == pytest.approx(given.mean())
    assert age["now"]["numerical"]["levels"] == []


def test_bias_stands_facet_by_metric(world: World) -> None:
    run = world.runs["bias"][3]
    twin, page = world.twin(run), world.page(run)
    (part,) = twin["parts"]
    assert part["facet"] == "age"
    names = {row["name"] for row in part["metrics"] if row["violation"] is not None}
    assert names == {one.metric_name for one in run.violations}
    first = world.twin(run, "violations/0")
    assert first["standing"]["recent"][-1]["value"] == pytest.approx(run.violations[0].value)
    assert first["detail"]["part"]["facet"] == "age"
    assert {row["stage"] for row in first["detail"]["part"]["metrics"]} == {run.violations[0].stage}
    assert "Predictions (after training)" in page


def test_attributions_stand_by_rank(world: World) -> None:
    run = world.runs["attribution"][3]
    twin = world.twin(run)
    (ranking,) = twin["rankings"]
    drift = run.statistics["driftline_drift"][0]
    assert ranking["drift"]["ndcg"] == drift["ndcg"]
    assert ranking["drift"]["losses"] == {one["feature"]: one["loss"] for one in drift["changes"]}
    page = world.page(run, "violations/0")
    assert "What changed most" in page
    assert "The features weigh otherwise" in page
    assert world.twin(run, "violations/0")["standing"]["recent"][-1]["value"] == pytest.approx(drift["ndcg"])


def test_each_table_of_a_page_is_csv(world: World) -> None:
    run = world.runs["data-quality"][3]
    lines = world.web.get(f"/runs/{run.id}/analysis.csv?table=features").text.splitlines()
    assert len(lines) == 1 + len(NAMES)
    assert "<svg" in world.web.get(f"/runs/{run.id}/analysis?export=1").text


def test_a_page_stays_whole_when_files_and_baseline_are_gone(world: World, tmp_path: Path) -> None:
    """Retention took the reports, the kept rows and the captures; then somebody deletes the baselines."""
    service = world.service
    for name in ("reports", "decoded", "captures"):
        shutil.move(service.layout.data / name, tmp_path / name)
    try:
        run = world.runs["data-quality"][3]
        page = world.page(run)
        assert "The report of this run was removed; distributions are drawn from the ten buckets" in page
        assert "this data, n 300" in page
        assert world.twin(run, _violation(run, "calls"))["detail"]["rows"] is None
        page = world.page(world.runs["model-quality"][3])
        assert "constraints are those of the baseline today" in page
        for monitor in ("bias", "attribution"):
            assert "was removed" not in world.page(world.runs[monitor][3])
        for monitor in MONITORS:
            _without_baseline(world, monitor)
    finally:
        for name in ("reports", "decoded", "captures"):
            shutil.rmtree(service.layout.data / name, ignore_errors=True)
            shutil.move(tmp_path / name, service.layout.data / name)


def _without_baseline(world: World, monitor: str) -> None:
    with world.service.store.read() as db:
        kept = baselines.get(db, monitor)
    with world.service.store.write() as db:
        baselines.remove(db, monitor)
    try:
        assert f"The baseline {monitor} is not there any longer" in world.page(world.runs[monitor][3])
        world.page(world.runs[monitor][3], "violations/0")
    finally:
        with world.service.store.write() as db:
            baselines.put(db, kept)


@pytest.mark.parametrize("monitor", MONITORS)
def test_documents_that_cannot_be_read_are_left_out(world: World, monitor: str) -> None:
    """What somebody wrote into the store by hand fails no page."""
    with world.service.store.read() as db:
        kept = baselines.get(db, monitor)
    broken = baselines.Baseline(monitor, monitor, b'{"features": 3}', b"[]", kept.created)
    with world.service.store.write() as db:
        baselines.put(db, broken)
    try:
        for place in ("analysis", "violations/0"):
            world.page(world.runs[monitor][3], place)
    finally:
        with world.service.store.write() as db:
            baselines.put(db, kept)


def test_a_run_that_goes_on_has_no_verdict_yet(world: World) -> None:
    """Its page says so and nothing else."""
    world.service.create_schedule(
        "later",
        endpoint="churn",
        cron="0 * * * *",
        monitor="bias",
        baseline="bias",
        attributes={"inference_attribute": 0},
    )
    try:
        run = world.service.run_schedule("later", Window(START, START + HOUR))
        page = world.page(run)
        assert "Not judged yet: the run is Pending" in page
        assert "<svg" not in page
        with world.service.store.write() as db:
            executions.stop(db, run.id, START)
        assert "Not judged yet: the run is Stopped" in world.page(run)
    finally:
        world.service.delete_schedule("later")
