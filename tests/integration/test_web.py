# SPDX-License-Identifier: MIT
"""The web UI before a real cluster, in a real browser: launch, look, stop, compare, a recipe that fails."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from .conftest import ROOT, assert_nothing_left, eventually, read_json, short

pytestmark = [pytest.mark.integration, pytest.mark.extra]

RUN_MS, LOOK_MS = 240_000, 30_000


@pytest.fixture
def site(play, home):
    """Where the server of this test's benchmark_home answers."""
    started = play("web", "-e", "web_port=0", "-e", f"web_directory={ROOT}", limit=None)
    assert started.rc == 0, started.output
    yield re.search(r"http://\S+:\d+", started.output).group(0)
    assert play("web", "-e", "web_state=stopped", limit=None).rc == 0


@pytest.fixture
def page(site, home):
    path = shutil.which("chromium")
    assert path, "the browser tests need chromium: apt-get install chromium"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        found = browser.new_page()
        found.set_default_timeout(LOOK_MS)
        expect.set_options(timeout=LOOK_MS)
        found.goto(f"{site}/login")
        found.get_by_label("Token").fill((home / "web/token").read_text().strip())
        found.get_by_role("button", name="Log in").click()
        found.wait_for_url(f"{site}/")
        yield found
        browser.close()


def write(home: Path, name: str, text: str) -> None:
    folder = home / "recipes"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yml").write_text(text)


def launch(page, site: str, name: str, action: str = "Launch") -> None:
    page.goto(f"{site}/recipes/own/{name}/")
    page.get_by_label("local", exact=True).check()
    page.get_by_role("button", name=action, exact=True).click()
    page.wait_for_url("**/plays/*/")


def open_run(page) -> str:
    """Go to the run of the play that is shown; its id."""
    link = page.locator("#state a[href*='/runs/']").first
    expect(link).to_be_visible(timeout=RUN_MS)
    run_id = link.inner_text()
    link.click()
    page.wait_for_url(f"**/runs/{run_id}/")
    return run_id


def torn_down(home: Path, run: str) -> dict:
    """run.json, as soon as the run was torn down."""

    def look():
        is_there = all((home / "runs" / run / name).exists() for name in ("teardown.json", "run.json"))
        return read_json(home, run, "run.json") if is_there else None

    return eventually(look, RUN_MS / 1000)


def test_a_run_is_tried_launched_watched_and_compared(site, page, home):
    write(home, "first", short(duration="8s", benchmarks="  repetitions: 2"))
    launch(page, site, "first", "Dry run")
    expect(page.locator("#state .badge")).to_have_text("successful", timeout=RUN_MS)
    expect(page.locator("#output")).to_contain_text("#SBATCH")
    expect(page.locator("#output")).to_contain_text("nothing was submitted")
    runs = []
    for _again in range(2):
        launch(page, site, "first")
        runs.append(open_run(page))
        expect(page.locator("#live .badge")).to_have_text("measuring", timeout=RUN_MS)
        expect(page.locator("#live")).to_contain_text("operations")
        expect(page.locator("[data-figure=live_rate] .main-svg").first).to_be_visible()
        expect(page.locator("#live")).to_have_count(0, timeout=RUN_MS)  # over: the page was loaded again
        record = torn_down(home, runs[-1])
        page.reload()
        expect(page.locator("#outcome .badge")).to_have_text(record["verdict"])
        expect(page.get_by_text("Nothing is left of this run on the cluster")).to_be_visible()
        expect(page.locator("#lines")).to_contain_text("logs/service.log")
    page.goto(f"{site}/compare/?runs={','.join(runs)}")
    expect(page.get_by_role("heading", name="Ratios")).to_be_visible()
    page.goto(f"{site}/plays/")
    expect(page.locator("tbody tr")).to_have_count(3)
    assert_nothing_left(runs)


def test_a_run_is_followed_in_its_logs_and_stopped(site, page, home):
    write(home, "long", short(duration="180s"))
    launch(page, site, "long")
    run = open_run(page)
    expect(page.locator("#live .badge")).to_have_text("measuring", timeout=RUN_MS)
    page.get_by_role("button", name="Follow them").click()
    expect(page.locator("#output")).to_contain_text("service.log", timeout=RUN_MS)
    page.goto(f"{site}/runs/{run}/stop")
    page.get_by_role("button", name="Stop the run").click()
    expect(page.locator("#state .badge")).to_have_text("successful", timeout=RUN_MS)
    page.goto(f"{site}/runs/{run}/")
    expect(page.locator("#outcome")).to_contain_text("the run was stopped")
    assert_nothing_left([run])


def test_a_play_outlives_the_server(site, page, play, home):
    write(home, "first", short(duration="10s"))
    launch(page, site, "first")
    run = open_run(page)
    assert play("web", "-e", "web_state=stopped", limit=None).rc == 0
    assert torn_down(home, run)["state"] == "finished"
    started = play("web", "-e", "web_port=0", "-e", f"web_directory={ROOT}", limit=None)
    again = re.search(r"http://\S+:\d+", started.output).group(0)
    page.goto(f"{again}/plays/")
    expect(page.locator("tbody tr", has_text=run)).to_be_visible()
    assert_nothing_left([run])


def test_a_recipe_that_fails_says_why(site, page, home):
    text = short().replace("  time_limit", "  command: exit 3\n  time_limit", 1)
    write(home, "broken", text)
    launch(page, site, "broken")
    run = open_run(page)
    torn_down(home, run)
    page.goto(f"{site}/runs/{run}/")
    expect(page.locator("#outcome .badge")).to_have_text("INVALID", timeout=RUN_MS)
    expect(page.get_by_text("Do not quote these numbers")).to_be_visible()
    assert_nothing_left([run])


def test_the_clusters_say_what_they_have(site, page):
    page.get_by_role("link", name="Clusters").click()
    page.get_by_role("button", name="Ask them now").click()
    section = page.locator("section", has=page.get_by_role("heading", name="local", exact=True))
    expect(section.get_by_role("heading", name="Partitions")).to_be_visible(timeout=RUN_MS)
    expect(section.get_by_role("row", name="largemem").first).to_be_visible()
    expect(section.get_by_role("heading", name="QOS")).to_be_visible()
