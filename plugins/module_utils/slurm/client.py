# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Slurm's commands as operations that are safe to repeat.

The only I/O is `run(argv, stdin=None) -> (rc, stdout, stderr)`, which is handed in: a module gives
AnsibleModule.run_command, an action plugin a command over its connection. It must not raise for a command that
fails. Rules kept here: submit once; an empty answer is no proof; cancel by job id only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import functools
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import (
    errors,
    merge,
    sacct,
    sbatch,
    scancel,
    scontrol,
    squeue,
    table,
    waiting,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.jobid import JobId

HISTORY = "now-60days"  # how far back accounting is searched for a job name
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
    """See the module. clock has time(), monotonic() and sleep(seconds), like the module `time`.

    counts (dict command → int) says how often each Slurm command was run; accounting (bool or None) whether the
    cluster keeps accounting, None until it was asked.
    """

    def __init__(self, run, clock=time):
        self._run = run
        self.clock = clock
        self.counts = {}
        self.accounting = None

    # -- one command -------------------------------------------------------------------------------------------

    def call(self, argv, stdin=None):
        """(rc, stdout, stderr) of one command, counted under its name."""
        name = next(word for word in argv[len(table.ENVIRONMENT) :] or argv if word)
        self.counts[name] = self.counts.get(name, 0) + 1
        return self._run(argv, stdin=stdin)

    def ask(self, doing, argv, parse):
        """parse(stdout) of a command that must succeed; SlurmError with `doing` (str) in its message otherwise."""
        rc, stdout, stderr = self.call(argv)
        if rc != 0:
            raise errors.from_result(doing, argv, rc, stdout, stderr)
        try:
            return parse(stdout)
        except ValueError as error:
            raise SlurmError(errors.FAILED, "cannot {0}: {1}".format(doing, error), "", list(argv), rc)

    # -- looking -----------------------------------------------------------------------------------------------

    def _queue(self, ids):
        """(rows of squeue, error or None). A single unknown id is an error of squeue, and an answer for us."""
        try:
            return self.ask("list jobs " + ", ".join(ids), squeue.argv(ids=ids), squeue.parse), None
        except SlurmError as error:
            return [], None if error.kind == errors.INVALID_JOB_ID else error

    def _records(self, doing, argv):
        """(rows of sacct, error or None); the error is of kind accounting_off where there is none."""
        if self.accounting is False:
            return [], SlurmError(errors.ACCOUNTING_OFF, "this cluster keeps no accounting")
        try:
            rows = self.ask(doing, argv, sacct.parse)
        except SlurmError as error:
            if error.kind == errors.ACCOUNTING_OFF:
                self.accounting = False
            return [], error
        self.accounting = True
        return rows, None

    def jobs(self, ids):
        """Job ids (iterable of str) → dict id → Job, with one squeue, and one sacct for those that left the queue.

        A job of which nothing certain is known has the state UNKNOWN and says why in `reason`; its `left_queue`
        is True when slurmctld answered and does not know it. Raises ValueError for what is no job id.
        """
        ids = list(dict.fromkeys(str(job_id) for job_id in ids))
        wanted = {job_id: JobId(job_id) for job_id in ids}
        if not ids:
            return {}
        queued, queue_error = self._queue(ids)
        rows = {job_id: merge.rows_of(wanted[job_id], queued) for job_id in ids}
        left = [job_id for job_id in ids if merge.all_final(rows[job_id])]
        records, record_error = [], None
        if left:
            records, record_error = self._records("ask accounting for jobs", sacct.argv(ids=left))
        found = {}
        for job_id in ids:
            mine = merge.rows_of(wanted[job_id], records) if job_id in left else []
            found[job_id] = merge.settle(job_id, rows[job_id], mine, queue_error, record_error)
            if found[job_id].final and found[job_id].exit_code is None:
                self._add_detail(found[job_id])
        return found

    def _add_detail(self, job):
        """Exit code and the like from scontrol, for a job that accounting does not know as finished yet."""
        rc, stdout, _unused = self.call(scontrol.show_job_argv(job.id))
        for detail in scontrol.parse_jobs(stdout) if rc == 0 else []:
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
        queued = self.ask(doing, squeue.argv(names=names, user=user, mine=user is None), squeue.parse)
        records = []
        if look == LOOK_EVERYWHERE:
            records, error = self._records(doing, sacct.argv(names=names, user=user, since=HISTORY))
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
        self, name, script_path, args=(), user=None, *, script_args=(), ignore=(), look=LOOK_EVERYWHERE, deadline_s=180
    ):
        """Submit a script under a unique name unless a job of this name is there; returns a Submission.

        args: see sbatch.argv. ignore: ids of earlier jobs of this name that do not count. look: where to look
        before the submission; LOOK_NOWHERE is for a name that was made up a moment ago. After an unknown outcome
        (time-out) it looks again until deadline_s and never submits a second time; after a failed connection, by
        which nothing was submitted, it looks and then tries again. Raises SlurmError.
        """
        wrong = sbatch.bad_name(name)
        if wrong:
            raise SlurmError("usage", 'the job name "{0}" cannot identify a job: {1}'.format(name, wrong), "rename it")
        give_up = self.clock.monotonic() + deadline_s
        argv = sbatch.argv(name, script_path, args, script_args)
        doing = 'submit the job "{0}"'.format(name)
        pause = waiting.pauses()
        while True:
            if look != LOOK_NOWHERE:
                left_s = give_up - self.clock.monotonic()
                found = self.patiently(functools.partial(self.find, name, user, look), left_s)
                there = _the_one(found, ignore)
                if there:
                    return Submission(there.id, True, there)
            rc, stdout, stderr = self.call(argv)
            if rc == 0:
                return self._accepted(name, user, ignore, stdout, give_up)
            error = errors.from_result(doing, argv, rc, stdout, stderr)
            if error.kind == errors.UNREACHABLE:
                return self.await_submission(name, user, ignore, give_up - self.clock.monotonic(), error)
            if not error.transient or self.clock.monotonic() >= give_up:
                raise error
            look = LOOK_IN_QUEUE if look == LOOK_NOWHERE else look
            self.clock.sleep(next(pause))

    def _accepted(self, name, user, ignore, stdout, give_up):
        try:
            return Submission(sbatch.parse(stdout), False)
        except ValueError as problem:
            error = SlurmError(errors.UNKNOWN_OUTCOME, 'submitted the job "{0}", but {1}'.format(name, problem))
            return self.await_submission(name, user, ignore, give_up - self.clock.monotonic(), error)

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

    def test_only(self, name, script_path, args=(), script_args=()):
        """What `sbatch --test-only` says (dict, see sbatch.parse_test); SlurmError when it would be refused."""
        argv = sbatch.argv(name, script_path, args, script_args, test_only=True)
        rc, stdout, stderr = self.call(argv)
        if rc != 0:
            raise errors.from_result('submit the job "{0}"'.format(name), argv, rc, stdout, stderr)
        return sbatch.parse_test(stderr)

    # -- ending ------------------------------------------------------------------------------------------------

    def cancel(self, ids, owner_name_prefix=None, signal=None, batch=False, deadline_s=60):
        """Cancel jobs by id; returns the ids (list of str) that scancel was run for.

        With owner_name_prefix (str) only jobs that live and whose name begins with it; SlurmError when the name of
        one cannot be found out. Repeats while slurmctld does not answer, until deadline_s: cancelling twice is
        harmless. wait_gone proves that they are gone.
        """
        ids = [str(job_id) for job_id in ids]

        def end_them():
            mine = ids if owner_name_prefix is None else self._named(ids, owner_name_prefix)
            if mine:
                argv = scancel.argv(mine, signal, batch)
                rc, stdout, stderr = self.call(argv)
                if errors.classify(rc, stdout, stderr) not in (None, errors.ALREADY_DONE, errors.INVALID_JOB_ID):
                    raise errors.from_result("cancel jobs " + ", ".join(mine), argv, rc, stdout, stderr)
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
