"""An alarm without what it tells, and requests for alarms without what is secret in them. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.alerting.targets import mask
from driftline.resources.alarms import Alarm

ACTIONS = {"AlarmActions": "alarm_actions", "OKActions": "ok_actions"} | {
    "InsufficientDataActions": "insufficient_data_actions"
}
"""The lists of actions by the names clients know them by."""


def without_actions(alarm: Alarm) -> Alarm:
    """The same alarm, telling nobody."""
    return msgspec.structs.replace(alarm, alarm_actions=(), ok_actions=(), insufficient_data_actions=())


def without_secrets(given: dict[str, Any]) -> dict[str, Any]:
    """A request as it may be shown: addresses of actions without what in them may be secret."""
    shown = {field: [_shown(action) for action in given[field]] for field in ACTIONS if field in given}
    return given | shown


def _shown(action: str) -> str:
    return action if action.startswith("arn:") else mask(action)
