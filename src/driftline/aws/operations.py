"""Every operation that is answered, by service."""

from __future__ import annotations

from driftline.aws.context import Operations
from driftline.aws.sagemaker import endpoint_configs, endpoints, models, processing, transform

OPERATIONS: dict[str, Operations] = {
    "sagemaker": {
        **models.OPERATIONS,
        **endpoint_configs.OPERATIONS,
        **endpoints.OPERATIONS,
        **processing.OPERATIONS,
        **transform.OPERATIONS,
    },
}
