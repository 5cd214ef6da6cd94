"""The five journeys of AWS clients, each a program of its own against a started server: boto3, and both SDKs.

What is asserted are published figures (``golden``) and what the model itself answers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftline.serving.runtime import load_model

pytestmark = pytest.mark.shared
HERE = Path(__file__).parent
CLIENTS = HERE.parents[1] / "build" / "clients"
JOURNEYS = ("model_quality", "data_quality", "bias_and_explainability", "batch_data_quality", "batch_model_quality")
_ALL = {"boto3": "with_boto3.py", "old": "with_boto3.py", "sdk2": "with_sdk.py", "sdk3": "with_sdk.py"}
# All of them take a minute of two cores: `make journeys`, which continuous integration runs too.
PROGRAMS = _ALL if os.environ.get("DRIFTLINE_JOURNEYS") == "all" else {"boto3": _ALL["boto3"]}
SECONDS = 600
TOLD = "what was seen: "


def interpreter(client: str) -> str | None:
    """The Python that has a client, None where it is not there; the tests' own has boto3."""
    found = CLIENTS / client / "bin" / "python"
    return sys.executable if client == "boto3" else str(found) if found.exists() else None


@pytest.fixture(scope="module")
def started(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Every client's program, all at work at once: they wait more than they work."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    environment = kept | {"DRIFTLINE_TEST_CHURN": str(published / "churn")}
    programs = {}
    for client, script in PROGRAMS.items():
        python = interpreter(client)
        if python is None:
            continue
        folder = tmp_path_factory.mktemp(client)
        own = [sys.executable, "-m", "driftline.cli", "aws", "run", "--data", str(folder / "data"), "--fire-every", "1"]
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            command = [*own, "--", python, str(HERE / "journeys" / script), *JOURNEYS]
            programs[client] = (subprocess.Popen(command, stdout=out, stderr=err, env=environment), folder)
    yield programs
    for program, _ in programs.values():
        program.terminate()
        program.wait()


@pytest.fixture(scope="module", params=PROGRAMS)
def walked(request: pytest.FixtureRequest, started: dict[str, Any]) -> Any:
    """What every journey of a client saw; the server is one that the command starts for it."""
    if request.param not in started:
        reason = f"the environment of {request.param} is not there; `make clients` makes it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    program, folder = started[request.param]
    code = program.wait(SECONDS)
    assert code == 0, (folder / "err").read_text()[-6000:] + (folder / "out").read_text()[-6000:]
    # Clients talk, too: one begins no line for what comes after its dots.
    return json.loads((folder / "out").read_text().rpartition(TOLD)[2])


@pytest.fixture(scope="module")
def answers(published: Path) -> Any:
    """What the model answers to every row, asked without a server."""
    model = load_model(published / "churn" / "xgb-churn-prediction-model.json")
    rows = np.loadtxt(published / "churn" / "test-dataset-input-cols.csv", delimiter=",", dtype=np.float32)
    return model.predict(rows)


@pytest.fixture(scope="module")
def golden(published: Path) -> dict[str, Any]:
    """The published figures of the two baselines."""
    names = ("model_quality_churn", "data_quality_churn")
    return {name: json.loads((published / "golden" / f"{name}.json").read_text()) for name in names}


@pytest.mark.parametrize("journey", JOURNEYS)
def test_predictions_are_the_model_s_and_all_are_captured(walked: Any, answers: Any, journey: str) -> None:
    facts = walked[journey]
    np.testing.assert_allclose(facts["predictions"], answers, rtol=1e-6)
    if not journey.startswith("batch"):
        assert facts["captured"] == len(answers)
    assert set(facts["gone"]) <= {"ResourceNotFound", "ValidationException", "ValidationError"}
    assert facts["gone"].count("ResourceNotFound") >= 1


def test_the_baseline_of_model_quality_has_the_published_figures(walked: Any, golden: Any) -> None:
    facts, wanted = walked["model_quality"], golden["model_quality_churn"]
    found = facts["statistics"]["binary_classification_metrics"]
    assert found["confusion_matrix"] == wanted["confusion_matrix"]
    assert facts["statistics"]["dataset"]["item_count"] == wanted["rows"]
    assert found["auc"]["value"] == pytest.approx(wanted["true_auc"], abs=1e-12)
    suggested = facts["constraints"]["binary_classification_constraints"]
    for name, constraint in wanted["constraints"].items():
        assert suggested[name]["comparison_operator"] == constraint["comparison_operator"]
        if name != "auc":  # the service published 1.0, which is not the area under the curve of these rows
            assert suggested[name]["threshold"] == pytest.approx(constraint["threshold"], abs=1e-12), name


@pytest.mark.parametrize("journey", ["data_quality", "batch_data_quality"])
def test_the_baseline_of_data_quality_has_the_published_figures(walked: Any, golden: Any, journey: str) -> None:
    found = {feature["name"]: feature for feature in walked[journey]["statistics"]["features"]}
    assert len(found) == (69 if journey == "batch_data_quality" else 70)  # of a transform's input there is no label
    for wanted in (one for one in golden["data_quality_churn"]["statistics"] if one["name"] in found):
        ours = found[wanted["name"]]["numerical_statistics"]
        assert found[wanted["name"]]["inferred_type"] == wanted["inferred_type"]
        assert ours["common"] == {"num_present": wanted["num_present"], "num_missing": wanted["num_missing"]}
        assert (ours["sum"], ours["min"], ours["max"]) == (wanted["sum"], wanted["min"], wanted["max"])
        # Published with six digits.
        assert (ours["mean"], ours["std_dev"]) == pytest.approx((wanted["mean"], wanted["std_dev"]), abs=1e-6, rel=1e-5)


def test_a_window_with_ground_truth_is_judged_and_raises_the_alarm(walked: Any) -> None:
    facts = walked["model_quality"]
    execution = facts["execution"]
    assert execution["status"] == "CompletedWithViolations"
    assert execution["job"].startswith("model-quality-monitoring-")
    assert f"with {len(execution['violations'])} violations" in execution["exit"]
    violated = {violation["metric_name"]: violation for violation in execution["violations"]}
    assert violated["f2"]["constraint_check_type"] == "LessThanThreshold"
    assert facts["alarm"] == "ALARM"


def test_the_window_of_the_published_rows_violates_the_types(walked: Any) -> None:
    for journey in ("data_quality", "batch_data_quality"):
        execution = walked[journey]["execution"]
        assert execution["status"] == "CompletedWithViolations", journey
        kinds = {violation["constraint_check_type"] for violation in execution["violations"]}
        assert "data_type_check" in kinds, journey
        assert "missing_column_check" not in kinds, journey
        assert walked[journey]["alarm"] == "ALARM"


def test_transforms_join_and_are_judged_by_their_labels(walked: Any) -> None:
    execution = walked["batch_model_quality"]["execution"]
    assert execution["status"] == "CompletedWithViolations"
    assert {violation["metric_name"] for violation in execution["violations"]} >= {"accuracy", "f2"}
    assert walked["batch_model_quality"]["alarm"] == "ALARM"


def test_bias_and_attributions_have_a_baseline_and_are_judged(walked: Any) -> None:
    facts = walked["bias_and_explainability"]
    bias = facts["analysis"]["ModelBias"]
    for stage in ("pre_training_bias_metrics", "post_training_bias_metrics"):
        assert list(bias[stage]["facets"]) == ["Account Length"]
    shap = facts["analysis"]["ModelExplainability"]["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    assert len(shap) == 69
    for kind, name in (("ModelBias", "model-bias"), ("ModelExplainability", "model-explainability")):
        execution = facts["execution"][kind]
        assert execution["status"].startswith("Completed")
        assert execution["job"].startswith(f"{name}-monitoring-")


def test_everything_is_found_where_the_service_puts_it(walked: Any) -> None:
    facts = walked["model_quality"]
    if "metrics" not in facts:
        pytest.skip("this client asks for no list of metrics")
    assert {"f2", "f2_std", "accuracy"} <= set(facts["metrics"])
    assert {"statistics.json", "constraints.json", "constraint_violations.json"} <= set(facts["execution"]["files"])
    assert facts["execution"]["log"] > 0
    assert facts["merged"] > 0
    assert facts["alarm_history"] >= 1
    assert "bias_metric_DPPL" in walked["bias_and_explainability"]["metrics"]["ModelBias"]
    assert walked["bias_and_explainability"]["schedules"] == ["ModelBias", "ModelExplainability"]
    assert walked["batch_data_quality"]["manifests"] == {"input": 1, "output": 1}
