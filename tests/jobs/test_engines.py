"""Which engine measures a run: as the schedule says, by size where it says nothing, and never one that is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from driftline.core.configuration import SPARK, SPARK_ABOVE, STORE
from driftline.core.errors import DriftlineError, InputError, SetupError
from driftline.core.window import HOUR, Window
from driftline.engine.attributes import OutputAttributes
from driftline.jobs.attributes import data_attributes
from driftline.jobs.engines import placed
from driftline.pipeline import DataQualityRun, ModelQualityRun, Run
from driftline.pipeline.run import SparkSettings
from driftline.resources.schedules import Schedule
from driftline.storage.layout import Layout
from driftline.testing import START, capture, write_captures

MASTER = "spark://spark.example.org:7077"


@pytest.fixture
def run(layout: Layout) -> Run:
    write_captures(layout.captures("churn"), [capture("0.5", "one"), capture("0.5", "later", time=START + HOUR)])
    return ModelQualityRun(
        captures=str(layout.captures("churn")),
        labels=None,
        problem_type="BinaryClassification",
        attributes=OutputAttributes(probability="0"),
        window=Window(START, START + HOUR),
    )


def schedule(**attributes: Any) -> Schedule:
    return Schedule(
        name="hourly", endpoint="churn", monitor="model-quality", problem_type="BinaryClassification",
        attributes=attributes, cron="0 * * * *", start_offset="PT0S", end_offset="PT0S", catch_up="all",
        baseline=None, state="Scheduled", created=START,
        last_tick=START, next_tick=None,
    )  # fmt: skip


def engine_of(layout: Layout, run: Run, **attributes: Any) -> SparkSettings | None:
    found = placed(layout, run, schedule(**attributes))
    return getattr(found, "spark", None)


def test_without_a_master_nothing_changes(layout: Layout, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SPARK.name, raising=False)
    for attributes in ({}, {"engine": "auto"}, {"engine": "local"}):
        assert placed(layout, run, schedule(**attributes)) == run
    with pytest.raises(SetupError) as found:
        placed(layout, run, schedule(engine="spark"))
    assert "set DRIFTLINE_SPARK to a master" in found.value.hint


def test_with_a_master_large_windows_go_there(layout: Layout, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPARK.name, MASTER)
    wanted = SparkSettings(MASTER, str(layout.data))
    assert engine_of(layout, run) is None
    assert engine_of(layout, run, engine="spark") == wanted
    first = min(layout.captures("churn").rglob("*.jsonl")).stat().st_size
    monkeypatch.setenv(SPARK_ABOVE.name, str(first))
    assert engine_of(layout, run) == wanted
    assert engine_of(layout, run, engine="local") is None
    monkeypatch.setenv(SPARK_ABOVE.name, str(first + 1))
    assert engine_of(layout, run, engine="auto") is None
    monkeypatch.setenv(SPARK_ABOVE.name, "plenty")
    with pytest.raises(InputError, match="DRIFTLINE_SPARK_ABOVE is not a number of bytes"):
        engine_of(layout, run)


def test_tasks_are_told_where_the_nodes_keep_their_files(
    layout: Layout, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SPARK.name, MASTER)
    monkeypatch.setenv(STORE.name, "s3://bucket/prefix")
    assert engine_of(layout, run, engine="spark") == SparkSettings(MASTER, str(layout.data), "s3://bucket/prefix")


def test_code_of_this_machine_stays_here(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPARK.name, MASTER)
    monkeypatch.setenv(SPARK_ABOVE.name, "0")
    run = DataQualityRun(captures=str(layout.captures("churn")))
    assert engine_of(layout, run) is not None
    assert engine_of(layout, run, preprocessor="own.py") is None
    for odd in ({"preprocessor": "own.py"}, {"analyzers": ["own.py:Own"]}, {"program": "own"}):
        with pytest.raises(InputError, match="Spark does not run"):
            data_attributes({"engine": "spark"} | odd)


def test_an_engine_that_does_not_exist_is_refused() -> None:
    with pytest.raises(DriftlineError, match="cannot be used"):
        data_attributes({"engine": "flink"})


def test_a_folder_that_is_not_there_has_no_size(
    tmp_path: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SPARK.name, MASTER)
    assert engine_of(layout, DataQualityRun(captures=str(tmp_path / "nothing"))) is None
