#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: monitoring_ready
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: Wait for Prometheus and Grafana, and tell where they are
description:
  - Waits until a stack that was submitted is healthy, and says where Prometheus and Grafana listen and how to reach
    them from the controller. Their passwords are written into files of mode 0600 on the controller.
  - It runs on the controller and needs no Python on the cluster, only a POSIX shell and Slurm's commands.
options:
  run:
    description: Id of the stack.
    type: str
    required: true
  timeout_s:
    description: Seconds to wait for it, its time in the queue included. It goes on when they are over.
    type: float
    default: 600
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
- name: Wait for Prometheus and Grafana
  aifactory.benchmark.monitoring_ready:
    run: "{{ found.living[0] }}"
"""

RETURN = r"""
tunnel:
  description: Command that makes both reachable on the controller; empty where they are without it.
  returned: success
  type: str
grafana:
  description: C(url) on the cluster, C(here) with the tunnel, C(user), C(password_file) on the controller.
  returned: success
  type: dict
prometheus:
  description: The same of Prometheus.
  returned: success
  type: dict
"""
