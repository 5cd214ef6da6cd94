"""The commands of attribution: files, exit codes, JSON, a configuration, and a model behind a URL."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftline.testing import capture, write_captures

FEATURES = ("age", "plan", "day")


def write_rows(path: Path, n: int, *, label: bool = False, stretch: float = 1.0, seed: int = 0) -> Path:
    """Rows that the session's small model takes, whose answer depends on the first feature."""
    rows = np.random.default_rng(seed).normal(size=(n, 3)) * [1, stretch, 1]
    head, body = [*FEATURES], [[repr(cell) for cell in row] for row in rows.tolist()]
    if label:
        head, body = ["label", *head], [["yes", *row] for row in body]
    path.write_text("\n".join(map(",".join, [head, *body])) + "\n")
    return path


@pytest.fixture
def baseline(cli: Callable[..., Any], model: Path, tmp_path: Path) -> Path:
    """The folder of a baseline."""
    rows = write_rows(tmp_path / "train.csv", 200, label=True)
    done = cli("baseline", "attribution", rows, "--model", model, "--label", "label", "-o", tmp_path / "base")
    assert done.code == 0, done.err
    assert done.out.startswith("baseline of 200 rows, mean_abs by tree_shap\nlabel0 (expected ")
    return tmp_path / "base"


def test_a_baseline_and_a_check(cli: Callable[..., Any], model: Path, tmp_path: Path, baseline: Path) -> None:
    window = write_rows(tmp_path / "window.csv", 100, seed=1)
    asked = ("check", "attribution", "--data", window, "--model", model, "--analysis", baseline / "analysis.json")
    done = cli(*asked, "-o", tmp_path / "report", "--local", tmp_path / "local.parquet")
    assert (done.code, done.out.splitlines()[0]) == (0, "✓ OK  100 rows")
    assert "label0: NDCG 1.0000" in done.out
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        "analysis.json",
        "constraint_violations.json",
        "constraints.json",
        "report.html",
    ]
    assert (tmp_path / "local.parquet").exists()
    told = json.loads(cli(*asked, "--rows", 40, "--json").out)
    assert (told["verdict"], told["rows"], told["explained_rows"]) == ("OK", 100, 40)
    assert told["drift"][0]["changes"][0]["feature"] == "age"
    assert "40 rows explained of 100" in cli(*asked, "--rows", 40).out


def test_verdicts_are_exit_codes(cli: Callable[..., Any], model: Path, tmp_path: Path, baseline: Path) -> None:
    document = json.loads((baseline / "analysis.json").read_text())
    section = document["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    section["day"] = 10 * section["age"]
    other = tmp_path / "other.json"
    other.write_text(json.dumps(document))
    window = write_rows(tmp_path / "window.csv", 100)
    asked = ("check", "attribution", "--data", window, "--model", model, "--analysis", other)
    done = cli(*asked)
    assert done.code == 1
    assert "label0: Feature attribution drift 0." in done.out
    assert cli(*asked, "--rule", "plain").code == 1
    assert cli(*asked, "--threshold", "0.1").code == 0
    assert cli(*asked, "--minimum-sample", "101").code == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "no model to explain, or two"),
        (("--endpoint", "http://127.0.0.1/", "--model", "MODEL"), "no model to explain, or two"),
        (("--model", "MODEL", "--aggregation", "sum"), "'sum' is no aggregation"),
        (("--model", "MODEL", "--rule", "strict"), "'strict' is no rule"),
        (("--model", "MODEL", "--rows", "5", "--error", "0.1"), "both a number of rows and an error"),
        (("--model", "MODEL", "--local", "x.txt"), "end it in .parquet or .csv"),
        (("--model", "nothing.json"), "nothing.json cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said(
    cli: Callable[..., Any], model: Path, tmp_path: Path, baseline: Path, options: tuple[str, ...], message: str
) -> None:
    window = write_rows(tmp_path / "window.csv", 40)
    given = [model if option == "MODEL" else option for option in options]
    done = cli("check", "attribution", "--data", window, "--analysis", baseline / "analysis.json", *given)
    assert done.code == 2
    assert message in done.err


