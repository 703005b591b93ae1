#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_watch
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: Follow a run until it is over
description:
  - Prints one line for every change of state, and on a terminal a progress bar.
  - Can be left and entered again at any time, from any controller that has the run's directory.
  - It runs on the controller and needs no Python on the cluster, only a POSIX shell and Slurm's commands.
options:
  run:
    description: Id of the run, a unique prefix of it, or V(latest).
    type: str
    required: true
  timeout_s:
    description: Seconds after which the task ends although the run goes on; V(0) for never.
    type: float
    default: 0.0
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
- name: Watch for at most 20 minutes
  aifactory.benchmark.run_watch:
    run: latest
    timeout_s: 1200
  register: watched
"""

RETURN = r"""
run:
  description: Id of the run.
  returned: success
  type: str
  sample: 20261123-190212-quickstart-3f9a
over:
  description: Whether the run is over.
  returned: success
  type: bool
"""
