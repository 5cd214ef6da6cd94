"""Who may do what: every route with every role, sessions and their forms, and what is remembered for how long."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from typing import Any

import httpx
import pytest

from driftline.core.errors import AwayError, SetupError
from driftline.resources.access import ROLES, NewToken, may
from driftline.service import Service
from driftline.service.door import Door, Visitor
from driftline.testing import FakeClock
from driftline.web.access import FRESH, STALE, Gate
from driftline.web.access_throttle import MOST_FAILURES, SECONDS
from driftline.web.app import actions
from driftline.web.audit import Auditor
from driftline.web.worker import Worker

# What is not "reader" for GET and "operator" for what changes something.
OPEN = {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/static/{name}"), ("GET", "/login"), ("POST", "/login")} | {
    ("POST", "/logout")
}
WRITER = {
    ("POST", "/endpoints/{name}/invocations"),
    ("POST", "/api/endpoints/{name}/labels"),
    ("POST", "/api/endpoints/{name}/labels/import"),
    ("POST", "/api/endpoints/{name}/captures"),
    ("POST", "/api/endpoints/{name}/events"),
    ("POST", "/api/metrics"),
}
READER = {("POST", "/timezone")}
ADMIN = {("GET", "/api/tokens"), ("POST", "/api/tokens"), ("POST", "/api/tokens/{name}/revoke"), ("GET", "/api/audit")}
MUST_BE_THERE = (
    WRITER | ADMIN | OPEN | {("GET", "/metrics"), ("GET", "/schema"), ("GET", "/"), ("GET", "/runs/{run_id}")}
)


def wanted(method: str, path: str) -> str:
    """The role that a route needs, said once more and in another way than the gate's own table."""
    for role, routes in (("open", OPEN), ("writer", WRITER), ("admin", ADMIN), ("reader", READER)):
        if (method, path) in routes:
            return role
    return (
        "reader"
        if method in ("GET", "OPTIONS") and not path.startswith(("/api/tokens", "/api/audit"))
        else ("admin" if path.startswith(("/api/tokens", "/api/audit")) else "operator")
    )


def routes(guarded: Any) -> list[tuple[str, str]]:
    found = {(method, path) for method, path, _ in actions(guarded.worker.application.framework)}
    found.add(("POST", "/endpoints/{name}/invocations"))
    return sorted((method, path) for method, path in found if method != "OPTIONS")


def test_every_route_wants_the_role_that_it_should(guarded: Any) -> None:
    every = routes(guarded)
    assert set(every) >= MUST_BE_THERE
    assert len(every) > 35
    for method, path in every:
        needed = wanted(method, path)
        concrete = re.sub(r"\{[^}]*\}", "-absent-", path).replace("/static/-absent-", "/static/style.css")
        for role in (None, *ROLES):
            answer = guarded.ask(method, concrete, role)
            told = (method, path, role, answer.status_code)
            if needed == "open":
                assert answer.status_code not in (401, 403) or path == "/login", told
            elif role is None:
                assert answer.status_code == 401, told
                assert answer.headers["www-authenticate"].startswith("Bearer"), told
            else:
                assert (answer.status_code == 403) == (not may(role, needed)), told
                assert answer.status_code != 401, told


@pytest.mark.parametrize(
    "path", ["/api/tokens/", "//api/tokens", "/api//audit", "/api/%74okens", "/api/tokens;x", "/API/tokens"]
)
def test_other_spellings_lead_around_no_rule(guarded: Any, path: str) -> None:
    answer = guarded.http.request(
        "GET", guarded.url + path, headers={"Authorization": f"Bearer {guarded.tokens['reader']}"}
    )
    assert answer.status_code in (403, 404)
    assert "the-admin" not in answer.text


