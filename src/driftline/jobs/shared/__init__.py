"""A data folder whose files are also in a bucket, so that many nodes work on them."""

from driftline.jobs.shared.store import SHARED, VARIABLE, Shared, open_shared, shares

__all__ = ["SHARED", "VARIABLE", "Shared", "open_shared", "shares"]
