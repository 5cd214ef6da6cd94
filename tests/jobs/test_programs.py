"""Schedules whose analysis is a program of the operator's: a real one, from the captures to alarms on its metrics."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import pytest

from driftline.alerting import watch
from driftline.alerting.metrics import DATA_QUALITY, MODEL_QUALITY, dimensions_of
from driftline.core.errors import InputError
from driftline.core.verdict import Verdict
from driftline.core.window import HOUR
from driftline.jobs.executions import LOG, Worker
from driftline.jobs.isolation import Isolation, Limits, RunFailed, dated
from driftline.jobs.late_labels import LateLabels
from driftline.jobs.planning import plan_due
from driftline.jobs.schedules import create_schedule
from driftline.pipeline import ProgramRun, Run, RunResult, run_monitor
from driftline.pipeline.programs import Program
from driftline.resources.alarms import NewAlarm
from driftline.resources.executions import Execution
from driftline.resources.metrics import Series
from driftline.storage import alarms, baselines, metrics
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.testing import START, capture, write_captures, write_labels

START_OF_ALL = """
import json, os, pathlib, sys, time
told, out = os.environ, pathlib.Path(os.environ["output_path"])
def leave(name, document):
    (out / name).write_text(document if isinstance(document, str) else json.dumps(document))
def records():
    files = sorted(pathlib.Path(told["dataset_source"]).rglob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.open()]
