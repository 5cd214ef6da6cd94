"""A store, a data folder, a schedule that looks every hour, and a runner that only remembers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftline.core.documents import Constraint, ModelQualityConstraints, Violation, constraints_document, dump
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.jobs.schedules import create_schedule
from driftline.pipeline import ModelQualityRun, RunResult, Step
from driftline.storage import baselines
from driftline.storage.database import Store, migrate, open_store
from driftline.storage.layout import Layout

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
CONSTRAINTS = ModelQualityConstraints("BinaryClassification", {"f2": Constraint(0.625, "LessThanThreshold")})


class FakeRunner:
    """Answers every run with one verdict; keeps what it was asked."""

    def __init__(self) -> None:
        self.runs: list[ModelQualityRun] = []
        self.verdict = Verdict.OK
        self.error: Exception | None = None

    def __call__(self, run: ModelQualityRun) -> RunResult:
        self.runs.append(run)
        if self.error is not None:
            raise self.error
        unknown, violated = self.verdict == Verdict.UNKNOWN, self.verdict == Verdict.VIOLATED
        violation = Violation(
            metric_name="f2",
            constraint_check_type="LessThanThreshold",
            description="Metric f2 with 0.41 was LessThanThreshold '0.625'",
        )
        return RunResult(
            judgement=Judgement(self.verdict, (Reason("no_labels", "no labels yet"),) if unknown else ()),
            item_count=334,
            statistics={"version": 0.0, "deviation": float("nan")},
            violations=(violation,) if violated else (),
            steps=(Step("merge", 334, 300, 0.1),),
            rejects=(),
            metrics={"f2": 0.41 if violated else 0.7, "f2_std": 0.01, "accuracy": 0.9},
            counts={"matched": 300},
        )


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with open_store(database) as opened:
        migrate(opened)
        yield opened


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "data").create()


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def hourly(store: Store) -> str:
    with store.write() as connection:
        document = dump(constraints_document(CONSTRAINTS))
        baselines.put(connection, baselines.Baseline("good-day", "model-quality", b"{}", document, NOW))
        create_schedule(
            connection,
            name="hourly",
            endpoint="churn",
            cron="cron(0 * ? * * *)",
            problem_type="BinaryClassification",
            baseline="good-day",
            attributes={"probability_attribute": "0", "probability_threshold": 0.8},
            now=NOW,
        )
    return "hourly"
