#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_orphans
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: End what belongs to no living run on a cluster
description:
  - Looks at your own jobs whose names are exactly C(aifactory-ID-ROLE), and at the directories in C(runs) of
    C(benchmark_scratch). Nothing else is ever touched, whatever its name.
  - Jobs whose run directory is gone are cancelled by id, and it waits until they are. What a teardown or a submission
    that was cut short left is removed.
  - Runs with a directory but without a job, and those whose jobs can never start, are only named, to be collected and
    torn down; the role C(run) does so in its tasks C(orphans.yml).
  - It runs on the controller and needs no Python on the cluster, only a POSIX shell and Slurm's commands.
options:
  idle_s:
    description:
      - A directory without jobs belongs to nobody when nothing has touched it for so many seconds. Until then a
        controller may be collecting it. A controller that watches touches it every few seconds.
    type: float
    default: 600.0
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Says what would be done.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Find orphans
  aifactory.benchmark.run_orphans:
  register: orphans
"""

RETURN = r"""
cancel:
  description: Runs whose jobs were cancelled.
  returned: success
  type: list
  elements: str
finish:
  description: Runs that are left to be collected and torn down; none in check mode.
  returned: success
  type: list
  elements: str
  sample: [20261123-190212-quickstart-3f9a]
would_finish:
  description: Those of check mode.
  returned: in check mode
  type: list
  elements: str
remove:
  description: Directories that were removed.
  returned: success
  type: list
  elements: str
"""
