# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .conftest import PHONE

PAGES = {
    "runs": "/", "run": "/runs/{finished}/", "a failed run": "/runs/{service_died}/",
    "a run that goes on": "/runs/{running}/", "stop": "/runs/{running}/stop", "recipes": "/recipes/",
    "recipe": "/recipes/shipped/quickstart/", "compare": "/compare/?runs={finished},{overloaded}",
    "trends": "/trends/?recipe=quickstart", "clusters": "/clusters/", "plays": "/plays/", "api": "/api/",
    "nothing": "/trends/?recipe=none",
}  # fmt: skip


def address(site, name):
    return site.url + PAGES[name].format(**{variant: run.id for variant, run in site.runs.items()})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(browse, site, scheme):
    page = browse(color_scheme=scheme)
    # the scheme changes colours only
    options = {"resultTypes": ["violations"], **({"runOnly": ["color-contrast"]} if scheme == "dark" else {})}
    wrong = {}
    for name in PAGES:
        page.goto(address(site, name))
        found = Axe().run(page, options=options)
        wrong |= {f"{name}: {each['id']}": each["nodes"][0]["html"][:200] for each in found.response["violations"]}
    assert not wrong


def test_no_page_is_wider_than_a_phone(browse, site):
    page = browse(viewport=PHONE)
    wide = {}
    for name in PAGES:
        page.goto(address(site, name))
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide[name] = width
    assert not wide


def test_who_has_no_token_gets_no_further(browse, site):
    page = browse(login=False)
    page.goto(f"{site.url}/trends/")
    page.get_by_label("Token").fill("guess")
    page.get_by_role("button", name="Log in").focus()
    assert page.url.startswith(f"{site.url}/login?next=")
    token = (site.settings.folder / "token").read_text().strip()
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/trends/")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{site.url}/login")
    page.goto(f"{site.url}/")
    assert "/login" in page.url


def test_the_plots_of_a_run_are_drawn_and_its_report_opens(browse, site):
    page = browse()
    page.goto(address(site, "run"))
    expect(page.locator("figure .main-svg").first).to_be_visible()
    drawn, asked = page.locator("figure:has(.main-svg)").count(), page.locator("figure[data-figure]").count()
    assert drawn == asked > 8
    page.get_by_role("link", name="Report", exact=True).click()
    expect(page.locator("figure .main-svg").first).to_be_visible()
    assert page.evaluate("window.origin") == "null", "a report has no rights at this server"


def test_runs_are_filtered_sorted_and_compared(browse, site):
    page = browse()
    page.get_by_label("verdict").select_option("INVALID")
    page.get_by_label("state").select_option("failed")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_role("link", name="recipe", exact=True).click()
    expect(page.get_by_role("columnheader", name="recipe ↑")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_role("link", name="all runs").click()
    for variant in ("finished", "overloaded"):
        page.get_by_label(f"compare {site.runs[variant].id}").check()
    page.get_by_role("button", name="Compare the chosen").click()
    expect(page.get_by_role("heading", name="What differs")).to_be_visible()
    expect(page.locator("figure .main-svg").first).to_be_visible()
    page.get_by_role("button", name="Keep as a page of its own").click()
    expect(page.get_by_role("heading", name="Sides")).to_be_visible()


def test_everything_is_reached_by_keyboard(browse, site):
    page = browse()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("recipe").focus()
    page.keyboard.press("q")
    page.keyboard.press("Enter") if page.get_by_label("recipe").input_value() == "quickstart" else None
    link = page.get_by_role("link", name=site.runs["finished"].id)
    for _step in range(60):
        page.keyboard.press("Tab")
        if link.evaluate("node => node === document.activeElement"):
            break
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{site.runs['finished'].id}/")


def test_logs_are_searched_in_the_page(browse, site):
    page = browse()
    page.goto(address(site, "run"))
    lines = page.locator("#lines")
    expect(lines).to_contain_text("checkpoint")
    page.get_by_label("source").select_option("clients")
    expect(lines).not_to_contain_text("checkpoint")
    page.get_by_label("source").select_option("")
    page.get_by_label("contains").fill("no such line")
    page.keyboard.press("Enter")
    expect(lines).to_contain_text("No line matches")
