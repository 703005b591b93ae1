# -*- coding: utf-8 -*-
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action recipe_info."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: recipe_info
short_description: Check and list benchmark recipes
version_added: 0.1.0
description:
  - Reads recipes on the controller, checks them, and says what is in them. No cluster is contacted.
  - Every mistake of a recipe is reported at once, with file, line, field and remedy.
author:
  - aifactory.benchmark contributors (@aifactory)
options:
  recipe:
    description:
      - The path of a recipe, its name, a folder, or a glob.
      - Names are looked up in C(./recipes), in C(recipes) beside the playbook, in C(recipes) of C(benchmark_home), and
        among the recipes of this collection, in this order.
      - When empty, all recipes of these folders.
    type: str
    default: ''
  show:
    description:
      - What is printed for a person while the task runs.
      - V(table) is one row for each recipe, V(validation) one line for each problem or valid recipe.
    type: str
    choices: [nothing, table, validation]
    default: nothing
  fail:
    description: Whether the task fails when a recipe is not valid.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in check mode and changes nothing.
    support: full
  diff_mode:
    description: Shows a difference in diff mode.
    support: none
notes:
  - This module is implemented as an action and runs on the controller.
requirements:
  - pydantic >= 2 (on the controller)
  - rich (on the controller, for the table)
"""

EXAMPLES = r"""
- name: Refuse to go on with a recipe that has mistakes
  aifactory.benchmark.recipe_info:
    recipe: quickstart
    fail: true

- name: List what can be run
  aifactory.benchmark.recipe_info:
    show: table
"""

RETURN = r"""
recipes:
  description: The recipes, in the order of the folders that they lie in.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the recipe, its file's without the suffix.
      type: str
      sample: quickstart
    path:
      description: Its path, relative to the current folder where it lies below it.
      type: str
      sample: recipes/quickstart.yml
    valid:
      description: Whether the recipe has no mistake. The keys below C(problems) are there only if it has none.
      type: bool
    problems:
      description: The mistakes, each with C(file), C(line), C(column), C(field), C(message) and C(remedy).
      type: list
      elements: dict
    lines:
      description: The mistakes as text, one line each; only where there are any.
      type: list
      elements: str
    description:
      description: The first comment line of the recipe, else the service's image.
      type: str
    service:
      description: The service type; of several services their types, the benchmarked one first, with C(, ) between.
      type: str
      sample: postgresql
    service_nodes:
      description: Number of nodes of the service, or of all services.
      type: int
    workload:
      description: What drives the service.
      type: str
      sample: pgbench
    clients:
      description: Number of clients.
      type: int
    client_nodes:
      description: Number of nodes of the clients.
      type: int
    placement:
      description: Where the clients run.
      type: str
      sample: separate
    cases:
      description: Names of the cases; none where there is a search.
      type: list
      elements: str
      sample: [max, rate-50pct]
    search:
      description: What a search raises, V(rate) or V(concurrency); null where there is none.
      type: str
    trials:
      description: The most trials of the search; null where there is none.
      type: int
    repetitions:
      description: How often each case is measured.
      type: int
    duration_s:
      description: Measured seconds of one case and repetition; null where the recipe counts requests.
      type: float
    requests:
      description: Operations of each client; null where the recipe has a duration.
      type: int
    measured_s:
      description:
        - Seconds under load in all, warm-ups included, of a search the most; null where the recipe counts requests.
      type: float
    target:
      description: Host or group of the inventory that the recipe names.
      type: str
    node_hours:
      description: Node-hours that a run will likely take; null where the recipe counts requests.
      type: float
    node_hours_limit:
      description: The most node-hours that the time limits of its jobs allow.
      type: float
    notes:
      description: What a user should know although the recipe is valid.
      type: list
      elements: str
"""
