#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_plan
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: Resolve a recipe for one cluster into the plan of a run
description:
  - Reads and checks the recipe, and puts it together with the C(benchmark_*) variables of this host.
  - Sets the fact C(benchmark_plan), and the service type's settings as variables of its role.
  - It runs on the controller and needs no Python on the cluster, only a POSIX shell and Slurm's commands.
options:
  recipe:
    description: Path or name of the recipe. Either this, O(rerun_of) or O(plan).
    type: str
  rerun_of:
    description:
      - A run of this controller that is to be run again, by its id or a unique prefix of it.
      - Its recipe is taken as it was resolved. Its images are the files that they were, where these are unchanged
        on the cluster, else what their digests say; it is said of each.
    type: str
  plan:
    description: A plan that was made already, of which one service is to be rendered.
    type: dict
  service:
    description:
      - Which service of O(plan) becomes the fact's C(service). 0 is the benchmarked one, and leaves the plan as it is.
      - From 1 on they are its companions; the fact's C(component) is this number then.
    type: int
    default: 0
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Nothing is changed in any mode.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Resolve the recipe
  aifactory.benchmark.run_plan:
    recipe: quickstart

- name: Take the first companion for the plan's service
  aifactory.benchmark.run_plan:
    plan: "{{ run_plan }}"
    service: 1
"""

RETURN = r"""
ansible_facts:
  description: The facts that are set.
  returned: success
  type: dict
  contains:
    benchmark_plan:
      description: The plan; docs/interfaces.md describes it.
      type: dict
      returned: success
    benchmark_recipe_text:
      description: The recipe as resolved, in YAML.
      type: str
      returned: success
"""
