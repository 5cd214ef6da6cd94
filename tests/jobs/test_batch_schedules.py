"""Schedules that look at batches, in both kinds of database."""

from __future__ import annotations

from driftline.alerting.metrics import resolved
from driftline.jobs.schedules import create_schedule
from driftline.resources.metrics import Series
from driftline.storage import schedules
from driftline.storage.database import Store
from driftline.testing import START


def test_their_metrics_have_no_endpoint_and_the_store_knows_it_all_the_same(store: Store) -> None:
    with store.write() as db:
        for name, attributes in [("daily", {"transform": "s3://captured/churn"}), ("hourly", {"names": ["transform"]})]:
            create_schedule(
                db, name=name, endpoint="churn", cron="0 * * * *", problem_type="BinaryClassification",
                monitor="data-quality", attributes=attributes, now=START,
            )  # fmt: skip
    with store.read() as db:
        assert schedules.batch_endpoints(db) == {"daily": "churn"}
        asked = [Series("", "f2", {"Endpoint": "churn", "MonitoringSchedule": name}) for name in ("daily", "hourly")]
        daily, hourly = (resolved(db, one) for one in asked)
    assert daily == Series("aws/sagemaker/ModelMonitoring/data-metrics", "f2", {"MonitoringSchedule": "daily"})
    assert hourly == Series("aws/sagemaker/Endpoints/data-metrics", "f2", asked[1].dimensions)
