# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""sstat: what the steps of running jobs have used until now. Arguments and parser, no I/O. Only their owner may ask.

slurmctld names the steps of each job, and the daemons of its nodes answer for them: a call costs a question or two to
slurmctld for each step, however many tasks it has.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import hostlist, usage

FIELDS = ("JobID", "Nodelist", *usage.FIELDS)


def argv(ids):
    """The command line (list of str) for all steps of running jobs, those of the script and of the prolog included."""
    names = ",".join(str(job_id) for job_id in ids)
    return ["sstat", "-a", "-n", "-P", "--noconvert", "-j", names, "-o", ",".join(FIELDS)]


def parse(stdout, fields=FIELDS):
    """Steps (list of dict): job_id, step, nodes, and the keys of usage.of_row. fields: the table's.

    sstat takes no separator of one's own, and prints its messages elsewhere: what is no row is left out. Raises
    ValueError for a row that is not sstat's.
    """
    found = []
    for line in stdout.split("\n"):
        values = line.split("|")
        if len(values) != len(fields):
            continue
        row = dict(zip(fields, values))
        job_id, _dot, step = row["JobID"].partition(".")
        nodes = hostlist.expand(row.get("Nodelist"))
        found.append(dict(usage.of_row(row), job_id=job_id, step=step, nodes=nodes))
    return found
