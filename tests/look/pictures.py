# SPDX-License-Identifier: MIT
"""The pictures of the documentation, of runs that are made for them on the local cluster.

usage: python pictures.py FOLDER

The terminal is a real one, as it stands when the play has ended; the report and the web UI are what a browser shows.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pexpect
import pyte
from playwright.sync_api import Page, sync_playwright
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / ".collections")]

from tests.unit.docs_commands import page_files  # noqa: E402

COLUMNS, MOST_LINES, LIMIT_S = 94, 200, 600
PLAYBOOK = "ansible-playbook aifactory.benchmark"
RUN = f"{PLAYBOOK}.run -e recipe=quickstart"
TUTORIAL = "docs/tutorial/first-comparison.md"
REPORT, WEB = {"width": 1100, "height": 1200}, {"width": 1200, "height": 900}


def played(command: str, home: Path) -> tuple[pyte.Screen, str]:
    """What a terminal of COLUMNS shows at the end of a play, and all that was written."""
    screen = pyte.Screen(COLUMNS, MOST_LINES)
    stream = pyte.Stream(screen)
    hidden = ("NO_COLOR", "ANSIBLE_NOCOLOR", "CI")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["TERM"] = "xterm-256color"
    # a home of its own, with the key of the cluster's usual one
    key = Path("~/.aifactory/local_cluster").expanduser()
    [program, *words] = [*command.split(), "-e", f"benchmark_home={home}", "-e", f"local_cluster_login={key}"]
    child = pexpect.spawn(
        str(ROOT / ".venv/bin" / program), words, cwd=ROOT, env=environment, encoding="utf-8",
        dimensions=(MOST_LINES, COLUMNS), timeout=LIMIT_S,
    )  # fmt: skip
    child.expect(pexpect.EOF)
    child.close()
    if child.exitstatus != 0:
        sys.exit(f"{command} ended with {child.exitstatus}\n{child.before}")
    stream.feed(child.before)
    return screen, child.before


def lines(screen: pyte.Screen, home: Path) -> Text:
    """The screen as styled text, with the home that everybody has."""
    rows = [Text(f"$ {RUN}", style="bold")]
    for number in range(screen.cursor.y + 1):
        row = Text()
        for column in range(COLUMNS):
            cell = screen.buffer[number][column]
            colour = {"default": "", "brown": "yellow"}.get(cell.fg, cell.fg)
            row.append(cell.data, style=f"{'bold ' if cell.bold else ''}{colour}".strip())
        row.rstrip()
        rows.append(row)
    while not rows[-1].plain:
        rows.pop()
    text = Text("\n").join(rows)
    parts = text.split(str(home), allow_blank=True)
    return Text("~/.aifactory").join(parts)


def terminal(text: Text) -> str:
    """An SVG that asks for no font from elsewhere."""
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True, color_system="truecolor")
        console.print(text, soft_wrap=True)
    form = re.sub(r"\n *@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = form.replace(
        "font-family: Fira Code, monospace", "font-family: 'DejaVu Sans Mono', Menlo, Consolas, monospace"
    )
    form = re.sub(r"<!--.*?-->", "<!-- SPDX-License-Identifier: MIT -->", form, count=1)
    return console.export_svg(title="aifactory.benchmark", code_format=form)


def compared(home: Path, place: Path) -> list[str]:
    """The two runs of the tutorial; their ids."""
    [(_name, text)] = page_files(TUTORIAL).items()
    for name, buffers in (("buffers-small", "16MB"), ("buffers-large", "256MB")):
        (place / f"{name}.yml").write_text(text.replace("16MB", buffers))
        played(f"{PLAYBOOK}.run -e recipe={place / name}.yml", home)
    return run_ids(home)[-2:]


def run_ids(home: Path) -> list[str]:
    """Those of a home, the oldest first."""
    return sorted(path.name for path in (home / "runs").iterdir())


def web(page: Page, home: Path, runs: list[str], folder: Path) -> None:
    """The first run, and the comparison of two others, as somebody comes to them."""
    _screen, told = played(f"{PLAYBOOK}.web -e web_port=0", home)
    [url] = re.findall(r"http://[\w.]+:\d+", told)
    try:
        page.goto(f"{url}/login")
        page.get_by_label("Token").fill((home / "web/token").read_text().strip())
        page.get_by_role("button", name="Log in").click()
        for run in runs:
            page.get_by_label(f"compare {run}").check()
        page.get_by_role("button", name="Compare the chosen").click()
        page.locator("figure .main-svg").first.wait_for()
        noise = page.get_by_role("heading", name="Noise").locator("xpath=..").bounding_box()
        shown = {"x": 0, "y": 0, "width": WEB["width"], "height": noise["y"] - 8}
        page.screenshot(path=folder / "compare.png", full_page=True, clip=shown)
        page.goto(f"{url}/runs/{run_ids(home)[0]}/")
        page.locator("figure .main-svg").first.wait_for()
        page.screenshot(path=folder / "web.png")
    finally:
        played(f"{PLAYBOOK}.web -e web_state=stopped", home)


def main(folder: Path) -> None:
    """Make them all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        home = Path(place) / "home"
        screen, _told = played(RUN, home)
        (folder / "terminal.svg").write_text(terminal(lines(screen, home)))
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=REPORT)
        page.goto((home / "runs" / run_ids(home)[0] / "report.html").as_uri())
        page.screenshot(path=folder / "report.png")
        web(browser.new_page(viewport=WEB), home, compared(home, Path(place)), folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
