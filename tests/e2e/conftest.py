# SPDX-License-Identifier: MIT
"""A real browser before a real server with sample runs; no cluster is needed, and none is reached."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import report
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import control
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings

from tests.unit.plugins.plugin_utils.web.conftest import INVENTORY, fill

LOOK_MS = 60_000  # how long something that must come may take on a busy machine
WIDE, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}


@dataclass
class Site:
    """A web server, its settings and its runs by their variant."""

    settings: Settings
    url: str
    runs: dict[str, RunDirectory]

    def start(self) -> None:
        """Start it again at the same port."""
        process = control.start(self.settings)
        self.settings = replace(self.settings, port=process["port"])
        self.url = self.settings.url


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[Site]:
    home, place = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("place")
    (place / "hosts").write_text(INVENTORY)
    runs = fill(home)
    report.render(runs["finished"])
    settings = Settings(home=home, port=0, inventory=(str(place / "hosts"),), directory=str(place))
    found = Site(settings, "", runs)
    found.start()
    yield found
    control.stop(home)


@pytest.fixture(scope="session")
def chromium():
    """The browser of the distribution."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=LOOK_MS)
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "the browser tests need chromium: apt-get install chromium"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Watched:
    """What went wrong in a browser: errors on its console, and requests that leave the machine."""

    def __init__(self, page, url: str) -> None:
        self.wrong: list[str] = []
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        page.on("console", self.hear)
        page.on("request", lambda request: request.url.startswith((url, "data:", "blob:")) or self.leave(request))

    def hear(self, line) -> None:
        # that an answer was a refusal, or that the server was away, is what a test is about
        if line.type in ("error", "warning") and not line.text.startswith("Failed to load resource"):
            self.wrong.append(line.text)

    def leave(self, request) -> None:
        self.wrong.append(f"request to {request.url}")


@pytest.fixture
def browse(chromium, site):
    """browse(viewport=…, color_scheme=…) → a page that is logged in; nothing may go wrong on it."""
    opened = []

    def new(login: bool = True, **options):
        context = chromium.new_context(**{"viewport": WIDE, **options})
        context.set_default_timeout(LOOK_MS)
        page = context.new_page()
        opened.append((context, Watched(page, site.url)))
        page.base = site.url
        if login:
            page.goto(f"{site.url}/login")
            page.get_by_label("Token").fill(Path(site.settings.folder / "token").read_text().strip())
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(f"{site.url}/")
        return page

    yield new
    for context, watched in opened:
        context.close()
        assert not watched.wrong
