"""The audit log: what was done or refused, by whom, and nothing that is secret."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.core.errors import SetupError
from driftline.resources.access import NewToken
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.service.door import Door, Visitor
from driftline.storage import audit, endpoints
from driftline.web.audit import Auditor

HUSH = "https://hooks.test/services/hush-hush"
ALARM = {"metric": "f2", "operator": "LessThanThreshold", "threshold": 0.6, "endpoint": "churn", "schedule": "hourly"}


def add_endpoint(service: Any, name: str) -> None:
    options = {"model": ModelDescription(), "capture": CaptureSettings()}
    with service.store.write() as db:
        endpoints.create(db, name, model_path="models/none", now=service.now(), **options)


def rows(service: Any, **filters: Any) -> list[tuple[str, str, str, str, str]]:
    found = service.list_audit(limit=1000, **filters)
    return [(row.actor, row.role, row.action, row.target, row.outcome) for row in found]


def test_what_is_done_and_refused_is_written_before_the_answer(guarded: Any) -> None:
    service = guarded.service
    by = ("the-operator", "operator")
    assert guarded.ask("PUT", "/api/endpoints/-x", "operator", content=b"").status_code == 400
    assert rows(service)[0] == (*by, "deploy", "endpoints/-x", "failed with 400")
    add_endpoint(service, "churn")
    assert guarded.ask("PATCH", "/api/endpoints/churn/capture", "operator", json={"percent": 5}).status_code == 200
    assert rows(service)[0] == (*by, "change_capture", "endpoints/churn", "done")
    schedule = {"name": "hourly", "endpoint": "churn", "cron": "0 * * * *"}
    body = schedule | {"attributes": {"probability_attribute": "0"}}
    assert guarded.ask("POST", "/api/schedules", "operator", json=body).status_code == 201
    assert rows(service)[0] == (*by, "create_schedule", "schedules/hourly", "done")
    assert guarded.ask("POST", "/api/schedules", "operator", json=body).status_code == 409
    assert rows(service)[0] == (*by, "create_schedule", "schedules", "failed with 409")
    assert guarded.ask("POST", "/api/schedules/hourly/pause", "writer").status_code == 403
    assert rows(service)[0] == ("the-writer", "writer", "pause_schedule", "schedules/hourly", "refused with 403")
    assert guarded.ask("PUT", "/api/alarms/low", "operator", json=ALARM | {"alarm_actions": [HUSH]}).status_code == 200
    assert rows(service)[0] == (*by, "put_alarm", "alarms/low", "done")
    made = guarded.ask("POST", "/api/tokens", "admin", json={"name": "made", "role": "reader"}).json()
    assert rows(service)[0] == ("the-admin", "admin", "create_token", "tokens/made", "done")
    assert guarded.ask("POST", "/api/tokens/made/revoke", "admin").status_code == 201
    assert rows(service)[0] == ("the-admin", "admin", "revoke_token", "tokens/made", "done")
    assert guarded.ask("DELETE", "/api/endpoints/churn", "operator").status_code == 204
    assert rows(service)[0] == (*by, "delete_endpoint", "endpoints/churn", "done")
    guarded.ask("POST", "/login", data={"token": guarded.tokens["reader"]})
    assert rows(service)[0] == ("the-reader", "reader", "login", "", "done")

    before = len(rows(service))
    assert guarded.ask("GET", "/api/runs", "reader").status_code == 200
    assert len(rows(service)) == before
    shown = guarded.ask("GET", "/api/audit?limit=1000", "admin").text
    assert '"create_schedule"' in shown
    for secret in (*guarded.tokens.values(), made["secret"], "hush-hush"):
        assert secret not in shown
    assert rows(service, target="alarms/low") == [(*by, "put_alarm", "alarms/low", "done")]
    assert {row[0] for row in rows(service, actor="the-writer")} == {"the-writer"}
    assert rows(service, since="2100-01-01T00:00Z") == []


def test_what_comes_often_is_added_up(guarded: Any) -> None:
    auditor, service = guarded.worker.application.auditor, guarded.service
    auditor.flush()
    add_endpoint(service, "busy")
    before = len(rows(service))
    for number in range(5):
        body = f"id,label\n{number},1\n"
        assert guarded.ask("POST", "/api/endpoints/busy/labels?format=csv", "writer", content=body).status_code == 201
        assert guarded.ask("DELETE", "/api/endpoints/busy").status_code == 401
    assert len(rows(service)) == before
    auditor.flush()
    auditor.flush()
    found = {row.action: row for row in service.list_audit(limit=2)}
    assert found["put_labels"].detail == {"requests": 5}
    assert (found["put_labels"].actor, found["put_labels"].target) == ("the-writer", "endpoints/busy")
    assert (found["refused"].actor, found["refused"].detail) == ("nobody", {"requests": 5})
    assert len(rows(service)) == before + 2


def test_without_a_gate_changes_are_written_too(service: Any, serve: Any) -> None:
    import httpx

    from driftline.web.worker import Worker

    worker = Worker(service)
    with serve(worker.app) as (url, _):
        assert httpx.delete(f"{url}/api/alarms/none", trust_env=False).status_code == 404
    worker.captures.close()
    worker.requests.close()
    assert rows(service) == [("anonymous", "everyone", "delete_alarm", "alarms/none", "failed with 404")]


def test_what_cannot_be_written_is_kept(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    auditor = Auditor(Door(service.store))
    auditor._counts[Visitor("a", "writer"), "put_labels", "endpoints/x", "done"] = 3

    def broken(*_: Any) -> None:
        raise SetupError("away", hint="wait")

    with monkeypatch.context() as patch:
        patch.setattr(audit, "add", broken)
        with pytest.raises(SetupError):
            auditor.flush()
    auditor.flush()
    [row] = service.list_audit()
    assert row.detail == {"requests": 3}


def test_texts_of_a_request_are_cut_and_storable(service: Any) -> None:
    Door(service.store).record(Visitor("x\x00", "admin"), "a", "t" * 10_000, "done")
    [row] = service.list_audit()
    assert (row.actor, len(row.target)) == ("x\\x00", 300)
    service.create_token(NewToken("x"))
