#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of an action plugin of the same name, which does the work on the controller."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: run_info
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: Show what the controller knows of its runs
description:
  - Lists runs, and shows the summary, the logs, the metrics or the report of one.
  - It reads the store and the run directories of C(benchmark_home) on the controller; no cluster is asked and no
    connection is made.
  - Where controllers share a store (C(benchmark_store_url)), V(list) and V(summary) show the runs of all.
  - What it shows is also returned.
options:
  view:
    description:
      - What to show.
      - V(side_by_side) shows all runs of the play that O(run) was started by, a column for each cluster.
      - V(report) makes C(report.html) and C(report.md) again from the files of the run.
    type: str
    required: true
    choices: [list, summary, side_by_side, logs, metrics, report]
  run:
    description:
      - Id of the run, a unique prefix of it, or V(latest).
      - With O(view=logs) and O(search) or O(level), V(all) means all runs, the newest first; with O(openmetrics),
        O(csv) and O(parquet), too.
    type: str
    default: latest
  clusters:
    description: Only runs of these clusters; none means of every cluster.
    type: list
    elements: str
    default: []
  recipe:
    description: With O(view=list), and the logs and tables of all runs, only runs of this recipe.
    type: str
  state:
    description: With O(view=list), only runs in this state, such as V(finished) or V(measuring).
    type: str
  verdict:
    description: With O(view=list), only runs with this verdict.
    type: str
    choices: [VALID, INVALID]
  count:
    description: With O(view=list), at most so many runs, the newest; V(0) means all.
    type: int
    default: 50
  search:
    description: With O(view=logs), a regular expression; only lines that contain it are shown.
    type: str
  source:
    description:
      - With O(view=logs), whose logs.
      - One of V(service), V(clients), V(image) and V(slurm), the name of a companion, or that of a file in C(logs/).
      - None means all.
    type: str
  level:
    description: With O(view=logs), only lines that tell of an error, or with V(warning) those of warnings too.
    type: str
    choices: [error, warning]
  merge:
    description: With O(view=logs), whether the lines of all files are shown in the order of time, each with its time.
    type: bool
    default: false
  limit:
    description:
      - With O(view=logs), at most so many lines in all, the last ones; V(0) means all. What is left out is said.
      - 5000 when it is not given.
    type: int
  tail:
    description:
      - With O(view=logs), at most so many lines of each file, the last ones, with O(merge) of all together; V(0) means
        all.
      - 40 when it is not given; all with O(search) or O(level).
    type: int
  metric:
    description: With O(view=metrics), only this metric.
    type: str
  case:
    description: With O(view=metrics), only this case.
    type: str
  client:
    description:
      - With O(view=metrics), V(all) for the merged values, the number of a client, or V(*) for both.
      - With O(view=logs), the number of a client whose log is shown; V(all) chooses none.
    type: str
    default: all
  csv:
    description:
      - With O(view=metrics), a file on the controller to write the rows to, instead of showing them.
      - With O(run=all) the rows of all runs, each with what its run was, such as its recipe, cluster and verdict.
    type: path
  parquet:
    description:
      - With O(view=metrics), a file C(*.parquet) on the controller to write the rows to, each with what its run was.
      - Another path is a folder that gets C(results.parquet), and the telemetry of the runs as C(nodes.parquet) and
        C(gpus.parquet).
      - With O(run=all) those of all runs.
      - It needs pandas and pyarrow on the controller.
    type: path
  openmetrics:
    description:
      - With O(view=metrics), a file on the controller to write all of the run to as OpenMetrics, each number with its
        time. C(promtool tsdb create-blocks-from openmetrics) makes blocks of Prometheus' database from it.
      - With O(run=all) a directory, in which each run that is over gets a file C(ID.om).
      - It needs prometheus_client on the controller.
    type: path
  push:
    description:
      - With O(view=metrics), send the results of the run to the Pushgateway of C(benchmark_pushgateway_url).
      - A run does so by itself at its end, where that variable is set.
    type: bool
    default: false
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Nothing is written.
    support: full
  diff_mode:
    description: Nothing to show.
    support: none
notes:
  - C(benchmark_home) is a variable, else the environment variable E(AIFACTORY_HOME), else C(~/.aifactory).
  - C(benchmark_store_url), such as C(postgresql://USER@HOST/DATABASE), is used instead of C(store.db) in it.
  - Passwords, tokens and terminal control codes are taken out of the log lines.
"""

EXAMPLES = r"""
- name: List the runs that may be quoted
  aifactory.benchmark.run_info:
    view: list
    verdict: VALID

- name: Find the errors of the service
  aifactory.benchmark.run_info:
    view: logs
    run: latest
    source: service
    search: ERROR|FATAL
  register: errors

- name: Export the response times of a run
  aifactory.benchmark.run_info:
    view: metrics
    run: 20261123-190212-quickstart-3f9a
    metric: response_time
    csv: response_times.csv

- name: Put the results of all runs of a recipe into one table
  aifactory.benchmark.run_info:
    view: metrics
    run: all
    recipe: quickstart
    parquet: quickstart.parquet

- name: Export every run for Prometheus
  aifactory.benchmark.run_info:
    view: metrics
    run: all
    openmetrics: /srv/prometheus-import
"""

RETURN = r"""
runs:
  description: The C(run.json) of each run, newest first, or by cluster.
  returned: with O(view=list) and O(view=side_by_side)
  type: list
  elements: dict
run:
  description: Id of the run.
  returned: with O(view=summary), O(view=logs), O(view=report), and O(view=metrics) of one run as a table
  type: str
  sample: 20261123-190212-quickstart-3f9a
record:
  description: The C(run.json) of the run.
  returned: with O(view=summary)
  type: dict
lines:
  description:
    - Lines of logs, each with its C(file), C(line) (from 1), C(text), C(t) (epoch, s; null where it is not known) and
      C(level) (V(error), V(warning) or null); of all runs with its C(run), too.
  returned: with O(view=logs)
  type: list
  elements: dict
left_out:
  description: How many earlier lines are not among C(lines).
  returned: with O(view=logs) of one run
  type: int
results:
  description: Rows of C(results.csv).
  returned: with O(view=metrics) of one run as a table
  type: list
  elements: dict
path:
  description: The run's directory, its C(results.csv), or the file or directory that was written.
  returned: with O(view=summary) of a run of this controller, O(view=logs) and O(view=metrics)
  type: str
exported:
  description: Ids of the runs that were written or pushed.
  returned: with O(openmetrics), O(push), O(parquet), and O(csv) of all runs
  type: list
  elements: str
html:
  description: Path of the HTML report.
  returned: with O(view=report)
  type: str
markdown:
  description: Path of the Markdown report.
  returned: with O(view=report)
  type: str
"""
