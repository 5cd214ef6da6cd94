"""Baselines as batch jobs: from objects in buckets to documents in buckets."""