def test_a_configuration_of_the_original(cli: Callable[..., Any], model: Path, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "train.csv", 100, label=True)
    config = {
        "dataset_type": "text/csv",
        "label": "label",
        "methods": {"shap": {"baseline": [[0, 0, 0]], "num_samples": 50, "agg_method": "mean_sq", "seed": 3}},
        "predictor": {"model_name": "churn", "label_headers": ["churn"]},
    }
    path = tmp_path / "analysis_config.json"
    path.write_text(json.dumps(config))
    base = tmp_path / "base"
    done = cli("baseline", "attribution", rows, "--model", model, "--config", path, "-o", base, "--json")
    assert done.code == 0, done.err
    assert "ignored:" in done.err
    found = json.loads(done.out)
    assert (found["aggregation"], found["labels"][0]["label"]) == ("mean_sq", "churn")
    # The original saves local values unless told otherwise.
    assert (base / "explanations_shap" / "out.csv").exists()
    more = ("--aggregation", "median", "-o", base)
    done = cli("baseline", "attribution", rows, "--model", model, "--config", path, *more, "--json")
    assert json.loads(done.out)["aggregation"] == "median"
    path.write_text('{"bias": {"label": "x", "positive": "1", "facets": ["sex"]}}')
    done = cli("baseline", "attribution", rows, "--model", model, "--config", path, "-o", base)
    assert (done.code, "says nothing of attributions" in done.err) == (2, True)


class Scores(BaseHTTPRequestHandler):
    """Answers 3·first + second of every CSV row."""

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        cells = [[float(cell or "nan") for cell in line.split(",")] for line in text.split()]
        answer = "\n".join(repr(3 * row[0] + row[1]) for row in cells).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Scores)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/invocations"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_model_behind_a_url(cli: Callable[..., Any], endpoint: str, tmp_path: Path) -> None:
    pytest.importorskip("driftline.serving.explain.endpoint")
    rows = write_rows(tmp_path / "train.csv", 60, label=True)
    base = tmp_path / "base"
    done = cli("baseline", "attribution", rows, "--endpoint", endpoint, "--label", "label", "-o", base)
    assert done.code == 0, done.err
    config = json.loads((base / "analysis_config.json").read_text())
    assert config["headers"] == ["age", "plan", "day"]
    assert {len(row) for row in config["attribution"]["baseline"]} == {3}
    window = write_rows(tmp_path / "window.csv", 60, seed=2)
    asked = ("check", "attribution", "--endpoint", endpoint, "--analysis", base / "analysis.json")
    assert cli(*asked, "--data", window).code == 0
    stretched = write_rows(tmp_path / "stretched.csv", 60, seed=2, stretch=100)
    done = cli(*asked, "--data", stretched)
    assert (done.code, "age" in done.out) == (1, True)


def test_captured_inputs_are_explained(cli: Callable[..., Any], model: Path, tmp_path: Path, baseline: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(100, 3))
    records = [capture("0.5", f"e{n}", request=",".join(map(repr, row))) for n, row in enumerate(rows.tolist())]
    write_captures(tmp_path / "captures", [*records, capture("0.5", "odd", request="1,2")])
    asked = ("check", "attribution", "--captures", tmp_path / "captures", "--model", model, "--analysis", baseline)
    done = cli(*asked, "-o", tmp_path / "report")
    assert (done.code, done.out.splitlines()[0]) == (0, "✓ OK  100 rows of 101 captured requests")
    assert "the inputs are not the features of the model" in done.err
    assert (tmp_path / "report" / "report.html").is_file()
    told = json.loads(cli(*asked, "--rows", 40, "--json").out)
    assert (told["item_count"], told["counts"]["explained_rows"]) == (40, 40)


def test_captures_without_a_model(cli: Callable[..., Any], tmp_path: Path, baseline: Path) -> None:
    done = cli("check", "attribution", "--captures", tmp_path, "--analysis", baseline)
    assert done.code == 2
    assert "give --model FILE or --endpoint URL" in done.err
