#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_baseline
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: Set, show, move and remove named baselines
description:
  - A baseline is a name for the runs that later ones are held against, and for the thresholds of that.
  - It is kept in C(benchmark_home/baselines) on the controller.
  - Without O(run), O(threshold) and O(thresholds) it is shown; without O(baseline) all are.
options:
  baseline:
    description: The name, of letters, digits, C(.), C(_) and C(-).
    type: str
  run:
    description:
      - The run that the baseline is to be, by id, unique prefix or V(latest); several are separated by commas.
      - They must be C(VALID), of one recipe and one cluster. What varies between them is what later runs may vary by.
    type: str
  threshold:
    description: How much of a change matters, V(5%) or V(0.05); what was set before stays when it is not given.
    type: str
  thresholds:
    description: The same by metric, a mapping such as V(response_time_p99) to V(10%).
    type: dict
  clusters:
    description: Only runs of these clusters are looked for; none means of every cluster.
    type: list
    elements: str
    default: []
  state:
    description: V(absent) removes the baseline; its runs stay.
    type: str
    choices: [present, absent]
    default: present
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Nothing is written.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
notes:
  - C(benchmark_home) is a variable, else the environment variable E(AIFACTORY_HOME), else C(~/.aifactory).
"""

EXAMPLES = r"""
- name: Have the baseline, and move it when it was another run
  aifactory.benchmark.run_baseline:
    baseline: main
    run: 20261123-190212,20261123-191502,20261123-193001
    thresholds:
      response_time_p99: 10%

- name: Show all baselines
  aifactory.benchmark.run_baseline:
"""

RETURN = r"""
baselines:
  description: The baselines that were shown or set, each with its C(name), C(runs), thresholds and C(history).
  returned: success
  type: list
  elements: dict
"""
