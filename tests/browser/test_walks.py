"""What the dashboard is for: why a model is not well in four clicks, and what one does about it by form."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from driftline.client import Client
from tests.browser.watching import Visit, Watched
from tests.browser.worlds import World

PLANTED = "international_minutes"
MOST_CLICKS = 4


@pytest.mark.parametrize("scripts", [True, False])
def test_from_the_home_page_to_the_rows_behind_the_drift(visit: Visit, filled: World, scripts: bool) -> None:
    page = visit(filled, java_script_enabled=scripts)
    steps = [
        page.get_by_role("row", name="churn").get_by_role("link", name="Violated").first,
        page.locator("main").get_by_role("link", name=re.compile(PLANTED, re.IGNORECASE)).first,
    ]
    assert len(steps) <= MOST_CLICKS
    for step in steps:
        step.click()
    page.wait_for_url("**/violations/*")
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(PLANTED, re.IGNORECASE))
    # Both distributions in one chart, and rows of the window, with the id by which each was asked.
    expect(page.locator("svg.chart").filter(has_text="baseline, n 4,000").first).to_be_visible()
    expect(page.get_by_role("rowheader", name=re.compile(r"^h\d\d-\d{4}$")).first).to_be_visible()


def test_a_schedule_is_made_by_form(visit: Visit, filled: World) -> None:
    page = visit(filled, "/new/schedule?endpoint=upsell&monitor=data-quality")
    page.get_by_label("Name", exact=True).fill("upsell-daily")
    page.get_by_label("Baseline").select_option("upsell-data")
    page.get_by_label("When (cron, UTC)").fill("0 6 * * *")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("main")).to_contain_text("driftline schedule create upsell-daily")
    page.get_by_role("button", name="Make the schedule").click()
    page.wait_for_url("**/schedules/upsell-daily")
    with Client(filled.url) as client:
        made = client.get_schedule("upsell-daily")
        assert (made.endpoint, made.monitor, made.baseline) == ("upsell", "data-quality", "upsell-data")
        assert made.cron == "0 6 * * *"
        client.delete_schedule("upsell-daily")


def test_a_constraint_is_edited(visit: Visit, watched: Watched, filled: World) -> None:
    watched.expected = ["400"]
    page = visit(filled, "/baselines/churn-hourly")
    field = page.get_by_label("f2 threshold")
    field.fill("much")
    page.get_by_role("button", name="Preview").first.click()
    expect(page.get_by_text("✕").first).to_be_visible()
    field = page.get_by_label("f2 threshold")
    assert field.input_value() == "much", "what was typed is kept"
    field.fill("0.625")
    page.get_by_label("Why (kept with the version)").first.fill("agreed with the desk")
    page.get_by_role("button", name="Preview").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Preview")
    expect(page.locator("main")).to_contain_text("0.625")
    page.get_by_role("button", name=re.compile("Save as version")).click()
    page.wait_for_url("**/baselines/churn-hourly**")
    expect(page.locator("#history + ol")).to_contain_text("agreed with the desk")
    with Client(filled.url) as client:
        kept = client.get_baseline("churn-hourly").constraints["binary_classification_constraints"]["f2"]
        assert kept["threshold"] == 0.625


def test_an_alarm_is_acknowledged(visit: Visit, filled: World) -> None:
    page = visit(filled)
    page.get_by_role("link", name="churn-f2-low").first.click()
    page.get_by_label("Note").fill("the rival's offer; we retrain")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("main")).to_contain_text("the rival's offer; we retrain")
    with Client(filled.url) as client:
        known = client.get_alarm("churn-f2-low").acknowledged
        assert known is not None
        assert known.note == "the rival's offer; we retrain"


def test_a_series_can_be_zoomed_and_leads_to_its_runs(visit: Visit, filled: World) -> None:
    page = visit(filled, "/series?endpoint=churn&schedule=churn-hourly&metric=f2&range=24h")
    drawn = page.locator(".u-over").first
    expect(drawn).to_be_visible()
    box = drawn.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + 20, steps=5)
    page.mouse.up()
    page.wait_for_function("() => location.search.includes('start=')")
    page.goto("/series?endpoint=churn&schedule=churn-hourly&metric=f2&range=24h")
    page.locator("table a[href^='/runs/']").first.click()
    page.wait_for_url("**/runs/*")


@pytest.mark.parametrize(
    "path",
    ["/", "/endpoints/churn", "/runs/{churn_data}/analysis", "/schedules/churn-hourly", "/baselines/churn-hourly"],
)
def test_a_page_is_saved_as_one_file_that_asks_for_nothing(visit: Visit, filled: World, path: str) -> None:
    page = visit(filled, path)
    with page.expect_download() as saved:
        page.get_by_role("link", name="one file").click()
    text = saved.value.path().read_text(encoding="utf-8")
    assert "<style>" in text
    assert not re.search(r"<(script|link|img)\b", text)
    assert "form { display: none; }" in text
