"""An account that our own AWS side shows is brought to another, empty service, and watched from there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from driftline import Service
from driftline.account.bringing import Brought, bring, planned
from driftline.account.plan import plan
from driftline.account.reading import read_account
from driftline.account.targets import FolderTarget, RemoteTarget
from driftline.cli.__main__ import run
from driftline.cli.app import app
from driftline.client import Client
from driftline.jobs.executions import Worker
from driftline.jobs.planning import plan_due
from driftline.pipeline import run_monitor
from driftline.resources.executions import Execution
from driftline.testing import START, FakeClock


@pytest.fixture
def here(tmp_path: Path, watched: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """An empty service whose buckets are those of the account."""
    for name, value in watched.environment().items():
        monkeypatch.setenv(name, value)
    with Service(tmp_path / "here", clock=FakeClock()) as service:
        yield service


def judged(service: Service, schedule: str) -> Execution:
    """What a schedule found in the hour of the traffic."""
    moment = START + timedelta(hours=1)
    plan_due(service.store, service.layout, moment)
    worker = Worker(service.store, service.layout, run_monitor, moment.timestamp, owner="w")
    found = {}
    while (one := worker.run_next()) is not None:
        found[one.schedule] = one
    return found[schedule]


def outcomes(brought: list[Brought]) -> dict[tuple[str, str], str]:
    return {(one.kind, one.name): one.outcome for one in brought}


def test_what_was_read_is_made_and_gives_the_same_numbers(watched: Any, here: Service) -> None:
    watched.sent.clear()
    account = read_account(watched.clients)
    assert watched.sent
    assert [name for name in watched.sent if not name.startswith(("List", "Describe", "Get", "Head"))] == []
    items = plan(account, START)
    brought = bring(items, FolderTarget(here))
    assert outcomes(brought) == {
        ("endpoint", "churn"): "made",
        ("endpoint", "batches"): "made",
        ("endpoint", "silent"): "no counterpart",
        ("script", "DataQuality-preprocessor.py"): "made",
        ("baseline", "DataQuality-baseline"): "made",
        ("baseline", "ModelQuality-baseline"): "made",
        ("baseline", "batches-baseline"): "made",
        ("schedule", "DataQuality"): "made",
        ("schedule", "ModelQuality"): "made",
        ("schedule", "ModelBias"): "made",
        ("schedule", "ModelExplainability"): "made",
        ("schedule", "batches"): "made",
        ("alarm", "f2 is low"): "made",
        ("alarm", "other"): "no counterpart",
        ("alarm", "both"): "made",
    }, [one for one in brought if one.outcome == "failed"]
    endpoint = here.get_endpoint("churn")
    assert (endpoint.kind, endpoint.capture.percent) == ("external", 50.0)
    states = {one.name: one.state for one in here.list_schedules()}
    assert states == {
        "DataQuality": "paused", "ModelExplainability": "paused", "ModelBias": "active", "ModelQuality": "active",
        "batches": "active",
    }  # fmt: skip
    alarm = here.get_alarm("f2 is low").definition
    assert (alarm.metric, alarm.threshold, alarm.period, alarm.treat_missing) == ("f2", 0.8, 600, "breaching")
    again = outcomes(bring(items, FolderTarget(here)))
    assert set(again.values()) == {"exists", "no counterpart"}

    mine = judged(here, "ModelQuality")
    assert mine.item_count == 60, mine
    assert (watched.folder / "results/churn/ModelQuality/2026/11/22/11/statistics.json").exists()
    theirs = _original(watched)
    assert mine.statistics["binary_classification_metrics"] == theirs["binary_classification_metrics"]


def _original(account: Any) -> dict[str, Any]:
    """What the account's own schedule finds in the same hour: there captures lie in its data folder."""
    own = account.service.layout.captures("churn")
    for hour in (account.folder / "captured/churn").iterdir():
        (own / hour.name).symlink_to(hour)
    found: dict[str, Any] = judged(account.service, "ModelQuality").statistics
    return found


def test_what_will_differ_is_said(watched: Any) -> None:
    found = {(one.kind, one.name): one for one in planned(plan(read_account(watched.clients), START))}
    quality = " ".join(found["schedule", "ModelQuality"].differs)
    assert "KMS" in quality
    assert "ml.m5.xlarge" in quality
    assert "backfill" in quality
    assert "Stopped" in " ".join(found["schedule", "DataQuality"].differs)
    assert "model" in " ".join(found["schedule", "ModelExplainability"].differs)
    assert "sns" in " ".join(found["alarm", "f2 is low"].differs)
    assert "captured" in found["endpoint", "silent"].says
    assert found["endpoint", "churn"].says.endswith(f"{watched.root}/captured/churn")


