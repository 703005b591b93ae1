#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_teardown
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: End what a run still has on the cluster, and prove it
description:
  - Cancels jobs by id, and only those whose names carry the id of the run; looks for others by name.
  - Removes the run's directory once it was collected, and writes C(teardown.json) with what was checked and found.
  - It runs on the controller and needs no Python on the cluster, only a POSIX shell and Slurm's commands.
options:
  run:
    description: Id of the run, a unique prefix of it, or V(latest).
    type: str
    required: true
  grace_s:
    description: Seconds that the jobs get to end in order before they are cancelled.
    type: float
    default: 0.0
  keep_directory:
    description: Whether the run's directory stays on the cluster.
    type: bool
    default: false
  fail:
    description: Whether the task fails when it can't be proven that nothing is left.
    type: bool
    default: false
  deadline_s:
    description: Seconds to wait for cancelled jobs to be gone.
    type: float
    default: 180.0
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Not supported.
    support: none
  diff_mode:
    description: Nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Tear down
  aifactory.benchmark.run_teardown:
    run: latest
"""

RETURN = r"""
run:
  description: Id of the run.
  returned: success
  type: str
  sample: 20261123-190212-quickstart-3f9a
teardown:
  description: What was checked, how, and what was found.
  returned: success
  type: dict
"""
