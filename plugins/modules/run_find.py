#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_find
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: Find a run, on this controller or on the cluster
description:
  - A run that this controller does not know is looked for in C(benchmark_scratch) of the cluster, where a run keeps its
    files until it is torn down. It may be of a controller that died, or of a colleague's who has the same account.
  - With O(adopt) its files are taken over, so that it can be watched, collected, stopped and torn down from here.
  - It runs on the controller and needs no Python on the cluster, only a POSIX shell and Slurm's commands.
options:
  run:
    description: Id of the run, a unique prefix of it, or V(latest).
    type: str
    required: true
  adopt:
    description: Whether a run that is found on the cluster only becomes one of this controller, too.
    type: bool
    default: false
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Nothing is changed on the cluster in any mode.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Find the run
  aifactory.benchmark.run_find:
    run: latest
    adopt: true
"""

RETURN = r"""
runs:
  description: Ids that O(run) means, oldest first; none or several where it is unknown or ambiguous.
  returned: success
  type: list
  elements: str
  sample: [20261123-190212-quickstart-3f9a]
here:
  description: Whether its files are on this controller.
  returned: success
  type: bool
problem:
  description: Why there is none.
  returned: success
  type: str
"""
