"""Kept pieces: the same numbers as reading everything, without reading a capture twice."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from driftline.core.window import HOUR, Window
from driftline.engine.attributes import OutputAttributes
from driftline.monitors.quality.kept import load_state, save_state
from driftline.monitors.quality.recipes import recipe
from driftline.pipeline import ModelQualityRun, RunResult, run_model_quality
from driftline.pipeline.measuring import pieces_of
from driftline.pipeline.pieces import cut
from driftline.testing import START, capture, prediction_batch, same, write_captures, write_labels

HOURS = 3
PER_HOUR = 120
SCORES = np.random.default_rng(5).random(HOURS * PER_HOUR)
DAY = Window(START, START + HOURS * HOUR)


def write_day(folder: Path) -> None:
    records = [
        capture(f"{score:.6f}", f"e{i}", time=START + (i // PER_HOUR) * HOUR + timedelta(seconds=i % PER_HOUR))
        for i, score in enumerate(SCORES)
    ]
    write_captures(folder / "captures", records)


def write_some_labels(folder: Path, which: range, name: str, value: Any = None) -> None:
    found = {f"e{i}": str(int(SCORES[i] > 0.6)) if value is None else value for i in which}
    write_labels(folder / "labels", found, collected=START + HOURS * HOUR, name=name)


def run_of(folder: Path, window: Window = DAY, **options: Any) -> RunResult:
    run = ModelQualityRun(
        captures=str(folder / "captures"),
        labels=str(folder / "labels"),
        problem_type="BinaryClassification",
        attributes=OutputAttributes(probability="0", probability_threshold=0.5),
        window=window,
        as_of=START + 9 * HOUR,
        pieces=options.pop("pieces", str(folder / "pieces")),
    )
    return run_model_quality(msgspec.structs.replace(run, **options), now=START)


def names(result: RunResult) -> list[str]:
    return [step.name for step in result.steps]


@pytest.fixture
def day(tmp_path: Path) -> Path:
    write_day(tmp_path)
    write_some_labels(tmp_path, range(0, HOURS * PER_HOUR, 2), "first")
    return tmp_path


def test_a_window_from_kept_pieces_has_the_numbers_of_the_whole(day: Path) -> None:
    whole = run_of(day, pieces=None)
    first, second = run_of(day), run_of(day)
    assert names(first).count("read captures") == HOURS
    assert "read captures" not in names(second)
    assert [one.counts["capture_files_read"] for one in (whole, first, second)] == [HOURS, HOURS, 0]
    for found in (first, second):
        assert same(found.metrics, whole.metrics, 1e-12, 1e-12)
        unknown = {"label_records": 0, "labels": 0, "capture_files_read": 0}
        counts = {name: count for name, count in found.counts.items() if "lag" not in name}
        assert counts | unknown == whole.counts | unknown
        assert found.statistics["binary_classification_metrics"].keys() == (
            whole.statistics["binary_classification_metrics"].keys()
        )


def test_hours_that_ran_by_themselves_serve_the_day(day: Path) -> None:
    for hour in range(HOURS):
        run_of(day, Window(START + hour * HOUR, START + (hour + 1) * HOUR))
    assert "read captures" not in names(run_of(day))


def test_only_the_hours_that_new_labels_touch_are_read_again(day: Path) -> None:
    before = run_of(day)
    write_some_labels(day, range(PER_HOUR + 1, 2 * PER_HOUR, 2), "second")
    after = run_of(day)
    assert names(after).count("read captures") == 1
    assert after.counts["matched"] == before.counts["matched"] + PER_HOUR // 2
    assert same(after.metrics, run_of(day, pieces=None).metrics, 1e-12, 1e-12)
    write_labels(day / "labels", {"nobody": "1"}, collected=START + HOURS * HOUR, name="third")
    assert "read captures" not in names(run_of(day))


def test_a_label_that_contradicts_an_earlier_one_counts(day: Path) -> None:
    before = run_of(day)
    write_some_labels(day, range(0, 40, 2), "zzz-later", value="1")
    after = run_of(day)
    assert after.counts["matched"] == before.counts["matched"]
    assert same(after.metrics, run_of(day, pieces=None).metrics, 1e-12, 1e-12)
    assert after.metrics != before.metrics


def test_captures_that_came_later_are_read(day: Path) -> None:
    run_of(day)
    write_captures(day / "captures", [capture("0.9", "late", time=START + HOUR)], name="late")
    after = run_of(day)
    assert after.counts["predictions"] == HOURS * PER_HOUR + 1
    assert names(after).count("read captures") == 1


def test_a_window_that_goes_on_is_not_kept(day: Path) -> None:
    run_of(day, as_of=START + HOUR)
    assert names(run_of(day)).count("read captures") == HOURS - 1


def test_other_thresholds_are_other_pieces(day: Path) -> None:
    run_of(day)
    other = OutputAttributes(probability="0", probability_threshold=0.7)
    assert names(run_of(day, attributes=other)).count("read captures") == HOURS


@pytest.mark.parametrize("damage", [b"", b"\xc1", b"\x80", b"\x93abc"])
def test_a_piece_that_cannot_be_read_is_made_again(day: Path, damage: bytes) -> None:
    wanted = run_of(day).metrics
    for path in (day / "pieces").rglob("*.piece"):
        path.write_bytes(damage)
    assert run_of(day).metrics == wanted


def test_windows_are_cut_at_hours() -> None:
    window = Window(START + timedelta(minutes=30), START + 2 * HOUR + timedelta(minutes=5))
    assert [(part.end - part.start).total_seconds() / 60 for part in cut(window)] == [30, 60, 5]
    assert cut(Window(START, START)) == []


@pytest.mark.parametrize("problem_type", ["BinaryClassification", "MulticlassClassification", "Regression"])
def test_a_state_comes_back_as_it_was(problem_type: str) -> None:
    monitor = recipe(problem_type, estimating=True)
    state = monitor.measure([prediction_batch(50, seed=0)])
    again = load_state(save_state(state), type(state).__name__)
    assert again == state
    assert monitor.result(monitor.merge([again])).metrics == monitor.result(state).metrics


def test_a_run_without_a_window_keeps_nothing(day: Path) -> None:
    run = ModelQualityRun("c", None, "Regression", OutputAttributes(inference="0"), pieces=str(day / "p"))
    assert pieces_of(run) is None


def test_a_run_says_how_late_its_labels_came(tmp_path: Path) -> None:
    write_day(tmp_path)
    write_some_labels(tmp_path, range(90), "00-00-000-soon")
    write_labels(
        tmp_path / "labels", {f"e{i}": "1" for i in range(90, 100)}, collected=START + 5 * HOUR, name="30-00-0"
    )
    hour = Window(START, START + HOUR)
    for _ in range(2):
        found = run_of(tmp_path, hour).counts
        # From half past ten to one o'clock, and to half past three.
        assert (found["label_lag_median_minutes"], found["label_lag_p95_minutes"]) == (150, 300)
    assert "label_lag_median_minutes" not in run_of(tmp_path, Window(START + HOUR, START + 2 * HOUR)).counts
