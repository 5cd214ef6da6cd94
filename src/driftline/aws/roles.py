"""Which role may call which operation. One table; the first line that fits counts."""

from __future__ import annotations

import re

from driftline.resources.access import Role

_RULES: tuple[tuple[str, str, Role], ...] = (
    (r"sts", r".*", "reader"),
    (r"s3", r"GET|HEAD", "reader"),
    (r"s3", r".*", "writer"),
    (r".*", r"(Describe|List|Get|Filter|Search)[A-Z].*", "reader"),
    # What serving applications do: ask models, and tell what they measured.
    (r"sagemaker-runtime", r"InvokeEndpoint", "writer"),
    (r"cloudwatch", r"PutMetricData", "writer"),
    (r"logs", r"PutLogEvents", "writer"),
    (r".*", r".*", "operator"),
)
_COMPILED = tuple((re.compile(service), re.compile(operation), role) for service, operation, role in _RULES)


def needed(service: str, operation: str) -> Role:
    """The role that an operation needs.

    >>> needed("sagemaker", "DescribeModel"), needed("cloudwatch", "PutMetricData"), needed("iam", "CreateRole")
    ('reader', 'writer', 'operator')
    """
    return next(role for a, b, role in _COMPILED if a.fullmatch(service) and b.fullmatch(operation))
