# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prints the groups of inventories, given as arguments, and their hosts, as JSON."""

from __future__ import annotations

import json
import sys

from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader

if __name__ == "__main__":
    init_plugin_loader()
    try:
        found = InventoryManager(loader=DataLoader(), sources=sys.argv[1:]).get_groups_dict()
    except AnsibleError as error:
        sys.exit(str(error))
    print(json.dumps(found))
