"""A data folder whose files are also in a bucket, so that many nodes work on them."""

from driftline.jobs.shared.store import SHARED, Shared, open_shared, shares

__all__ = ["SHARED", "Shared", "open_shared", "shares"]
