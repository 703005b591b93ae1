# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of a run: report.html, one file that needs nothing else, and report.md.

Both are made from the files of benchmark_home/runs/ID alone, and can be made again at any time.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import content, figures, page
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

MARKDOWN_ROWS = 50  # of any of its tables
MOST_CHARACTERS = 60_000  # of report.md: GitHub takes comments of at most 65,536
# what of content.collect is left out of a report.md that is too long, in this order → what it is
_FIRST_TO_GO = {
    "logs": "logs",
    "scripts": "scripts",
    "others": "other numbers",
    "service_metrics": "what the services say of themselves",
    "times": "other times",
    "results": "repetitions",
    "provenance": "provenance",
}


def render(run: RunDirectory | str | os.PathLike[str]) -> tuple[Path, Path]:
    """Write report.html and report.md of a run and return their paths.

    `run`: its directory, with run.json in it. Raises RunError: a file is missing or cannot be read, or plotly
    is not installed.
    """
    run = run if isinstance(run, RunDirectory) else RunDirectory(run)
    gathered = content.collect(run)
    html = run.write_text("report.html", to_html(gathered))
    markdown = run.write_text("report.md", to_markdown(gathered))
    return html, markdown


def to_html(gathered: dict[str, Any]) -> str:
    """The HTML report of what content.collect gathered."""
    framed = page.frame(figures.figures(gathered), figures.WIDE)
    return page.environment(True).get_template("report.html.j2").render(**gathered, **framed)


def to_markdown(gathered: dict[str, Any]) -> str:
    """The Markdown report of what content.collect gathered; the longest parts are left out where it would not fit."""
    gathered = {**gathered, "rows_shown": MARKDOWN_ROWS}
    template, left_out = page.environment(False).get_template("report.md.j2"), {}
    for name, part in _FIRST_TO_GO.items():
        text = template.render(**gathered, left_out=list(left_out.values()))
        if len(text) <= MOST_CHARACTERS:
            return text
        gathered, left_out[name] = {**gathered, name: []}, part
    return template.render(**gathered, left_out=list(left_out.values()))


def preload() -> None:
    """Read and compile what `render` needs of files, so that it starts at once; forked workers inherit it."""
    page.plotly()
    for html, suffix in ((True, ".html.j2"), (False, ".md.j2")):
        for template in Path(__file__).parent.glob(f"*{suffix}"):
            page.environment(html).get_template(template.name)
