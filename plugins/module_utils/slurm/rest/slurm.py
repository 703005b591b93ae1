# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Slurm by slurmrestd: the methods of commands.py, each a request or a few of them. All I/O through server.Server."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time
from urllib.parse import quote

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import errors
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.jobid import JobId, is_job_id
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest import (
    answers,
    facts,
    jobs,
    submission,
    tokens,
)

# One of these is in every Slurm from 22.05 on, each of which has three versions: 24.05 to 25.05, 25.05 to 26.05, 23.11
# to 24.11, 22.05 to 23.11, 25.11 on.
VERSIONS = (41, 43, 40, 38, 45)
HISTORY_S = 60 * 86400  # how far back accounting is searched for a job name
# So many jobs are asked for one by one: the list of all jobs costs slurmctld more.
FEW = 4


def api_number(version):
    """The last number (int) of an API's version such as `v0.0.41`. Raises SlurmError for another text."""
    words = str(version).strip().lstrip("v").split(".")
    if len(words) != 3 or words[:2] != ["0", "0"] or not words[2].isdigit() or int(words[2]) < min(VERSIONS):
        raise SlurmError(
            "usage",
            "benchmark_slurmrestd_version: {0!r} is no version that can be used".format(version),
            "write such as v0.0.41, v0.0.38 or newer, or leave it away",
        )
    return int(words[2])


