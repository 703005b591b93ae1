#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: grafana_provisioning
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: Write the dashboards for Grafana
description:
  - Writes the collection's dashboards, and a data source for them, into a directory of the form that Grafana reads when
    it starts (C(paths.provisioning) of its configuration).
  - A file that would not change is left alone; what was changed by hand is overwritten.
options:
  path:
    description: The directory, on the controller; it is made where it is missing.
    type: path
    required: true
  grafana_path:
    description: Where Grafana finds that directory, if not at O(path), such as in a container. Absolute.
    type: str
  prometheus_url:
    description: Prometheus as Grafana reaches it, without an account.
    type: str
    default: http://localhost:9090
  prometheus_user:
    description: User of a Prometheus that asks for an account.
    type: str
  prometheus_password_file:
    description: File with this user's password, as Grafana finds it; Grafana reads it, this module does not.
    type: str
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Nothing is written.
    support: full
  diff_mode:
    description: Only the names of the files are told.
    support: none
"""

EXAMPLES = r"""
- name: Dashboards for the Grafana of this machine
  aifactory.benchmark.grafana_provisioning:
    path: /etc/grafana/provisioning
    prometheus_url: https://prometheus.example.org
    prometheus_user: grafana
    prometheus_password_file: /etc/grafana/prometheus.password
"""

RETURN = r"""
path:
  description: The directory.
  returned: success
  type: str
files:
  description: Files in it that are new or changed.
  returned: success
  type: list
  elements: str
  sample: [dashboards/aifactory/run.json]
written:
  description: Of every file in it C(source), where it is on the controller, and C(sha256).
  returned: success
  type: dict
"""
