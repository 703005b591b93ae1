# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One truth about a job out of what squeue and sacct say of it. No I/O.

slurmctld (squeue) decides about what it knows. Accounting (sacct) tells about jobs that slurmctld has forgotten,
but lags behind: what it shows as running, while slurmctld answers and does not know it, is unknown.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import errors, states
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import job as jobs
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.jobid import JobId


def rows_of(wanted, rows):
    """The rows (list of Job) that speak for a job id (JobId): the job itself, its tasks or components."""
    return [row for row in rows if JobId(row.id).covers(wanted) or (wanted.is_whole and row.raw_id == wanted.base)]


def all_final(rows):
    """True when slurmctld shows no part of the job that lives: accounting may know more."""
    return all(row.final for row in rows)


def _known(record, queued):
    """The queue's row for a record of accounting: the same part, or the pending row that includes it."""
    part = JobId(record.id)
    for row in queued:
        if row.id == record.id or JobId(row.id).covers(part):
            return row
    return None


def parts(queued, records, queue_error=None):
    """The rows of the queue, completed by accounting's, and accounting's for the parts that left the queue."""
    merged = list(queued)
    for record in records:
        row = _known(record, queued)
        if row is not None:
            if row.id == record.id:
                row.fill_from(record)
        elif record.final:
            record.left_queue = queue_error is None
            merged.append(record)
        else:
            merged.append(_doubtful(record, queue_error))
    return merged


def _doubtful(record, queue_error):
    """A record of a job that accounting believes alive and that slurmctld does not show."""
    if queue_error is None:
        why = "slurmctld does not know it any more, accounting still says " + record.state
        record.left_queue = True
        # one that never started can't live without slurmctld, which has lost it: killed before it had saved its state
        record.contradicted = states.phase(record.state) not in (states.PENDING, states.HELD)
    else:
        why = "accounting says {0}; {1}".format(record.state, queue_error.message)
    record.state, record.reason = states.UNKNOWN, why
    return record


def settle(job_id, queued, records, queue_error=None, record_error=None):
    """The Job for an id (str) from its rows in the queue, its records, and the errors (SlurmError) of asking."""
    merged = parts(queued, records, queue_error)
    if merged:
        whole = jobs.combine(job_id, merged)
        whole.left_queue = queue_error is None and not queued
        whole.contradicted = any(part.contradicted for part in merged)
        return whole
    if queue_error is not None:
        return jobs.unknown(job_id, queue_error.message)
    if record_error is None:
        why = "neither slurmctld nor accounting knows it"
    elif record_error.kind == errors.ACCOUNTING_OFF:
        why = "slurmctld does not know it (any more), and this cluster keeps no accounting"
    else:
        why = "slurmctld does not know it (any more); " + record_error.message
    absent = jobs.unknown(job_id, why)
    absent.left_queue, absent.source = True, "squeue"
    return absent


def by_job(queued, records):
    """Jobs (list of Job, newest first), arrays and heterogeneous jobs put together, from rows and records."""
    order, groups = [], {}
    for source, rows in ((0, queued), (1, records)):
        for row in rows:
            base = JobId(row.id).base
            if base not in groups:
                groups[base] = ([], [])
                order.append(base)
            groups[base][source].append(row)
    return [settle(base, *groups[base]) for base in sorted(order, key=int, reverse=True)]
