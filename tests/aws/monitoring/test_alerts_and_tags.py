"""The alert that each schedule has, and tags by ARN."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.core.errors import InputError, NotFoundError
from driftline.core.verdict import Verdict
from driftline.core.window import HOUR
from driftline.jobs.planning import plan_due
from driftline.storage import executions
from driftline.storage.executions import Outcome
from driftline.testing import START

ARN = "arn:aws:sagemaker:us-east-1:000000000000"


def run(world: Any, hour: int, *, violated: bool) -> None:
    world.clock.set(START + hour * HOUR)
    plan_due(world.service.store, world.service.layout, world.service.now())
    outcome = (
        Outcome("CompletedWithViolations", Verdict.VIOLATED, "2 violations")
        if violated
        else Outcome("Completed", Verdict.OK, "none")
    )
    with world.service.store.write() as db:
        claimed = executions.claim(db, owner="w", now=world.service.now(), real=world.service.now(), lease=HOUR)
        assert claimed is not None
        executions.finish(db, claimed, outcome, world.service.now())


def alert(world: Any) -> dict[str, Any]:
    (found,) = world.call("ListMonitoringAlerts", MonitoringScheduleName="hourly")["MonitoringAlertSummaries"]
    return dict(found)


def test_the_default_alert_follows_the_last_execution(world: Any) -> None:
    world.quality()
    assert (alert(world)["AlertStatus"], alert(world)["DatapointsToAlert"]) == ("OK", 1)
    run(world, 1, violated=True)
    assert alert(world)["AlertStatus"] == "InAlert"
    run(world, 2, violated=False)
    assert alert(world)["AlertStatus"] == "OK"
    told = world.call("ListMonitoringAlertHistory", MonitoringScheduleName="hourly")["MonitoringAlertHistory"]
    assert [(row["CreationTime"], row["AlertStatus"]) for row in told] == [
        (START + 2 * HOUR, "OK"),
        (START + HOUR, "InAlert"),
    ]
    only = world.call("ListMonitoringAlertHistory", StatusEquals="InAlert")["MonitoringAlertHistory"]
    assert len(only) == 1


def test_an_alert_of_several_datapoints(world: Any) -> None:
    world.service.create_schedule(
        "hourly", endpoint="Churn", cron="0 * * * *", monitor="data-quality", attributes={"output": "s3://results/x"}
    )
    name = alert(world)["MonitoringAlertName"]
    given = {"MonitoringScheduleName": "hourly", "DatapointsToAlert": 2, "EvaluationPeriod": 3}
    world.call("UpdateMonitoringAlert", MonitoringAlertName=name, **given)
    for hour, violated in enumerate((True, False, True, False), 1):
        run(world, hour, violated=violated)
        assert alert(world)["AlertStatus"] == ("InAlert" if hour == 3 else "OK")
    assert (alert(world)["DatapointsToAlert"], alert(world)["EvaluationPeriod"]) == (2, 3)
    with pytest.raises(NotFoundError):
        world.call("UpdateMonitoringAlert", MonitoringAlertName="other", **given)


def test_tags_by_arn(world: Any) -> None:
    world.quality()
    tags = [{"Key": "team", "Value": "churn"}, {"Key": "cost", "Value": "7"}]
    world.context.registry.add("endpoint", "Churn", {}, now=world.service.now(), tags={})
    for arn in (f"{ARN}:monitoring-schedule/hourly", f"{ARN}:endpoint/churn"):
        assert world.call("AddTags", ResourceArn=arn, Tags=tags)["Tags"] == tags
        world.call("DeleteTags", ResourceArn=arn, TagKeys=["cost", "none"])
        assert world.call("ListTags", ResourceArn=arn)["Tags"] == tags[:1]
    assert world.describe()["MonitoringScheduleStatus"] == "Scheduled"


def test_tags_of_what_is_not_there(world: Any) -> None:
    with pytest.raises(NotFoundError):
        world.call("ListTags", ResourceArn=f"{ARN}:model/none")
    with pytest.raises(NotFoundError):
        world.call("ListTags", ResourceArn=f"{ARN}:monitoring-schedule/none")
    with pytest.raises(InputError):
        world.call("ListTags", ResourceArn="arn:aws:s3:::bucket")
