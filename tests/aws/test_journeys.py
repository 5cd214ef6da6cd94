"""The five journeys of AWS clients, each a program of its own against a started server: boto3, and both SDKs.

What is asserted are published figures (``golden``) and what the model itself answers.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftline.serving.runtime import load_model

pytestmark = pytest.mark.shared
HERE = Path(__file__).parent
CLIENTS = HERE.parents[1] / "build" / "clients"
JOURNEYS = ("model_quality", "data_quality", "bias_and_explainability", "batch_data_quality", "batch_model_quality")
PROGRAMS = {"boto3": "with_boto3.py", "old": "with_boto3.py", "sdk2": "with_sdk.py", "sdk3": "with_sdk.py"}
SECONDS = 300


def interpreter(client: str) -> str:
    """The Python that has a client; the tests' own has boto3."""
    if client == "boto3":
        return sys.executable
    found = CLIENTS / client / "bin" / "python"
    if not found.exists():
        reason = f"the environment of {client} is not there; `make clients` makes it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return str(found)


@pytest.fixture(scope="module", params=PROGRAMS)
def walked(request: pytest.FixtureRequest, published: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What every journey of a client saw; the server is one that the command starts for it."""
    client = request.param
    python = interpreter(client)
    data = tmp_path_factory.mktemp(client) / "data"
    command = [sys.executable, "-m", "driftline.cli", "aws", "run", "--data", str(data), "--fire-every", "1", "--"]
    program = [python, str(HERE / "journeys" / PROGRAMS[client]), *JOURNEYS]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    environment = kept | {"DRIFTLINE_TEST_CHURN": str(published / "churn")}
    ended = subprocess.run(
        [*command, *program], capture_output=True, text=True, env=environment, timeout=SECONDS, check=False
    )
    assert ended.returncode == 0, ended.stderr[-6000:]
    return json.loads(ended.stdout.strip().splitlines()[-1])


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
    found = walked["model_quality"]["statistics"]["binary_classification_metrics"]
    wanted = golden["model_quality_churn"]["statistics"]["binary_classification_metrics"]
    compared = [
        name
        for name, metric in wanted.items()
        if isinstance(metric, dict) and isinstance(metric.get("value"), int | float) and name != "auc"
    ]
    assert len(compared) > 10
    for name in compared:
        assert found[name]["value"] == pytest.approx(wanted[name]["value"], abs=1e-12), name
    # The service published 1.0, which is not the area under the curve of these rows.
    assert found["auc"]["value"] == pytest.approx(0.93951, abs=5e-6)


@pytest.mark.parametrize("journey", ["data_quality", "batch_data_quality"])
def test_the_baseline_of_data_quality_has_the_published_figures(walked: Any, golden: Any, journey: str) -> None:
    found = {feature["name"]: feature for feature in walked[journey]["statistics"]["features"]}
    wanted = golden["data_quality_churn"]["statistics"]["features"]
    assert len(found) == len(wanted) - (journey == "batch_data_quality")  # of a transform's input there is no label
    for feature in (one for one in wanted if one["name"] in found):
        ours = found[feature["name"]]
        assert ours["inferred_type"] == feature["inferred_type"]
        for name in ("mean", "sum", "std_dev", "min", "max"):
            if name in feature.get("numerical_statistics", {}):
                expected = feature["numerical_statistics"][name]
                assert math.isclose(ours["numerical_statistics"][name], expected, rel_tol=1e-9, abs_tol=1e-12)


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
