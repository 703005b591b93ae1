#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_report
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: Write the record, the store's rows and the report of a run
description:
  - Turns what was collected into C(run.json), rows of the store, C(report.html) and C(report.md), and prints a summary.
  - Where C(benchmark_pushgateway_url) is set, the results of a run that is over go to that Pushgateway; one that is
    away is a warning.
  - It runs on the controller and needs no Python on the cluster, only a POSIX shell and Slurm's commands.
options:
  run:
    description: Id of the run, a unique prefix of it, or V(latest).
    type: str
    required: true
  fail:
    description: Whether the task fails when the run failed or is INVALID.
    type: bool
    default: true
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Only files on the controller are written.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Report
  aifactory.benchmark.run_report:
    run: latest
"""

RETURN = r"""
run:
  description: Id of the run.
  returned: always, also when the task fails because of the run
  type: str
  sample: 20261123-190212-quickstart-3f9a
recipe:
  description: Name of its recipe.
  returned: as V(run)
  type: str
  sample: quickstart
state:
  description: State of the run.
  returned: as V(run)
  type: str
  sample: finished
verdict:
  description: V(VALID), V(INVALID), or none before the end.
  returned: as V(run)
  type: str
  sample: VALID
headline:
  description: The first of its numbers, as a person reads it.
  returned: as V(run)
  type: str
  sample: 1,402/s max
report:
  description: Path of the report.
  returned: as V(run)
  type: str
"""
