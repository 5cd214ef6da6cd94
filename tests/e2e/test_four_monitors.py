"""All four monitors of the published churn model, as somebody new to it sets them up with the command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from pyarrow import csv

from driftline import ExplainOptions, baseline_attribution, baseline_data_quality, baseline_model_quality
from driftline.serving.explain.endpoint import http_predict

MONITORS = ("model-quality", "data-quality", "bias", "attribution")
ROWS = 200
FACET = {"Facet": "Account Length", "FacetValue": "[100.0, 243.0]", "BiasStage": "Post-Training"}
SELDOM = "0 0 1 1 *"
WINDOW = ("--start", "2026-11-22T10:00:00Z", "--end", "2026-11-22T11:00:00Z")


class World(NamedTuple):
    """A server whose churn model has answered an hour of rows; the baselines' folders by monitor; what four runs said
    with ``--json``, each with its exit code."""

    server: Any
    folder: Path
    runs: dict[str, tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def churn() -> Path:
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "churn"
    if not folder.is_dir():
        pytest.skip("the published data is not beside the project")
    return folder


@pytest.fixture(scope="module")
def world(
    serve: Callable[..., Any], command: Callable[..., Any], churn: Path, tmp_path_factory: pytest.TempPathFactory
) -> World:
    server, folder = serve(1).ready(), tmp_path_factory.mktemp("four")
    model = churn / "xgb-churn-prediction-model.json"
    told(server.cli("deploy", "churn", "--model", model, "--capture-percent", 100))
    make_tables(churn, folder)
    make_baselines(command, churn, folder)
    send(server, churn)
    for monitor in MONITORS:
        schedule(server, monitor, folder / monitor)
    server.at(datetime.fromisoformat("2026-11-22T11:05:00Z"))
    return World(server, folder, {monitor: judged(server, monitor) for monitor in MONITORS})


def make_tables(churn: Path, folder: Path) -> None:
    """The training data with the model's scores; and as it is captured, the score in the place of the label."""
    table = csv.read_csv(churn / "training-dataset-with-header.csv")
    features = np.column_stack([column.to_numpy().astype(float) for column in table.columns[1:]])
    model = xgboost.Booster(model_file=churn / "xgb-churn-prediction-model.json")
    scores = pa.array(model.predict(xgboost.DMatrix(features)).astype(float))
    csv.write_csv(table.append_column("score", scores), folder / "scored.csv")
    csv.write_csv(table.drop_columns(["Churn"]).add_column(0, "score", scores), folder / "captured.csv")


def make_baselines(command: Callable[..., Any], churn: Path, folder: Path) -> None:
    """A baseline of every monitor: those of bias and attribution as people make them."""
    quality = {"probability": "probability", "prediction": "prediction", "label": "label"}
    baseline_model_quality(churn / "validation_with_predictions.csv", **quality).write(folder / "model-quality")
    baseline_data_quality(folder / "captured.csv").write(folder / "data-quality")
    facet = ("--label", "Churn", "--positive", 1, "--facet", "Account Length>=100")
    score = ("--probability", "score", "--threshold", 0.8)
    told(command("baseline", "bias", folder / "scored.csv", *facet, *score, "-o", folder / "bias"))
    training, model = churn / "training-dataset-with-header.csv", churn / "xgb-churn-prediction-model.json"
    where = ("--model", model, "--label", "Churn", "-o", folder / "attribution")
    told(command("baseline", "attribution", training, *where))


def send(server: Any, churn: Path) -> None:
    """An hour's requests, each with its id, and their labels."""
    lines = (churn / "training-dataset-with-header.csv").read_text().splitlines()[1 : ROWS + 1]
    labels = {f"order-{number}": line.partition(",") for number, line in enumerate(lines)}
    with server.client() as client:
        for name, (_, _, row) in labels.items():
            client.invoke("churn", row.encode(), inference_id=name)
        lines_of_labels = "".join(f"{name},{label}\n" for name, (label, _, _) in labels.items())
        client.put_labels("churn", f"inference_id,label\n{lines_of_labels}".encode(), "csv")


def schedule(server: Any, monitor: str, baseline: Path) -> None:
    """A schedule that runs when it is asked to: of a new monitor as people make it, else as programs do."""
    if monitor in ("bias", "attribution"):
        score = ("--probability-attribute", 0) if monitor == "bias" else ()
        where = ("--endpoint", "churn", "--monitor", monitor, "--constraints", baseline, "--cron", SELDOM)
        told(server.cli("schedule", "create", monitor, *where, *score))
        return
    score = {"probability_attribute": 0, "probability_threshold": 0.8} if monitor == "model-quality" else {}
    scheduled(server, monitor, "churn", monitor, (baseline / "constraints.json", baseline / "statistics.json"), score)


