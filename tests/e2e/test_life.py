# SPDX-License-Identifier: MIT
"""What happens while somebody looks: runs that go on, recipes that are written, plays, a new start of the server."""

from __future__ import annotations

import json

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.finish import finish
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import run_directory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import control
from playwright.sync_api import expect

from tests.unit.plugins.plugin_utils import samples
from tests.unit.plugins.plugin_utils.test_finish import CALLS

from .conftest import LOOK_MS


def test_a_run_that_goes_on_is_followed_until_it_is_over(browse, site):
    run = samples.make(site.settings.home, "running", 900)
    page = browse()
    page.goto(f"{site.url}/runs/{run.id}/")
    expect(page.locator("#live .badge")).to_have_text("measuring")
    last = run.events()[-1]["t"]
    progress = {
        "t": last + 1, "source": "clients", "event": "progress", "phase": "measure", "case": "max", "repetition": 2,
        "elapsed_s": 6.0, "duration_s": 12.0, "operations": 54321, "errors": 3, "rate_per_s": 1234.0,
    }  # fmt: skip
    with run.file("events.jsonl").open("a") as stream:
        stream.write(json.dumps(progress) + "\n")
    expect(page.locator("#live")).to_contain_text("54,321 operations, 1,234/s, 3 errors")
    expect(page.get_by_text("Nobody has followed this run")).to_be_visible()
    listed = browse()
    row = listed.locator("tr", has=listed.get_by_role("link", name=run.id))
    expect(row.locator(".state")).to_have_text("measuring")
    over = samples.make(site.settings.home, "finished", 900)
    finish(over, over.read_json("plan.json"), over.read_json("jobs.json"), None, CALLS, now=samples.BEGIN + 90)
    expect(page.get_by_text("Every check passed")).to_be_visible(timeout=LOOK_MS)
    expect(row.locator(".state")).to_have_text("finished")


def test_news_between_press_and_release_take_no_click_away(browse, site):
    run, page = site.runs["finished"], browse()
    # news come when this test wants them: a stand-in for the browser's stream
    page.add_init_script(
        "window.EventSource = function () { this.close = () => {};"
        " this.addEventListener = (name, tell) => { if (name === 'news') window.tell = tell; }; };"
    )
    page.reload()
    page.get_by_role("link", name=run.id).hover()
    page.mouse.down()
    page.evaluate(
        "html => window.tell({data: JSON.stringify({html})})", f'<a href="/runs/{run.id}/">{run.id} drawn anew</a>'
    )
    expect(page.get_by_text("drawn anew")).to_have_count(0)
    page.mouse.up()
    page.wait_for_url(f"**/runs/{run.id}/")
    page.go_back()
    page.evaluate("html => window.tell({data: JSON.stringify({html})})", "<p>drawn anew</p>")
    expect(page.get_by_text("drawn anew")).to_be_visible()


def test_a_page_that_was_opened_before_anything_was_measured_draws_what_comes(browse, site):
    run = run_directory(site.settings.home, samples.RUN_ID.format(901))
    run.write_json("plan.json", samples.plan_of(run.id))
    page = browse()
    page.goto(f"{site.url}/runs/{run.id}/")
    plot = page.locator("[data-figure=live_rate] .main-svg").first
    expect(page.locator("#live .badge")).to_be_visible()
    expect(plot).to_have_count(0)
    samples.make(site.settings.home, "running", 901)
    expect(plot).to_be_visible()


def test_a_recipe_is_checked_while_it_is_written_and_saved(browse, site):
    page = browse()
    page.get_by_role("link", name="Recipes").click()
    page.get_by_role("link", name="quickstart").click()
    mistakes = page.locator("#mistakes")
    expect(mistakes).to_contain_text("Valid: service postgresql")
    text = page.get_by_label("Recipe (YAML)")
    good = text.input_value()
    text.fill(good.replace("num_clients", "num_client"))
    expect(mistakes).to_contain_text("benchmarks.num_client")
    expect(mistakes).to_contain_text("did you mean 'num_clients'?")
    page.get_by_role("button", name="line 14").click()
    expect(text).to_be_focused()
    assert "num_client" in text.evaluate("node => node.value.slice(node.selectionStart, node.selectionEnd)")
    page.get_by_role("button", name="Launch").click()
    expect(page.locator("#mistakes")).to_contain_text("1 problem")
    assert not (site.settings.home / "recipes").exists(), "what is not valid is not saved by a launch"
    text = page.get_by_label("Recipe (YAML)")
    text.fill(good.replace("num_clients: 4", "num_clients: 8"))
    expect(mistakes).to_contain_text("8 pgbench clients")
    page.get_by_label("name").fill("mine")
    page.get_by_role("button", name="Save as mine").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    assert "num_clients: 8" in (site.settings.home / "recipes/mine.yml").read_text()
    page.get_by_role("link", name="Recipes").click()
    expect(page.get_by_role("row", name="mine yours")).to_be_visible()


def test_a_play_is_followed_and_outlives_the_server(browse, site):
    page = browse()
    page.goto(f"{site.url}/recipes/shipped/quickstart/")
    page.get_by_label("first").check()
    page.get_by_role("button", name="Dry run").click()
    page.wait_for_url("**/plays/*/")
    play = page.url
    control.stop(site.settings.home)
    site.start()
    page = browse()
    page.goto(play)
    expect(page.locator("#state .badge")).to_have_text("failed", timeout=2 * LOOK_MS)
    expect(page.locator("#output")).to_contain_text("can't be reached")


def test_a_run_is_stopped_after_it_was_asked_whether_that_is_meant(browse, site):
    page = browse()
    page.goto(f"{site.url}/runs/{site.runs['running'].id}/")
    page.get_by_role("link", name="Stop").click()
    expect(page.get_by_role("heading", name="Stop this run?")).to_be_visible()
    page.get_by_role("link", name="Leave it alone").click()
    page.wait_for_url(f"**/runs/{site.runs['running'].id}/")
    page.get_by_role("link", name="Stop").click()
    page.get_by_role("button", name="Stop the run").click()
    page.wait_for_url("**/plays/*stop*/")
    expect(page.locator("h1")).to_contain_text(site.runs["running"].id)
    expect(page.locator("#state .badge")).to_have_text("failed", timeout=2 * LOOK_MS)