OK = {"violations": []}
"""
Judge = Callable[..., Execution]


@pytest.fixture
def judge(store: Store, layout: Layout) -> Judge:
    """Runs the first hour of an endpoint with three captures by a program; gives the run as it ended."""
    write_captures(layout.captures("churn") / "AllTraffic", [capture("0.5", f"e{n}", time=at(n)) for n in range(3)])
    write_captures(layout.captures("churn") / "AllTraffic", [capture("0.5", "late", time=START + HOUR)])

    def run(code: str, *, more: str = "", **options: Any) -> Execution:
        script = layout.data / "program.py"
        script.write_text(START_OF_ALL + dedent(code))
        command = json.dumps([sys.executable, "-I", str(script)])
        (layout.data / "programs.toml").write_text(f"[program.own]\nrun = {command}\n{more}")
        schedule(store, **options)
        return ended(store, layout, START + HOUR)

    return run


def at(number: int) -> datetime:
    return START + timedelta(minutes=number)


def schedule(store: Store, **options: Any) -> None:
    given = {"monitor": "data-quality", "problem_type": "BinaryClassification", "attributes": {"program": "own"}}
    with store.write() as db:
        create_schedule(db, name="mine", endpoint="churn", cron="0 * * * *", now=START, **(given | options))


def ended(store: Store, layout: Layout, now: datetime) -> Execution:
    plan_due(store, layout, now)
    done = Worker(store, layout, run_monitor, now.timestamp, owner="w").run_next()
    assert done is not None
    return done


def test_violations_statistics_log_and_message_become_those_of_the_run(judge: Judge, layout: Layout) -> None:
    done = judge("""
        print("saw", len(records()), "records")
        one = {"feature_name": "age", "constraint_check_type": "mine", "description": "too old", "value": 99}
        leave("constraint_violations.json", {"violations": [one]})
        leave("statistics.json", {"features": "none of ours"})
        leave("message", "one of three")
        leave("picture.svg", "<svg/>")
    """)
    assert (done.status, done.verdict, done.item_count) == ("CompletedWithViolations", Verdict.VIOLATED, 3)
    assert [(one.feature_name, one.value) for one in done.violations] == [("age", 99)]
    assert [(reason.code, reason.message) for reason in done.reasons] == [("message", "one of three")]
    assert done.counts == {"capture_files": 1, "capture_records": 3}
    assert done.statistics["program"]["statistics"] == {"features": "none of ours"}
    assert [step.name for step in done.steps] == ["gather", "program own"]
    report = layout.data / done.report
    assert (report / "program.log").read_text() == "saw 3 records\n"
    assert sorted(path.name for path in report.iterdir()) == [
        "constraint_violations.json", "output", "program.log", "statistics.json"
    ]  # fmt: skip
    assert (report / "output" / "picture.svg").read_text() == "<svg/>"


def test_it_is_told_of_the_run_and_of_nothing_else(
    judge: Judge, store: Store, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_DATABASE", "postgresql://secret")
    monkeypatch.setenv("PROXY", "http://proxy")
    constraints = b'{"version": 0.0, "features": [], "monitoring_config": {"emit_metrics": "Disabled"}}'
    with store.write() as db:
        baselines.put(db, baselines.Baseline("day", "data-quality", b"{}", constraints, START))
    done = judge(
        """
        leave("constraint_violations.json", OK)
        baseline = json.loads(pathlib.Path(told["baseline_constraints"]).read_text())
        leave("statistics.json", {"told": dict(told), "baseline": baseline})
        leave("metrics/cloudwatch/m", json.dumps({"MetricName": "m", "Timestamp": 1795341600, "Value": 1}))
        """,
        more='environment = ["PROXY"]',
        baseline="day",
    )
    assert done.verdict is Verdict.OK, done.error
    found = done.statistics["program"]["statistics"]
    told, folder = found["told"], layout.data / done.report
    assert (told["dataset_source"], told["output_path"]) == (str(folder / "input" / "data"), str(folder / "output"))
    assert (told["start_time"], told["end_time"]) == ("2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z")
    assert (told["sagemaker_endpoint_name"], told["sagemaker_monitoring_schedule_name"]) == ("churn", "mine")
    assert (told["publish_cloudwatch_metrics"], told["PROXY"]) == ("Disabled", "http://proxy")
    assert found["baseline"]["features"] == []
    assert not {"DRIFTLINE_DATABASE", "baseline_statistics", "HOME"} & told.keys()
    assert "secret" not in json.dumps(msgspec.to_builtins(done.statistics))
    with store.read() as db:
        assert metrics.listing(db) == []


def test_its_metrics_are_published_at_the_tick_and_alarms_look_at_them(judge: Judge, store: Store) -> None:
    of_age = dimensions_of("churn", "mine") | {"Feature": "age"}
    alarm = NewAlarm(metric="psi", dimensions=of_age, operator="GreaterThanThreshold", threshold=0.2).named("age")
    with store.write() as db:
        watched = msgspec.structs.replace(alarm, namespace=DATA_QUALITY)
        watch.put_alarm(db, watched, now=START, real=START)
    judge("""
        def line(name, **more):
            return json.dumps({"MetricName": name, "Timestamp": 1795341600} | more)
        mine = [{"Name": "Endpoint", "Value": "of somebody else"}, {"Name": "Feature", "Value": "age"}]
        values = {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4}
        lines = [line("psi", Value=0.25, Dimensions=mine), line("rows", Value=3)]
        lines += [line("size", StatisticValues=values), line("size", Value=6)]
        leave("metrics/cloudwatch/all.jsonl", "\\n".join(lines))
    """)
    own = dimensions_of("churn", "mine")
    with store.read() as db:
        assert {one.name for one in metrics.listing(db)} == {"psi", "rows", "size"}
        [psi] = metrics.query(db, Series(DATA_QUALITY, "psi", of_age))
        [rows] = metrics.query(db, Series(DATA_QUALITY, "rows", own))
        [size] = metrics.query(db, Series(DATA_QUALITY, "size", own))
        assert alarms.get(db, "age").state == "ALARM"
    assert (psi.value, psi.time, rows.value) == (0.25, START + HOUR, 3)
    assert (size.count, size.sum, size.minimum, size.maximum) == (5, 16, 1, 6)


@pytest.mark.parametrize(
    ("code", "more", "seen"),
    [
        ("print('half way'); leave('message', 'no column x'); sys.exit(3)", "", "failed with exit code 3: no column x"),
        ("print('half way', flush=True); time.sleep(600)", "time_limit = 0.5", "was stopped after 0.5 s"),
        ("print('half way', flush=True); x = b'x' * (90 << 20); time.sleep(600)", "memory_limit = 60", "60 MiB"),
        ("print('half way'); leave('constraint_violations.json', '{\"viol')", "", "constraint_violations.json: "),
        ("print('half way'); leave('constraint_violations.json', {'violations': 7})", "", "violations.json: "),
        ("print('half way'); leave('metrics/cloudwatch/m', 'psi=3')", "", "m, line 1: "),
    ],
)
def test_a_program_that_fails_fails_the_run_and_its_log_stays(
    judge: Judge, layout: Layout, code: str, more: str, seen: str
) -> None:
    done = judge(code, more=more)
    assert (done.status, done.verdict, done.violations) == ("Failed", Verdict.UNKNOWN, ())
    assert seen in (done.error or "")
    report = layout.data / done.report
    assert (report / "program.log").read_text() == "half way\n"
    assert not (report / "input").exists()


def test_a_program_that_has_vanished_fails_by_name(judge: Judge, store: Store, layout: Layout) -> None:
    judge("pass")
    (layout.data / "program.py").unlink()
    (layout.data / "programs.toml").write_text('[program.own]\nrun = ["/no/such/program"]')
    assert "program could not be started" in (ended(store, layout, START + 2 * HOUR).error or "")
    (layout.data / "programs.toml").write_text('[program.other]\nrun = ["/bin/true"]')
    done = ended(store, layout, START + 3 * HOUR)
    assert done.status == "Failed"
    assert "there is no program 'own'" in (done.error or "")


def test_no_check_is_no_verdict_and_without_captures_it_is_not_run(judge: Judge, store: Store, layout: Layout) -> None:
    done = judge("leave('message', 'nothing to hold it against')")
    assert (done.status, done.verdict) == ("Completed", Verdict.UNKNOWN)
    assert [reason.code for reason in done.reasons] == ["no_constraints", "message"]
    ended(store, layout, START + 2 * HOUR)
    empty = ended(store, layout, START + 3 * HOUR)
    assert [(reason.code, dict(reason.checklist)["capture files found"]) for reason in empty.reasons] == [
        ("no_captures", "0")
    ]
    assert not (layout.data / empty.report / "program.log").exists()


def test_what_it_does_to_its_captures_harms_none_and_an_attempt_before_leaves_nothing(
    judge: Judge, layout: Layout
) -> None:
    before = [path.read_bytes() for path in sorted(layout.captures("churn").rglob("*.jsonl"))]
    report = layout.report("churn", "mine", START + HOUR)
    for name in ("input/data/old.jsonl", "output/constraint_violations.json"):
        (report / name).parent.mkdir(parents=True)
        (report / name).write_text('{"violations": [')
    done = judge("""
        for file in pathlib.Path(told["dataset_source"]).rglob("*.jsonl"):
            file.write_text("")
        leave("constraint_violations.json", OK)
    """)
    assert (done.verdict, done.item_count) == (Verdict.OK, 3)
    assert [path.read_bytes() for path in sorted(layout.captures("churn").rglob("*.jsonl"))] == before


def test_of_model_quality_it_gets_records_merged_with_their_labels(judge: Judge, store: Store, layout: Layout) -> None:
    write_labels(layout.labels("churn"), {"e0": "1", "e2": "0", "late": "1"}, collected=START + HOUR)
    done = judge(
        """
        truths = {one["eventMetadata"]["eventId"]: one["groundTruthData"]["data"] for one in records()}
        leave("statistics.json", {"truths": truths, "format": json.loads(told["dataset_format"])})
        leave("constraint_violations.json", OK)
        leave("metrics/cloudwatch/m", json.dumps({"MetricName": "hits", "Timestamp": 1795341600, "Value": 1}))
        """,
        monitor="model-quality",
    )
    found = done.statistics["program"]["statistics"]
    assert (done.verdict, found["truths"]) == (Verdict.OK, {"e0": "1", "e2": "0"})
    assert [*found["format"]] == ["sagemakerMergeJson"]
    assert done.counts == {"capture_files": 1, "merged_records": 2}
    with store.read() as db:
        assert metrics.query(db, Series(MODEL_QUALITY, "hits", dimensions_of("churn", "mine")))[0].value == 1
    write_labels(layout.labels("churn"), {"e1": "1"}, collected=START + HOUR)
    assert LateLabels(store, layout, lambda: 0.0).look(START + 2 * HOUR) == []


def test_without_labels_there_is_nothing_to_merge(judge: Judge) -> None:
    done = judge("sys.exit(1)", monitor="model-quality")
    assert [reason.code for reason in done.reasons] == ["no_labels"]


def test_it_ends_before_its_run_is_killed(judge: Judge) -> None:
    done = judge("time.sleep(600)", time_limit=0.5)
    assert "was stopped after 0.4" in (done.error or "")


def test_a_run_that_is_killed_leaves_no_copies(store: Store, layout: Layout) -> None:
    def killed(run: Run, *_: Any, **__: Any) -> RunResult:
        (Path(run.report or "") / "input" / "data").mkdir(parents=True)
        raise RunFailed("stopped on request", code="stopped")

    (layout.data / "programs.toml").write_text('[program.own]\nrun = ["/bin/true"]')
    schedule(store)
    plan_due(store, layout, START + HOUR)
    isolation: Any = killed
    done = Worker(store, layout, run_monitor, START.timestamp, owner="w", isolation=isolation).run_next()
    assert done is not None
    assert "stopped on request" in (done.error or "")
    assert [path.name for path in (layout.data / done.report).iterdir()] == [LOG]


def test_in_a_process_of_its_own_it_fails_with_its_log(layout: Layout, tmp_path: Path) -> None:
    write_captures(layout.captures("churn"), [capture("0.5", "e0")])
    command = (sys.executable, "-I", "-c", "print('no column x'); raise SystemExit(3)")
    run = ProgramRun("own", Program(command), str(layout.captures("churn")), report=str(tmp_path / "report"))
    with pytest.raises(RunFailed, match="failed with exit code 3") as caught:
        Isolation(dated)(run, Limits(), log=tmp_path / "report" / "log.txt")
    assert (caught.value.code, caught.value.evidence) == ("program", "no column x")
    assert (tmp_path / "report" / "program.log").read_text() == "no column x\n"


def test_a_run_that_is_killed_leaves_no_process(layout: Layout, tmp_path: Path) -> None:
    write_captures(layout.captures("churn"), [capture("0.5", "e0")])
    code = "echo $$ > pid; setsid sleep 600 & echo $! >> pid; echo > begun; wait"
    program = Program(("/bin/sh", "-c", code))
    run = ProgramRun("own", program, str(layout.captures("churn")), report=str(tmp_path / "report"))
    output, stop = tmp_path / "report" / "output", threading.Event()
    watch = threading.Thread(target=lambda: (_until((output / "begun").exists), stop.set()))
    watch.start()
    with pytest.raises(RunFailed, match="stopped on request while it did: program own"):
        Isolation(dated)(run, Limits(), stop=stop)
    watch.join()
    assert [number for number in (output / "pid").read_text().split() if _lives(number)] == []


def _until(seen: Callable[[], bool]) -> None:
    for _ in range(600):
        if seen():
            return
        threading.Event().wait(0.05)


def _lives(process: str) -> bool:
    """A zombie that nobody has waited for yet is dead."""
    try:
        return Path("/proc", process, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    "attributes",
    [
        {"program": "own", "preprocessor": "a.py"},
        {"program": "own", "segments": ["plan"], "analyzers": ["x"]},
        {"program": ["sh", "-c", "ls"]},
        {"program": {"run": ["/bin/sh"]}},
    ],
)
def test_attributes_that_no_program_would_look_at_are_refused(store: Store, attributes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"a schedule with a program has no|cannot be used"):
        schedule(store, attributes=attributes)
