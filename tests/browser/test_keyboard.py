"""Every page with a keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.watching import Visit
from tests.browser.worlds import World

HITS = "/search?q=churn"


def row(page: Page) -> str:
    """The name in the row that the keyboard is on."""
    assert page.locator(".here").count() == 1
    assert page.evaluate("() => document.activeElement === document.querySelector('.here')")
    return page.locator(".here th").inner_text()


def test_rows_are_walked(visit: Visit, filled: World) -> None:
    page = visit(filled, HITS)
    names = page.locator("[data-row] th").all_inner_texts()
    assert len(names) >= 3
    page.keyboard.press("j")
    assert row(page) == names[0]
    page.keyboard.press("j")
    assert row(page) == names[1]
    page.keyboard.press("k")
    page.keyboard.press("k")
    assert row(page) == names[0]
    for _ in range(len(names) + 3):
        page.keyboard.press("j")
    assert row(page) == names[-1]


def test_a_row_is_opened(visit: Visit, filled: World) -> None:
    run = filled.names["churn_data"]
    page = visit(filled, f"/search?q={run}")
    page.keyboard.press("k")
    assert row(page) == run
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{run}")


def test_a_slash_leads_to_the_search(visit: Visit, filled: World) -> None:
    page = visit(filled)
    page.keyboard.press("/")
    # In a field, keys are letters.
    page.keyboard.type("j?[/")
    assert page.locator("#search").input_value() == "j?[/"
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("#search")).not_to_be_focused()
    page.keyboard.press("/")
    # What stood there is typed over.
    page.keyboard.type("upsell")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=upsell")


def test_a_question_mark_shows_the_keys(visit: Visit, filled: World) -> None:
    page = visit(filled, HITS)
    for _ in range(2):
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        page.keyboard.press("j")
        expect(page.locator(".here")).to_have_count(0)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="? keys").click()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_keys_of_the_browser_are_left_alone(visit: Visit, filled: World) -> None:
    page = visit(filled, HITS)
    for keys in ("Control+j", "Alt+j", "Meta+k"):
        page.keyboard.press(keys)
    expect(page.locator(".here")).to_have_count(0)


def test_brackets_follow_the_links_before_and_after(visit: Visit, filled: World) -> None:
    page = visit(filled, "/search")
    page.keyboard.press("]")
    assert page.url.endswith("/search")
    page.evaluate(
        """() => document.querySelector("main").insertAdjacentHTML("beforeend",
           '<a rel="prev" href="/search?q=before">b</a><a rel="next" href="/search?q=after">a</a>')"""
    )
    page.keyboard.press("]")
    page.wait_for_url("**/search?q=after")
    page.go_back()
    page.evaluate(
        """() => document.querySelector("main").insertAdjacentHTML("beforeend",
           '<a rel="nofollow prev" href="/search?q=before">b</a>')"""
    )
    page.keyboard.press("[")
    page.wait_for_url("**/search?q=before")


def test_the_first_tab_leads_past_the_header(visit: Visit, filled: World) -> None:
    page = visit(filled)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/#main")
