"""The protocols against botocore's own writers and readers, for operations and values of every kind."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.model import OperationModel, Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.aws.errors import AwsError
from driftline.aws.operations import OPERATIONS
from driftline.aws.protocol import models
from driftline.aws.protocol.answers import answer, refusal
from driftline.aws.protocol.calls import Call
from driftline.aws.protocol.forms import fields_of
from driftline.aws.protocol.inputs import from_form, from_json

WIRES = [
    ("sagemaker", "json"),
    ("logs", "json"),
    ("kms", "json"),
    ("cloudwatch", "json"),
    ("cloudwatch", "query"),
    ("sts", "query"),
    ("iam", "query"),
]
DATUM = {
    "MetricName": "f2",
    "Dimensions": [{"Name": "Endpoint", "Value": "churn & co <é>"}, {"Name": "b", "Value": "c"}],
    "Timestamp": datetime(2026, 11, 22, 10, 30, 0, 250_000, UTC),
    "StatisticValues": {"SampleCount": 3.0, "Sum": 1.5, "Minimum": -0.1, "Maximum": 1e300},
    "Values": [0.5, 1.0],
    "Unit": "None",
    "StorageResolution": 60,
}
INPUTS = [
    ("cloudwatch", "PutMetricData", {"Namespace": "aws/sagemaker", "MetricData": [DATUM, {"MetricName": "b"}]}),
    ("cloudwatch", "PutMetricAlarm", {
        "AlarmName": "a", "ActionsEnabled": False, "AlarmActions": [], "EvaluationPeriods": 1,
        "ComparisonOperator": "LessThanThreshold", "Threshold": 0.5, "Tags": [{"Key": "k", "Value": ""}],
    }),
    ("cloudwatch", "GetMetricStatistics", {
        "Namespace": "n", "MetricName": "m", "StartTime": datetime(2026, 11, 22, tzinfo=UTC),
        "EndTime": datetime(2026, 11, 23, tzinfo=UTC), "Period": 60, "Statistics": ["Sum", "Average"],
    }),
]  # fmt: skip
CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(CHARACTERS, max_size=8),
    "boolean": st.booleans(),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False, width=32),
    "double": st.floats(allow_nan=False),
    "timestamp": st.integers(10**8, 4 * 10**12).map(
        lambda ms: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)
    ),
    "blob": st.binary(max_size=8),
}


def values(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape, whatever its constraints."""
    kind = shape.type_name
    if kind == "structure":
        return structures(shape, depth)
    if kind == "list":
        return st.lists(values(shape.member, depth + 1), max_size=2 if depth < 4 else 0)
    if kind == "map":
        return st.dictionaries(values(shape.key), values(shape.value, depth + 1), max_size=2)
    return st.sampled_from(shape.enum) if getattr(shape, "enum", None) else SCALARS[kind]


