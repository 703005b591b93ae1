# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""sstat: what the steps of a running job use. Arguments and parser, no I/O. Only the job's owner may ask."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import duration, table

FIELDS = ("JobID", "NTasks", "AveCPU", "MinCPU", "MaxRSS", "AveRSS", "MaxDiskRead", "MaxDiskWrite", "ConsumedEnergyRaw")


def argv(ids):
    """The command line (list of str) for all steps of running jobs, the batch step included."""
    names = ",".join(str(job_id) for job_id in ids)
    return [*table.ENVIRONMENT, "sstat", "-a", "-n", "-P", "-j", names, "-o", ",".join(FIELDS)]


def parse(stdout):
    """Steps (list of dict): job_id, step, tasks, cpu_s (mean over its tasks), max_rss_bytes, mean_rss_bytes,
    max_disk_read_bytes, max_disk_write_bytes, energy_j (None where the hardware does not tell).
    """
    found = []
    for line in stdout.splitlines():
        values = line.split("|")
        if len(values) != len(FIELDS):
            continue
        row = dict(zip(FIELDS, values))
        job_id, _dot, step = row["JobID"].partition(".")
        found.append(
            {
                "job_id": job_id,
                "step": step,
                "tasks": table.integer(row["NTasks"]),
                "cpu_s": duration.to_seconds(row["AveCPU"]),
                "max_rss_bytes": table.size_bytes(row["MaxRSS"]),
                "mean_rss_bytes": table.size_bytes(row["AveRSS"]),
                "max_disk_read_bytes": table.size_bytes(row["MaxDiskRead"]),
                "max_disk_write_bytes": table.size_bytes(row["MaxDiskWrite"]),
                "energy_j": table.integer(row["ConsumedEnergyRaw"]) or None,
            }
        )
    return found
