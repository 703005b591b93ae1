#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: monitoring_find
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: Find Prometheus and Grafana of yours on a cluster
description:
  - Looks which stacks of Prometheus and Grafana the role P(aifactory.benchmark.monitoring#role) has started on the
    cluster and which of them live, whoever started them.
  - Makes the directory in which agents of runs with live metrics say where they are, and that of Prometheus' data.
  - It runs on the controller and needs no Python on the cluster, only a POSIX shell and Slurm's commands.
options:
  data:
    description: Directory of Prometheus' data on the cluster; by default C(monitoring/data) in C(benchmark_scratch).
    type: str
    default: ""
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Nothing is made.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Find Prometheus and Grafana
  aifactory.benchmark.monitoring_find:
  register: found
"""

RETURN = r"""
living:
  description: Ids of the stacks whose job waits or runs, in the order in which they were submitted.
  returned: success
  type: list
  elements: str
  sample: [20261123-190212-grafana-3f9a]
over:
  description: Ids of those that have ended and were not taken down.
  returned: success
  type: list
  elements: str
home:
  description: Where their files lie on the controller.
  returned: success
  type: str
scratch:
  description: Where their files lie on the cluster.
  returned: success
  type: str
image_cache:
  description: Where images lie on the cluster.
  returned: success
  type: str
targets:
  description: Where live agents say where they are, on the cluster.
  returned: success
  type: str
data:
  description: Where Prometheus keeps its data, on the cluster.
  returned: success
  type: str
"""
