"""What models allow, in the service's words; patterns in time that does not grow with their cunning."""

from __future__ import annotations

import time
from typing import Any

import pytest

from driftline.aws.errors import AwsError
from driftline.aws.protocol import models
from driftline.aws.protocol.constraints import matching
from driftline.aws.protocol.inputs import from_form, from_json

ARN = "arn:aws:sagemaker:us-east-1:123456789012:model/a"
FAILED = "failed to satisfy constraint: Member must"


def refused(service: str, name: str, body: str) -> str:
    operation = models.operation(service, name)
    assert operation is not None
    with pytest.raises(AwsError) as raised:
        from_json(operation, body.encode())
    assert raised.value.code == "ValidationException"
    return raised.value.message


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("DescribeModel", "{}", f"Value null at 'modelName' {FAILED} not be null"),
        ("DescribeModel", '{"ModelName": null}', f"Value null at 'modelName' {FAILED} not be null"),
        ("DescribeModel", '{"ModelName": "-a"}', f"'-a' at 'modelName' {FAILED} satisfy regular expression pattern: ["),
        ("DescribeModel", '{"ModelName": "a\\u0000"}', f"at 'modelName' {FAILED} not contain the null character"),
        ("ListModels", '{"MaxResults": 101}', f"'101' at 'maxResults' {FAILED} have value less than or equal to 100"),
        ("ListModels", '{"MaxResults": 0}', f"'0' at 'maxResults' {FAILED} have value greater than or equal to 1"),
        ("ListModels", '{"SortOrder": "Up"}', f"'sortOrder' {FAILED} satisfy enum value set: [Ascending, Descending]"),
        ("ListModels", '{"Sort": 1}', "Member 'sort' is not known to this version of the service"),
        ("AddTags", f'{{"ResourceArn": "{ARN}", "Tags": [null]}}', f"null at 'tags.1.member' {FAILED} not be null"),
    ],
)
def test_the_service_says_what_is_wrong(name: str, body: str, told: str) -> None:
    message = refused("sagemaker", name, body)
    assert message.startswith("1 validation error detected: ")
    assert told in message


def test_maps_say_which_keys_are_wrong() -> None:
    container = '{"Environment": {"a b": "1"}}'
    told = refused("sagemaker", "CreateModel", f'{{"ModelName": "a", "PrimaryContainer": {container}}}')
    assert "Value '{a b=1}' at 'primaryContainer.environment' failed to satisfy constraint: Map keys must" in told


def test_long_values_are_told_in_short() -> None:
    told = refused("sagemaker", "DescribeModel", f'{{"ModelName": "{"a" * 100_000}"}}')
    assert len(told) < 2_000


def test_of_many_failures_the_first_are_told() -> None:
    tags = ",".join('{"Key":"","Value":"v"}' for _ in range(45))
    told = refused("sagemaker", "CreateModel", f'{{"ModelName": "a", "Tags": [{tags}]}}')
    assert told.startswith("45 validation errors detected: ")
    assert told.count("failed to satisfy") == 20


def test_times_may_be_written_in_every_way() -> None:
    operation = models.operation("sagemaker", "ListModels")
    assert operation is not None
    found = {
        from_json(operation, f'{{"CreationTimeAfter": {text}}}'.encode())["CreationTimeAfter"]
        for text in (
            "1795343415",
            "1795343415.0",
            '"2026-11-22T10:30:15Z"',
            '"2026-11-22T11:30:15+01:00"',
            '"1795343415"',
        )
    }
    assert len(found) == 1


@pytest.mark.parametrize("fields", [
    {"RoleName": "a", "Other": "b"},
    {"RoleName.member.1": "a"},
    {"RoleName": "a", "RoleName.x.y": "b"},
    {},
])  # fmt: skip
def test_fields_that_are_not_known_are_refused(fields: dict[str, str]) -> None:
    operation = models.operation("iam", "GetRole")
    assert operation is not None
    with pytest.raises(AwsError):
        from_form(operation, fields)


@pytest.mark.parametrize("fields", [
    {"Dimensions": "a"},
    {"Dimensions.member": "a"},
    {"Dimensions.member.x.Name": "a"},
    {"Dimensions.member.9999999999999.Name": "a"},
    {"Dimensions.1.Name": "a"},
    {".": "a", "..": "b", "": "c"},
])  # fmt: skip
def test_lists_that_are_none_are_refused(fields: dict[str, str]) -> None:
    operation = models.operation("cloudwatch", "ListMetrics")
    assert operation is not None
    with pytest.raises(AwsError):
        from_form(operation, fields)


def test_elements_are_in_the_order_of_their_numbers() -> None:
    operation = models.operation("cloudwatch", "DescribeAlarms")
    assert operation is not None
    fields = {f"AlarmNames.member.{number}": str(number) for number in (10, 2, 1)}
    assert from_form(operation, fields) == {"AlarmNames": ["1", "2", "10"]}


@pytest.mark.parametrize(
    ("pattern", "text", "good"),
    [
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "schlüssel 1", True),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "a;b", False),
        (r"[\u0009\u000A\u000D\u0020-\u00FF]+", "é\n", True),
        (r"[\u0020-\u00FF]+", "\u0100", False),
        (r"^[a-z]+$", "a\n", False),
        (r"[a-z&&[^b]]+", "b", True),
        (r"\d+", "٣", False),
        (r".{0,1024}", "a" * 2000, True),
        (r"(?<!-)x", "y", True),
        (r"[a-z]+|b1", "b1", True),
    ],
)
def test_patterns_mean_what_they_mean_to_the_service(pattern: str, text: str, good: bool) -> None:
    assert matching(pattern, [text]) == [good]


def test_cunning_patterns_take_no_time() -> None:
    began = time.perf_counter()
    assert matching(r"(a+)+b", ["a" * 50_000]) == [False]
    assert matching(r"(-*[a-z]*)*(-*[a-z]*)*!", ["a-" * 20_000]) == [False]
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("service", ["sagemaker", "logs", "cloudwatch", "kms", "sts", "iam"])
def test_nearly_all_patterns_of_the_models_are_used(service: str) -> None:
    known = models.model(service)
    patterns: set[str] = {
        shape.metadata["pattern"] for shape in map(known.shape_for, known.shape_names) if "pattern" in shape.metadata
    }
    impossible = "\x01\n\x02" * 3
    passed_over: list[Any] = [pattern for pattern in patterns if matching(pattern, [impossible]) == [True]]
    assert len(passed_over) < 0.15 * len(patterns) + 2, passed_over


def test_many_texts_take_little_time() -> None:
    operation = models.operation("cloudwatch", "PutMetricData")
    assert operation is not None
    data = ",".join(f'{{"MetricName": "m", "Dimensions": [{{"Name": "d{n}", "Value": "v"}}]}}' for n in range(5_000))
    began = time.process_time()
    assert len(from_json(operation, f'{{"Namespace": "n", "MetricData": [{data}]}}'.encode())["MetricData"]) == 5_000
    assert time.process_time() - began < 5


def test_lists_that_are_too_long_are_not_looked_into() -> None:
    tags = ",".join('{"Key":"","Value":"v"}' for _ in range(100))
    told = refused("sagemaker", "CreateModel", f'{{"ModelName": "a", "Tags": [{tags}]}}')
    assert told.startswith("1 validation error detected: ")
    assert "at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50" in told
