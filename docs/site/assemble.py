# SPDX-License-Identifier: MIT
"""Lay out the sources of the site: every page where it lies in the repository, so that links between them hold."""

from __future__ import annotations

import re
import shutil
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "docs" / "site"
_LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")
# labels of Ansible's documentation that antsibull-docs refers to: page, title
_ANSIBLE_LABELS = {
    "action_plugins": ("plugins/action.html", "Action plugins"),
    "ansible_configuration_settings": ("reference_appendices/config.html", "Ansible Configuration Settings"),
    "callback_plugins": ("plugins/callback.html", "Callback plugins"),
    "common_return_values": ("reference_appendices/common_return_values.html", "Return Values"),
}


def pages() -> list[Path]:
    """The pages of the site that are files of the repository as well; those in docs/site/ only put them in order."""
    docs = [page for page in sorted((ROOT / "docs").rglob("*.md")) if SITE not in page.parents]
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "inventory" / "README.md", *docs]


def linked_files(page: Path) -> list[Path]:
    """What a page links to and is no page: pictures, and files that the site offers for download.

    A link that leads nowhere is left to Sphinx, which tells its page and line.
    """
    targets = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if not re.match(r"[a-z]+:", link)]
    found = [(page.parent / target).resolve() for target in targets]
    return [path for path in found if path.suffix != ".md" and path.exists()]


def put(path: Path, target: Path) -> None:
    """Copy a file; a folder becomes a text with the names of what is in it, since a site cannot link to a folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        names = sorted(child.name for child in path.iterdir() if not child.name.startswith(("_", ".")))
        target.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    else:
        shutil.copyfile(path, target)


def write_ansible_labels(path: Path) -> None:
    """Write the list of labels in the format of Sphinx's `objects.inv`, version 2."""
    lines = [
        f"{label} std:label -1 {page}#{label.replace('_', '-')} {title}\n"
        for label, (page, title) in sorted(_ANSIBLE_LABELS.items())
    ]
    head = (
        "# Sphinx inventory version 2\n# Project: Ansible\n# Version: \n"
        "# The remainder of this file is compressed using zlib.\n"
    )
    path.write_bytes(head.encode() + zlib.compress("".join(lines).encode()))


def main(target: Path) -> None:
    """Make the folder, with the pages, what they link to, and the pages of docs/site/ at its top."""
    for page in SITE.glob("*.md"):
        put(page, target / page.name)
    for page in pages():
        for path in (page, *linked_files(page)):
            put(path, target / path.relative_to(ROOT))
    write_ansible_labels(target / "ansible.inv")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
