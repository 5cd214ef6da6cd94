"""External programs: what they are told, what is read of what they leave, and how they may fail."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from driftline.core.errors import InputError
from driftline.core.verdict import Verdict
from driftline.pipeline.external import Contract, ExternalResult, ProgramError, run_external
from driftline.processes.child import Limits
from driftline.resources.metrics import Point, Series

Run = Callable[..., ExternalResult]
HOUR = datetime(2026, 11, 22, 10, tzinfo=UTC)
START = """
import json, os, sys, time
out = os.environ["output_path"]
def leave(name, text):
    os.makedirs(os.path.dirname(os.path.join(out, name)), exist_ok=True)
    open(os.path.join(out, name), "w").write(text if isinstance(text, str) else json.dumps(text))
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs Python code as an external program."""

    def go(code: str, limits: Limits | None = None, **more: Any) -> ExternalResult:
        contract = Contract("captures", str(tmp_path / "out"), start_time=HOUR, end_time=HOUR, endpoint="churn", **more)
        return run_external([sys.executable, "-I", "-c", START + dedent(code)], contract, limits)

    return go


def test_it_is_told_of_the_run_and_of_nothing_else(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_DATABASE", "postgresql://secret")
    code = "leave('statistics.json', dict(os.environ)); print('hello')"
    found = run(code, baseline_statistics="base/statistics.json", schedule="hourly", publish_metrics=False)
    told = found.statistics or {}
    assert json.loads(told["dataset_format"])["sagemakerCaptureJson"]["captureIndexNames"][0] == "endpointInput"
    assert told["start_time"] == "2026-11-22T10:00:00Z"
    assert told["dataset_source"] == str(Path("captures").absolute())
    assert told["baseline_statistics"] == str(Path("base/statistics.json").absolute())
    assert (told["sagemaker_endpoint_name"], told["sagemaker_monitoring_schedule_name"]) == ("churn", "hourly")
    assert told["publish_cloudwatch_metrics"] == "Disabled"
    assert not {"baseline_constraints", "DRIFTLINE_DATABASE", "HOME"} & told.keys()
    assert (found.log, found.message, found.metrics) == ("hello\n", "", ())
    assert found.seconds > 0


def test_its_violations_are_the_verdict(run: Run, tmp_path: Path) -> None:
    found = run("""
        one = {"feature_name": "age", "constraint_check_type": "completeness_check", "description": "few", "x": 1}
        leave("constraint_violations.json", {"violations": [one]})
        leave("constraints.json", {"version": 0.0})
        leave("message", "one violation")
    """)
    assert found.judgement.verdict is Verdict.VIOLATED
    assert found.violations is not None
    assert (found.violations[0].subject, found.violations[0].description) == ("age", "few")
    assert (found.constraints, found.message) == ({"version": 0.0}, "one violation")


@pytest.mark.parametrize(
    ("code", "verdict"),
    [("leave('constraint_violations.json', {'violations': []})", Verdict.OK), ("pass", Verdict.UNKNOWN)],
)
def test_no_violations_and_no_check_are_not_the_same(run: Run, code: str, verdict: Verdict) -> None:
    found = run(code)
    assert found.judgement.verdict is verdict
    assert (found.violations is None) == bool(found.judgement.reasons)


def test_more_violations_than_anybody_reads_are_refused(run: Run) -> None:
    with pytest.raises(InputError, match="holds 10001 violations"):
        run("""
            one = {"constraint_check_type": "mine", "description": "few"}
            leave("constraint_violations.json", {"violations": [one] * 10_001})
        """)


def test_metrics_are_values_or_statistic_sets(run: Run) -> None:
    found = run("""
        dimensions = [{"Name": "Endpoint", "Value": "churn"}]
        one = {"MetricName": "psi", "Timestamp": "2026-11-22T10:00:00Z", "Dimensions": dimensions, "Value": 0.25}
        values = {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4}
        two = {"MetricName": "age", "Timestamp": 1795341600, "StatisticValues": values}
        leave("metrics/cloudwatch/a.jsonl", json.dumps(one) + "\\n\\n" + json.dumps(two) + "\\n")
    """)
    namespace = "aws/sagemaker/Endpoints/data-metrics"
    assert found.metrics == (
        (Series(namespace, "psi", {"Endpoint": "churn"}), Point(HOUR, 0.25, 0.25, 0.25, 0.25, 1.0)),
        (Series(namespace, "age"), Point(HOUR, 2.5, 10.0, 1.0, 4.0, 4.0)),
    )


GOOD = {"MetricName": "m", "Timestamp": 1795341600, "Value": 1}
STATISTICS = {"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"Value": None}, "either a Value or StatisticValues"),
        ({"StatisticValues": STATISTICS}, "either a Value or StatisticValues"),
        ({"Value": "x"}, r"Expected `float \| null`, got `str` - at `\$.Value`"),
        ({"MetricName": ""}, "has no name"),
        ({"MetricName": "x" * 256}, "is no name of a metric"),
        ({"MetricName": "a\x00b"}, "is no name of a metric"),
        ({"Dimensions": [{"Name": "a", "Value": "é" * 500}]}, "the dimensions are too long"),
        ({"Timestamp": "yesterday"}, "Timestamp"),
        ({"Timestamp": 1e300}, "is no time of a metric"),
        ({"Timestamp": -5}, "is no time of a metric"),
        ({"Value": None, "StatisticValues": STATISTICS | {"SampleCount": 0}}, "these statistic values are none"),
        ({"Value": None, "StatisticValues": STATISTICS | {"Minimum": 2}}, "these statistic values are none"),
        ({"Dimensions": {"a": "b"}}, "Dimensions"),
    ],
)
def test_a_metric_that_is_none_is_refused_with_its_line(run: Run, change: dict[str, Any], expected: str) -> None:
    lines = [json.dumps(GOOD), json.dumps(GOOD | change)]
    with pytest.raises(InputError, match=expected) as caught:
        run(f"leave('metrics/cloudwatch/a.jsonl', {chr(10).join(lines)!r})")
    assert "a.jsonl, line 2: " in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("constraint_violations.json", ""),
        ("constraint_violations.json", "{"),
        ("constraint_violations.json", '{"violations": [{"feature_name": "a"}]}'),
        ("constraint_violations.json", '{"violation": []}'),
        ("statistics.json", "[]"),
        ("constraints.json", "[" * 100_000),
        ("metrics/cloudwatch/m", "\udcff"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(run: Run, name: str, text: str) -> None:
    written = f"open(os.path.join(out, {name!r}), 'wb').write({text.encode('utf-8', 'surrogateescape')!r})"
    with pytest.raises(InputError) as caught:
        run(written)
    assert Path(name).name in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("print('no column x'); sys.exit(3)", "failed with exit code 3"),
        ("leave('message', 'no captures'); sys.exit(1)", "failed with exit code 1: no captures"),
        ("os.abort()", "failed with SIGABRT"),
        ("sys.exit(127)", "failed with exit code 127"),
    ],
)
def test_a_program_that_fails_says_how(run: Run, code: str, expected: str) -> None:
    with pytest.raises(ProgramError, match=expected) as caught:
        run(code)
    assert ("no column x" in caught.value.evidence) == ("no column x" in code)
    assert caught.value.as_dict()["code"] == "program"


def test_limits_of_time_memory_and_words(run: Run, tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ProgramError, match="was stopped after 1 s") as caught:
        run("print('began', flush=True); time.sleep(600)", Limits(seconds=1))
    assert (caught.value.code, caught.value.log) == ("time_limit", "began\n")
    assert time.monotonic() - began < 8
    with pytest.raises(ProgramError, match="needed more than 100 MiB") as caught:
        run("x = b'x' * (150 << 20); time.sleep(600)", Limits(memory=100 << 20))
    assert caught.value.code == "memory_limit"
    found = run("sys.stdout.write('x' * 5_000_000)", Limits(output=100))
    assert found.log.startswith("x" * 100 + "\n[cut here: 4999900 more bytes")


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    contract = Contract("captures", str(tmp_path / "out"))
    with pytest.raises(ProgramError, match="none could not be started") as caught:
        run_external([str(tmp_path / "none")], contract)
    assert "No such file or directory" in caught.value.evidence
    with pytest.raises(InputError, match="there is no program"):
        run_external([], contract)


def test_results_of_an_earlier_run_are_never_taken_for_its_own(run: Run) -> None:
    run("leave('statistics.json', {})")
    with pytest.raises(InputError, match="holds results already") as caught:
        run("pass")
    assert caught.value.evidence == "statistics.json"