@pytest.mark.parametrize(
    "path", ["/endpoints/a/b/invocations", "/endpoints//invocations", "/endpoints/%2F/invocations"]
)
def test_what_only_looks_like_an_invocation_is_none(guarded: Any, path: str) -> None:
    for _ in range(2):  # the second time the token is remembered
        assert guarded.ask("POST", f"/endpoints/{path}", "writer").status_code in (403, 404)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic dXNlcjpwdw==", "bearer \xff\xfe", "cookie x", "Bearer " + "x" * 5000]
)
def test_what_is_no_token_is_refused(guarded: Any, header: str) -> None:
    guarded.worker.app.throttle._failures.clear()
    answer = guarded.ask("GET", "/api/runs", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    assert set(answer.json()) == {"code", "message", "evidence", "hint"}
    assert answer.json()["code"] == "unauthenticated"


def test_a_revoked_token_is_void(guarded: Any) -> None:
    made = guarded.ask("POST", "/api/tokens", "admin", json={"name": "short", "role": "reader"}).json()
    headers = {"Authorization": f"bearer {made['secret']}"}
    assert guarded.ask("GET", "/api/runs", headers=headers).status_code == 200
    assert guarded.ask("POST", "/api/tokens/short/revoke", "admin").json()["revoked"]
    guarded.worker.app.forget()
    assert guarded.ask("GET", "/api/runs", headers=headers).status_code == 401
    assert guarded.ask("POST", "/api/tokens", "admin", json={"name": "short"}).status_code == 409


@pytest.mark.parametrize(
    "body", [{"name": "../x"}, {"name": "x", "role": "root"}, {"name": "x", "days": 0}, {"name": "x", "days": -1}, {}]
)
def test_bad_tokens_are_refused(guarded: Any, body: dict[str, Any]) -> None:
    assert guarded.ask("POST", "/api/tokens", "admin", json=body).status_code == 400


def test_a_list_of_tokens_shows_no_secret(guarded: Any) -> None:
    shown = guarded.ask("GET", "/api/tokens", "admin").text
    assert "the-reader" in shown
    assert not [secret for secret in guarded.tokens.values() if secret in shown]
    stored = (guarded.service.layout.database).read_bytes()
    assert not [secret for secret in guarded.tokens.values() if secret.encode() in stored]


def sign_in(guarded: Any, role: str = "operator") -> tuple[httpx.Client, str]:
    """A browser that is signed in, and the word of its forms."""
    browser = httpx.Client(base_url=guarded.url, trust_env=False, headers={"Accept": "text/html"})
    answer = browser.post("/login?next=/runs/x", data={"token": guarded.tokens[role]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/x")
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"))
    assert "Secure" not in cookie
    found = re.search(r'name="csrf" value="(\w{64})"', browser.get("/").text)
    assert found
    return browser, found[1]


def test_a_browser_is_led_to_the_page_that_asks_for_a_token(guarded: Any) -> None:
    with httpx.Client(base_url=guarded.url, trust_env=False, headers={"Accept": "text/html"}) as browser:
        answer = browser.get("/runs/x")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/runs/x")
        page = browser.get(answer.headers["location"])
        assert 'action="/login?next=/runs/x"' in page.text
        assert 'type="password"' in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert browser.delete("/api/endpoints/x").status_code == 401


def test_a_session_shows_who_is_there_and_ends(guarded: Any) -> None:
    browser, word = sign_in(guarded)
    with contextlib.closing(browser):
        assert "the-operator (operator)" in browser.get("/").text
        assert "Access is off" not in browser.get("/").text
        cookie = browser.cookies["driftline_session"]
        assert browser.post("/logout", data={"csrf": "wrong"}).status_code == 403
        assert browser.get("/api/runs").status_code == 200
        assert browser.post("/logout", data={"csrf": word}).status_code == 303
        browser.cookies.set("driftline_session", cookie)
        assert browser.get("/api/runs", headers={"Accept": "*/*"}).status_code == 401


def test_a_change_with_a_cookie_needs_the_page_s_word(guarded: Any) -> None:
    browser, word = sign_in(guarded)
    with contextlib.closing(browser):
        path = "/api/schedules/none/pause"
        refused = [
            browser.post(path),
            browser.post(path, headers={"X-CSRF-Token": "x" * 64}),
            browser.post(path, data={"csrf": "x"}),
            browser.post(path, headers={"X-CSRF-Token": word, "Origin": "https://evil.test"}),
            browser.post(path, headers={"X-CSRF-Token": word, "Sec-Fetch-Site": "cross-site"}),
            browser.post("/endpoints/none/invocations", content=b"1"),
            browser.put("/api/baselines/b", json={"constraints": {}}),
        ]
        assert {answer.status_code for answer in refused} == {403}
        assert browser.post(path, headers={"X-CSRF-Token": word, "Origin": guarded.url}).status_code == 404
        assert browser.post(path, data={"csrf": word, "other": "field"}).status_code == 404
        assert browser.get("/api/tokens").status_code == 403


def test_the_way_in_leads_nowhere_else(guarded: Any) -> None:
    for there in ("https://evil.test", "//evil.test", "/\\evil.test", "\\evil", "javascript:alert(1)", ""):
        answer = guarded.ask("POST", "/login", params={"next": there}, data={"token": guarded.tokens["reader"]})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    elsewhere = {"Origin": "https://evil.test"}
    answer = guarded.ask("POST", "/login", data={"token": guarded.tokens["reader"]}, headers=elsewhere)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_the_page_shows_nothing_of_what_was_typed(guarded: Any) -> None:
    answer = guarded.ask("POST", "/login", params={"next": '"><script>'}, data={"token": "<b>hush</b>"})
    assert answer.status_code == 401
    assert "hush" not in answer.text
    assert "<script>" not in answer.text


def test_failed_logins_are_slowed_down(guarded: Any) -> None:
    guarded.worker.app.throttle._failures.clear()
    answers = [guarded.ask("POST", "/login", data={"token": f"x{n}"}).status_code for n in range(MOST_FAILURES + 2)]
    assert answers == [401] * MOST_FAILURES + [429] * 2
    assert guarded.ask("POST", "/login", data={"token": guarded.tokens["admin"]}).status_code == 429
    unknown = guarded.ask("GET", "/api/runs", headers={"Authorization": "Bearer dl_never-seen"})
    assert (unknown.status_code, unknown.headers["retry-after"]) == (429, "60")
    guarded.worker.app.throttle._failures.clear()
    assert guarded.ask("POST", "/login", data={"token": guarded.tokens["admin"]}).status_code == 303


def test_without_a_gate_pages_say_so_and_no_token_is_made(web: Any) -> None:
    assert "Access is off: everyone who reaches this address may do everything." in web.get("/").text
    refused = web.post("/api/tokens", json={"name": "mine", "role": "admin"})
    assert refused.status_code == 409
    assert "--data" in refused.json()["hint"]


class Asked:
    """A door that counts how often it is asked, and may be closed."""

    def __init__(self, door: Door) -> None:
        self.door, self.asked, self.closed = door, 0, False
        self.record, self.write, self.entry, self.away = door.record, door.write, door.entry, door.away

    def token(self, secret: str) -> Visitor | None:
        self.asked += 1
        if self.closed:
            raise SetupError("the store is away", hint="wait")
        return self.door.token(secret)


class World:
    """A gate in this task with a clock of its own, before an application that remembers what reached it."""

    def __init__(self, service: Any) -> None:
        self.clock = FakeClock()
        self.door = Asked(Door(service.store))
        self.reached: list[dict[str, Any]] = []
        gate_door: Any = self.door
        self.gate = Gate(self.app, gate_door, Auditor(gate_door), self.clock)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached.append(scope)

    async def invoke(self, secret: str) -> int:
        """The status that the gate answers, 200 where it lets through."""
        status = [200]

        async def send(message: Any) -> None:
            status.append(message.get("status", status[-1]))

        headers = [(b"content-type", b"text/csv"), (b"authorization", b"Bearer " + secret.encode())]
        scope = {"type": "http", "path": "/endpoints/a/invocations", "method": "POST", "headers": headers}
        await self.gate(scope | {"client": ("192.0.2.1", 1)}, None, send)  # type: ignore[arg-type]
        return status[-1]


def test_an_invocation_asks_the_store_once_in_a_while(service: Any) -> None:
    secret = service.create_token(NewToken("app", "writer")).secret
    world = World(service)

    async def story() -> None:
        assert await asyncio.gather(*(world.invoke(secret) for _ in range(50))) == [200] * 50
        for _ in range(100):
            assert await world.invoke(secret) == 200
        assert world.door.asked == 1
        world.clock.advance(FRESH + 0.1)
        assert await world.invoke(secret) == 200
        assert world.door.asked == 2
        # A token is for the gate alone: the server that a request may be handed on to does not see it.
        assert not [scope for scope in world.reached if b"authorization" in dict(scope["headers"])]
        service.revoke_token("app")
        assert await world.invoke(secret) == 200
        world.clock.advance(FRESH + 0.1)
        assert await world.invoke(secret) == 401

    asyncio.run(story())


def test_a_reader_does_not_invoke_however_often_it_asks(service: Any) -> None:
    secret = service.create_token(NewToken("eyes", "reader")).secret
    world = World(service)

    async def story() -> None:
        assert [await world.invoke(secret) for _ in range(3)] == [403] * 3

    asyncio.run(story())
    assert world.reached == []


def test_a_store_that_is_away_stops_no_one_it_knew(service: Any) -> None:
    secret = service.create_token(NewToken("app", "writer")).secret
    world = World(service)

    async def story() -> None:
        assert await world.invoke(secret) == 200
        world.door.closed = True
        world.clock.advance(FRESH + 0.1)
        assert await world.invoke(secret) == 200
        assert await world.invoke("dl_unknown") == 500
        world.clock.advance(STALE)
        assert await world.invoke(secret) == 500

    asyncio.run(story())


def test_what_another_node_revokes_is_void_before_it_would_be_forgotten(service: Any, serve: Any) -> None:
    issued = service.create_token(NewToken("app", "admin"))
    worker = Worker(service, access=True)
    worker.begin()
    headers = {"Authorization": f"Bearer {issued.secret}"}
    with serve(worker.app) as (url, _), httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
        assert client.get("/api/tokens").status_code == 200
        with Service(service.layout.data) as other:
            other.revoke_token("app")
        began = time.monotonic()
        while client.get("/api/tokens").status_code != 401:
            assert time.monotonic() - began < FRESH, "it was not told"
    worker.end()
    worker.captures.close()
    worker.requests.close()


def test_nobody_waits_for_a_store_that_is_held_to_be_away(service: Any) -> None:
    secret = service.create_token(NewToken("app", "writer")).secret
    world = World(service)

    async def story() -> None:
        assert await world.invoke(secret) == 200
        asked = world.door.asked
        service.store.away = AwayError("the database has been away since noon")
        world.clock.advance(FRESH + 0.1)
        assert await world.invoke(secret) == 200
        assert await world.invoke("dl_unknown") == 503
        world.gate.doubt()
        assert await world.invoke(secret) == 200
        world.clock.advance(STALE)
        assert await world.invoke(secret) == 503
        await asyncio.sleep(0.05)
        service.store.away = None
        assert await world.invoke(secret) == 200
        assert world.door.asked > asked

    asyncio.run(story())


def test_an_address_waits_for_a_minute(service: Any) -> None:
    world = World(service)

    async def story() -> None:
        assert [await world.invoke(f"dl_{n}") for n in range(MOST_FAILURES)] == [401] * MOST_FAILURES
        assert await world.invoke("dl_more") == 429
        asked = world.door.asked
        assert await world.invoke("dl_again") == 429
        assert world.door.asked == asked
        world.clock.advance(SECONDS)
        assert await world.invoke("dl_later") == 401

    asyncio.run(story())


def test_tokens_and_sessions_end(service: Any) -> None:
    clock = FakeClock(time.time())
    door = Door(service.store, clock)
    secret = service.create_token(NewToken("day", "admin", days=0.25)).secret
    session = door.login(secret)
    assert session
    assert door.token(secret) == Visitor("day", "admin")
    found = door.session(session)
    assert found
    assert (found.name, found.role, len(found.csrf)) == ("day", "admin", 64)
    assert door.session(session + "x") is None
    assert door.login("dl_x") is None
    clock.advance(6 * 3600 + 60)
    assert door.token(secret) is None
    assert door.session(session) is None
    lasting = service.create_token(NewToken("lasting", "admin")).secret
    session = door.login(lasting)
    assert session
    clock.advance(12 * 3600 + 60)
    assert (door.session(session), door.token(lasting)) == (None, Visitor("lasting", "admin"))
    fresh = door.login(lasting)
    assert fresh
    service.revoke_token("lasting")
    assert door.session(fresh) is None


def test_the_last_use_is_kept_to_the_minute(service: Any) -> None:
    clock = FakeClock(time.time())
    door = Door(service.store, clock)
    secret = service.create_token(NewToken("app", "writer")).secret

    def last_used() -> Any:
        return service.list_tokens()[0].last_used

    assert last_used() is None
    door.token(secret)
    first = last_used()
    clock.advance(30)
    door.token(secret)
    assert last_used() == first
    clock.advance(31)
    door.token(secret)
    assert (last_used() - first).total_seconds() == pytest.approx(61, abs=0.01)
