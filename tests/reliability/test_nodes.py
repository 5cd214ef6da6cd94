"""Three nodes with data folders of their own: changes reach all of them, and a database that is away stops no one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from driftline.client import Client
from driftline.storage import audit, capture_counts, nodes
from driftline.storage.database import open_store

pytestmark = pytest.mark.long
ROW, CSV = "1.0,0.5,-0.25", {"Content-Type": "text/csv"}
SOON = 2.0
"""Seconds within which a change reaches every node, with its model."""
AT_ONCE = 1.0
"""Seconds within which nobody who asks for an endpoint is kept waiting, whatever becomes of the database."""


@pytest.fixture(scope="module")
def three(cluster: Any, small_model: Path) -> Any:
    """Two nodes that serve, and one that has a scheduler; an endpoint that was deployed on the first."""
    cluster.begin({"east": "web", "west": "web", "timer": "scheduler"})
    with Client(cluster.nodes["east"].url) as client:
        client.deploy("churn", small_model)
    return cluster


@pytest.fixture
def ask(three: Any) -> Iterator[Callable[..., httpx.Response]]:
    """A request to a node: ``ask("west", "GET", "/readyz")``."""
    with httpx.Client(timeout=30, trust_env=False) as client:

        def asked(node: str, method: str, path: str, **options: Any) -> httpx.Response:
            return client.request(method, f"{three.nodes[node].url}{path}", **options)

        yield asked


@pytest.fixture
def invoke(ask: Callable[..., httpx.Response]) -> Callable[..., int]:
    """Invokes an endpoint of a node within the time that nobody waits longer: the status of the answer."""

    def invoked(node: str, endpoint: str = "churn") -> int:
        began = time.monotonic()
        answer = ask(node, "POST", f"/endpoints/{endpoint}/invocations", content=ROW, headers=CSV)
        took = time.monotonic() - began
        assert took < AT_ONCE, (took, answer.text)
        return answer.status_code

    return invoked


def counted(three: Any) -> int:
    """How many requests the store knows of."""
    with open_store(three.database.url) as store, store.read() as db:
        window = capture_counts.by_hour(db, "churn", _hour(three))
        return sum(count.captured for count in window.values())


def settled(three: Any, wait: Any) -> int:
    """The same, once it has not changed for two seconds: every process tells what it counted once a second."""
    seen = [(counted(three), time.monotonic())]

    def still() -> bool:
        if (now := counted(three)) != seen[0][0]:
            seen[0] = (now, time.monotonic())
        return time.monotonic() - seen[0][1] > 2

    wait(still, "all is counted", 20)
    return seen[0][0]


def _hour(three: Any) -> Any:
    from driftline.core.window import HOUR, Window

    return Window(three.now() - HOUR, three.now() + HOUR)


def soon(change: Callable[[int], None], seen: Callable[[int], bool], wait: Any) -> None:
    """A change is seen within the time that is promised; a busy machine is given three chances to show it."""
    for attempt in range(3):
        change(attempt)
        began = time.monotonic()
        wait(lambda attempt=attempt: seen(attempt), "the change is seen", 30)
        if time.monotonic() - began <= SOON:
            return
    raise AssertionError(f"it took more than {SOON:g} s each time")


def test_changes_reach_every_node_soon(three: Any, ask: Any, wait: Any, small_model: Path) -> None:
    def answers(number: int) -> list[httpx.Response]:
        path = f"/endpoints/second-{number}/invocations"
        return [ask(node, "POST", path, content=ROW, headers=CSV) for node in ("east", "west")]

    with Client(three.nodes["west"].url) as client:
        soon(
            lambda number: client.deploy(f"second-{number}", small_model),
            lambda number: all(answer.status_code == 200 for answer in answers(number)),
            wait,
        )
        soon(
            lambda number: client.configure_capture("second-0", percent=100 if number % 2 else 0),
            lambda number: all(("x-inference-event-id" in one.headers) == bool(number % 2) for one in answers(0)),
            wait,
        )
        soon(
            lambda _: client.delete_endpoint("second-0") if answers(0)[0].status_code == 200 else None,
            lambda _: all(answer.status_code == 404 for answer in answers(0)),
            wait,
        )


def test_nodes_are_known_by_name(three: Any, ask: Any) -> None:
    with open_store(three.database.url) as store, store.read() as db:
        assert {"timer", "east", "west"} <= {node.name for node in nodes.listing(db)}
    checks = {check["name"]: check for check in ask("east", "GET", "/readyz").json()["checks"]}
    assert checks["scheduler"]["message"].startswith("a scheduler of another node gave a sign of life")
    assert "as node east (role web)" in three.nodes["east"].text()
    assert not three.nodes["east"].processes("jobs")
    assert not three.nodes["timer"].processes("web")


def test_a_database_that_is_away_stops_no_one(three: Any, ask: Any, invoke: Any, wait: Any) -> None:
    wait(lambda: invoke("east") == invoke("west") == 200, "both serve", 10)
    before = settled(three, wait)
    already = sum(invoke(node) == 200 for node in ("east", "west"))
    three.database.kill()
    made = already + sum(invoke(node) == 200 for node in ("east", "west") for _ in range(20))
    assert made == 42
    assert invoke("east", "nobody") == 503
    told = ask("east", "POST", "/endpoints/nobody/invocations", content=ROW, headers=CSV).json()
    assert "it is not known whether there is an endpoint 'nobody'" in told["message"]
    wait(lambda: ask("east", "GET", "/readyz").json()["degraded_since"], "it says so", 3)
    ready = ask("east", "GET", "/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert "has been away since" in ready.json()["checks"][0]["message"]
    assert "driftline_database_up 0.0" in ask("east", "GET", "/metrics").text
    changed = ask("east", "PATCH", "/api/endpoints/churn/capture", json={"percent": 50})
    assert (changed.status_code, changed.json()["code"]) == (503, "away")
    wait(lambda: "the database has been away since" in three.nodes["timer"].text(), "the scheduler says so too", 10)
    three.database.start()
    wait(lambda: ask("east", "GET", "/readyz").json()["degraded_since"] is None, "it is back", 10)
    assert "driftline_database_up 1.0" in ask("east", "GET", "/metrics").text
    wait(lambda: counted(three) == before + made, "what was counted meanwhile is told", 10)
    assert three.nodes["east"].text().count("has been away since") <= 2
    assert "the database is back after" in three.nodes["east"].text()

    def noted() -> bool:
        with open_store(three.database.url) as store, store.read() as db:
            return any(row.outcome == "failed with 503" for row in audit.listing(db, target="endpoints/churn"))

    wait(noted, "what was refused meanwhile is in the audit log", 10)
    assert ask("west", "PATCH", "/api/endpoints/churn/capture", json={"percent": 100}).status_code == 200


def test_a_node_that_starts_without_the_database_serves_what_it_knew(three: Any, invoke: Any, wait: Any) -> None:
    wait(lambda: invoke("west") == 200, "it serves")
    three.database.kill()
    [web] = three.nodes["west"].processes("web")
    web.kill()
    wait(lambda: any(one.pid != web.pid for one in three.nodes["west"].processes("web")), "another takes its place")
    wait(lambda: _answers(three, "west"), "it answers")
    assert invoke("west") == 200
    assert invoke("west", "nobody") == 503
    three.nodes["east"].stop()
    three.start("east", "web")
    wait(lambda: _answers(three, "east"), "a whole node that starts answers")
    assert invoke("east") == 200
    three.database.start()
    for node in ("east", "west"):
        wait(lambda node=node: invoke(node, "nobody") == 404, f"{node} knows again who is not there", 10)


def _answers(three: Any, node: str) -> bool:
    with Client(three.nodes[node].url) as client:
        return client.healthy()


def test_a_database_that_hangs_is_not_waited_for(three: Any, ask: Any, invoke: Any, wait: Any) -> None:
    wait(lambda: invoke("east") == 200, "it serves")
    three.database.freeze()
    try:
        began = time.monotonic()
        assert invoke("east") == 200
        # The first who asks for what is not known waits until it is clear that nobody answers, and no one after him.
        path = "/endpoints/nobody/invocations"
        assert ask("east", "POST", path, content=ROW, headers=CSV).status_code == 503
        assert time.monotonic() - began < 5
        assert invoke("east", "nobody") == 503
        assert invoke("east") == 200
        assert ask("east", "GET", "/readyz").json()["degraded_since"]
    finally:
        three.database.thaw()
    wait(lambda: invoke("east", "nobody") == 404, "it goes on", 15)


def test_another_folder_cannot_take_a_name(three: Any, tmp_path: Path) -> None:
    from driftline.core.errors import ConflictError
    from driftline.service import Service

    with Service(tmp_path / "data", database=three.database.url) as service:
        with pytest.raises(ConflictError, match="is the node east") as caught:
            service.enter_node("east")
        assert "--node" in caught.value.hint
        assert service.enter_node("south") == "south"
        service.forget_node("south")
