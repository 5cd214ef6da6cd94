"""Names and ARNs as SageMaker writes them."""

from __future__ import annotations

import re

from driftline.core.errors import InputError

_ARN = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:(?P<kind>[a-z-]+)/(?P<name>[^/]+)")


def arn(region: str, account: str, kind: str, name: str) -> str:
    """The ARN of a resource; ``kind`` is as ARNs spell it.

    >>> arn("us-east-1", "123456789012", "endpoint", "Churn")
    'arn:aws:sagemaker:us-east-1:123456789012:endpoint/churn'
    """
    return f"arn:aws:sagemaker:{region}:{account}:{kind}/{name.lower() if kind in _LOWERED else name}"


_LOWERED = frozenset({"endpoint", "endpoint-config", "model"})
"""Kinds whose names the service writes in small letters in ARNs."""


def parts(text: str) -> tuple[str, str]:
    """The kind and the name in an ARN; raises :class:`InputError` for what is none.

    >>> parts("arn:aws:sagemaker:us-east-1:123456789012:monitoring-schedule/hourly")
    ('monitoring-schedule', 'hourly')
    """
    found = _ARN.fullmatch(text)
    if found is None:
        hint = "give an ARN such as arn:aws:sagemaker:REGION:ACCOUNT:monitoring-schedule/NAME"
        raise InputError(f"{text[:200]!r} is no ARN of SageMaker", hint=hint)
    return found["kind"], found["name"]
