"""Files, folders and the clock."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from driftline.core.errors import InputError, SetupError
from driftline.storage.clock import SharedClock
from driftline.storage.files import write_atomic
from driftline.storage.layout import Layout

TICK = datetime(2026, 11, 22, 11, tzinfo=UTC)


def test_a_file_is_written_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in path.parent.iterdir()] == ["b.json"]


def test_a_write_that_fails_says_where_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "inside").touch()
    with pytest.raises(SetupError, match=r"cannot write .*taken"):
        write_atomic(tmp_path / "taken", b"x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]


def test_the_folders_are_made_once_and_may_exist(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data").create().create()
    assert sorted(entry.name for entry in layout.data.iterdir()) == ["captures", "labels", "logs", "models", "reports"]
    assert list(layout.data.rglob(".driftline*")) == []


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"cannot write in the data folder .*file"):
        Layout(tmp_path / "file").create()


def test_paths_are_the_documented_ones() -> None:
    layout = Layout("/data")
    assert layout.database == Path("/data/driftline.db")
    assert layout.model("churn") == Path("/data/models/churn")
    assert layout.captures("churn") == Path("/data/captures/churn")
    assert layout.label_hour("churn", TICK) == Path("/data/labels/churn/2026/11/22/11")
    assert layout.report("churn", "hourly", TICK) == Path("/data/reports/churn/hourly/2026/11/22/11")
    assert layout.relative(layout.report("churn", "hourly", TICK, "30")) == "reports/churn/hourly/2026/11/22/11/30"
    assert layout.logs == Path("/data/logs")


def test_folders_are_of_the_hour_in_utc() -> None:
    there = TICK.astimezone(timezone(timedelta(hours=5)))
    assert Layout("/d").report("e", "s", there) == Layout("/d").report("e", "s", TICK)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a\n", "a\x00b", "x" * 64, "é", "a."]
)
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    layout = Layout("/data")
    for use in (layout.model, layout.captures, layout.labels):
        with pytest.raises(InputError, match="cannot be the name"):
            use(name)
    with pytest.raises(InputError):
        layout.report("e", name, TICK)


def test_a_new_shared_clock_tells_real_time(tmp_path: Path) -> None:
    clock = SharedClock(tmp_path / "clock")
    assert abs(clock() - time.time()) < 5
    clock.close()


def test_a_shared_clock_is_seen_by_others_at_once_and_kept(tmp_path: Path) -> None:
    mine, other = SharedClock(tmp_path / "clock"), SharedClock(tmp_path / "clock")
    mine.set(1_700_000_000.25)
    assert other() == 1_700_000_000.25
    script = "import sys; from driftline.storage.clock import *; print(SharedClock(sys.argv[1])())"
    said = subprocess.run([sys.executable, "-c", script, str(tmp_path / "clock")], capture_output=True, check=True)
    assert float(said.stdout) == 1_700_000_000.25
    mine.set(0)
    assert other() > 1_700_000_001
    mine.close()
    other.close()


def test_a_clock_that_cannot_be_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="as a clock"):
        SharedClock(tmp_path)
