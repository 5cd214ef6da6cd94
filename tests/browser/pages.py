"""Every page there is, for the tests that look at all of them. A new page is one line here."""

from __future__ import annotations

EVERYWHERE = (
    "/",
    "/?state=VIOLATED",
    "/search",
    "/search?q=churn",
    "/search?q=nothing-of-that-name",
    "/timezone",
    "/login",
    "/alarms",
    "/baselines",
    "/new",
    "/new/endpoint",
    "/new/baseline",
    "/new/schedule",
    "/new/alarm",
)
"""Pages of any service, also of an empty one."""

OF_THE_DEMO = (
    "/endpoints/churn",
    "/endpoints/upsell",
    "/endpoints/churn/data",
    "/schedules/churn-hourly",
    "/schedules/churn-data",
    "/series?endpoint=churn&schedule=churn-hourly",
    "/series?endpoint=churn&schedule=churn-data",
    "/series?endpoint=churn&schedule=churn-bias",
    "/series?endpoint=churn&schedule=churn-attribution",
    "/runs/{churn_hourly}",
    "/runs/{churn_data}",
    "/runs/{churn_bias}",
    "/runs/{churn_attribution}",
    "/runs/{upsell_data}",
    "/runs/{churn_hourly}/analysis",
    "/runs/{churn_hourly}/analysis?baseline=1",
    "/runs/{churn_data}/analysis",
    "/runs/{churn_bias}/analysis",
    "/runs/{churn_attribution}/analysis",
    "/runs/{churn_hourly}/violations/0",
    "/runs/{churn_data}/violations/0",
    "/runs/{churn_bias}/violations/0",
    "/baselines/churn-hourly",
    "/baselines/churn-data",
    "/baselines/churn-bias",
    "/baselines/churn-attribution",
    "/alarms/churn-f2-low",
)
"""Pages of the demo's things; in braces, the newest run of a schedule."""

PAGES = EVERYWHERE + OF_THE_DEMO
