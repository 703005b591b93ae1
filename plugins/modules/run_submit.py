#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_submit
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: Put a run's files on the cluster and submit its jobs
description:
  - Ships the run directory and submits all jobs in one remote call.
  - Each job is submitted once - it is looked up by its name first, and adopted when it is there although C(sbatch)
    timed out.
  - When a later job is refused, what was submitted before is cancelled.
  - It runs on the controller and needs no Python on the cluster, only a POSIX shell and Slurm's commands.
options:
  plan:
    description: The plan, from M(aifactory.benchmark.run_plan).
    type: dict
    required: true
  files:
    description: The run's files, name to text.
    type: dict
    required: true
  images:
    description:
      - The images of the run, each with its C(part), C(asked) (the reference in the recipe or the service type),
        C(reference) (what is used in its place on this cluster) and C(path).
      - Those that are missing are made by the image job.
    type: list
    elements: dict
    default: []
  spec:
    description: What the agent in the jobs reads.
    type: dict
    required: true
  slurm:
    description: Version of Slurm, for the run's provenance.
    type: str
  gathering:
    description: What Slurm gathers of jobs, from M(aifactory.benchmark.run_preflight), for the run's provenance.
    type: dict
  deadline_s:
    description: Seconds to wait for a scheduler that does not answer.
    type: float
    default: 300.0
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: The scripts are shown, nothing is submitted.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Submit the jobs
  aifactory.benchmark.run_submit:
    plan: "{{ benchmark_plan }}"
    spec: "{{ service_rendered.spec }}"
    files: "{{ run_files }}"
"""

RETURN = r"""
run:
  description: Id of the run.
  returned: success
  type: str
  sample: 20261123-190212-quickstart-3f9a
jobs:
  description: The jobs, with role, id, name, and whether they were adopted.
  returned: success
  type: list
  elements: dict
scripts:
  description: The job scripts by name.
  returned: in check mode
  type: dict
"""
