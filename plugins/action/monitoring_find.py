# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds Prometheus and Grafana that were started on a cluster; makes the directories that they and live runs share."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import adoption, orphans
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import RunAction, RunFailed

_MAKE = 'umask 077; shift && mkdir -p "$@"'
DATA = "data"


class ActionModule(RunAction):
    """See the module monitoring_find for the options."""

    OPTIONS = {"data": {"type": "str", "default": ""}}

    def act(self) -> dict[str, Any]:
        """Where all of it lies, and which stacks live; in check mode nothing is made."""
        remote = self.remote()
        main = self.scratch(remote).rstrip("/")
        scratch, targets = f"{main}/monitoring", orphans.targets_of(main)
        data = self.options["data"] or f"{scratch}/{DATA}"
        if not data.startswith("/"):
            raise RunFailed(f"monitoring_data_dir of {self.host} must be an absolute path on the cluster: {data!r}")
        home = self.home / "monitoring"
        home.mkdir(parents=True, mode=0o700, exist_ok=True)
        if not self.check_mode:
            answer = remote.shell(_MAKE, "", targets, data)
            if answer.rc != 0:
                raise RunFailed(
                    f"{targets} and {data} can't be made on {self.host}: {answer.err.strip()}. "
                    f"Check benchmark_scratch and monitoring_data_dir of {self.host} (space, quota, permissions)"
                )
        # the jobs first: one that is submitted meanwhile has its directory before
        jobs = [job for job in self.slurm(remote).slurm.queue_of_mine("list your jobs") if not job.final]
        submitted = sorted((int(job.id), run) for job in jobs if (run := orphans.run_of(job.name)))
        found = [each.name for each in adoption.on_cluster(remote, scratch) if each.is_run and each.has_plan]
        living = list(dict.fromkeys(run for _id, run in submitted if run in found))
        return {
            "home": str(home),
            "scratch": scratch,
            "image_cache": str(self.variable("benchmark_image_cache") or f"{main}/images"),
            "targets": targets,
            "data": data,
            "living": living,
            "over": [name for name in found if name not in living],
        }
