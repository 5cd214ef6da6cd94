"""Metrics and alarms as CloudWatch's clients ask for them."""

from __future__ import annotations

from driftline.aws.cloudwatch import alarms, data, described, history, metrics, tags
from driftline.aws.context import Operations

OPERATIONS: Operations = {
    **metrics.OPERATIONS,
    **data.OPERATIONS,
    **alarms.OPERATIONS,
    **described.OPERATIONS,
    **history.OPERATIONS,
    **tags.OPERATIONS,
}
