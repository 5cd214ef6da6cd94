"""Job definitions, schedules, executions, alerts and tags, by what handlers answer and what the service then has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from conftest_monitoring import ANALYZER, BINARY, CLARIFY, OUTPUT, bias, explainability, inline, quality, scheduled

from driftline.aws.context import Context
from driftline.aws.errors import AwsError
from driftline.aws.sagemaker import executions as jobs
from driftline.core.errors import ConflictError, InputError, NotFoundError
from driftline.core.window import HOUR
from driftline.jobs.executions import Worker
from driftline.jobs.planning import plan_due
from driftline.pipeline import run_monitor
from driftline.resources.executions import Execution
from driftline.testing import FakeClock, prediction_batch, quality_captures, write_captures, write_labels