def test_only_what_belongs_to_an_endpoint(watched: Any) -> None:
    account = read_account(watched.clients, ["silent"])
    assert [one.name for one in account.endpoints] == ["silent"]
    assert (account.schedules, account.alarms, account.composites, account.unread) == ((), (), (), ())


def test_an_object_that_is_gone_costs_its_schedule_alone(watched: Any) -> None:
    (watched.folder / "baseline/binary.json").rename(watched.folder / "kept.json")
    try:
        found = {(one.kind, one.name): one for one in planned(plan(read_account(watched.clients), START))}
    finally:
        (watched.folder / "kept.json").rename(watched.folder / "baseline/binary.json")
    assert found["schedule", "ModelQuality"].outcome == "no counterpart"
    assert "baseline/binary.json" in found["schedule", "ModelQuality"].says
    assert found["alarm", "f2 is low"].outcome == "no counterpart"
    assert found["schedule", "ModelBias"].outcome == "planned"


def test_a_right_that_is_missing_leaves_a_part_unread(watched: Any) -> None:
    clients = watched.new_clients()
    cloudwatch = clients.cloudwatch

    def refuse(**_: Any) -> None:
        denied = {"Error": {"Code": "AccessDenied", "Message": "not authorized to perform cloudwatch:DescribeAlarms"}}
        raise cloudwatch.exceptions.ClientError(denied, "DescribeAlarms")

    cloudwatch.meta.events.register("before-call.cloudwatch.DescribeAlarms", refuse)
    account = read_account(clients)
    assert {one.name for one in account.endpoints} == {"churn", "silent", "batches"}
    unread = {one.part: one.reason for one in account.unread}
    assert "AccessDenied" in unread["alarms"]
    assert account.schedules


def test_a_service_at_an_address(watched: Any, here: Service, aws_serve: Callable[..., Any]) -> None:
    items = plan(read_account(watched.clients), START)
    with aws_serve(here) as server, Client(server.endpoint_url) as client:
        brought = {(one.kind, one.name): one for one in bring(items, RemoteTarget(client))}
        assert set(outcomes(bring(items, RemoteTarget(client))).values()) == {"exists", "failed", "no counterpart"}
    failed = {key: one.says for key, one in brought.items() if one.outcome == "failed"}
    assert failed.keys() == {("script", "DataQuality-preprocessor.py"), ("schedule", "DataQuality")}
    assert "--data" in failed["script", "DataQuality-preprocessor.py"]
    assert here.get_schedule("ModelQuality").baseline == "ModelQuality-baseline"
    assert here.get_alarm("both").definition.rule == 'ALARM("f2 is low")'


def test_the_command(here: Service, watched: Any, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    def command(*words: str) -> tuple[int, Any, str]:
        monkeypatch.setattr(sys, "argv", ["driftline", "aws", "import", "--data", str(here.layout.data), *words])
        code = run(app)
        said = capsys.readouterr()
        return code, said.out, said.err

    code, shown, talked = command("--dry-run", "--json")
    assert code == 0, talked
    document = json.loads(shown)
    assert document["counts"] == {"planned": 13, "no counterpart": 3}
    assert here.list_schedules() == []
    code, shown, talked = command()
    assert code == 0, talked
    assert "paused, for it is Stopped there" in shown
    assert "stop that one, or give --output" in shown
    assert "not read: EventBridge rules" in talked
    assert len(here.list_schedules()) == 5
    secret = watched.environment()["AWS_SECRET_ACCESS_KEY"]
    assert secret not in shown + talked
    code, _, talked = command("--endpoint-url", "http://127.0.0.1:1", "--json")
    assert (code, json.loads(talked)["error"]["code"]) == (2, "service")
    code, shown, talked = command("--dry-run", "--output", "s3://elsewhere/results")
    assert (code, "--output" in shown) == (0, False)
    code, _, talked = command("--profile", "nobody")
    assert code == 2
    assert "nobody" in talked


def test_no_service_is_said_once(
    here: Service, watched: Any, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setattr(sys, "argv", ["driftline", "aws", "import", "--url", "http://127.0.0.1:1"])
    assert run(app) == 2
    assert capsys.readouterr().err.count("no service answers") == 1


def test_boto3_is_named_when_it_is_not_installed(monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.setattr(sys, "argv", ["driftline", "aws", "import", "--dry-run"])
    assert run(app) == 2
    assert "driftline[aws]" in capsys.readouterr().err
