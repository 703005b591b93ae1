# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Slurm by its commands: one method per question or order, each of which runs one command.

rest/slurm.py has the same methods for slurmrestd; client.py decides on top of either. The only I/O is
`run(argv, stdin=None) -> (rc, stdout, stderr)`, which is handed in: a module gives AnsibleModule.run_command, an action
plugin a command over its connection. It must not raise for a command that fails.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import (
    errors,
    sacct,
    sacctmgr,
    sbatch,
    scancel,
    scontrol,
    sinfo,
    squeue,
    table,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError

HISTORY = "now-60days"  # how far back accounting is searched for a job name


class Commands:
    """Slurm's commands. counts (dict command → int) says how often each was run. Methods raise SlurmError."""

    def __init__(self, run):
        self._run = run
        self.counts = {}

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

    # -- jobs --------------------------------------------------------------------------------------------------

    def queue_by_id(self, doing, ids):
        """Rows (list of Job) of slurmctld for job ids. A single unknown id is an error (invalid_job_id)."""
        return self.ask(doing, squeue.argv(ids=ids), squeue.parse)

    def queue_by_name(self, doing, names, user):
        """Rows of slurmctld for exact job names of a user (None: the caller)."""
        return self.ask(doing, squeue.argv(names=names, user=user, mine=user is None), squeue.parse)

    def queue_of_mine(self, doing):
        """Rows of slurmctld for all jobs of the caller."""
        return self.ask(doing, squeue.argv(mine=True), squeue.parse)

    def queue_of_all(self, doing):
        """Rows of slurmctld for all jobs that the caller may see."""
        return self.ask(doing, squeue.argv(), squeue.parse)

    def records_by_id(self, doing, ids, steps=False):
        """Records (list of Job) of accounting for job ids; with `steps` (bool) they have their steps."""
        return self.ask(doing, sacct.argv(ids=ids, steps=steps), sacct.parse_full if steps else sacct.parse)

    def records_by_name(self, doing, names, user):
        """Records of accounting for exact job names of a user (None: the caller), as far back as HISTORY."""
        return self.ask(doing, sacct.argv(names=names, user=user, since=HISTORY), sacct.parse)

    def details(self, job_id):
        """What slurmctld knows beyond its rows of a job (list of Job), its exit code for one; empty on any error."""
        rc, stdout, _unused = self.call(scontrol.show_job_argv(job_id))
        return scontrol.parse_jobs(stdout) if rc == 0 else []

    def steps(self, doing, ids):
        """Steps (list of dict, see sacct.parse_steps) of jobs."""
        return self.ask(doing, sacct.steps_argv(ids), sacct.parse_steps)

    def question(self, job_id, source):
        """How a person asks the same (str) about a job of which `source` (see Job) told."""
        command = sacct.argv(ids=[job_id]) if source == "sacct" else squeue.argv(ids=[job_id])
        return " ".join(command[len(table.ENVIRONMENT) :]).replace(table.SEPARATOR, "|")

    # -- orders ------------------------------------------------------------------------------------------------

    def submit(self, doing, name, script, args=(), script_args=()):
        """The id (str) of a job that is submitted under a name. script: path of its script; args: see sbatch.argv.

        Of kind unreachable or unknown_outcome when the job may have been accepted.
        """
        argv = sbatch.argv(name, script, args, script_args)
        rc, stdout, stderr = self.call(argv)
        if rc != 0:
            raise errors.from_result(doing, argv, rc, stdout, stderr)
        try:
            return sbatch.parse(stdout)
        except ValueError as problem:
            raise SlurmError(errors.UNKNOWN_OUTCOME, 'submitted the job "{0}", but {1}'.format(name, problem))

    def test_submission(self, doing, name, script, args=(), script_args=()):
        """What `sbatch --test-only` says (dict, see sbatch.parse_test); SlurmError when it would be refused."""
        argv = sbatch.argv(name, script, args, script_args, test_only=True)
        rc, stdout, stderr = self.call(argv)
        if rc != 0:
            raise errors.from_result(doing, argv, rc, stdout, stderr)
        return sbatch.parse_test(stderr)

    def shown(self, name, script, args=(), script_args=()):
        """How a person would submit the same (list of str)."""
        return sbatch.argv(name, script, args, script_args)[len(table.ENVIRONMENT) :]

    def cancel(self, doing, ids, signal=None, batch=False):
        """Cancel jobs by id. That one has ended, or is not known any more, is no error."""
        argv = scancel.argv(ids, signal, batch)
        rc, stdout, stderr = self.call(argv)
        if errors.classify(rc, stdout, stderr) not in (None, errors.ALREADY_DONE, errors.INVALID_JOB_ID):
            raise errors.from_result(doing, argv, rc, stdout, stderr)

    # -- the cluster -------------------------------------------------------------------------------------------

    def config(self):
        """Key to value (dict of str) of the controller's configuration."""
        return self.ask("read the configuration of Slurm", scontrol.show_argv("config"), scontrol.parse_config)

    def partitions(self):
        """Partitions (list of dict of str) in scontrol's words."""
        return self.ask("list partitions", scontrol.show_argv("partition"), scontrol.records)

    def groups(self):
        """Groups of alike nodes (list of dict, see sinfo.parse)."""
        return self.ask("list nodes", sinfo.argv(), sinfo.parse)

    def pings(self):
        """Whether each slurmctld answers: list of dict mode, host, up."""
        # Its exit status differs by version and says nothing that its text does not say.
        return scontrol.parse_ping(self.call(scontrol.ping_argv())[1])

    def qos(self):
        """QOS (list of dict, see sacctmgr.parse_qos)."""
        return self.ask("list QOS", sacctmgr.qos_argv(), sacctmgr.parse_qos)

    def associations(self, user, cluster):
        """A user's associations on a cluster (list of dict, see sacctmgr.parse_associations)."""
        argv = sacctmgr.associations_argv(user, cluster)
        return self.ask("list the accounts of " + user, argv, sacctmgr.parse_associations)

    def user(self, name, found):
        """The user (dict, see sacctmgr.parse_user) or None. found: the user's associations."""
        return self.ask("look up the user " + name, sacctmgr.user_argv(name), sacctmgr.parse_user)
