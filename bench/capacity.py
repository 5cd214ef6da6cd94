"""What a number of predictions a second needs, computed from measured figures; ``docs/scale.md`` shows it.

Every figure is an option: put in your own. Nothing here is measured; where each default comes from stands beside it.
"""

from __future__ import annotations

import argparse
import math
import sys
from typing import NamedTuple


class Figures(NamedTuple):
    """Measured per core, per record and per window; see docs/scale.md."""

    request_us: float = 58.5  # CPU µs of a request of one row, captured (docs/performance.md)
    record: float = 540.0  # bytes of a capture line with 20 columns, as the bench writes it
    label: float = 115.0  # bytes of a label line
    compacted: float = 215.0  # bytes of the same record in a compacted hour, which keeps its line as well
    quality_us: float = 2.67  # CPU µs a row of model quality from capture and label lines (W3)
    columns_us: float = 6.98  # CPU µs a row of data quality, 20 columns, from capture lines (W2)
    run_s: float = 0.58  # seconds that a run takes whatever it reads, with its process
    row_us: float = 1.6  # µs of wall clock a row of model quality on two cores
    own_ms: float = 14.4  # CPU ms of the scheduler a window on PostgreSQL
    run_kb: float = 21.7  # kB of a finished run in the database, with its statistics
    busy: float = 0.6  # the share of a core that is planned with


class Load(NamedTuple):
    """What is asked of the service."""

    rate: float  # predictions a second
    endpoints: int  # each with a model-quality and a data-quality schedule, hourly
    processes: int  # web processes on all nodes; 0: as many as cores are needed
    ship_age: float = 60.0  # seconds after which an open segment is shipped
    open_hours: float = 1.0  # the share of endpoints that have traffic in an hour


def plan(load: Load, of: Figures) -> dict[str, float]:
    """Cores, bytes, requests and rows, for an average hour."""
    rows, windows = load.rate * 3600, 2 * load.endpoints
    web = load.rate * of.request_us / 1e6 / of.busy
    processes = load.processes or max(2, math.ceil(web))
    analysis = rows * (of.quality_us + of.columns_us) / 1e6 / 3600 / of.busy
    runs = (windows * of.run_s + 2 * rows * of.row_us / 1e6) / 3600 / of.busy
    segments = load.endpoints * load.open_hours * processes
    return {
        "web cores": web,
        "capture MB/s": load.rate * of.record / 1e6,
        "captures GB/day": load.rate * of.record * 86400 / 1e9,
        "labels GB/day": load.rate * of.label * 86400 / 1e9,
        "compacted GB/day": load.rate * of.compacted * 86400 / 1e9,
        "analysis cores": analysis,
        "schedulers (of 2 cores, one run at a time)": runs,
        "windows/hour": windows,
        "scheduler cores": windows * of.own_ms / 1e3 / 3600 / of.busy,
        "database GB/day": windows * 24 * of.run_kb / 1e6,
        "PUT/hour": segments * (1 + 3600 / load.ship_age),
        "rows of an endpoint's hour (mean)": rows / load.endpoints,
    }


def main() -> None:
    """Print the plans of the documents, or that of the load given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--load", type=float, nargs=3, action="append", metavar=("RATE", "ENDPOINTS", "PROCESSES"))
    for name, default in Figures()._asdict().items():
        parser.add_argument(f"--{name}", type=float, default=default)
    options = parser.parse_args()
    figures = Figures(*(getattr(options, name) for name in Figures._fields))
    loads = [Load(rate, int(number), int(count)) for rate, number, count in options.load or _DOCUMENTED]
    plans = [plan(load, figures) for load in loads]
    for name in plans[0]:
        cells = " | ".join(f"{found[name]:,.3g}" if found[name] < 100 else f"{found[name]:,.0f}" for found in plans)
        sys.stdout.write(f"| {name} | {cells} |\n")


_DOCUMENTED = ((1e3, 20, 0), (1e5, 200, 0), (1e7, 2000, 0))

if __name__ == "__main__":
    main()