class RestSlurm:
    """Slurm through a slurmrestd.

    server: see server.Server; token: see tokens.clean; user: the token's when None; version (str or None): of the API,
    such as v0.0.41; None tries those of VERSIONS. counts (dict) says how often each resource was asked.
    """

    def __init__(self, server, token, user=None, version=None, clock=time):
        self._server = server
        self._token = token
        self._user = tokens.user_of(token, user)
        self._clock = clock
        self._api = api_number(version) if version else None
        self.counts = {}

    @property
    def user_name(self):
        """The user (str) whose token it is."""
        return self._user

    @property
    def warns_script(self):
        """Whether a job's script can be signalled before its time limit (--signal=B:): not by v0.0.38."""
        return self._version() > submission.DICT_API

    # -- one request -------------------------------------------------------------------------------------------

    def _path(self, part, api):
        service, _slash, rest = part.partition("/")
        return "/{0}/v0.0.{1}/{2}".format(service, api, rest)

    def _send(self, doing, method, part, api, body=None):
        """(HTTP status, answer) of one request to such as `slurm/jobs?x=y` of one version of the API."""
        tokens.check(self._token, self._clock)
        name = "/".join(part.partition("?")[0].split("/")[:2])
        key = "{0} {1}".format(method, name)
        self.counts[key] = self.counts.get(key, 0) + 1
        headers = {"X-SLURM-USER-NAME": self._user, "X-SLURM-USER-TOKEN": self._token}
        path = self._path(part, api)
        status, text = self._server.request(method, path, headers, body)
        return status, answers.parse(doing, status, text, self._path("slurm/", api).rstrip("/"))

    def _version(self):
        """The number of the API's version: what was set, or the first of VERSIONS that the server has."""
        if self._api is not None:
            return self._api
        for api in VERSIONS:
            try:
                # a resource that needs no slurmctld to be refused as unknown, and is small otherwise
                self._send("find out the API's version", "GET", "slurm/licenses", api)
            except SlurmError as error:
                if error.kind != answers.NO_SUCH_API:
                    raise
                continue
            self._api = api
            return api
        raise SlurmError(
            answers.NO_SUCH_API,
            "{0} has no API from v0.0.{1} on".format(self._server.url, min(VERSIONS)),
            "check benchmark_slurmrestd_url; set benchmark_slurmrestd_version to a version of its /openapi",
        )

    def _request(self, doing, method, part, body=None):
        return self._send(doing, method, part, self._version(), body)

    def _get(self, doing, part):
        """The answer (dict) to a question. Raises SlurmError for an error in it."""
        status, answer = self._request(doing, "GET", part)
        return answers.check(doing, status, answer)

    # -- jobs --------------------------------------------------------------------------------------------------

    def queue_by_id(self, doing, ids):
        """Rows (list of Job) of slurmctld for job ids. A single unknown id is an error (invalid_job_id)."""
        bases = list(dict.fromkeys(JobId(job_id).base for job_id in ids))
        if len(bases) > FEW:
            rows = jobs.controller_jobs(self._get(doing, "slurm/jobs"))
            return [row for row in rows if JobId(row.id).base in bases or row.raw_id in bases]
        rows = []
        for base in bases:
            try:
                rows += jobs.controller_jobs(self._get(doing, "slurm/job/" + base))
            except SlurmError as error:
                if error.kind != errors.INVALID_JOB_ID or len(bases) == 1:
                    raise
        return rows

    def queue_by_name(self, doing, names, user):
        """Rows of slurmctld for exact job names of a user (None: the token's)."""
        rows = jobs.controller_jobs(self._get(doing, "slurm/jobs"))
        return [row for row in rows if row.name in names and row.user == (user or self._user)]

    def queue_of_mine(self, doing):
        """Rows of slurmctld for all jobs of the token's user."""
        return [row for row in jobs.controller_jobs(self._get(doing, "slurm/jobs")) if row.user == self._user]

    def queue_of_all(self, doing):
        """Rows of slurmctld for all jobs that the token's user may see."""
        return jobs.controller_jobs(self._get(doing, "slurm/jobs"))

    def _records(self, doing, conditions, steps=False):
        query = "&".join("{0}={1}".format(key, quote(str(value), safe="")) for key, value in conditions)
        return jobs.accounting_jobs(self._get(doing, "slurmdb/jobs?" + ("" if steps else "skip_steps=true&") + query))

    def _several(self, key, values):
        """Conditions for several values: v0.0.38 takes a list with commas, newer versions the key again."""
        if self._version() <= submission.DICT_API:
            return [(key, ",".join(values))]
        return [(key, value) for value in values]

    def records_by_id(self, doing, ids, steps=False):
        """Records (list of Job) of accounting for job ids; with `steps` (bool) they have their steps."""
        bases = list(dict.fromkeys(JobId(job_id).base for job_id in ids))
        return self._records(doing, self._several("step", bases), steps)

    def records_by_name(self, doing, names, user):
        """Records of accounting for exact job names of a user (None: the token's), as far back as HISTORY_S."""
        owner = user or self._user
        since = [("start_time", "uts{0}".format(int(self._clock.time()) - HISTORY_S))]
        # v0.0.38 can't be asked for a user's jobs only
        whose = [] if self._version() <= submission.DICT_API else [("users", owner)]
        found = self._records(doing, self._several("job_name", names) + since + whose)
        return [row for row in found if row.user == owner and row.name in names]

    def details(self, job_id):
        """Nothing: the rows hold all that slurmctld tells."""
        return []

    def steps(self, doing, ids):
        """Steps (list of dict, see sacct.parse_steps) of jobs."""
        found = []
        for base in dict.fromkeys(JobId(job_id).base for job_id in ids):
            found += jobs.steps(self._get(doing, "slurmdb/job/" + base))
        return found

    def question(self, job_id, source):
        """How a person asks the same (str) about a job of which `source` (see Job) told."""
        service = jobs.ACCOUNTING if source == jobs.ACCOUNTING else jobs.CONTROLLER
        return "GET " + self._path("{0}/job/{1}".format(service, JobId(job_id).base), self._version())

    # -- orders ------------------------------------------------------------------------------------------------

    def submit(self, doing, name, script, args=(), script_args=()):
        """The id (str) of a job that is submitted under a name. script: its text; args: see sbatch.argv.

        Of kind unreachable or unknown_outcome when the job may have been accepted.
        """
        if not script.startswith("#!"):
            raise SlurmError(
                "script", "cannot {0}: its first line names no interpreter".format(doing), "write such as #!/bin/bash"
            )
        body = submission.body(name, script, args, script_args, api=self._version(), user=self._user, clock=self._clock)
        status, answer = self._request(doing, "POST", "slurm/job/submit", body)
        return answers.submitted(doing, status, answer)

    def test_submission(self, doing, name, script, args=(), script_args=()):
        """None: slurmrestd has no --test-only. SlurmError for what can't be said to it."""
        submission.body(name, script, args, script_args, api=self._version(), user=self._user, clock=self._clock)

    def shown(self, name, script, args=(), script_args=()):
        """What is sent (list of str), for a person."""
        return ["POST", self._path("slurm/job/submit", self._version())]

    def cancel(self, doing, ids, signal=None, batch=False):
        """Cancel jobs by id. That one has ended, or is not known any more, is no error."""
        wrong = [job_id for job_id in ids if not is_job_id(job_id)]
        if wrong or not ids:
            raise ValueError("cancelling needs job ids, not " + (", ".join(map(repr, wrong)) or "nothing"))
        query = [("signal", signal)] if signal else []
        query += [("flags", "BATCH_JOB")] if batch and self._version() > submission.DICT_API else []
        tail = "?" + "&".join("=".join(item) for item in query) if query else ""
        for job_id in ids:
            status, answer = self._request(doing, "DELETE", "slurm/job/" + quote(str(job_id), safe="") + tail)
            error = answers.error_of(doing, status, answer)
            if error is not None and error.kind not in (errors.ALREADY_DONE, errors.INVALID_JOB_ID):
                raise error

    # -- the cluster -------------------------------------------------------------------------------------------

    def config(self):
        """What of the controller's configuration can be known (dict of str, keys as in scontrol show config)."""
        answer = self._get("ask slurmctld", "slurm/partitions")
        version, cluster = answers.release(answer)
        if not cluster:
            try:
                known = self._get("list clusters", "slurmdb/clusters").get("clusters") or []
            except SlurmError as error:
                if error.kind not in (errors.ACCOUNTING_OFF, errors.ACCOUNTING_UNREACHABLE):
                    raise
                known = []
            cluster = known[0].get("name") if len(known) == 1 else None
        storage = ((answer.get("meta") or {}).get("plugin") or {}).get("accounting_storage")
        return {
            "ClusterName": cluster,
            "SLURM_VERSION": version,
            "AccountingStorageType": storage or "accounting_storage/slurmdbd",
        }

    def partitions(self):
        """Partitions (list of dict of str) in scontrol's words."""
        return facts.partitions(self._get("list partitions", "slurm/partitions"))

    def groups(self):
        """Groups of alike nodes (list of dict, see sinfo.parse)."""
        return facts.groups(self._get("list nodes", "slurm/nodes"))

    def pings(self):
        """Whether each slurmctld answers: list of dict mode, host, up."""
        return facts.pings(self._get("ask whether slurmctld answers", "slurm/ping"))

    def qos(self):
        """QOS (list of dict, see sacctmgr.parse_qos)."""
        return facts.qos(self._get("list QOS", "slurmdb/qos"))

    def associations(self, user, cluster):
        """A user's associations on a cluster (list of dict, see sacctmgr.parse_associations)."""
        part = "slurmdb/associations?user=" + quote(user, safe="")
        return facts.associations(self._get("list the accounts of " + user, part), cluster)

    def user(self, name, found):
        """The user (dict, see sacctmgr.parse_user) or None. found: the user's associations."""
        return facts.user(self._get("look up the user " + name, "slurmdb/user/" + quote(name, safe="")), name, found)
