"""Ground truth: what became of the labels that were put."""

from __future__ import annotations

from typing import Literal

import msgspec

LabelFormat = Literal["csv", "jsonl"]


class LabelReceipt(msgspec.Struct, frozen=True):
    """How many labels were stored, how many CSV rows had none yet, and the file (None when nothing was stored).

    ``path`` is relative to the data folder.
    """

    accepted: int
    without_label: int = 0
    path: str | None = None
