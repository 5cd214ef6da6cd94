"""What this node's shipper does, as Prometheus reads it; nothing where there is none."""

from __future__ import annotations

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from driftline.storage import spool
from driftline.storage.layout import Layout


def shipping_families(layout: Layout, now: float) -> list[Metric]:
    """The figures that the shipper told last; ``now`` is real time in epoch seconds."""
    said = spool.figures(layout)
    if said is None:
        return []
    age = 0.0 if said.oldest is None else max(0.0, now - said.oldest)
    return [
        _gauge("spool_files", "Files of captures and labels that wait to be shipped.", said.files),
        _gauge("spool_bytes", "Their bytes.", said.bytes),
        _gauge("spool_age_seconds", "How long the first of them has waited.", age),
        _gauge("spool_full", "1 while captures are dropped because the spool is full.", said.full),
        _gauge("cache_bytes", "Bytes of captures and labels here that are in the store as well.", said.cached),
        _gauge("shipper_seen_seconds", "Seconds since the shipper said this.", max(0.0, now - said.seen)),
        _counter("shipped_bytes", "Bytes uploaded; those of an open file again with each of its uploads.", said),
        _counter("uploads", "Uploads that were done.", said, "shipping_uploads"),
        _counter("failures", "Uploads that failed.", said, "shipping_failures"),
        _counter("retries", "Uploads of what had failed before.", said, "shipping_retries"),
        CounterMetricFamily(
            "driftline_spool_dropped", "Captures dropped because the spool was full.", spool.dropped(layout.data)
        ),
    ]


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"driftline_{name}", words, float(value))


def _counter(field: str, words: str, said: spool.Shipping, name: str = "") -> Metric:
    return CounterMetricFamily(f"driftline_{name or field}", words, getattr(said, field))
