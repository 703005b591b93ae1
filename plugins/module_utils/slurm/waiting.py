# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting for jobs: few questions, a deadline for every wait, and a proof at the end. I/O through the client only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import states


def pauses(first_s=0.5, factor=1.6, longest_s=10.0):
    """Pauses (float, seconds) between questions: growing, so that a long wait costs the controller little."""
    pause = first_s
    while True:
        yield pause
        pause = min(pause * factor, longest_s)


# Predicates of a Job, for wait_until.


def started(job):
    """It runs or has run."""
    return job.phase in (states.RUNNING, states.SUSPENDED, states.ENDING) or (job.final and job.start_s is not None)


def over(job):
    """It has ended and left its nodes."""
    return job.final


def stuck(job):
    """It will never start by itself."""
    return states.never_starts(job.reason) and job.phase in (states.PENDING, states.HELD)


def wait_until(client, job_id, is_so, deadline_s, *, clock, seen=None):
    """Ask for one job until is_so(job), at most deadline_s; the Job as last seen. seen(job) is called every time."""
    give_up = clock.monotonic() + deadline_s
    for pause in pauses():
        job = client.jobs([job_id])[job_id]
        if seen:
            seen(job)
        if is_so(job) or clock.monotonic() >= give_up:
            return job
        clock.sleep(max(0.0, min(pause, give_up - clock.monotonic())))


def wait_gone(client, ids, deadline_s, clock):
    """Wait until jobs have ended and left their nodes; dict id → proof of each, at the latest after deadline_s.

    proof: gone (bool), state, reason (str or None), source (the command that said so), checked_at (int, seconds since
    the epoch), command (str). What Slurm did not say without an error is not gone.
    """
    proofs, open_ids = {}, list(dict.fromkeys(str(job_id) for job_id in ids))
    give_up = clock.monotonic() + deadline_s
    for pause in pauses(first_s=0.3, longest_s=5.0):
        for job_id, job in client.jobs(open_ids).items():
            proofs[job_id] = _proof(client, job_id, job)
        open_ids = [job_id for job_id in open_ids if not proofs[job_id]["gone"]]
        if not open_ids or clock.monotonic() >= give_up:
            return proofs
        clock.sleep(pause)


def _proof(client, job_id, job):
    return {
        "gone": job.gone,
        "state": job.state,
        "reason": job.reason,
        "source": job.source,
        "checked_at": int(client.clock.time()),
        "command": client.slurm.question(job_id, job.source),
    }
