"""The main job on the published churn data: deploy, capture, baseline, labels, check, schedule, metrics, alarm."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from driftline import Client, Execution, Transition, Verdict, Window
from driftline.core.documents import Violation
from driftline.testing import write_labels

HOUR = datetime(2026, 11, 22, 10, tzinfo=UTC)
THRESHOLD = 0.8
ROWS = 201
JUDGED = ("--probability-attribute", "0", "--probability-threshold", THRESHOLD)


class Published(NamedTuple):
    """The published rows without their label, the probabilities the service answered, and the labels."""

    rows: list[str]
    probabilities: list[float]
    labels: list[str]


class World(NamedTuple):
    """A server on which both forms of the model are deployed and have answered every row once."""

    server: Any
    published: Published
    deployed: dict[str, Any]
    answers: dict[str, list[float]]
    baseline: Path


class Judged(NamedTuple):
    """What the schedule made of three hours: healthy labels, flipped labels, no labels."""

    runs: list[Execution]
    asked: Any
    before: list[Transition]


@pytest.fixture(scope="module")
def churn() -> Path:
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "churn"
    if not folder.is_dir():
        pytest.skip("the published data is not beside the project")
    return folder


def read(churn: Path) -> Published:
    lines = (churn / "validation.csv").read_text().splitlines()[:ROWS]
    found = [line.split(",") for line in (churn / "validation_with_predictions.csv").read_text().splitlines()[1:]]
    rows = [line.partition(",")[2] for line in lines]
    return Published(rows, [float(row[0]) for row in found], [row[2] for row in found])


def predict(client: Client, endpoint: str, published: Published, prefix: str) -> list[float]:
    """One request a row, with inference ids."""
    answers = (
        client.invoke(endpoint, row.encode(), inference_id=f"{prefix}-{number}")
        for number, row in enumerate(published.rows)
    )
    return [float(answer) for answer in answers]


@pytest.fixture(scope="module")
def world(serve: Callable[..., Any], churn: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    server, published = serve().ready(), read(churn)
    deployed = {}
    for name, file in (("churn", "xgb-churn-prediction-model.json"), ("boxed", "xgb-churn-prediction-model.tar.gz")):
        done = server.cli("deploy", name, "--model", churn / file, "--capture-percent", 100, "--json")
        assert done.returncode == 0, done.stderr
        deployed[name] = json.loads(done.stdout)
    with server.client() as client:
        answers = {name: predict(client, name, published, name) for name in deployed}
    baseline = tmp_path_factory.mktemp("baseline")
    columns = ("--probability", "probability", "--prediction", "prediction", "--label", "label")
    file = churn / "validation_with_predictions.csv"
    done = server.cli("baseline", "model-quality", file, *columns, "-o", baseline)
    assert done.returncode == 0, done.stderr
    return World(server, published, deployed, answers, baseline)


def test_both_forms_of_the_model_answer_the_published_probabilities(world: World) -> None:
    assert {name: found["model"]["n_features"] for name, found in world.deployed.items()} == {"churn": 69, "boxed": 69}
    for answers in world.answers.values():
        assert answers == pytest.approx(world.published.probabilities, abs=1e-6)


def test_the_baseline_is_the_published_one(world: World, churn: Path) -> None:
    golden = json.loads((churn.parent / "golden" / "model_quality_churn.json").read_text())
    suggested = json.loads((world.baseline / "constraints.json").read_text())["binary_classification_constraints"]
    statistics = json.loads((world.baseline / "statistics.json").read_text())["binary_classification_metrics"]
    assert statistics["confusion_matrix"] == golden["confusion_matrix"]
    assert suggested.keys() == golden["constraints"].keys()
    for name, constraint in golden["constraints"].items():
        threshold = golden["true_auc"] if name == "auc" else constraint["threshold"]
        assert suggested[name]["threshold"] == pytest.approx(threshold, abs=1e-12)
        assert suggested[name]["comparison_operator"] == constraint["comparison_operator"]


def check(world: World, labels: Path, *more: object) -> Any:
    """``driftline check`` on the folder that the server captured into."""
    captures = world.server.data / "captures" / "churn"
    where = ("--captures", captures, "--labels", labels, "--constraints", world.baseline / "constraints.json")
    return world.server.cli("check", "model-quality", *where, *JUDGED, *more)


def truth(world: World, prefix: str) -> dict[str, str]:
    return {f"{prefix}-{number}": label for number, label in enumerate(world.published.labels)}


def flipped(labels: dict[str, str]) -> dict[str, str]:
    """The labels, with seven of ten turned round."""
    chosen = set(random.Random(11).sample(sorted(labels), int(0.7 * len(labels))))
    return {key: str(1 - int(label)) if key in chosen else label for key, label in labels.items()}


def test_the_truth_makes_the_check_pass(world: World, tmp_path: Path) -> None:
    write_labels(tmp_path / "labels", truth(world, "churn"))
    done = check(world, tmp_path / "labels", "-o", tmp_path / "report", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["verdict"], found["item_count"], found["violations"]) == ("OK", ROWS, [])
    assert found["metrics"]["f2"] == pytest.approx(0.625, abs=1e-9)
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "statistics.json",
        "constraint_violations.json",
        "report.html",
        "constraints.json",
    }


def test_flipped_labels_make_it_fail_in_the_published_words(world: World, tmp_path: Path) -> None:
    write_labels(tmp_path / "labels", flipped(truth(world, "churn")))
    done = check(world, tmp_path / "labels", "-o", tmp_path / "report")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("✕ VIOLATED  201 of 201 predictions have a label\n")
    violations = json.loads((tmp_path / "report" / "constraint_violations.json").read_text())["violations"]
    found = {violation["metric_name"]: violation for violation in violations}
    assert set(found["f2"]) >= {"metric_name", "constraint_check_type", "description"}
    assert found["f2"]["item_count"] == 201
    assert found["f2"]["value"] < found["f2"]["threshold"]
    assert found["f2"]["constraint_check_type"] == "LessThanThreshold"
    words = found["f2"]["description"]
    assert words.startswith("Metric f2 with 0.")
    assert " +/- 0." in words
    assert words.endswith(" was LessThanThreshold '0.625'")
    assert words in done.stdout


def test_without_labels_there_is_no_verdict_but_a_checklist(world: World, tmp_path: Path) -> None:
    done = check(world, tmp_path / "nothing")
    assert done.returncode == 3, done.stderr
    assert "? UNKNOWN  0 of 201 predictions have a label" in done.stdout
    assert "no label for any of 201 predictions" in done.stdout
    assert f"labels looked for in: {tmp_path / 'nothing'}" in done.stdout
    assert "capture records found: 201" in done.stdout


def put_csv(world: World, endpoint: str, labels: dict[str, str], folder: Path) -> dict[str, Any]:
    file = folder / f"{endpoint}.csv"
    file.write_text("inference_id,label\n" + "".join(f"{key},{label}\n" for key, label in labels.items()))
    done = world.server.cli("labels", "put", endpoint, file, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def put_jsonl(world: World, endpoint: str, labels: dict[str, str], folder: Path) -> dict[str, Any]:
    [file] = write_labels(folder, labels)
    done = world.server.cli("labels", "put", endpoint, file, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def healthy(world: World) -> dict[str, str]:
    """What the labels would be of a model that never errs."""
    return {f"boxed-{i}": str(int(p > THRESHOLD)) for i, p in enumerate(world.published.probabilities)}


def strike(client: Client, server: Any, hour: int, wait: Callable[..., Any]) -> Execution:
    """Let an hour strike; the finished run of its tick."""
    tick = HOUR + timedelta(hours=hour)
    server.at(tick + timedelta(seconds=1))

    def finished() -> Execution | None:
        return next((run for run in client.list_runs(schedule="hourly") if run.tick == tick and run.finished), None)

    run = wait(finished, f"the run of {tick:%H:%M}")
    return client.get_run(run.id)


@pytest.fixture(scope="module")
def judged(world: World, hook: Any, wait: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Judged:
    server, folder = world.server, tmp_path_factory.mktemp("labels")
    assert put_csv(world, "boxed", healthy(world), folder)["accepted"] == ROWS
    attributes = (*JUDGED, "--constraints", world.baseline / "constraints.json")
    done = server.cli("schedule", "create", "hourly", "--endpoint", "boxed", "--cron", "cron(0 * ? * * *)", *attributes)
    assert done.returncode == 0, done.stderr
    secret = f"{hook.url}/hook/very-secret-token"
    alarm = ("--metric", "f2", "--endpoint", "boxed", "--schedule", "hourly", "--threshold", "0.625", "--period", 3600)
    told = ("--operator", "LessThanOrEqualToThreshold", "--on-alarm", secret, "--on-ok", secret)
    done = server.cli("alarm", "put", "f2-low", *alarm, *told)
    assert done.returncode == 0, done.stderr
    with server.client() as client:
        before = client.alarm_history("f2-low")
        asked = server.cli("schedule", "run", "hourly", "--json")  # the last complete window is [09:00, 10:00)
        runs = [strike(client, server, 1, wait)]
        predict(client, "boxed", world.published, "second")
        assert put_jsonl(world, "boxed", flipped(truth(world, "second")), folder)["accepted"] == ROWS
        runs.append(strike(client, server, 2, wait))
        predict(client, "boxed", world.published, "third")
        runs.append(strike(client, server, 3, wait))
        wait(lambda: len(hook.received) >= 2, "the web hook is told twice")
    return Judged(runs, asked, before)


def test_the_schedule_judges_each_hour(judged: Judged) -> None:
    assert [run.verdict for run in judged.runs] == ["OK", "VIOLATED", "UNKNOWN"]
    assert [run.item_count for run in judged.runs] == [ROWS, ROWS, 0]
    assert [run.status for run in judged.runs] == ["Completed", "CompletedWithViolations", "Completed"]
    hours = [HOUR + timedelta(hours=hour) for hour in range(4)]
    assert [run.window for run in judged.runs] == [Window(*pair) for pair in pairwise(hours)]
    count = len(judged.runs[1].violations)
    assert judged.runs[0].message == "Completed: Job completed successfully with no violations."
    expected = f"CompletedWithViolations: Job completed successfully with {count} violations."
    assert judged.runs[1].message == expected
    [reason] = judged.runs[2].reasons
    assert reason.code == "no_matches"
    answers = dict(reason.checklist)
    assert answers["captures looked for in"].endswith("captures/boxed")
    assert answers["predictions that could be read"] == str(ROWS)


def test_a_run_asked_for_waits_for_its_verdict(judged: Judged) -> None:
    assert judged.asked.returncode == 3, judged.asked.stderr
    run = json.loads(judged.asked.stdout)
    assert (run["verdict"], run["window_start"]) == ("UNKNOWN", "2026-11-22T09:00:00Z")
    assert run["reasons"][0]["code"] == "no_captures"


def test_late_labels_make_a_new_revision(world: World, judged: Judged, tmp_path: Path) -> None:
    put_csv(world, "boxed", truth(world, "third"), tmp_path)
    done = world.server.cli("schedule", "run", "hourly", "--json")
    run = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (run["revision"], run["verdict"], run["counts"]["matched"]) == (2, "OK", ROWS)
    assert run["statistics"]["binary_classification_metrics"]["f2"]["value"] == pytest.approx(0.625, abs=1e-9)
    with world.server.client() as client:
        assert client.get_run(judged.runs[2].id).verdict is Verdict.UNKNOWN


def test_reports_lie_in_the_folder_of_the_hour(world: World, judged: Judged) -> None:
    for hour, run in zip((11, 12, 13), judged.runs, strict=True):
        assert run.report == f"reports/boxed/hourly/2026/11/22/{hour}"
        folder = world.server.data / run.report
        names = {path.name for path in folder.iterdir() if path.is_file()}
        documents = {"statistics.json", "constraint_violations.json", "constraints.json", "report.html"}
        assert names == documents | {"log.txt"}
        written = json.loads((folder / "constraint_violations.json").read_text())["violations"]
        assert msgspec.convert(written, tuple[Violation, ...]) == run.violations


def test_metrics_can_be_read(world: World, judged: Judged) -> None:
    with world.server.client() as client:
        points = client.metric_points("f2", schedule="hourly", endpoint="boxed")
        names = {series.name for series in client.list_metrics()}
    values = {point.time: point.value for point in points}
    assert values[HOUR + timedelta(hours=1)] == 1.0
    assert values[HOUR + timedelta(hours=2)] < 0.625
    assert {"f2", "f2_std", "auc", "accuracy", "recall", "precision"} <= names


def test_the_alarm_goes_from_insufficient_data_to_ok_to_alarm(world: World, judged: Judged) -> None:
    assert judged.before == []
    with world.server.client() as client:
        history = client.alarm_history("f2-low")[::-1][:2]
    assert [(change.from_state, change.to_state) for change in history] == [
        ("INSUFFICIENT_DATA", "OK"),
        ("OK", "ALARM"),
    ]
    assert [change.run for change in history] == [run.id for run in judged.runs[:2]]
    assert all(change.reason and change.datapoints for change in history)


def test_the_web_hook_is_told_once_each(world: World, judged: Judged, hook: Any) -> None:
    told = hook.received[:2]
    assert [(body["from"], body["to"]) for _, body in told] == [("INSUFFICIENT_DATA", "OK"), ("OK", "ALARM")]
    keys = [headers["idempotency-key"] for headers, _ in hook.received]
    assert len(set(keys)) == len(keys)
    assert told[1][1]["threshold"] == 0.625
    assert told[1][1]["link"] == f"{world.server.url}/runs/{judged.runs[1].id}"


def test_the_secret_of_the_web_hook_is_shown_nowhere(world: World, judged: Judged, http: Any) -> None:
    with world.server.client() as client:
        told = client.alarm_notifications("f2-low")
    paths = ("", "/history", "/deliveries")
    paths = (*(f"/api/alarms/f2-low{part}" for part in paths), "/api/alarms", "/", f"/runs/{judged.runs[1].id}")
    paths = (*paths, "/alarms", "/alarms/f2-low", "/alarms/f2-low.json", "/new/alarm?name=f2-low")
    shown = [http.get(world.server.url + path).text for path in paths]
    assert "very-secret-token" not in "".join(shown) + world.server.text()
    assert any(sent.status == "sent" and sent.target.startswith("http://127") for sent in told)


def test_the_pages_show_what_happened(world: World, judged: Judged, http: Any) -> None:
    assert f'href="/endpoints/{judged.runs[1].endpoint}"' in http.get(world.server.url).text
    windows = http.get(f"{world.server.url}/schedules/{judged.runs[1].schedule}").text
    for glyph, word in (("✓", "OK"), ("✕", "Violated"), ("?", "Unknown")):
        assert f'<span aria-hidden="true">{glyph}</span> {word}' in windows
    page = http.get(f"{world.server.url}/runs/{judged.runs[1].id}").text
    assert "was LessThanThreshold &#39;0.625&#39;" in page
    assert "Metrics of 201 predictions with labels" in page
