"""Every operation that is answered, by service."""

from __future__ import annotations

from driftline.aws import cloudwatch, iam, kms, logs, sts
from driftline.aws.context import Operations
from driftline.aws.sagemaker import endpoint_configs, endpoints, models

OPERATIONS: dict[str, Operations] = {
    "sagemaker": {
        **models.OPERATIONS,
        **endpoint_configs.OPERATIONS,
        **endpoints.OPERATIONS,
    },
    "cloudwatch": cloudwatch.OPERATIONS,
    "logs": logs.OPERATIONS,
    "sts": sts.OPERATIONS,
    "iam": iam.OPERATIONS,
    "kms": kms.OPERATIONS,
}
