#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_compare
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.2.0
short_description: Compare runs, or hold one against a named baseline
description:
  - Shows what differs between runs, and of every number the ratio with its confidence interval and a verdict
    (V(better), V(worse), V(same), V(undecided)).
  - The task fails when a number is worse, and with O(baseline) also when a run is not C(VALID) or a number is missing.
  - Of a single run it tells the noise, and how many repetitions would carry a claim.
  - It reads the run directories of C(benchmark_home) on the controller, and writes C(comparison.json),
    C(comparison.md) and C(comparison.html) into C(benchmark_home/comparisons). No cluster is asked.
options:
  run:
    description:
      - Ids of runs, unique prefixes of them, or V(latest), separated by commas.
      - Each is a side, the first is the reference.
      - C(+) joins runs to one side, as in V(A1+A2,B1+B2). C(@CLUSTER) after one means a run of that cluster.
    type: str
  runs:
    description: The same as a list; an entry that is itself a list is a side of several runs.
    type: list
    elements: raw
  sides:
    description: The same as a mapping of the names of sides to lists of runs.
    type: dict
  baseline:
    description:
      - The name of a baseline, which is the reference then.
      - Without O(run), O(runs) and O(sides) the newest run of the baseline's recipe and cluster is held against it.
    type: str
  metrics:
    description:
      - What is judged, such as V(throughput) or V(response_time_p99).
      - The numbers that the summary of the reference shows first when it is not given.
    type: list
    elements: str
    default: []
  threshold:
    description:
      - How much of a change matters, V(5%) or V(0.05).
      - The baseline's when it is not given, else V(5%).
    type: str
  thresholds:
    description: The same by metric, a mapping such as V(response_time_p99) to V(10%).
    type: dict
  directions:
    description: Of metrics of your own which way is better, V(higher), V(lower) or V(none).
    type: dict
    default: {}
  varied:
    description:
      - What differs on purpose, of V(service), V(load), V(machine) and V(instrument); there is no warning of it.
      - V(service) when it is not given.
    type: list
    elements: str
  strict:
    description: Whether an undecided number fails the gate, too.
    type: bool
    default: false
  clusters:
    description: Only runs of these clusters are looked for; none means of every cluster.
    type: list
    elements: str
    default: []
  fail:
    description: Whether the task fails on a regression, and where the gate is not passed.
    type: bool
    default: true
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Compares and shows; nothing is written.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
notes:
  - C(benchmark_home) is a variable, else the environment variable E(AIFACTORY_HOME), else C(~/.aifactory).
"""

EXAMPLES = r"""
- name: Compare two runs
  aifactory.benchmark.run_compare:
    run: 20261123-190212-quickstart-3f9a,latest

- name: Compare two versions, three runs each
  aifactory.benchmark.run_compare:
    sides:
      before: [20261123-190212, 20261123-191502, 20261123-193001]
      after: [20261124-190212, 20261124-191502, 20261124-193001]
    thresholds:
      response_time_p99: 10%

- name: Hold the newest run against a baseline
  aifactory.benchmark.run_compare:
    baseline: main
"""

RETURN = r"""
comparison:
  description: The content of C(comparison.json).
  returned: success
  type: dict
paths:
  description: Paths of the files that were written, by kind (C(json), C(markdown), C(html)); none in check mode.
  returned: success
  type: dict
failure:
  description: Why the comparison fails, or none.
  returned: success
  type: str
"""
