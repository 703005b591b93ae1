#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: recipe_wizard
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: Ask for a benchmark and write its recipe
description:
  - Asks for cluster, service, model and load at the terminal, checks every answer as a recipe is checked, and writes
    the recipe into C(recipes) of C(benchmark_home).
  - An answer may be given as a variable, C(wizard_service), C(wizard_model) and so on; then it is not asked for.
  - Without a terminal, in AWX and in CI, all of them are; one that is missing and has no default is an error.
  - It runs on the controller and asks no cluster.
options:
  clusters:
    description: Names of the hosts to choose from; a single one is not asked for.
    type: list
    elements: str
    required: true
  name:
    description: Name of the recipe; without it, the service type and the time.
    type: str
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: The recipe is written into the cache of C(benchmark_home), so that a dry run can use it.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Ask for the benchmark
  aifactory.benchmark.recipe_wizard:
    clusters: "{{ ansible_play_hosts_all }}"
  register: wizard
  run_once: true
"""

RETURN = r"""
recipe:
  description: Path of the recipe.
  returned: success
  type: str
cluster:
  description: Where it is to run.
  returned: success
  type: str
run:
  description: Whether it is to be run now.
  returned: success
  type: bool
"""
