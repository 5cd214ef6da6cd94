"""What a load needs, computed; and how the simulation shares out its traffic."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

Import = Callable[[str], ModuleType]


def test_a_plan_is_the_arithmetic_of_its_figures(bench_module: Import) -> None:
    capacity = bench_module("capacity")
    figures = capacity.Figures(busy=0.5, request_us=100.0, quality_us=2.0, columns_us=3.0)
    found = capacity.plan(capacity.Load(1000.0, 10, 4, ship_age=600.0), figures)
    assert found["web cores"] == pytest.approx(0.2)
    assert found["analysis cores"] == pytest.approx(0.01)
    assert found["windows/hour"] == 20
    # Ten endpoints on four processes: a file each an hour, and each written six times more while it is open.
    assert found["PUT/hour"] == 10 * 4 * 7
    assert found["captures GB/day"] == pytest.approx(1000 * 540 * 86400 / 1e9)


def test_ten_times_the_load_needs_ten_times_the_cores(bench_module: Import) -> None:
    capacity = bench_module("capacity")
    one, ten = (capacity.plan(capacity.Load(rate, 100, 8), capacity.Figures()) for rate in (1e4, 1e5))
    assert ten["web cores"] == pytest.approx(10 * one["web cores"])
    assert ten["windows/hour"] == one["windows/hour"]


def test_traffic_is_shared_by_zipf_and_none_is_lost(bench_module: Import) -> None:
    world = bench_module("simulate").World(80, 20, 50.0)
    rates = [rows / (3600 if int(name[1:]) < 80 else 300) for name, rows in world.rows().items()]
    assert sum(rates) == pytest.approx(50.0)
    ordered = sorted(rates, reverse=True)
    assert ordered[0] / ordered[9] == pytest.approx(10.0)
    assert world.rows() == world.rows()


def test_a_run_costs_what_it_is_and_what_it_reads(bench_module: Import) -> None:
    assert bench_module("simulate").Cost(0.5, 2e-6).of(1_000_000) == 2.5
