#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_logs
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: Follow the logs of a run that goes on
description:
  - Shows what is new in the logs of a run as they grow, by time, until its service has ended or a deadline.
  - One remote call tells what is new in all of them, whatever their number. Of a log that grows faster than it is read
    the end is shown, and it is said how much was skipped.
  - It may be left and entered again, and changes nothing. M(aifactory.benchmark.run_info) shows the logs of a run that
    was collected.
  - It runs on the controller and needs no Python on the cluster, only a POSIX shell.
options:
  run:
    description: Id of the run, a unique prefix of it, or V(latest).
    type: str
    required: true
  source:
    description:
      - Whose logs.
      - One of V(service), V(clients), V(image) and V(slurm), the name of a companion, or that of a file in C(logs/).
      - None means all.
    type: str
  client:
    description: The number of a client, whose log alone is shown.
    type: str
  search:
    description: A regular expression; only lines that contain it are shown.
    type: str
  level:
    description: Only lines that tell of an error, or with V(warning) those of warnings too.
    type: str
    choices: [error, warning]
  tail:
    description: So many lines of what each log has already are shown at first.
    type: int
    default: 10
  timeout_s:
    description: Seconds after which it ends in any case.
    type: float
    default: 3600.0
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
- name: Follow what the service says, for ten minutes
  aifactory.benchmark.run_logs:
    run: latest
    source: service
    timeout_s: 600
"""

RETURN = r"""
run:
  description: Id of the run.
  returned: success
  type: str
  sample: 20261123-190212-quickstart-3f9a
over:
  description: Whether the service has ended, so that no more is to come.
  returned: success
  type: bool
count:
  description: How many lines were shown.
  returned: success
  type: int
"""
