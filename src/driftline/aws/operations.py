"""Every operation that is answered, by service."""

from __future__ import annotations

from driftline.aws import cloudwatch, iam, kms, logs, sts
from driftline.aws.context import Operations
from driftline.aws.sagemaker import (
    alerts,
    definitions,
    endpoint_configs,
    endpoints,
    executions,
    models,
    processing,
    schedules,
    tags,
    transform,
)

OPERATIONS: dict[str, Operations] = {
    "sagemaker": {
        **models.OPERATIONS,
        **endpoint_configs.OPERATIONS,
        **endpoints.OPERATIONS,
        **definitions.OPERATIONS,
        **schedules.OPERATIONS,
        **executions.OPERATIONS,
        **alerts.OPERATIONS,
        **tags.OPERATIONS,
        **processing.OPERATIONS,
        **transform.OPERATIONS,
    },
    "cloudwatch": cloudwatch.OPERATIONS,
    "logs": logs.OPERATIONS,
    "sts": sts.OPERATIONS,
    "iam": iam.OPERATIONS,
    "kms": kms.OPERATIONS,
}
