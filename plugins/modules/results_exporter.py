#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: results_exporter
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: Serve the results of runs to Prometheus
description:
  - Listens for Prometheus and tells the results of the latest run of each recipe on each cluster, until the play is
    interrupted.
  - It reads C(benchmark_home) on the controller; no cluster is asked.
options:
  address:
    description: Where to listen; others than V(127.0.0.1), V(::1) and V(localhost) need a O(password_file).
    type: str
    default: 127.0.0.1
  port:
    description: Port to listen at; V(0) takes a free one and says which.
    type: int
    required: true
  user:
    description: Name for O(password_file).
    type: str
    default: prometheus
  password_file:
    description: File on the controller, mode 0600, with the password that is asked for (basic authentication).
    type: path
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Listens once, to see whether it can, and ends.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
notes:
  - It speaks HTTP without TLS.
"""

EXAMPLES = r"""
- name: Serve the results to the Prometheus of this machine
  aifactory.benchmark.results_exporter:
    port: 9789
"""

RETURN = r""" # """
