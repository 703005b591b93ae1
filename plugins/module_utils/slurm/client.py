# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Operations on Slurm that are safe to repeat, whether it is reached by its commands or by slurmrestd.

Rules kept here: submit once; an empty answer is no proof; cancel by job id only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import functools
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import errors, merge, sbatch, waiting
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.commands import Commands
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.jobid import JobId

LOOK_EVERYWHERE, LOOK_IN_QUEUE, LOOK_NOWHERE = "all", "queue", "none"


class Submission:
    """job_id (str); adopted (bool): it was there already, or its sbatch had an unknown outcome; job (Job or None)."""

    def __init__(self, job_id, adopted, job=None):
        self.job_id = job_id
        self.adopted = adopted
        self.job = job


def _the_one(found, ignore):
    """The job (Job or None) that a name stands for: the newest that lives, else the newest."""
    others = [job for job in found if job.id not in ignore and not job.refused]
    return next((job for job in others if job.live), others[0] if others else None)


class SlurmClient:
    """See the module.

    slurm: Commands, a Slurm of rest/slurm.py, or the `run` of Commands. clock has time(), monotonic() and
    sleep(seconds), like the module `time`. accounting (bool or None) says whether the cluster keeps accounting, None
    until it was asked; queue_error (SlurmError or None) why slurmctld did not tell of the jobs asked for last.
    """

    def __init__(self, slurm, clock=time):
        self.slurm = slurm if hasattr(slurm, "queue_by_id") else Commands(slurm)
        self.clock = clock
        self.accounting = None
        self.queue_error = None

    @property
    def counts(self):
        """Dict command → int: how often each was run; with slurmrestd, how often each of its resources was asked."""
        return self.slurm.counts

    # -- looking -----------------------------------------------------------------------------------------------

    def _queue(self, ids):
        """(rows of slurmctld, error or None). A single unknown id is an error of squeue, and an answer for us."""
        try:
            return self.slurm.queue_by_id("list jobs " + ", ".join(ids), ids), None
        except SlurmError as error:
            return [], None if error.kind == errors.INVALID_JOB_ID else error

    def _records(self, ask, *what):
        """(ask(*what), error or None): of accounting; the error is of kind accounting_off where there is none."""
        if self.accounting is False:
            return [], SlurmError(errors.ACCOUNTING_OFF, "this cluster keeps no accounting")
        try:
            rows = ask(*what)
        except SlurmError as error:
            if error.kind == errors.ACCOUNTING_OFF:
                self.accounting = False
            return [], error
        self.accounting = True
        return rows, None

    def jobs(self, ids, steps=False):
        """Job ids (iterable of str) → dict id → Job, with one squeue, and one sacct for those that left the queue.

        steps (bool): the same sacct tells of the steps of those, too.
        A job of which nothing certain is known has the state UNKNOWN and says why in `reason`; its `left_queue`
        is True when slurmctld answered and does not know it. Raises ValueError for what is no job id.
        """
        ids = list(dict.fromkeys(str(job_id) for job_id in ids))
        wanted = {job_id: JobId(job_id) for job_id in ids}
        if not ids:
            return {}
        queued, queue_error = self._queue(ids)
        self.queue_error = queue_error
        rows = {job_id: merge.rows_of(wanted[job_id], queued) for job_id in ids}
        left = [job_id for job_id in ids if merge.all_final(rows[job_id])]
        records, record_error = [], None
        if left:
            records, record_error = self._records(self.slurm.records_by_id, "ask accounting for jobs", left, steps)
        found = {}
        for job_id in ids:
            mine = merge.rows_of(wanted[job_id], records) if job_id in left else []
            found[job_id] = merge.settle(job_id, rows[job_id], mine, queue_error, record_error)
            if found[job_id].final and found[job_id].exit_code is None:
                self._add_detail(found[job_id])
        return found

    def _add_detail(self, job):
        """Exit code and the like from slurmctld, for a job that accounting does not know as finished yet."""
        for detail in self.slurm.details(job.id):
            for part in [job, *job.parts]:
                if part.id == detail.id or part.raw_id == detail.raw_id:
                    part.fill_from(detail)

    def find(self, name, user=None, look=LOOK_EVERYWHERE):
        """Jobs (list of Job, newest first) with exactly this name, of this user (default: the caller).

        look: LOOK_EVERYWHERE (queue and accounting) or LOOK_IN_QUEUE. Raises SlurmError when Slurm does not answer: an
        error is never "no jobs".
        """
        return self.find_many([name], user, look)[name]

    def find_many(self, names, user=None, look=LOOK_EVERYWHERE):
        """Job names (iterable of str) → dict name → Jobs as find gives them, with one squeue and one sacct for all."""
        names = list(dict.fromkeys(names))
        if not names:
            return {}
        doing = "look for jobs named " + ", ".join('"' + name + '"' for name in names)
        queued = self.slurm.queue_by_name(doing, names, user)
        records = []
        if look == LOOK_EVERYWHERE:
            records, error = self._records(self.slurm.records_by_name, doing, names, user)
            if error and error.kind != errors.ACCOUNTING_OFF:
                raise error
        found = {}
        for name in names:
            rows = [row for row in queued if row.name == name]
            found[name] = merge.by_job(rows, [row for row in records if row.name == name])
        return found

    def patiently(self, ask, deadline_s=180):
        """ask() (a function), again and again while Slurm does not answer, until deadline_s."""
        give_up = self.clock.monotonic() + deadline_s
        for pause in waiting.pauses():
            try:
                return ask()
            except SlurmError as error:
                if not error.transient or self.clock.monotonic() >= give_up:
                    raise
            self.clock.sleep(pause)

    # -- submitting --------------------------------------------------------------------------------------------

    def submit_once(
        self, name, script, args=(), user=None, *, script_args=(), ignore=(), look=LOOK_EVERYWHERE, deadline_s=180
    ):
        """Submit a script under a unique name unless a job of this name is there; returns a Submission.

        script: its path; for slurmrestd its text. args: see sbatch.argv. ignore: ids of earlier jobs of this name
        that do not count. look: where to look before the submission; LOOK_NOWHERE is for a name that was made up a
        moment ago. After an unknown outcome (time-out) it looks again until deadline_s and never submits a second
        time; after a failed connection, by which nothing was submitted, it looks and then tries again. Raises
        SlurmError.
        """
        wrong = sbatch.bad_name(name)
        if wrong:
            raise SlurmError("usage", 'the job name "{0}" cannot identify a job: {1}'.format(name, wrong), "rename it")
        give_up = self.clock.monotonic() + deadline_s
        doing = 'submit the job "{0}"'.format(name)
        pause = waiting.pauses()
        while True:
            if look != LOOK_NOWHERE:
                left_s = give_up - self.clock.monotonic()
                found = self.patiently(functools.partial(self.find, name, user, look), left_s)
                there = _the_one(found, ignore)
                if there:
                    return Submission(there.id, True, there)
            try:
                return Submission(self.slurm.submit(doing, name, script, args, script_args), False)
            except SlurmError as error:
                if error.kind in (errors.UNREACHABLE, errors.UNKNOWN_OUTCOME):
                    return self.await_submission(name, user, ignore, give_up - self.clock.monotonic(), error)
                if not error.transient or self.clock.monotonic() >= give_up:
                    raise
            look = LOOK_IN_QUEUE if look == LOOK_NOWHERE else look
            self.clock.sleep(next(pause))

    def await_submission(self, name, user=None, ignore=(), deadline_s=180, cause=None):
        """The Submission of an sbatch whose outcome is unknown: look for the name until it shows or the deadline.

        slurmctld may accept a request long after sbatch gave up, so a clear "no such job" is believed only at the
        deadline, and even then nothing is submitted again: SlurmError of kind unknown_outcome.
        """
        give_up = self.clock.monotonic() + deadline_s
        last, pause = cause, waiting.pauses(first_s=1.0)
        while True:
            try:
                there = _the_one(self.find(name, user, LOOK_IN_QUEUE), ignore)
                if there:
                    return Submission(there.id, True, there)
                last = None
            except SlurmError as error:
                if not error.transient:
                    raise
                last = error
            if self.clock.monotonic() >= give_up:
                break
            self.clock.sleep(next(pause))
        said = "slurmctld does not know such a job" if last is None else last.message
        raise SlurmError(
            errors.UNKNOWN_OUTCOME,
            'the outcome of submitting the job "{0}" is unknown: {1}; after {2:.0f} s: {3}'.format(
                name, cause.message if cause else "no answer", deadline_s, said
            ),
            "run it again when slurmctld answers: the job is looked up by its name before anything is submitted",
            cause.command if cause else None,
        )

    def test_only(self, name, script, args=(), script_args=()):
        """What `sbatch --test-only` says (dict, see sbatch.parse_test), or None where Slurm can't be asked so.

        SlurmError when the job would be refused.
        """
        return self.slurm.test_submission('submit the job "{0}"'.format(name), name, script, args, script_args)

    # -- ending ------------------------------------------------------------------------------------------------

    def cancel(self, ids, owner_name_prefix=None, signal=None, batch=False, deadline_s=60):
        """Cancel jobs by id; returns the ids (list of str) that were cancelled.

        With owner_name_prefix (str) only jobs that live and whose name begins with it; SlurmError when the name of
        one cannot be found out. Repeats while slurmctld does not answer, until deadline_s: cancelling twice is
        harmless. wait_gone proves that they are gone.
        """
        ids = [str(job_id) for job_id in ids]

        def end_them():
            mine = ids if owner_name_prefix is None else self._named(ids, owner_name_prefix)
            if mine:
                self.slurm.cancel("cancel jobs " + ", ".join(mine), mine, signal, batch)
            return mine

        return self.patiently(end_them, deadline_s)

    def _named(self, ids, prefix):
        found = self.jobs(ids)
        for job in found.values():
            if not job.final and not job.left_queue and not job.name:
                raise SlurmError(errors.UNREACHABLE, "cannot cancel job {0}: {1}".format(job.id, job.reason))
            if not job.final and job.name and not job.name.startswith(prefix):
                raise SlurmError(
                    "not_ours",
                    'will not cancel job {0}: its name "{1}" does not begin with "{2}"'.format(
                        job.id, job.name, prefix
                    ),
                    "give the id of a job of this run",
                )
        return [job_id for job_id, job in found.items() if job.live]

    def wait_gone(self, ids, deadline_s=120):
        """Wait until jobs have ended and left their nodes; dict id → proof of each. See waiting.wait_gone."""
        return waiting.wait_gone(self, ids, deadline_s, self.clock)

    def wait_until(self, job_id, is_so, deadline_s, seen=None):
        """The Job (first that is_so, or the last seen at the deadline). See waiting.wait_until."""
        return waiting.wait_until(self, job_id, is_so, deadline_s, clock=self.clock, seen=seen)
