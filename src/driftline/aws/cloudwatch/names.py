"""How CloudWatch's clients name series and alarms, and how they are named here."""

from __future__ import annotations

from typing import Any

from driftline.aws.context import Context
from driftline.aws.errors import AwsError
from driftline.core.errors import InputError
from driftline.resources.metrics import Series
from driftline.sagemaker import alarms
from driftline.sagemaker.alarms import namespace_of


def invalid(message: str) -> AwsError:
    """The error for a parameter whose value cannot be."""
    return AwsError("InvalidParameterValue", message)


def combination(message: str) -> AwsError:
    """The error for parameters that do not go together."""
    return AwsError("InvalidParameterCombination", message)


def refused(message: str) -> AwsError:
    """The error of operations that have no code of their own for a wrong value."""
    return AwsError("ValidationError", message)


def bad_token() -> AwsError:
    """The error for a token that no page gave out."""
    return AwsError("InvalidNextToken", "The token is not one that this operation gave out.")


def dimensions_of(given: list[dict[str, str]] | None) -> dict[str, str]:
    """Dimensions as a mapping; a name may come once."""
    try:
        return alarms.dimensions_of(given)
    except InputError as error:
        raise invalid(error.what) from None


def dimension_list(dimensions: dict[str, str]) -> list[dict[str, str]]:
    """Dimensions as clients read them."""
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def series_of(given: dict[str, Any]) -> Series:
    """The series that ``Namespace``, ``MetricName`` and ``Dimensions`` name."""
    return Series(namespace_of(given["Namespace"]), given["MetricName"], dimensions_of(given.get("Dimensions")))


def alarm_arn(context: Context, name: str) -> str:
    """The ARN of an alarm."""
    return f"arn:aws:cloudwatch:{context.region}:{context.account}:alarm:{name}"


def alarm_named(arn: str) -> str:
    """The alarm of an ARN.

    >>> alarm_named("arn:aws:cloudwatch:us-east-1:000000000000:alarm:f2: low")
    'f2: low'
    """
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[:3] != ["arn", "aws", "cloudwatch"] or parts[5] != "alarm":
        raise invalid(f"{arn[:200]} is not the ARN of an alarm.")
    return parts[6]
