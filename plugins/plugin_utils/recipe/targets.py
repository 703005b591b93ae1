# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Targets of a recipe against the inventory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from .errors import did_you_mean

_ALWAYS = ("all", "ungrouped", "localhost")


def known_targets(groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Hosts and groups of an inventory; ``groups`` is Ansible's variable of that name."""
    names = [*groups.get("all", []), *(name for name in groups if name not in _ALWAYS)]
    return list(dict.fromkeys(str(name) for name in names))


def unknown_targets(target: str, groups: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """The parts of a host pattern that name nothing in the inventory, each with its remedy.

    Wildcards and regular expressions are left to Ansible.
    """
    known = known_targets(groups)
    for part in re.split(r"[,:]", target):
        name = part.strip().lstrip("!&").partition("[")[0]
        if name and name not in known and name not in _ALWAYS and not re.search(r"[*?~]", part):
            yield name, did_you_mean(name, known, allowed="hosts and groups") or "the inventory is empty"
