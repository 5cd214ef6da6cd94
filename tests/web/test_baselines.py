"""The pages of baselines: listed, looked at, changed in two steps, and never over somebody else's change."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from driftline.core.analysis_documents import attribution_document
from driftline.core.attribution_analysis import Attribution, AttributionAnalysis, LabelAttributions
from driftline.core.constraint_documents import read_any_constraints
from driftline.core.constraint_edits import with_changes
from driftline.service import Service
from driftline.service.dashboard.baseline_edits import MOST_DOCUMENT_BYTES
from driftline.service.door import Door

LIMIT = {"threshold": 0.6, "comparison_operator": "LessThanThreshold", "suggestion": "0.65 less twice its deviation"}
MODEL = {"version": 0.0, "binary_classification_constraints": {"f2": LIMIT, "auc": {**LIMIT, "threshold": 0.9}}}
EVIL = "<script>alert('x')</script>"


def table(columns: int = 2) -> dict[str, Any]:
    features: list[dict[str, Any]] = [
        {"name": f"c{place}", "inferred_type": "Fractional", "completeness": 0.99} for place in range(columns)
    ]
    features.append({"name": EVIL, "inferred_type": "String", "string_constraints": {"domains": ["gold", EVIL]}})
    return {"version": 0.0, "features": features}


def put(service: Service, document: dict[str, Any] = MODEL, name: str = "good", **who: str) -> None:
    statistics = b'{"dataset": {"item_count": 2999}}' if document is MODEL else b"{}"
    service.put_baseline(name, json.dumps(document).encode(), statistics, **who)


def post(web: TestClient[Any], path: str, **fields: str) -> httpx.Response:
    return web.post(path, data=fields, follow_redirects=False)


def hidden(page: str, field: str) -> str:
    found = re.search(rf'name="{field}"(?: maxlength="300")? value="([^"]*)"', page)
    assert found, field
    return unescape(found[1])


def save_preview(web: TestClient[Any], preview: str, **more: str) -> httpx.Response:
    fields = {name: hidden(preview, name) for name in ("since", "document", "note")} | more
    return post(web, "/baselines/good/save", **fields)


def test_without_baselines_the_list_says_how_to_make_one(web: TestClient[Any]) -> None:
    page = web.get("/baselines").text
    assert "There is no baseline yet." in page
    assert "driftline baseline model-quality validation.csv" in page


def test_the_list_tells_what_uses_a_baseline(web: TestClient[Any], service: Service) -> None:
    put(service)
    put(service, table(), "columns")
    page = web.get("/baselines").text
    assert re.search(r'href="/baselines/good">good</a></th>\s*<td>model-quality</td><td>2 metrics</td>', page)
    assert "<td>3 columns</td>" in page
    assert "no schedule" in page
    assert [line["name"] for line in web.get("/baselines.json").json()["baselines"]] == ["columns", "good"]


def test_a_long_list_has_pages(web: TestClient[Any], service: Service) -> None:
    for place in range(51):
        put(service, name=f"b{place:02}")
    assert 'rel="next" href="?page=2"' in web.get("/baselines").text
    last = web.get("/baselines?page=2").text
    assert "b50" in last
    assert "b49" not in last
    assert 'rel="prev"' in last
    assert "There are no more baselines" in web.get("/baselines?page=9").text
    assert web.get("/baselines?page=0").status_code == 400


def test_a_baseline_shows_its_constraints_and_why(web: TestClient[Any], service: Service) -> None:
    put(service, author="ann", note="the first")
    page = web.get("/baselines/good").text
    assert 'id="f2"' in page
    assert 'name="set f2.threshold" value="0.6"' in page
    assert "0.65 less twice its deviation" in page
    assert "of 2,999 rows" in page
    assert "version 1, by ann on 2026-11-22 10:00" in page
    twin = web.get("/baselines/good.json").json()
    assert (twin["rows"], twin["version"], twin["constraints"][0]["anchor"]) == (2999, 1, "f2")
    assert web.get("/baselines/good.csv?table=constraints").text.splitlines()[1].startswith("f2,threshold,0.6,")


def test_a_field_is_changed_in_two_steps(web: TestClient[Any], service: Service) -> None:
    put(service)
    fields = {"set f2.threshold": "0.55", "set f2.comparison_operator": "LessThanThreshold", "set auc.threshold": "0.9"}
    preview = post(web, "/baselines/good/preview", since="1", note="noisy hours", **fields)
    assert preview.status_code == 200
    assert re.search(r'<td class="was">0.6</td><td class="becomes">0.55</td>', preview.text)
    assert "1 change to version 1" in preview.text
    assert service.get_baseline("good").constraints == MODEL, "nothing is stored yet"
    saved = save_preview(web, preview.text)
    assert (saved.status_code, saved.headers["location"]) == (303, "/baselines/good")
    expected = with_changes(read_any_constraints(json.dumps(MODEL).encode(), "x"), {"f2.threshold": 0.55})  # type: ignore[type-var]
    assert read_any_constraints(json.dumps(service.get_baseline("good").constraints).encode(), "x") == expected
    assert service.get_baseline("good").statistics == {"dataset": {"item_count": 2999}}
    newest = service.list_baseline_versions("good")[0]
    assert (newest.version, newest.author, newest.note) == (2, "anonymous", "noisy hours")
    page = web.get("/baselines/good").text
    assert "metric f2: threshold 0.6 → 0.55" in page
    assert "somebody (access is off)" in page


def test_lines_and_emptied_fields_are_edits_too(web: TestClient[Any], service: Service) -> None:
    put(service, table())
    preview = post(
        web,
        "/baselines/good/preview",
        since="1",
        lines=f"c1=null\n\n{EVIL}.domain+=silver\nc0.comparison_threshold=0.2",
        **{"set c0.completeness": ""},
    ).text
    found = json.loads(hidden(preview, "document"))["features"]
    assert [feature["name"] for feature in found] == ["c0", EVIL]
    assert "completeness" not in found[0]
    assert found[1]["string_constraints"]["domains"] == ["gold", EVIL, "silver"]
    assert "4 changes" in preview
    assert "+ &#34;silver&#34;" in preview
    assert EVIL not in preview


def test_errors_stand_by_their_fields_and_what_was_typed_stays(web: TestClient[Any], service: Service) -> None:
    put(service, table())
    fields = {"set c0.completeness": "1.5", "set c1.completeness": "much", "lines": "c0.is_non_negative=true"}
    answer = post(web, "/baselines/good/preview", since="1", note="why", **fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    assert "feature c0: completeness: 1.5 is not a number from 0 to 1" in answer.text
    assert 'value="1.5"' in answer.text
    assert "c0.is_non_negative=true</textarea>" in answer.text
    assert 'name="note" maxlength="300" value="why"' in answer.text
    assert len(service.list_baseline_versions("good")) == 1


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("", "not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 3000 + "1" + "}" * 3000, "nested too deeply"),
        ("[1]", "must hold a JSON object"),
        ("{}", "holds no constraints"),
        ('{"binary_classification_constraints": {"f2": {"threshold": NaN}}}', "is not an operator"),
        (json.dumps(MODEL).replace("0.6,", "NaN,"), "nan is not a finite number"),
        (json.dumps(MODEL).replace("0.6,", "1" * 5000 + ","), "inf is not a finite number"),
        (json.dumps(MODEL).replace("less twice", "\\ud800"), "holds half a character"),
        (json.dumps(MODEL).replace("binary_classification", "regression"), "the second for Regression"),
        (json.dumps(table()), "the second for data-quality"),
        ("x" * (MOST_DOCUMENT_BYTES + 1), "too large"),
    ],
)
def test_a_document_that_is_not_valid_is_refused(
    web: TestClient[Any], service: Service, document: str, said: str
) -> None:
    put(service)
    for step in ("preview", "save"):
        answer = post(web, f"/baselines/good/{step}", since="1", document=document)
        assert answer.status_code in (400, 413), answer.text
        assert said in unescape(answer.text)
    assert len(service.list_baseline_versions("good")) == 1


@pytest.mark.parametrize("since", ["", "x", "-1", "1" * 400, "²"])
def test_a_form_without_its_version_is_refused(web: TestClient[Any], service: Service, since: str) -> None:
    put(service)
    assert post(web, "/baselines/good/preview", since=since, document="{}").status_code == 400
    assert post(web, "/baselines/none/preview", since="1", document="{}").status_code == 404


def test_the_change_of_another_is_not_overwritten(web: TestClient[Any], service: Service) -> None:
    put(service)
    mine = post(web, "/baselines/good/preview", since="1", **{"set f2.threshold": "0.5"}).text
    put(service, {**MODEL, "binary_classification_constraints": {"f2": LIMIT}}, author="bob")
    late = save_preview(web, mine)
    assert late.status_code == 409
    assert "Somebody else was faster" in late.text
    assert "threshold 0.9" in late.text, "what the other took away"
    assert '<td class="becomes">0.5</td>' in late.text, "what I would change"
    again = {name: hidden(late.text, name) for name in ("since", "document", "note", "rebase")}
    preview = post(web, "/baselines/good/preview", **again)
    assert preview.status_code == 200
    assert save_preview(web, preview.text).status_code == 303
    kept = service.get_baseline("good").constraints["binary_classification_constraints"]
    assert {name: limit["threshold"] for name, limit in kept.items()} == {"f2": 0.5}
    assert post(web, "/baselines/good/preview", since="1", **{"set f2.threshold": "0.4"}).status_code == 409


def test_a_change_that_fits_no_longer_is_said(web: TestClient[Any], service: Service) -> None:
    put(service)
    mine = post(web, "/baselines/good/preview", since="1", **{"set auc.threshold": "0.5"}).text
    put(service, {**MODEL, "binary_classification_constraints": {"f2": LIMIT}})
    fields = {"since": "1", "document": hidden(mine, "document"), "rebase": "1"}
    answer = post(web, "/baselines/good/preview", **fields)
    assert answer.status_code == 400
    assert "there is no constraint on metric auc" in answer.text


def test_an_earlier_version_comes_back_as_a_new_one(web: TestClient[Any], service: Service) -> None:
    put(service, author="ann")
    put(service, {**MODEL, "binary_classification_constraints": {"f2": LIMIT}}, author="bob", note=EVIL)
    page = web.get("/baselines/good/versions/2").text
    assert "metric auc" in page
    assert EVIL not in page
    assert "Restore" not in page
    old = web.get("/baselines/good/versions/1").text
    assert "the first version" in old
    preview = post(web, "/baselines/good/preview", since="2", restore=hidden(old, "restore"), note="back").text
    assert save_preview(web, preview).status_code == 303
    versions = service.list_baseline_versions("good")
    assert [(row.version, row.author, row.note) for row in versions] == [
        (3, "anonymous", "back"),
        (2, "bob", EVIL),
        (1, "ann", ""),
    ]
    assert service.get_baseline_version("good", 3).constraints == MODEL
    assert web.get("/baselines/good/versions/4").status_code == 404


def test_names_of_columns_are_shown_as_text(web: TestClient[Any], service: Service) -> None:
    put(service, table())
    for path in ("/baselines/good", "/baselines/good?find=script", "/baselines/good?export=1"):
        page = web.get(path).text
        assert EVIL not in page
        assert "&lt;script&gt;alert" in page
    assert "No column or metric has" in web.get("/baselines/good", params={"find": EVIL + "x"}).text


def test_thousands_of_columns_are_paged_and_can_be_edited_whole(web: TestClient[Any], service: Service) -> None:
    put(service, table(2000))
    page = web.get("/baselines/good")
    assert len(page.content) < 200_000
    assert "Page 1 of 21" in page.text
    assert '<textarea id="whole"' not in page.text
    assert 'id="c1999"' in web.get("/baselines/good?find=c1999").text
    whole = web.get("/baselines/good?whole=1").text
    document = json.dumps(table(2000), indent=2)
    assert '<textarea id="whole"' in whole
    assert len(document) > 64 << 10
    changed = document.replace("0.99", "0.98")
    preview = post(web, "/baselines/good/preview", since="1", document=changed).text
    assert "2000 changes" in preview
    assert "and 1800 more changes" in preview
    assert save_preview(web, preview).status_code == 303
    assert "too large to be compared here" in web.get("/baselines/good").text
    assert "0.98" in web.get("/baselines/good/versions/2").text


def test_an_analysis_has_no_fields(web: TestClient[Any], service: Service) -> None:
    label = LabelAttributions("label0", (Attribution("age", 0.5),), 0.1)
    put(service, attribution_document(AttributionAnalysis((label,))), "ranks")
    page = web.get("/baselines/ranks").text
    assert "An analysis of attribution" in page
    assert "<textarea" not in page
    assert post(web, "/baselines/ranks/preview", since="1", document="{}").status_code == 400


def test_another_site_s_form_is_refused(web: TestClient[Any], service: Service) -> None:
    put(service)
    for headers in ({"origin": "https://evil.test"}, {"sec-fetch-site": "cross-site"}):
        for step in ("preview", "save"):
            data = {"since": "1", "document": json.dumps(MODEL)}
            assert web.post(f"/baselines/good/{step}", data=data, headers=headers).status_code == 403


def test_a_form_that_is_too_large_is_refused(web: TestClient[Any], service: Service) -> None:
    put(service)
    answer = web.post("/baselines/good/save", content=b"since=1&document=" + b"x" * (4 << 20))
    assert answer.status_code == 413


def test_a_form_needs_the_role_and_the_session_s_word(guarded: Any) -> None:
    """A document beyond the usual 64 KiB of a form passes the gate, which reads the form for the session's word."""
    put(guarded.service, table(2000))
    page = guarded.ask("GET", "/baselines/good", "reader").text
    assert "column" in page
    assert "<form method" not in page
    fields = {"since": "1", "document": json.dumps(table(2000)).replace("0.99", "0.9"), "note": "by hand"}
    assert guarded.ask("POST", "/baselines/good/save", "reader", data=fields).status_code == 403
    session = Door(guarded.service.store).login(guarded.tokens["operator"])
    cookie = {"cookie": f"driftline_session={session}"}
    assert guarded.ask("POST", "/baselines/good/save", headers=cookie, data=fields).status_code == 403
    word = hidden(guarded.ask("GET", "/baselines/good", headers=cookie).text, "csrf")
    saved = guarded.ask("POST", "/baselines/good/save", headers=cookie, data=fields | {"csrf": word})
    assert saved.status_code == 303
    [newest, _] = guarded.service.list_baseline_versions("good")
    assert (newest.author, newest.note) == ("the-operator", "by hand")
    assert guarded.service.list_audit(target="baselines/good")[0].action == "save_baseline"


def test_the_api_names_the_author_and_keeps_the_note(guarded: Any) -> None:
    for limit in (0.5, 0.4):
        body = {"constraints": json.loads(json.dumps(MODEL).replace("0.6", str(limit))), "note": f"to {limit}"}
        assert guarded.ask("PUT", "/api/baselines/other", "operator", json=body).status_code == 200
    found = guarded.ask("GET", "/api/baselines/other/versions", "reader").json()
    assert [(row["version"], row["author"], row["note"]) for row in found] == [
        (2, "the-operator", "to 0.4"),
        (1, "the-operator", "to 0.5"),
    ]
    first = guarded.ask("GET", "/api/baselines/other/versions/1", "reader").json()
    assert first["constraints"]["binary_classification_constraints"]["f2"]["threshold"] == 0.5
    assert guarded.ask("GET", "/api/baselines/other/versions/9", "reader").status_code == 404
