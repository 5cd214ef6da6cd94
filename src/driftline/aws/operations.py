"""Every operation that is answered, by service."""

from __future__ import annotations

from driftline.aws import iam, kms, sts
from driftline.aws.context import Operations
from driftline.aws.sagemaker import models

OPERATIONS: dict[str, Operations] = {
    "sagemaker": {
        **models.OPERATIONS,
    },
    "sts": sts.OPERATIONS,
    "iam": iam.OPERATIONS,
    "kms": kms.OPERATIONS,
}
