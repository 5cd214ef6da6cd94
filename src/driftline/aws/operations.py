"""Every operation that is answered, by service."""

from __future__ import annotations

from driftline.aws.context import Operations
from driftline.aws.sagemaker import alerts, definitions, executions, models, schedules, tags

OPERATIONS: dict[str, Operations] = {
    "sagemaker": {
        **models.OPERATIONS,
        **definitions.OPERATIONS,
        **schedules.OPERATIONS,
        **executions.OPERATIONS,
        **alerts.OPERATIONS,
        **tags.OPERATIONS,
    },
}
