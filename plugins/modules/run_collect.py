#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_collect
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: Bring a run's files to the controller
description:
  - One transfer, every file checked by its checksum.
  - Can be repeated, also while the run goes on.
  - It runs on the controller and needs no Python on the cluster, only a POSIX shell and Slurm's commands.
options:
  run:
    description: Id of the run, a unique prefix of it, or V(latest).
    type: str
    required: true
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Files are fetched; the cluster is not changed.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Collect
  aifactory.benchmark.run_collect:
    run: latest
"""

RETURN = r"""
run:
  description: Id of the run.
  returned: success
  type: str
  sample: 20261123-190212-quickstart-3f9a
files:
  description: Number of files.
  returned: success
  type: int
bytes:
  description: Size of the transfer.
  returned: when something was transferred
  type: int
"""
