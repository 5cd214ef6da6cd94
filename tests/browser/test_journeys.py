"""What people do: from the home page to a finding, without scripts, on the way in, and with their own clock."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.watching import Visit, Watched
from tests.browser.worlds import World


def test_from_the_home_page_to_a_run(visit: Visit, watched: Watched, filled: World) -> None:
    page = visit(filled)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.locator(f"a[href='/runs/{filled.names['churn_data']}']").first.click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_text("international_minutes").first).to_be_visible()
    assert "Violated" in page.inner_text("main") or "VIOLATED" in page.inner_text("main")
    # Every style sheet and script came from the service.
    assert any("/static/style.css" in url for url in watched.requests)
    assert any("/static/page.js" in url for url in watched.requests)


def test_everything_can_be_read_without_scripts(visit: Visit, watched: Watched, filled: World) -> None:
    page = visit(filled, java_script_enabled=False)
    page.locator("#search").fill("churn-data")
    page.locator("#search").press("Enter")
    page.wait_for_url("**/search?q=churn-data")
    row = page.get_by_role("row", name="Schedule churn-data")
    expect(row).to_contain_text("data-quality of churn")
    page.goto(filled.path("/runs/{churn_data}"))
    expect(page.get_by_text("day_minutes").first).to_be_visible()
    expect(page.locator("[data-keys]")).to_be_hidden()
    assert not any(url.endswith(".js") for url in watched.requests)


def test_a_page_that_is_not_there_leads_back(visit: Visit, watched: Watched, filled: World) -> None:
    watched.expected = ["404"]
    page = visit(filled, "/runs/none")
    expect(page.get_by_text("there is no execution none")).to_be_visible()
    page.get_by_role("link", name="driftline", exact=True).click()
    page.wait_for_url(f"{filled.url}/")


def test_the_way_in(visit: Visit, watched: Watched, guarded: World) -> None:
    watched.expected = ["401"]
    page = visit(guarded, "/search?q=churn")
    page.wait_for_url(f"{guarded.url}/login?next=/search%3Fq%3Dchurn")
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("this token is not valid")
    page.get_by_label("Token").fill(guarded.tokens["reader"])
    page.get_by_role("button", name="Sign in").click()
    # One comes to where one wanted to go.
    page.wait_for_url("**/search?q=churn")
    expect(page.get_by_text("the-reader (reader)")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")


def test_a_reader_can_change_nothing(visit: Visit, watched: Watched, guarded: World) -> None:
    watched.expected = ["401", "403"]
    page = visit(guarded, "/login")
    page.get_by_label("Token").fill(guarded.tokens["reader"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{guarded.url}/")
    word = page.locator("input[name=csrf]").first.get_attribute("value")
    ask = """async (word) => (await fetch("/api/schedules/x", {
        method: "DELETE", headers: {"X-CSRF-Token": word}})).status"""
    assert page.evaluate(ask, word) == 403


def test_a_reader_chooses_the_zone_of_times(visit: Visit, guarded: World, watched: Watched) -> None:
    watched.expected = ["401"]
    page = visit(guarded, "/login", timezone_id="America/New_York")
    page.get_by_label("Token").fill(guarded.tokens["reader"])
    page.get_by_role("button", name="Sign in").click()
    page.goto("/search?q=churn")
    page.get_by_role("link", name="change").click()
    page.get_by_role("button", name="Use this browser's zone (America/New_York)").click()
    page.wait_for_url("**/search?q=churn")
    expect(page.locator("footer")).to_contain_text("Times are America/New_York")
    page.get_by_role("link", name="change").click()
    page.get_by_label("Zone", exact=True).fill("Europe/Berlin")
    page.get_by_role("button", name="Show times in this zone").click()
    expect(page.locator("footer")).to_contain_text("Times are Europe/Berlin")
