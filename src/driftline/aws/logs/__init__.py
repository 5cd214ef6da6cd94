"""Logs of jobs as CloudWatch Logs' clients read them."""

from __future__ import annotations

from driftline.aws.context import Operations
from driftline.aws.logs import events, streams

OPERATIONS: Operations = {**streams.OPERATIONS, **events.OPERATIONS}
