# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Slurm itself says of the run's jobs, once before the load and once after it: telemetry/slurm.csv.

Two calls of sstat in a run, for all its jobs at once, whatever the number of clients, cases and repetitions. Their
difference is of the load and of nothing else. See docs/decisions/sstat-twice-from-the-job.md.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import csv
import os
import shutil
import subprocess
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import explain
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import hostlist, sstat, usage

BEFORE, AFTER = "before", "after"
COLUMNS = ("t", "moment", "job", "component", "step", "nodes", *usage.KEYS)
DEADLINE_S = 10.0  # a slurmctld that is slow must not hold GPUs that have nothing to do
EVENT = "slurm_usage"


def job_ids(environ):
    """The ids (list of str) of the job that this process is in: of each component of a heterogeneous one."""
    count = environ.get("SLURM_HET_SIZE") or ""
    names = ["SLURM_JOB_ID_HET_GROUP_%d" % number for number in range(int(count))] if count.isdigit() else []
    found = [environ[name] for name in names if environ.get(name)]
    return found or [environ[name] for name in ("SLURM_JOB_ID",) if environ.get(name)]


class Asker:
    """Asks about jobs (list of list of str, ids of the components of each), writes to `path`, tells `events`."""

    def __init__(self, path, events, jobs):
        self.path = path
        self.events = events
        self.of_component = {}  # id of a component -> id of its job
        for ids in jobs:
            for job_id in ids:
                self.of_component.setdefault(job_id, ids[0])

    def ask(self, moment):
        """Ask once, and write what is answered. Nothing that goes wrong here ends a run: an event says it."""
        if not self.of_component:
            return
        began = time.time()
        asked, reason, rows = False, None, []
        if shutil.which("sstat") is None:
            reason = "there is no sstat on this node"
        else:
            asked = True
            rows, reason = self._rows(moment, began)
        self.events.emit(
            EVENT, moment=moment, asked=asked, rows=len(rows), seconds=round(time.time() - began, 3), reason=reason
        )

    def _rows(self, moment, began):
        """(rows (list of dict) that were written, why there are none or None)."""
        try:
            # in a job there is no AnsibleModule
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                sstat.argv(list(self.of_component)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=DEADLINE_S,
                check=False,
            )
            steps = sstat.parse(done.stdout.decode("utf-8", "replace"))
        except subprocess.TimeoutExpired:
            return [], "sstat did not answer within %g s" % DEADLINE_S
        except (OSError, ValueError) as e:
            return [], "sstat: %s" % e
        # between the question and its answer the nodes were asked: nobody knows when exactly
        t = round((began + time.time()) / 2, 3)
        rows = [self._row(t, moment, step) for step in steps if step["job_id"] in self.of_component]
        if not rows:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            return [], "sstat: %s" % (said[0] if said else "no step of the jobs")
        try:
            self._write(rows)
        except OSError as e:
            return [], explain(e)
        return rows, None

    def _row(self, t, moment, step):
        row = {name: step[name] for name in usage.KEYS}
        row.update(
            t=t,
            moment=moment,
            job=self.of_component[step["job_id"]],
            component=step["job_id"],
            step=step["step"],
            nodes=hostlist.compress(step["nodes"]),
        )
        return row

    def _write(self, rows):
        new = not os.path.exists(self.path)
        with open(self.path, "a", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerows(rows)
