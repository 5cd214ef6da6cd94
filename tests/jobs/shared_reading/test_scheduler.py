"""A scheduler of a node that has nothing but the address of the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftline.core.analysis_settings import ShapConfig
from driftline.core.records import utc
from driftline.core.window import HOUR, Window
from driftline.jobs.exchange import Exchange, own_files
from driftline.jobs.places import places_of
from driftline.jobs.scheduler import Scheduler
from driftline.pipeline import AttributionRun, DataQualityRun, run_monitor
from driftline.storage import executions, nodes
from driftline.storage import schedules as rows
from driftline.storage.clock import system_clock
from driftline.storage.nodes import Node
from driftline.testing import START, FakeClock
from tests.jobs.shared_reading.fleet import Make, schedules

WINDOW = Window(START, START + HOUR)


@pytest.fixture
def kind() -> str:
    """The store of files is the same whatever the database is."""
    return "sqlite"


def test_a_scheduler_finds_the_store_by_its_environment(machines: Make, clock: FakeClock, bucket: Path) -> None:
    a, b = machines("a"), machines("b")
    schedules(a.store)
    a.capture(0, 1, 2, 3)
    a.ship()
    with a.store.write() as db:
        nodes.tell(db, Node("a", "1", START, utc(system_clock()), clock.moment))
    scheduler = Scheduler(b.store, b.layout, clock, run_monitor)
    try:
        assert scheduler.tick().ran == 2
    finally:
        scheduler.close()
    with b.store.read() as db:
        found = executions.listing(db)
    assert {(run.status, run.captures is not None) for run in found} == {("Completed", True)}
    assert all((bucket / "fleet" / run.report / "report.html").exists() for run in found)


def test_models_and_scripts_are_there_before_a_run(machines: Make) -> None:
    a, b = machines("a"), machines("b")
    schedules(a.store, "data-quality")
    model, script = a.layout.model("churn") / "aa" / "model.json", a.layout.script("clean.py")
    for path in (model, script):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    a.shared.send(model, script)
    with b.store.read() as db:
        schedule = rows.get(db, "data-quality")
    there, exchange = b.layout.data, Exchange(b.layout, b.shared)
    captures = str(b.layout.captures("churn"))
    wanted = (
        AttributionRun(captures, ShapConfig(), model=str(there / a.layout.relative(model)), window=WINDOW),
        DataQualityRun(captures, preprocessor=str(b.layout.script("clean.py")), window=WINDOW),
    )
    for run in wanted:
        exchange.fetch(schedule, places_of(b.layout, schedule), run, WINDOW, lambda: None)
    assert (there / a.layout.relative(model)).read_text() == b.layout.script("clean.py").read_text() == "{}"


def test_the_files_of_a_run_are_not_those_of_runs_inside_its_folder(tmp_path: Path) -> None:
    mine = ["report.html", "log.txt", "output/found.csv"]
    for name in (*mine, ".unfinished.tmp", "revision-2/report.html", "30/report.html", "20261122T100000-x/a"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "link").symlink_to(tmp_path / "report.html")
    assert [path.relative_to(tmp_path).as_posix() for path in own_files(tmp_path)] == sorted(mine)
    assert own_files(tmp_path / "nowhere") == []
