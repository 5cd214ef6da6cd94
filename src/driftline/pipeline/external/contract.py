"""What a program, or a script after a run, is told by environment variables: the names are SageMaker's."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from driftline.core.window import format_time

CAPTURES: dict[str, Any] = {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}
"""The format of captured records."""
MERGED: dict[str, Any] = {"sagemakerMergeJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}
"""The format of captured records that were merged with their labels."""


class Contract(msgspec.Struct, frozen=True):
    """The facts of a run. Paths are folders (``dataset_source``, ``output_path``) and files (the baseline's)."""

    dataset_source: str
    output_path: str
    dataset_format: dict[str, Any] = msgspec.field(default_factory=CAPTURES.copy)
    start_time: datetime | None = None
    end_time: datetime | None = None
    baseline_constraints: str | None = None
    baseline_statistics: str | None = None
    publish_metrics: bool = True
    endpoint: str | None = None
    schedule: str | None = None


def variables(contract: Contract) -> dict[str, str]:
    """The environment variables, with whole paths; what the run does not have is left out.

    >>> told = variables(Contract("captures/churn", "report", endpoint="churn"))
    >>> told["dataset_format"]
    '{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}'
    >>> told["publish_cloudwatch_metrics"], told["sagemaker_endpoint_name"], "start_time" in told
    ('Enabled', 'churn', False)
    """
    paths = {
        "dataset_source": contract.dataset_source,
        "output_path": contract.output_path,
        "baseline_constraints": contract.baseline_constraints,
        "baseline_statistics": contract.baseline_statistics,
    }
    times = {"start_time": contract.start_time, "end_time": contract.end_time}
    names = {
        "sagemaker_endpoint_name": contract.endpoint,
        "sagemaker_monitoring_schedule_name": contract.schedule,
    }
    return {
        "dataset_format": msgspec.json.encode(contract.dataset_format).decode(),
        "publish_cloudwatch_metrics": "Enabled" if contract.publish_metrics else "Disabled",
        # Whoever is told works in another folder.
        **{name: str(Path(path).absolute()) for name, path in paths.items() if path is not None},
        **{name: format_time(time) for name, time in times.items() if time is not None},
        **{name: value for name, value in names.items() if value is not None},
    }
