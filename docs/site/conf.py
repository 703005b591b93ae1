# SPDX-License-Identifier: MIT
"""Sphinx's settings of the documentation site: `make docs` (tools/docs_site.sh) says where its pages come from."""

from __future__ import annotations

import re
from pathlib import Path

from pygments.lexers import JsonLexer

_GALAXY = (Path(__file__).resolve().parents[2] / "galaxy.yml").read_text(encoding="utf-8")

project = "aifactory.benchmark"
author = "aifactory.benchmark contributors"
release = version = re.search(r"^version: (\S+)$", _GALAXY, re.MULTILINE).group(1)
language = "en"

extensions = ["myst_parser", "sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
# anchors as GitHub makes them, so that a link works there and here
myst_heading_anchors = 4
# what antsibull-docs says of Ansible itself; assemble.py writes the list, so that no network is asked
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/projects/ansible/latest/", "ansible.inv")}

# a block without a language is a command or what is seen on a screen
highlight_language = "text"
pygments_style = "ansible"

html_theme = "furo"
html_title = f"{project} {release}"
html_theme_options = {"top_of_page_buttons": []}
html_static_path = ["static"]
html_css_files = ["site.css"]
# nothing is fetched from elsewhere, and the same sources make the same bytes
html_last_updated_fmt = None
html_show_copyright = False
html_copy_source = False
html_show_sphinx = False

suppress_warnings = [
    # CHANGELOG.md is antsibull-changelog's: its headings jump a level, and its anchors are HTML
    "myst.header",
    # blocks that leave something out with an ellipsis are highlighted as far as they are JSON
    "misc.highlighting_failure",
]


def setup(app):
    """Pygments has no name for JSON with comments; its lexer of JSON knows them."""
    app.add_lexer("jsonc", JsonLexer)
