# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts a run's files on the cluster and submits its jobs, all in one remote call; each job once."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.run_dir import PREFETCH_DONE
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import errors
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import jobs as run_jobs
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import rest_submit, secret_files, zipapp
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance import at_submission
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Remote
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import (
    UNREACHABLE_S,
    RunAction,
    RunFailed,
    add_calls,
    controller_event,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, run_directory
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.shipment import inputs, pack

# What could not be unpacked is removed, but not what an earlier call, whose answer was lost, has made and submitted.
_SHIP = """umask 077; made=no; [ -e "$1" ] || made=yes
mkdir -p "$1" && tar -xzf - -C "$1" || { [ "$made" = no ] || rm -rf -- "$1"; exit 1; }
shift && cd "$1" && shift && sh ./submit.sh "$@" """
_SUBMIT = """cd "$1" && shift && sh ./submit.sh "$@" """
RETRY_PAUSE_S = 5.0


class ActionModule(RunAction):
    """See the module run_submit for the options."""

    OPTIONS = {
        "plan": {"type": "dict", "required": True},
        "spec": {"type": "dict", "required": True},
        "files": {"type": "dict", "required": True},
        "images": {"type": "list", "elements": "dict", "default": []},
        "slurm": {"type": "str"},
        "gathering": {"type": "dict"},
        "deadline_s": {"type": "float", "default": 300.0},
    }

    def act(self) -> dict[str, Any]:
        """Ship and submit; in check mode show the scripts instead."""
        self.plan = self.options["plan"]
        scripts = {name: text for name, text in self.options["files"].items() if name.endswith(".sbatch")}
        secrets = secret_files.shipped(self.plan, self.variable, pulls="image.sbatch" in scripts)
        if self.check_mode:
            for name in sorted(scripts, reverse=True):
                self._display.display(f"\n# ---- {name} ({self.host}) ----\n{scripts[name].rstrip()}")
            self.say("dry run: nothing was submitted")
            return {"scripts": scripts}
        run = run_directory(self.home, self.plan["run_id"])
        remote = self.remote(patience_s=UNREACHABLE_S)
        archive = self._write(run, secrets)
        roles = [role for role in run_jobs.ROLES if f"{role}.sbatch" in scripts]
        if self.by_rest:
            jobs = self._submit_by_rest(remote, archive, {role: scripts[f"{role}.sbatch"] for role in roles})
        else:
            jobs = self._submit(remote, archive, roles)
        run.write_json("jobs.json", jobs)
        controller_event(run, "submitted", jobs={job["role"]: job["id"] for job in jobs})
        add_calls(run, remote.calls)
        listed = ", ".join(f"{job['role']} job {job['id']}{' (adopted)' if job['adopted'] else ''}" for job in jobs)
        self.say(f"submitted: {listed}")
        return {"changed": True, "run": run.id, "jobs": jobs}

    def _write(self, run: RunDirectory, secrets: dict[str, bytes]) -> bytes:
        """Write the controller's copy of all that is shipped but the secrets; returns the archive for the cluster."""
        files = {name: text.rstrip().encode() + b"\n" for name, text in self.options["files"].items()}
        files["plan.json"] = json.dumps(self.plan, indent=2).encode()
        files["spec.json"] = json.dumps(self.options["spec"], indent=2).encode()
        files |= inputs(self.plan)
        for name, content in files.items():
            run.write_bytes(name, content)
        images = list(dict.fromkeys(image["path"] for image in self.options["images"]))
        fetched = [f"{self.plan['run_dir']}/control/{PREFETCH_DONE}"] if self.options["spec"]["fetches"] else []
        for name, paths in (("images.txt", images), ("needs.txt", images + fetched)):
            files[name] = "".join(f"{path}\n" for path in paths).encode()
        with tempfile.TemporaryDirectory() as folder:
            agent = Path(folder) / "agent.pyz"
            agent_sha256 = zipapp.build(agent)
            files["agent.pyz"] = agent.read_bytes()
        known = at_submission(
            self.plan,
            self.options["slurm"],
            agent_sha256,
            self._scripts(),
            self.options["images"],
            gathering=self.options["gathering"],
        )
        path = run.write_json("provenance.json", known)
        # for a controller that takes the run over
        files["provenance.json"] = path.read_bytes()
        return pack(files | secrets)

    def _scripts(self) -> dict[str, str]:
        """The texts of which provenance has the checksum."""
        return {**self.options["files"], "spec.json": json.dumps(self.options["spec"], indent=2, sort_keys=True)}

    def _submit(self, remote: Remote, archive: bytes, roles: list[str]) -> list[dict[str, Any]]:
        run_id, run_dir = self.plan["run_id"], self.plan["run_dir"]
        counts = [command for _role in roles for command in ("squeue", "sbatch")]
        give_up = time.monotonic() + self.options["deadline_s"]
        answer = remote.shell(_SHIP, run_dir, run_dir, run_id, *roles, stdin=archive, counts=counts)
        while True:
            if answer.rc != 0:
                raise RunFailed(
                    f"run {run_id}: its directory {run_dir} can't be made on {self.host}: {answer.err.strip()}. "
                    f"Check benchmark_scratch of {self.host} in the inventory (space, quota, permissions)"
                )
            jobs, failed = _parse(answer.out, run_id)
            if failed is None:
                return jobs
            role, rc, words = failed
            error = errors.from_result(
                f"submit {role}.sbatch on {self.host}", ["sbatch", f"{role}.sbatch"], rc, "", words
            )
            if not error.transient or time.monotonic() > give_up:
                self._take_back(remote, jobs)
                raise RunFailed(f"run {run_id}: {error}")
            self.say(f"{role}: {error.message}; the job is looked up before it is submitted again")
            if error.kind == errors.UNREACHABLE:
                # sbatch may have been accepted although it timed out: adopt it, never submit it twice
                client = self.slurm(remote)
                client.await_submission(
                    run_jobs.job_name(run_id, role), deadline_s=give_up - time.monotonic(), cause=error
                )
                remote.calls.update(client.counts)
            else:
                time.sleep(RETRY_PAUSE_S)
            answer = remote.shell(_SUBMIT, run_dir, run_id, *roles, counts=counts)

    def _submit_by_rest(self, remote: Remote, archive: bytes, scripts: dict[str, str]) -> list[dict[str, Any]]:
        run_id, run_dir = self.plan["run_id"], self.plan["run_dir"]
        client = self.slurm(remote)
        home, fetches = rest_submit.ship(remote, run_dir, archive)
        wanted = {role: text.strip() + "\n" for role, text in scripts.items() if role != "image" or fetches}
        jobs: list[dict[str, Any]] = []
        try:
            words = rest_submit.options(client.slurm, run_dir, home)
            for job in rest_submit.submit(client, run_id, wanted, words, self.options["deadline_s"]):
                jobs.append(job)
        except SlurmError as error:
            if error.kind != errors.UNKNOWN_OUTCOME:
                self._take_back(remote, jobs)
            raise RunFailed(f"run {run_id}: {error}") from error
        finally:
            remote.calls.update(client.counts)
        return jobs

    def _take_back(self, remote: Remote, jobs: list[dict[str, Any]]) -> None:
        """Cancel what was submitted before a later job was refused, and remove the run's directory."""
        ids = [job["id"] for job in jobs]
        if ids:
            client = self.slurm(remote)
            client.cancel(ids, owner_name_prefix=run_jobs.name_prefix(self.plan["run_id"]))
            self.say(f"cancelled job(s) {', '.join(ids)} of this run")
        remote.shell('rm -rf -- "$1"', self.plan["run_dir"])


def _parse(text: str, run_id: str) -> tuple[list[dict[str, Any]], tuple[str, int, str] | None]:
    """What submit.sh printed: the jobs, and (role, exit status, Slurm's words) of the first that failed."""
    jobs: list[dict[str, Any]] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        words = line.split()
        if words[:1] == ["job"]:
            jobs.append(run_jobs.submitted(words[1], run_id, words[2], adopted=words[3] == "adopted"))
        elif words[:1] == ["error"]:
            return jobs, (words[1], int(words[2]), "\n".join(lines[number + 1 :]))
    return jobs, None
