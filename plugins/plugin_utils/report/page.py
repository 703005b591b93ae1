# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every page has in common: templates with their filters, and one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import re
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report import svg
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from markupsafe import Markup

FOLDER = Path(__file__).parent  # of the templates, the style and the script
_FILTERS = (
    "number", "seconds", "energy", "offset", "duration", "size", "share", "quantity", "with_interval", "interval",
    "metric", "statistic", "when", "plural",
)  # fmt: skip


def frame(plots: dict[str, dict[str, Any]], wide: Collection[str] = ()) -> dict[str, Any]:
    """What the head and the foot of an HTML page need: style, scripts and their policy, and what `figures` gives."""
    scripts = [plotly(), (FOLDER / "report.js").read_text()] if plots else []
    # A script runs only if its hash is listed: markup that came in with a log line could not run even if it
    # were not escaped.
    hashes = " ".join(_hash(script) for script in scripts) or "'none'"
    return {
        **figures(plots, wide),
        "style": Markup((FOLDER / "report.css").read_text()),
        "scripts_inline": [Markup(script) for script in scripts],
        "policy": f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {hashes}",
    }


def figures(plots: dict[str, dict[str, Any]], wide: Collection[str] = ()) -> dict[str, Any]:
    """`plots` for the templates, as JSON, and `drawing`: (name, label) → an SVG; of `wide`, as broad as the page."""
    return {
        "plots": plots,
        "drawing": lambda name, label: Markup(svg.draw(plots[name], name in wide, label)),
        "figures_json": Markup(_json_for_html(plots)),
    }


@cache
def environment(html: bool, folder: Path = FOLDER) -> jinja2.Environment:
    """The templates of a folder, and those of the reports; `html`: values are escaped for HTML, else for Markdown."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, FOLDER]), autoescape=html, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.ChainableUndefined, finalize=None if html else _markdown_text, keep_trailing_newline=True,
    )  # fmt: skip
    add_filters(found)
    found.filters["fenced"] = _markdown_fenced
    return found


def add_filters(environment: jinja2.Environment) -> None:
    """Give an environment the filters that write numbers, times and sizes for people."""
    for name in _FILTERS:
        environment.filters[name] = _lenient(getattr(formatting, name))


def _lenient(function: Callable[..., str]) -> Callable[..., str]:
    """A filter that takes a field that is not there as one without a value: a report never fails over it."""

    def filter_(value: Any, *args: Any) -> str:
        return function(None if isinstance(value, jinja2.Undefined) else value, *args)

    return filter_


@cache
def plotly() -> str:
    """plotly.js as the plotly package brings it. Raises RunError without the package."""
    return plotly_file().read_text(encoding="utf-8")


def plotly_file() -> Path:
    """Where plotly.js lies; looked for there since importing the package takes longer. Raises RunError without it."""
    found = importlib.util.find_spec("plotly")
    if found is None or not found.submodule_search_locations:
        raise RunError("the HTML report needs plotly on the controller: pip install -r requirements.txt")
    return Path(found.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


@cache
def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _json_for_html(value: Any) -> str:
    """JSON that can stand in a script element: nothing in it ends the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _markdown_text(value: Any) -> str:
    """A value as Markdown's plain text, also in a table: no column, line, tag or emphasis of its own."""
    if isinstance(value, Markup):
        return value
    text = re.sub(r"\s+", " ", str("" if value is None else value))
    for character in "\\|`*_[]":
        text = text.replace(character, f"\\{character}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _markdown_fenced(text: str, language: str = "") -> Markup:
    """A code block whose fence is longer than any run of backticks in the text."""
    longest = max((len(run) for run in "".join(c if c == "`" else " " for c in text).split()), default=0)
    fence = "`" * max(3, longest + 1)
    return Markup(f"{fence}{language}\n{text.rstrip()}\n{fence}")
