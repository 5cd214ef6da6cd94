"""From a point to a webhook: transitions, the sent-log, and what is said in logs."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import msgspec
import pytest

from driftline.alerting import metrics, watch
from driftline.alerting.notify import BACKOFF, send_due, webhook_client
from driftline.alerting.targets import mask, scrub
from driftline.resources.alarms import Alarm
from driftline.storage import alarms, deliveries
from driftline.storage import metrics as points
from driftline.storage.database import Store

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
REAL = NOW + timedelta(days=400)
DIMENSIONS = metrics.dimensions_of("churn", "hourly")


class Receiver(ThreadingHTTPServer):
    """A webhook on a free port that keeps what it is sent and answers what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.received: list[tuple[dict[str, str], dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://user:pa55word@127.0.0.1:{self.server_address[1]}/services/T0KEN1234?key=s3cretkey"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), json.loads(body)))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with webhook_client() as opened:
        yield opened


def alarm_to(*targets: str) -> Alarm:
    return Alarm(
        name="low-f2",
        metric="f2",
        namespace=metrics.MODEL_QUALITY,
        dimensions=DIMENSIONS,
        operator="LessThanOrEqualToThreshold",
        threshold=0.625,
        period=600,
        treat_missing="breaching",
        alarm_actions=targets,
    )


def run_says(store: Store, value: float | None, hour: int = 0) -> list[alarms.Transition]:
    """What a run does at its end: points and alarms in one transaction."""
    time = NOW + timedelta(hours=hour)
    with store.write() as connection:
        metrics.publish(
            connection, endpoint="churn", schedule="hourly", time=time, metrics={"f2": value}, run=f"run-{hour}"
        )
        return watch.evaluate_series(
            connection, metrics.MODEL_QUALITY, DIMENSIONS, now=time, real=REAL, run=f"run-{hour}", link="http://d/r"
        )


def watched(store: Store, *targets: str) -> None:
    with store.write() as connection:
        assert watch.put_alarm(connection, alarm_to(*targets), now=NOW, real=REAL) == []


def sent_log(store: Store) -> dict[str, deliveries.Delivery]:
    with store.read() as connection:
        return {found.target: found for found in deliveries.listing(connection)}


def clock(seconds: float = 0) -> Any:
    return lambda: REAL.timestamp() + seconds


def test_a_transition_is_told_once_with_everything(store: Store, receiver: Receiver, client: httpx.Client) -> None:
    watched(store, receiver.url)
    (transition,) = run_says(store, 0.41)
    assert run_says(store, 0.40, hour=1) == []
    assert send_due(store, client, clock()) == 2
    assert send_due(store, client, clock(9999)) == 0
    ((headers, body),) = receiver.received
    assert body == {
        "alarm": "low-f2",
        "from": "INSUFFICIENT_DATA",
        "to": "ALARM",
        "reason": "f2 was 0.41 at 18:00, LessThanOrEqualToThreshold 0.625 (1 of 1 datapoints)",
        "time": "2026-11-22T18:00:00Z",
        "since": "2026-11-22T18:00:00Z",
        "by": pytest.approx(0.215),
        "text": (
            "low-f2 is ALARM (was INSUFFICIENT_DATA)\n"
            "f2 was 0.41 at 18:00, LessThanOrEqualToThreshold 0.625 (1 of 1 datapoints); beyond its limit by 0.215\n"
            "since 2026-11-22T18:00:00Z (Endpoint churn, MonitoringSchedule hourly)\n"
            "http://d/r"
        ),
        "metric": "f2",
        "namespace": "aws/sagemaker/Endpoints/model-metrics",
        "dimensions": {"Endpoint": "churn", "MonitoringSchedule": "hourly"},
        "threshold": 0.625,
        "operator": "LessThanOrEqualToThreshold",
        "datapoints": [{"time": "2026-11-22T18:00:00Z", "value": 0.41, "breaching": True}],
        "run": "run-0",
        "link": "http://d/r",
    }
    assert headers["Idempotency-Key"] == deliveries.key(transition.id, receiver.url)
    assert headers["Authorization"].startswith("Basic ")
    assert sent_log(store)[receiver.url].status == "sent"


def test_the_actions_are_those_of_the_state_entered(store: Store) -> None:
    alarm = msgspec.structs.replace(
        alarm_to("http://a/1"), ok_actions=("http://b/2", "http://b/2"), insufficient_data_actions=("log",)
    )
    with store.write() as connection:
        watch.put_alarm(connection, alarm, now=NOW, real=REAL)
    run_says(store, 0.9)
    assert set(sent_log(store)) == {"log", "http://b/2"}
    run_says(store, 0.1, hour=1)
    assert set(sent_log(store)) == {"log", "http://b/2", "http://a/1"}
    with store.read() as connection:
        assert [moved.to_state for moved in alarms.history(connection, "low-f2")] == ["ALARM", "OK"]


def test_a_crash_between_the_state_and_the_notification_still_notifies(
    store: Store, receiver: Receiver, client: httpx.Client
) -> None:
    watched(store, receiver.url)
    (transition,) = run_says(store, 0.41)
    for _ in range(2):  # a sender takes each delivery and dies before it is sent
        with store.write() as connection:
            assert deliveries.claim(connection, real=REAL, lease=timedelta(seconds=60)) is not None
    assert send_due(store, client, clock(59)) == 0
    assert send_due(store, client, clock(61)) == 2
    ((headers, _),) = receiver.received
    assert headers["Idempotency-Key"] == deliveries.key(transition.id, receiver.url)


def test_a_crash_after_sending_repeats_with_the_same_key(
    store: Store, receiver: Receiver, client: httpx.Client
) -> None:
    watched(store, receiver.url)
    run_says(store, 0.41)

    class Died(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Died

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("driftline.alerting.notify.deliveries.succeed", die)
        for _ in range(2):
            with pytest.raises(Died):
                send_due(store, client, clock())
    send_due(store, client, clock(61))
    first, second = receiver.received
    assert first == second


def test_a_transition_that_is_rolled_back_tells_nobody(store: Store) -> None:
    watched(store)

    def fail() -> None:
        with store.write() as connection:
            watch.set_state(connection, "low-f2", "ALARM", "by hand", now=NOW, real=REAL)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.read() as connection:
        assert alarms.get(connection, "low-f2").state == "INSUFFICIENT_DATA"
        assert alarms.history(connection) == deliveries.listing(connection) == []


def test_a_busy_target_is_tried_again_with_growing_pauses(
    store: Store, receiver: Receiver, client: httpx.Client
) -> None:
    watched(store, receiver.url)
    run_says(store, 0.41)
    receiver.answers = [503, 429, 200]
    send_due(store, client, clock())
    found = sent_log(store)[receiver.url]
    assert (found.status, found.attempts, found.last_error) == ("pending", 1, "answered HTTP 503")
    assert send_due(store, client, clock(BACKOFF[0] - 0.1)) == 0
    assert send_due(store, client, clock(BACKOFF[0] + 0.1)) == 1
    assert send_due(store, client, clock(BACKOFF[0] + BACKOFF[1] + 0.2)) == 1
    assert sent_log(store)[receiver.url].status == "sent"
    assert len({headers["Idempotency-Key"] for headers, _ in receiver.received}) == 1


def test_a_target_that_never_answers_is_given_up(store: Store, receiver: Receiver, client: httpx.Client) -> None:
    watched(store, receiver.url)
    run_says(store, 0.41)
    receiver.answers = [500] * 99
    for seconds in range(0, 100_000, 4000):
        send_due(store, client, clock(seconds))
    found = sent_log(store)[receiver.url]
    assert (found.status, found.attempts) == ("failed", len(BACKOFF) + 1) == ("failed", len(receiver.received))


@pytest.mark.parametrize("status", [301, 400, 404, 410])
def test_a_refusal_is_final(store: Store, receiver: Receiver, client: httpx.Client, status: int) -> None:
    watched(store, receiver.url)
    run_says(store, 0.41)
    receiver.answers = [status]
    send_due(store, client, clock())
    found = sent_log(store)[receiver.url]
    assert (found.status, found.last_error) == ("failed", f"answered HTTP {status}")


def test_no_secret_of_a_target_is_logged_or_kept_in_errors(
    store: Store, receiver: Receiver, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    gone = receiver.url.replace(f":{receiver.server_address[1]}", ":9")
    watched(store, receiver.url, gone)
    run_says(store, 0.41)
    receiver.answers = [500]
    assert send_due(store, client, clock()) == 3
    errors = " ".join(found.last_error or "" for found in sent_log(store).values())
    said = caplog.text + errors
    assert "HTTP 500" in said
    assert "Connect" in errors
    assert f"http://127.0.0.1:{receiver.server_address[1]}/…" in said
    for secret in ("pa55word", "T0KEN1234", "s3cretkey"):
        assert secret not in said


def test_every_transition_is_a_log_line(store: Store, client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    watched(store)
    run_says(store, 0.41)
    send_due(store, client, clock())
    assert "alarm low-f2: INSUFFICIENT_DATA -> ALARM: f2 was 0.41 at 18:00" in caplog.text


def test_a_new_alarm_is_judged_on_the_points_there_are(store: Store) -> None:
    run_says(store, 0.41)
    with store.write() as connection:
        (moved,) = watch.put_alarm(connection, alarm_to(), now=NOW, real=REAL)
        assert watch.get_alarm(connection, "low-f2") == alarm_to()
    assert moved.to_state == "ALARM"


def test_a_state_set_by_hand_is_a_transition(store: Store) -> None:
    watched(store)
    with store.write() as connection:
        (moved,) = watch.set_state(connection, "low-f2", "ALARM", "a drill", now=NOW, real=REAL)
        assert watch.set_state(connection, "low-f2", "ALARM", "a drill", now=NOW, real=REAL) == []
    assert (moved.reason, moved.datapoints) == ("a drill", ())


def test_a_run_publishes_what_is_known_and_marks_what_is_not(store: Store) -> None:
    with store.write() as connection:
        watch.put_alarm(connection, msgspec.structs.replace(alarm_to(), metric="recall"), now=NOW, real=REAL)
        names = metrics.publish(
            connection,
            endpoint="churn",
            schedule="hourly",
            time=NOW,
            metrics={"f2": 0.4, "f2_std": 0.01, "auc": float("nan"), "accuracy": 0.9},
            run="r",
            untold=["f2", "precision"],
        )
        found = {
            name: points.query(connection, points.Series(metrics.MODEL_QUALITY, name, DIMENSIONS))[0].value
            for name in names
        }
    missing = dict.fromkeys(("f2", "f2_std", "auc", "precision", "recall"))
    assert found == {**missing, "accuracy": 0.9}


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("https://hooks.slack.com/services/T/B/x", "https://hooks.slack.com/…"),
        ("http://host", "http://host"),
        ("http://host/?token=1", "http://host/…"),
        ("http://[::1]:80/a", "http://[::1]:80/…"),
        ("http://h:notaport/", "…"),
        ("nonsense", "…"),
    ],
)
def test_a_target_is_shown_without_what_may_be_secret(target: str, shown: str) -> None:
    assert mask(target) == shown


def test_messages_are_scrubbed() -> None:
    target = "https://me:hunter2@h/path/abcdef?k=longkey"
    said = scrub(f"cannot reach {target}: abcdef longkey k=longkey hunter2", target)
    assert not any(secret in said for secret in ("hunter2", "abcdef", "longkey"))
    assert scrub("as it is", "log") == "as it is"
