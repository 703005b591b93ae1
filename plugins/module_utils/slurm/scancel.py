# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""scancel: arguments, no I/O. It prints nothing on success, and an unknown id is no error (exit status 0)."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import jobid, table


def argv(ids, signal=None, batch=False):
    """The command line (list of str) that cancels jobs by id, and never by anything else.

    signal (str, such as TERM): send it instead of ending the job; batch: to the batch script only.
    Raises ValueError for what is no job id, and for no ids at all.
    """
    ids = [str(job_id) for job_id in ids]
    wrong = [job_id for job_id in ids if not jobid.is_job_id(job_id)]
    if wrong or not ids:
        raise ValueError("scancel needs job ids, not " + (", ".join(map(repr, wrong)) or "nothing"))
    command = [*table.ENVIRONMENT, "scancel"]
    if signal:
        command += ["--signal=" + signal]
    if batch:
        command += ["--batch"]
    return command + ids
