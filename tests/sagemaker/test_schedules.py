"""When a monitoring schedule looks at what, and where, in our words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from driftline.core.cron import Cron
from driftline.core.errors import InputError
from driftline.core.window import parse_duration
from driftline.sagemaker.definitions import KINDS, Definition, read_definition, read_inline
from driftline.sagemaker.schedules import attributes, derived_name, timing

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def definition(**source: Any) -> Definition:
    return Definition(KINDS["DataQuality"], {"EndpointName": "churn"} | source, False, "s3://results", "image")


def span(expression: str, source: dict[str, str] | None = None, **when: str) -> tuple[timedelta, timedelta]:
    """How long before a run its window begins and ends."""
    config = {"ScheduleConfig": {"ScheduleExpression": expression} | when}
    found = timing(config, definition(**(source or {})), NOW)
    cron = Cron(found["cron"])
    tick = NOW if cron.once else cron.next(NOW)
    assert tick is not None
    window = cron.window(tick).shifted(found["start_offset"], found["end_offset"])
    return tick - window.start, tick - window.end


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("cron(0 * ? * * *)", 1),
        ("cron(0 17/12 ? * * *)", 12),
        ("cron(0 [00-23] ? * * *)", 24),
        ("cron(0 9 ? * * *)", 24),
    ],
)
def test_without_offsets_a_run_sees_what_came_since_the_last(expression: str, hours: int) -> None:
    assert span(expression) == (hours * HOUR, 0 * HOUR)


@pytest.mark.parametrize("expression", ["cron(0 * ? * * *)", "cron(0 9 ? * * *)"])
def test_offsets_count_from_the_run(expression: str) -> None:
    late = {"StartTimeOffset": "-P8D", "EndTimeOffset": "-P1D"}
    assert span(expression, late) == (timedelta(days=8), timedelta(days=1))
    given = {"DataAnalysisStartTime": "-PT5H", "DataAnalysisEndTime": "-PT0H"}
    assert span(expression, late, **given) == (5 * HOUR, 0 * HOUR)


def test_once_needs_a_time_to_look_at() -> None:
    assert span("NOW", DataAnalysisStartTime="-PT1H", DataAnalysisEndTime="-PT0H") == (HOUR, 0 * HOUR)
    with pytest.raises(InputError, match="NOW"):
        span("NOW")


def test_a_schedule_without_an_expression_is_hourly() -> None:
    assert timing({}, definition(), NOW)["cron"] == "cron(0 * ? * * *)"


def test_where_predictions_are() -> None:
    found = attributes(
        definition(ProbabilityAttribute="0", ProbabilityThresholdAttribute=0.8, ExcludeFeaturesAttribute="3,age"),
        "s3://elsewhere/churn",
    )
    assert found == {
        "output": "s3://results",
        "captures": "s3://elsewhere/churn",
        "probability_attribute": "0",
        "probability_threshold": 0.8,
        "exclude": ["_c3", "age"],
    }


def test_derived_names_differ_and_fit() -> None:
    names = {derived_name("n" * 62 + last, "baseline") for last in "ab"}
    assert {len(name) for name in names} == {63}
    assert len(names) == 2


def test_a_definition_reads_one_input() -> None:
    document = {
        "DataQualityAppSpecification": {"ImageUri": "image"},
        "DataQualityJobInput": {},
        "DataQualityJobOutputConfig": {"MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://results"}}]},
    }
    with pytest.raises(InputError, match="one input"):
        read_definition(KINDS["DataQuality"], document)


def test_an_inline_definition_has_its_environment_beside_it() -> None:
    document = {
        "MonitoringAppSpecification": {"ImageUri": "image"},
        "MonitoringInputs": [{"EndpointInput": {"EndpointName": "churn"}}],
        "MonitoringOutputConfig": {"MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://results"}}]},
        "Environment": {"publish_cloudwatch_metrics": "Disabled"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "BaselineConfig": {"StatisticsResource": {"S3Uri": "s3://data/statistics.json"}},
    }
    found = read_inline(KINDS["DataQuality"], document)
    assert (found.endpoint, found.seconds, found.statistics) == ("churn", 60, "s3://data/statistics.json")
    assert found.environment == {"publish_cloudwatch_metrics": "Disabled"}
    assert parse_duration(timing({}, found, NOW)["end_offset"]) == timedelta()