def scheduled(
    server: Any, name: str, endpoint: str, monitor: str, files: tuple[Path, Path], attributes: dict[str, Any]
) -> None:
    with server.client() as client:
        client.put_baseline(name, *(json.loads(file.read_bytes()) for file in files))
        client.create_schedule(
            name, endpoint=endpoint, cron=SELDOM, monitor=monitor, baseline=name, attributes=attributes
        )


def judged(server: Any, name: str) -> tuple[int, dict[str, Any]]:
    """The exit code of a run of the hour from 10, and what it says to programs."""
    done = server.cli("schedule", "run", name, *WINDOW, "--json")
    return done.returncode, json.loads(done.stdout)


def told(done: Any) -> str:
    """What a command that must succeed said."""
    assert done.returncode == 0, done.stderr + done.stdout
    return str(done.stdout)


def test_each_judges_all_rows_and_is_content(world: World) -> None:
    for monitor, (code, found) in world.runs.items():
        assert (monitor, code, found["verdict"], found["violations"]) == (monitor, 0, "OK", [])
        assert found["item_count"] == ROWS
    assert world.runs["bias"][1].get("reasons", []) == []  # nobody named a group, so none is missed


def test_together_they_read_each_capture_file_once(world: World) -> None:
    files = len(list((world.server.data / "captures" / "churn").rglob("*.jsonl")))
    read = [found["counts"]["capture_files_read"] for _, found in world.runs.values()]
    assert files >= 1
    assert sorted(read) == [0, 0, 0, files]


def test_each_leaves_a_report_and_shows_on_its_page(world: World, http: Any) -> None:
    for monitor, (_, found) in world.runs.items():
        names = {path.name for path in (world.server.data / found["report"]).iterdir()}
        document = "analysis.json" if monitor in ("bias", "attribution") else "statistics.json"
        assert {document, "constraints.json", "constraint_violations.json", "report.html"} <= names
        page = http.get(f"{world.server.url}/runs/{found['id']}").text
        assert "✓</span> OK" in page
        assert f">{document}</a>" in page
    gauges = http.get(f"{world.server.url}/metrics").text
    assert 'driftline_last_run_verdict{endpoint="churn",schedule="bias",verdict="OK"} 1.0' in gauges


def test_an_alarm_on_bias_is_told_its_dimensions_and_judges(world: World) -> None:
    put = ("alarm", "put", "gap", "--metric", "bias_metric_DPPL", "--endpoint", "churn", "--schedule", "bias")
    above = ("--operator", "GreaterThanThreshold", "--threshold", -1)
    unsure = world.server.cli(*put, *above)
    assert "gap is INSUFFICIENT_DATA" in told(unsure)
    line = next(line for line in unsure.stderr.splitlines() if "--dimension" in line)
    dimensions = [word for word in shlex.split(line) if word != "--dimension"]
    assert FACET.items() < dict(one.split("=", 1) for one in dimensions).items()
    given = [word for one in dimensions for word in ("--dimension", one)]
    assert told(world.server.cli(*put, *above, *given)).startswith("gap is ALARM")


def said(world: World, endpoint: str, baseline: Path) -> tuple[int, str]:
    """What a new schedule of attributions says to people of the hour from 11."""
    name = f"{endpoint}-{baseline.name}"
    files = (baseline / "analysis.json", baseline / "analysis_config.json")
    scheduled(world.server, name, endpoint, "attribution", files, {})
    window = ("--start", "2026-11-22T11:00:00Z", "--end", "2026-11-22T12:00:00Z")
    done = world.server.cli("schedule", "run", name, *window)
    return done.returncode, done.stdout


@pytest.fixture
def upstream(churn: Path) -> Iterator[str]:
    """Somebody else's server with the churn model."""
    model = xgboost.Booster(model_file=churn / "xgb-churn-prediction-model.json")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            rows = np.array([line.split(",") for line in body.split()], dtype=float)
            answer = "\n".join(f"{score!r}" for score in model.predict(xgboost.DMatrix(rows)).tolist()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/csv")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_model_elsewhere_is_asked_and_one_that_is_nowhere_is_missed(world: World, upstream: str) -> None:
    table = csv.read_csv(world.folder / "captured.csv").slice(0, 40)
    lines = (world.folder / "captured.csv").read_text().splitlines()[1:41]
    with world.server.client() as client:
        client.register_endpoint("ahead", upstream=upstream)
        client.register_endpoint("away")
        for line in lines:
            client.invoke("ahead", line.partition(",")[2].encode())
    world.server.at(datetime.fromisoformat("2026-11-22T12:05:00Z"))
    options = ExplainOptions(samples=20)
    baseline_attribution(table, http_predict(upstream), label="score", options=options).write(world.folder / "asked")
    code, words = said(world, "ahead", world.folder / "asked")
    assert (code, words.split("\n")[0]) == (0, "✓ OK  ahead-asked reads 2026-11-22 11:00–12:00 UTC")
    code, words = said(world, "away", world.folder / "attribution")
    assert code == 3
    assert words.count("there is no model to explain") == 1
    assert "to do: deploy the model here" in words
