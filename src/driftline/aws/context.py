"""What a handler of an operation is given besides its input."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from driftline.service import Service
from driftline.service.registry import Registry
from driftline.storage.objects import Objects


class Context(msgspec.Struct, frozen=True):
    """The service behind the call, and the account and region that ARNs are made of.

    ``endpoint_url`` is the address clients reach this server by.
    """

    service: Service
    registry: Registry
    objects: Objects
    region: str = "us-east-1"
    account: str = "000000000000"
    endpoint_url: str = ""

    def now(self) -> datetime:
        """The service's time."""
        return self.service.now()


Handler = Callable[[Context, dict[str, Any]], dict[str, Any]]
"""An operation: its input by the names of the service's model (times are aware datetimes, blobs bytes), already checked
against that model, to its output by the same names. It may raise :class:`AwsError` or any of our own errors."""
Operations = dict[str, Handler]
