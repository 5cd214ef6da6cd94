"""Every page there is, for the tests that look at all of them. A new page is one line here."""

from __future__ import annotations

EVERYWHERE = (
    "/",
    "/search",
    "/search?q=churn",
    "/search?q=nothing-of-that-name",
    "/timezone",
    "/login",
)
"""Pages of any service, also of an empty one."""

OF_THE_DEMO = (
    "/runs/{churn_hourly}",
    "/runs/{churn_data}",
    "/runs/{churn_bias}",
    "/runs/{churn_attribution}",
    "/runs/{upsell_data}",
)
"""Pages of the demo's things; in braces, the newest run of a schedule."""

PAGES = EVERYWHERE + OF_THE_DEMO
