"""How long the fuzzing goes on: shortly in the tests; ``make fuzz`` names the examples of each in DRIFTLINE_FUZZ."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
_ASKED = int(os.environ.get("DRIFTLINE_FUZZ") or 0)
# The same inputs every time in the tests; ever new ones where somebody asked for many.
settings.register_profile("short", max_examples=60, deadline=None, derandomize=True, suppress_health_check=_SLOW)
settings.register_profile("long", max_examples=_ASKED or 1000, deadline=None, suppress_health_check=_SLOW)


settings.load_profile("long" if _ASKED else "short")