def structures(shape: Shape, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """Some members of a structure; one of a union, which is never empty."""
    union = shape.is_tagged_union
    names = [name for name in shape.members if depth < 4 or union or name in shape.required_members]
    if not names:
        return st.just({})
    some = st.sets(st.sampled_from(names), min_size=int(union), max_size=1 if union else 4)
    return some.flatmap(
        lambda chosen: st.fixed_dictionaries({name: values(shape.members[name], depth + 1) for name in sorted(chosen)})
    )


def written(document: Any) -> Any:
    """What the query protocol writes of a document: everything but what is empty, save for lists."""
    if isinstance(document, dict):
        members = {name: written(value) for name, value in document.items()}
        return {name: value for name, value in members.items() if value != {}}
    if isinstance(document, list) and document:
        return [item for item in map(written, document) if item != {}] or {}
    return document


def streams(operation: OperationModel) -> bool:
    """Whether an operation gives a stream, or nothing."""
    return operation.output_shape is None or operation.has_event_stream_output


@cache
def reading(protocol: str) -> Any:
    """Botocore's reader of answers."""
    return create_parser(protocol)


def read(protocol: str, operation: OperationModel, made: Any) -> dict[str, Any]:
    """An answer as a client reads it."""
    headers = {name.decode(): value.decode() for name, value in made.headers}
    response = {"body": made.body, "headers": headers, "status_code": made.status}
    found: dict[str, Any] = reading(protocol).parse(response, operation.output_shape)
    return found


def there(service: str, protocol: str, operation: OperationModel, given: dict[str, Any]) -> dict[str, Any]:
    """An input as the server reads it when a client wrote it."""
    body = create_serializer(protocol, include_validation=False).serialize_to_request(given, operation)["body"]
    if protocol == "json":
        return from_json(operation, body)
    return from_form(operation, fields_of(urlencode(body).encode()))


@pytest.mark.parametrize("protocol", ["json", "query"])
@pytest.mark.parametrize(("service", "name", "document"), INPUTS)
def test_inputs_arrive_as_they_were_given(protocol: str, service: str, name: str, document: dict[str, Any]) -> None:
    operation = models.operation(service, name)
    assert operation is not None
    assert there(service, protocol, operation, document) == document


SHORT = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@pytest.mark.parametrize(("service", "protocol"), WIRES)
def test_outputs_arrive_as_they_were_given(service: str, protocol: Any) -> None:
    known = models.model(service)
    names = [name for name in known.operation_names if not streams(known.operation_model(name))]

    @SHORT
    @given(st.data(), st.sampled_from(names))
    def there_and_back(data: st.DataObject, name: str) -> None:
        operation = known.operation_model(name)
        output = data.draw(values(operation.output_shape))
        found = read(protocol, operation, answer(Call(service, name, protocol), operation, output, "the-id"))
        assert found.pop("ResponseMetadata")["HTTPStatusCode"] == 200
        assert found == output

    there_and_back()


@pytest.mark.parametrize(("service", "protocol"), WIRES)
def test_inputs_can_be_read_or_are_refused_for_their_values(service: str, protocol: str) -> None:
    known = models.model(service)
    names = [name for name in known.operation_names if known.operation_model(name).input_shape]

    @SHORT
    @given(st.data(), st.sampled_from(names))
    def there_or_refused(data: st.DataObject, name: str) -> None:
        operation = known.operation_model(name)
        document = data.draw(values(operation.input_shape))
        try:
            found = there(service, protocol, operation, document)
        except AwsError as error:
            told = error
        else:
            assert found == (document if protocol == "json" else written(document))
            return
        assert told.code == "ValidationException"
        assert "not known to this version" not in told.message

    there_or_refused()


@pytest.mark.parametrize(
    "code", ["ValidationException", "ResourceNotFound", "InvalidParameterValue", "InternalFailure"]
)
@pytest.mark.parametrize("protocol", ["json", "query"])
def test_errors_have_their_code_in_both_protocols(protocol: Any, code: str) -> None:
    operation = models.operation("cloudwatch", "DescribeAlarms")
    assert operation is not None
    error = AwsError(code, "said <so>", 500 if code == "InternalFailure" else 400)
    told = read(protocol, operation, refusal(Call("cloudwatch", "DescribeAlarms", protocol), error, "the-id"))
    assert told["Error"]["Code"] == {"ValidationException": "ValidationError"}.get(code, code)
    assert told["Error"]["Message"] == "said <so>"


@pytest.mark.parametrize(
    ("output", "told"),
    [({"Nothing": 1}, "has no member"), ({"ModelName": 3}, "is a string"), ({"Containers": [None]}, "is a structure")],
)
def test_what_the_model_does_not_have_is_a_defect(output: dict[str, Any], told: str) -> None:
    operation = models.operation("sagemaker", "DescribeModel")
    assert operation is not None
    with pytest.raises(ValueError, match=told):
        answer(Call("sagemaker", "DescribeModel", "json"), operation, output, "id")


def test_members_without_value_are_left_out() -> None:
    operation = models.operation("sagemaker", "DescribeModel")
    assert operation is not None
    made = answer(Call("sagemaker", "DescribeModel", "json"), operation, {"ModelName": "a", "ModelArn": None}, "id")
    assert made.body == b'{"ModelName":"a"}'


@pytest.mark.parametrize(
    ("service", "name"), [(service, name) for service in OPERATIONS for name in OPERATIONS[service]]
)
def test_every_operation_that_is_answered_is_in_its_model(service: str, name: str) -> None:
    operation = models.operation(service, name)
    assert operation is not None
    for shape in (operation.input_shape, operation.output_shape):
        if shape is not None:
            walk(shape, set())


def walk(shape: Shape, seen: set[str]) -> None:
    """Visit every shape that a shape is made of, so that each of them is resolved."""
    if shape.name in seen:
        return
    seen.add(shape.name)
    for inner in below(shape):
        walk(inner, seen)


def below(shape: Shape) -> list[Shape]:
    """The shapes that a shape is made of."""
    if shape.type_name == "structure":
        return list(shape.members.values())
    return {"list": lambda: [shape.member], "map": lambda: [shape.key, shape.value]}.get(shape.type_name, list)()


@pytest.mark.parametrize("given", [math.inf, -math.inf])
@pytest.mark.parametrize("protocol", ["json", "query"])
def test_numbers_that_are_none_have_their_words(protocol: Any, given: float) -> None:
    operation = models.operation("cloudwatch", "GetMetricData")
    assert operation is not None
    output = {"MetricDataResults": [{"Id": "a", "Values": [given]}]}
    found = read(protocol, operation, answer(Call("cloudwatch", "GetMetricData", protocol), operation, output, "id"))
    assert float(found["MetricDataResults"][0]["Values"][0]) == given


def test_services_are_known_by_what_their_models_say() -> None:
    for prefix, service in models.TARGETS.items():
        assert models.model(service).metadata["targetPrefix"] == prefix
    for version, service in models.VERSIONS.items():
        assert models.model(service).metadata["apiVersion"] == version
    for name, service in models.SIGNING_NAMES.items():
        assert models.model(service).signing_name == name
