"""The reader's zone: chosen on a page, kept in a cookie, used by every page, and no way to somewhere else."""

from __future__ import annotations

from typing import Any

import pytest
from litestar.testing import TestClient

from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.service import Service
from driftline.storage import endpoints
from driftline.web.pages.zones import known


def choose(web: TestClient[Any], zone: str, after: str = "/") -> Any:
    return web.post("/timezone", data={"zone": zone, "next": after}, follow_redirects=False)


def test_a_zone_is_kept_and_times_are_shown_in_it(web: TestClient[Any], service: Service) -> None:
    with service.store.write() as db:
        endpoints.create(
            db, "churn", model_path="", model=ModelDescription(), capture=CaptureSettings(), now=service.now()
        )
    answer = choose(web, "Asia/Kolkata", "/search?q=churn")
    assert (answer.status_code, answer.headers["location"]) == (303, "/search?q=churn")
    kept = answer.headers["set-cookie"]
    assert kept == "driftline_zone=Asia/Kolkata; Path=/; Max-Age=31536000; SameSite=Lax"
    page = web.get("/").text
    assert "Times are Asia/Kolkata" in page
    assert 'value="Asia/Kolkata" required' in web.get("/timezone").text
    assert web.get("/timezone.json").json()["zone"] == "Asia/Kolkata"


def test_every_known_zone_may_be_chosen(web: TestClient[Any]) -> None:
    page = web.get("/timezone?next=/runs/17").text
    assert page.count("<option") == len(known())
    assert '<input type="hidden" name="next" value="/runs/17">' in page
    for zone in ("UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires"):
        assert choose(web, zone).status_code == 303
        assert f"Times are {zone} " in web.get("/").text


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "<script>", "UTC; Domain=evil", "é\r\nX: y"])
def test_what_is_no_zone_is_refused_with_what_was_typed(web: TestClient[Any], zone: str) -> None:
    answer = choose(web, zone)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "set-cookie" not in answer.headers
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "after",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "evil",
        "",
        "/a\r\nX: y",
        "javascript:alert(1)",
        "/é",
    ],
)
def test_only_a_path_of_ours_is_gone_to(web: TestClient[Any], after: str) -> None:
    assert choose(web, "UTC", after).headers["location"] == "/"
    assert 'name="next" value="/"' in web.get("/timezone", params={"next": after}).text


def test_the_form_of_another_site_is_refused(web: TestClient[Any]) -> None:
    headers = {"Origin": "https://evil.example"}
    answer = web.post("/timezone", data={"zone": "UTC"}, headers=headers, follow_redirects=False)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_readers_may_choose_and_nothing_of_it_is_audited(guarded: Any) -> None:
    form = {"zone": "Europe/Berlin", "next": "/search"}
    assert guarded.ask("POST", "/timezone", data=form).status_code in (303, 401)
    answer = guarded.ask("POST", "/timezone", "reader", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/search")
    guarded.worker.application.auditor.flush()
    assert all(row.action != "choose_timezone" for row in guarded.service.list_audit())
