"""Amazon's own command line, of today and of two years ago, against one started server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftline.serving.runtime import load_model

pytestmark = [pytest.mark.shared, pytest.mark.long]
HERE = Path(__file__).parent
CLIENTS = HERE.parents[1] / "build" / "clients"
VERSIONS = ("old", "sdk2")
SECONDS = 60
ADDRESS = re.compile(r" on (http://127\.0\.0\.1:\d+) ")
TOLD = "what was seen: "


def environment(**more: str) -> dict[str, str]:
    """Nothing of the developer's own account."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    return kept | more


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server, all of it: web, scheduler and buckets."""
    folder = tmp_path_factory.mktemp("server")
    options = ("--data", str(folder / "data"), "--port", "0", "--aws", "--fire-every", "1")
    command = [sys.executable, "-m", "driftline.cli", "serve", *options]
    with (folder / "err").open("wb") as err:
        process = subprocess.Popen(command, stdout=err, stderr=err, env=environment())
    yield _address(process, folder / "err")
    process.terminate()
    process.wait(30)


def _address(process: subprocess.Popen[bytes], told: Path) -> str:
    """The address that a server says it is at, once it says so."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := ADDRESS.search(told.read_text()):
            return found[1]
        time.sleep(0.05)
    pytest.fail(f"the server does not start: {told.read_text()}")


@pytest.fixture(scope="module")
def started(server: str, published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The commands of every version, both at work at once."""
    given = environment(
        DRIFTLINE_TEST_CHURN=str(published / "churn"),
        AWS_ENDPOINT_URL=server,
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="AK",
        AWS_SECRET_ACCESS_KEY="SK",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_MAX_ATTEMPTS="1",
    )
    programs = {}
    for version in VERSIONS:
        python = CLIENTS / version / "bin" / "python"
        if python.exists():
            folder = tmp_path_factory.mktemp(version)
            command = [str(python), str(HERE / "journeys" / "with_awscli.py"), f"commands-{version}"]
            with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
                programs[version] = (subprocess.Popen(command, stdout=out, stderr=err, env=given), folder)
    yield programs
    for program, _ in programs.values():
        program.terminate()
        program.wait()


@pytest.fixture(scope="module", params=VERSIONS)
def seen(request: pytest.FixtureRequest, started: dict[str, Any]) -> Any:
    """What the commands of a version saw."""
    if request.param not in started:
        reason = f"the environment of {request.param} is not there; `make clients` makes it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    program, folder = started[request.param]
    code = program.wait(SECONDS)
    assert code == 0, (folder / "err").read_text()[-6000:] + (folder / "out").read_text()[-6000:]
    return {"version": request.param} | json.loads((folder / "out").read_text().rpartition(TOLD)[2])


def test_buckets_and_identities_are_there(seen: Any) -> None:
    assert seen["listed"] == ["24", "rows.csv"]
    assert seen["account"] == "000000000000"
    assert seen["role"] == "arn:aws:iam::000000000000:role/commands"


def test_a_baseline_is_made_and_has_a_log(seen: Any) -> None:
    assert seen["job"] == "Completed"
    assert seen["columns"] == ["age", "plan"]
    assert seen["streams"] == 1


def test_an_endpoint_answers_as_its_model_does(seen: Any, published: Path) -> None:
    churn = published / "churn"
    rows = np.loadtxt(churn / "test-dataset-input-cols.csv", delimiter=",", dtype=np.float32)
    answers = load_model(churn / "xgb-churn-prediction-model.json").predict(rows)
    np.testing.assert_allclose(seen["answers"], answers, rtol=1e-6)
    assert (seen["endpoint"], seen["variant"]) == ("InService", "AllTraffic")
    assert seen["tags"] == [{"Key": "team", "Value": "churn"}]


def test_a_schedule_runs_stops_and_goes(seen: Any) -> None:
    name = f"commands-{seen['version']}"
    assert seen["execution"] == "CompletedWithViolations"
    assert seen["schedules"] == [[name, "Stopped"]]
    assert seen["gone"] == "ResourceNotFound"


def test_metrics_and_alarms_are_listed(seen: Any) -> None:
    assert seen["alarms"] == [[f"commands-{seen['version']}", 0.5]]
    assert seen["metrics"] > 0


def test_an_operation_that_is_not_here_is_the_services_own_error(seen: Any) -> None:
    assert seen["unknown"] == "UnknownOperationException"
