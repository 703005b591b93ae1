#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: awx_objects
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: Have objects in AWX
description:
  - Finds each object by its name, makes it, or changes the fields that differ; what is as wanted is left alone.
  - Objects name each other by name. Lists, such as a template's credentials, and a workflow's nodes are as given; what
    is in them besides is taken out.
  - It runs on the controller.
options:
  host:
    description: Address of the server, such as V(https://awx.example.org).
    type: str
    required: true
  api_path:
    description: Where its interface is; V(/api/controller/v2/) behind the gateway of Ansible Automation Platform.
    type: str
    default: /api/v2/
  token:
    description: A token; without one, O(username) and O(password).
    type: str
  username:
    description: Name of the account.
    type: str
  password:
    description: Password of the account.
    type: str
  validate_certs:
    description: Whether the server's certificate is checked.
    type: bool
    default: true
  ca_path:
    description: File of certificates (PEM) that the server's must be signed by.
    type: path
  timeout_s:
    description: Seconds to wait for one answer.
    type: float
    default: 30.0
  project_deadline_s:
    description: Seconds to wait until AWX has fetched a project whose playbooks a job template names.
    type: float
    default: 300.0
  update_secrets:
    description: Whether secrets are set again; AWX does not tell them, so that nobody knows whether they differ.
    type: bool
    default: false
  objects:
    description:
      - The objects in the order in which they are made. C(type) says what one is, V(organization), V(credential_type),
        V(credential), V(execution_environment), V(project), V(inventory), V(inventory_source),
        V(notification_template), V(job_template), V(workflow_job_template) or V(schedule); the other keys are AWX's
        fields.
      - C(survey) is a template's survey, C(nodes) are a workflow's. With C(must_exist) it is not made.
    type: list
    elements: dict
    required: true
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Nothing is sent but questions; surveys are checked by AWX's rules.
    support: full
  diff_mode:
    description: Names what is made and which fields are changed, without their values.
    support: full
"""

EXAMPLES = r"""
- name: Have a project
  aifactory.benchmark.awx_objects:
    host: https://awx.example.org
    token: "{{ vault_awx_token }}"
    objects:
      - {type: organization, name: HPC}
      - type: project
        name: Benchmarks
        organization: HPC
        scm_type: git
        scm_url: https://git.example.org/hpc/benchmarks.git
"""

RETURN = r"""
changes:
  description: What was made or changed, one line each.
  returned: always
  type: list
  elements: str
ids:
  description: AWX's ids, by type and name.
  returned: success
  type: dict
"""
