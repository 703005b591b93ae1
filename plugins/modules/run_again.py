#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_again
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: Find a run that is to be run again, and say what has changed since then
description:
  - Finds a run of this controller, of whatever cluster, whose recipe and plan were kept.
  - With O(plan), it compares what is about to be submitted with what was submitted then, and says what differs - of the
    collection and the controller, of the inventory, of the plan, of the service type's definition, and of the scripts.
  - It runs on the controller, and asks nothing of a cluster.
options:
  run:
    description: Id of the run, a unique prefix of it, or V(latest).
    type: str
    required: true
  plan:
    description: The new plan, from M(aifactory.benchmark.run_plan) with C(rerun_of).
    type: dict
  spec:
    description: What the agent in the new jobs will read.
    type: dict
    default: {}
  files:
    description: The new run's files, name to text.
    type: dict
    default: {}
  images:
    description: The new run's images, as M(aifactory.benchmark.run_submit) takes them.
    type: list
    elements: dict
    default: []
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Nothing is changed in any mode.
    support: full
  diff_mode:
    description: The scripts that differ are shown, the run's id being RUN_ID in both.
    support: full
"""

EXAMPLES = r"""
- name: Find the run
  aifactory.benchmark.run_again:
    run: 20261123-190212
  register: found

- name: Say what differs
  aifactory.benchmark.run_again:
    run: "{{ found.run }}"
    plan: "{{ benchmark_plan }}"
    spec: "{{ service_rendered.spec }}"
    files: "{{ run_files }}"
"""

RETURN = r"""
run:
  description: Id of the run.
  returned: success
  type: str
  sample: 20261123-190212-quickstart-3f9a
differences:
  description: What differs, each with its C(field), C(before) and C(after); null where it is not there.
  returned: with O(plan)
  type: list
  elements: dict
"""
