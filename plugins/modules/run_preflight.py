#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_preflight
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: Check that a plan fits the cluster
description:
  - Asks Slurm in one remote call for partitions, QOS, accounts and limits, and looks for images and scratch.
  - Fails with every problem at once, each with what would be allowed.
  - It runs on the controller and needs no Python on the cluster, only a POSIX shell and Slurm's commands.
options:
  plan:
    description: The plan, from M(aifactory.benchmark.run_plan).
    type: dict
    required: true
  files:
    description: The run's files, name to text.
    type: dict
    required: true
  images:
    description:
      - Images whose files must be there, as P(aifactory.benchmark.image_location#filter) gives them, with the
        recipe's C(field) that names them.
    type: list
    elements: dict
    default: []
  describe:
    description: Whether to say what the run is, and what it may cost.
    type: bool
    default: true
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: C(sbatch --test-only) is asked about every script.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Check that the plan fits the cluster
  aifactory.benchmark.run_preflight:
    plan: "{{ benchmark_plan }}"
    files: "{{ run_files }}"
"""

RETURN = r"""
slurm:
  description: Version of Slurm.
  returned: success
  type: str
  sample: 23.11.10
gathering:
  description: What Slurm gathers of jobs, by its configuration. None where slurmrestd is asked, which does not tell.
  returned: success
  type: dict
  sample: {usage: linux, energy: none, frequency: task=30}
calls:
  description: How many remote calls and commands of Slurm were made.
  returned: success
  type: dict
"""
