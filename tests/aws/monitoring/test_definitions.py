"""Job definitions: told again with what the service fills in, listed, and not deleted while they are used."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import pytest

from driftline.aws.errors import AwsError
from driftline.core.errors import ConflictError, NotFoundError

KINDS = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")


@pytest.mark.parametrize("kind", KINDS)
def test_a_definition_is_told_again_with_defaults(world: Any, kind: str) -> None:
    config = {"ConfigUri": "s3://data/config.json"} if kind in ("ModelBias", "ModelExplainability") else {}
    asked = world.definition(kind, world.source(), **config) | {"NetworkConfig": {"EnableNetworkIsolation": True}}
    made = world.call(f"Create{kind}JobDefinition", **asked, Tags=[{"Key": "team", "Value": "churn"}])
    told = world.call(f"Describe{kind}JobDefinition", JobDefinitionName=f"{kind}-definition")
    assert told["JobDefinitionArn"] == made["JobDefinitionArn"]
    assert told["NetworkConfig"] == {"EnableInterContainerTrafficEncryption": False, "EnableNetworkIsolation": True}
    assert told["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
    assert told[f"{kind}JobInput"]["EndpointInput"]["S3InputMode"] == "File"
    assert told["CreationTime"] == world.service.now()
    assert "Tags" not in told
    assert world.call("ListTags", ResourceArn=told["JobDefinitionArn"])["Tags"] == [{"Key": "team", "Value": "churn"}]


@pytest.mark.parametrize("kind", KINDS)
def test_a_baseline_named_by_its_job_is_told_with_the_files_of_that_job(world: Any, kind: str) -> None:
    output = {"Outputs": [{"S3Output": {"S3Uri": "s3://data/results/"}}]}
    document = {"ProcessingOutputConfig": output}
    world.context.registry.add("processing-job", "baseline", document, now=world.service.now(), tags={})
    config = {"ConfigUri": "s3://data/config.json"} if kind in ("ModelBias", "ModelExplainability") else {}
    asked = world.definition(kind, world.source(), **config)
    world.call(f"Create{kind}JobDefinition", **asked | {f"{kind}BaselineConfig": {"BaseliningJobName": "baseline"}})
    told = world.call(f"Describe{kind}JobDefinition", JobDefinitionName=f"{kind}-definition")[f"{kind}BaselineConfig"]
    file = "analysis.json" if config else "constraints.json"
    assert told["ConstraintsResource"] == {"S3Uri": f"s3://data/results/{file}"}
    assert ("StatisticsResource" in told) == (kind == "DataQuality")
    assert told["BaseliningJobName"] == "baseline"


def test_a_name_is_unique_and_the_endpoint_must_be_there(world: Any) -> None:
    asked = world.definition("DataQuality", world.source())
    world.call("CreateDataQualityJobDefinition", **asked)
    with pytest.raises(ConflictError):
        world.call("CreateDataQualityJobDefinition", **asked)
    with pytest.raises(AwsError, match="Could not find endpoint") as raised:
        world.call("CreateDataQualityJobDefinition", **world.definition("DataQuality", world.source(EndpointName="X")))
    assert raised.value.code == "ValidationException"


def test_lists_are_filtered_sorted_and_in_pages(world: Any) -> None:
    for name in ("b-first", "a-second", "c-third"):
        asked = world.definition("DataQuality", world.source() if name != "c-third" else world.batch())
        world.call("CreateDataQualityJobDefinition", **asked | {"JobDefinitionName": name})
        world.clock.advance(60)

    def names(**given: Any) -> list[str]:
        found = world.call("ListDataQualityJobDefinitions", **given)["JobDefinitionSummaries"]
        return [row["MonitoringJobDefinitionName"] for row in found]

    assert names() == ["c-third", "a-second", "b-first"]
    assert names(SortBy="Name", SortOrder="Ascending") == ["a-second", "b-first", "c-third"]
    assert names(EndpointName="Churn") == ["a-second", "b-first"]
    assert names(NameContains="ir") == ["c-third", "b-first"]
    first = world.call("ListDataQualityJobDefinitions", MaxResults=2)
    assert names(MaxResults=2, NextToken=first["NextToken"]) == ["b-first"]
    middle = first["JobDefinitionSummaries"][1]["CreationTime"]
    assert (names(CreationTimeAfter=middle), names(CreationTimeBefore=middle)) == (["c-third"], ["b-first"])
    before_the_first = urlsafe_b64encode(b"-5").decode()
    for token in ("-1", before_the_first):
        with pytest.raises(AwsError, match="NextToken"):
            names(NextToken=token)


def test_a_definition_in_use_is_not_deleted(world: Any) -> None:
    world.quality()
    with pytest.raises(ConflictError, match="in use"):
        world.call("DeleteModelQualityJobDefinition", JobDefinitionName="ModelQuality-definition")
    world.call("DeleteMonitoringSchedule", MonitoringScheduleName="hourly")
    world.call("DeleteModelQualityJobDefinition", JobDefinitionName="ModelQuality-definition")
    with pytest.raises(NotFoundError):
        world.call("DeleteModelQualityJobDefinition", JobDefinitionName="ModelQuality-definition")
