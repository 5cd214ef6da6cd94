"""Baselines that a service keeps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class NewBaseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The documents of a baseline to keep, as in its files ``constraints.json`` and ``statistics.json``; of bias and
    attributions those of ``analysis.json`` and ``analysis_config.json``."""

    constraints: dict[str, Any]
    statistics: dict[str, Any] = {}
    note: str | None = None
    """Why the baseline is replaced, for its history."""


class StoredBaseline(msgspec.Struct, frozen=True):
    """A baseline that a service keeps, with its documents as in their files."""

    name: str
    monitor: str
    created: datetime
    constraints: dict[str, Any]
    statistics: dict[str, Any]


class BaselineVersion(msgspec.Struct, frozen=True):
    """What the constraints of a baseline were from ``created`` on, with who put them there and why.

    Versions count from 1. ``author`` is empty where nobody is known. Listings leave out the constraints.
    """

    baseline: str
    version: int
    monitor: str
    author: str
    note: str
    created: datetime
    constraints: dict[str, Any] = {}
