# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks a plan against the cluster in one remote call, before anything is submitted."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import (
    cluster,
    errors,
    sacctmgr,
    sbatch,
    scontrol,
    sinfo,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import estimate, formatting, preflight, rest_submit
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.inputs import cluster_paths
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Remote, Result
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import RunAction, RunFailed
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import write_at_once

ACCOUNTING = ("qos", "associations")
REMEMBERED_S = 600.0
PATIENCE_S = 120.0  # a restart of slurmctld takes less
_SCRATCH = 'mkdir -p "$1/runs" 2>&1 && [ -w "$1/runs" ] || { echo "not writable for $(id -un)"; exit 1; }'
_MISSING = 'for path in "$@"; do [ -e "$path" ] || echo "$path"; done'


class ActionModule(RunAction):
    """See the module run_preflight for the options."""

    OPTIONS = {
        "plan": {"type": "dict", "required": True},
        "files": {"type": "dict", "required": True},
        "images": {"type": "list", "elements": "dict", "default": []},
        "describe": {"type": "bool", "default": True},
    }

    def act(self) -> dict[str, Any]:
        """Fail with every problem at once; in check mode ask sbatch too, which then submits nothing."""
        plan = self.options["plan"]
        if self.options["describe"]:
            service, clients = plan["service"], plan["clients"]
            types = ", ".join(each["type"] for each in [service, *plan["companions"]])
            loaders = formatting.plural(clients["count"], f"{clients['type']} client")
            self.say(f"run {plan['run_id']}: {types} with {loaders}")
            self.say(estimate.sentence(plan))
        remote = self.remote()
        known = None if self.by_rest else self._remembered()
        facts = self._patiently(remote, plan, known)
        found = preflight.problems(plan, facts)
        if found and known:
            # what was remembered may be out of date: it may let a plan pass (sbatch judges again), never refuse one
            facts = self._patiently(remote, plan, None)
            found = preflight.problems(plan, facts)
        if not found and self.by_rest:
            found = self._sayable(remote)
        elif not found and self.check_mode:
            found = self._test_only(remote)
        if found:
            listed = "\n".join(f"  {text}" for text in found)
            raise RunFailed(
                f"{plan['recipe']['path']} does not fit the cluster {self.host}; nothing was submitted:\n{listed}"
            )
        return {"slurm": facts["version"], "gathering": facts["gathering"], "calls": dict(remote.calls)}

    def _patiently(self, remote: Remote, plan: dict[str, Any], known: dict[str, Any] | None) -> dict[str, Any]:
        """The cluster's facts, asked again while slurmctld does not answer."""

        def ask() -> dict[str, Any]:
            try:
                return self._ask(remote, plan, known)
            except SlurmError as error:
                if error.transient:
                    self.say(error.message)
                raise

        return self.slurm(remote).patiently(ask, PATIENCE_S)

    def _ask(self, remote: Remote, plan: dict[str, Any], known: dict[str, Any] | None) -> dict[str, Any]:
        """The cluster's facts; QOS and associations only when they are not remembered (sacctmgr takes its time)."""
        commands = self._commands(plan)
        if self.by_rest:
            answers = remote.batch({key: commands[key] for key in ("scratch", "files")})
            return {**self._of_files(plan, answers), **self._of_slurm(remote)}
        for key in ACCOUNTING if known else ():
            del commands[key]
        answers = remote.batch(commands)
        if known:
            answers |= {key: Result(0, known[key].encode(), b"") for key in ACCOUNTING}
        elif all(answers[key].rc == 0 for key in ACCOUNTING):
            text = json.dumps({"at": time.time(), **{key: answers[key].out for key in ACCOUNTING}})
            write_at_once(self._memory(), text.encode())
        return self._facts(plan, answers)

    def _memory(self) -> Path:
        return self.home / "cache" / f"accounting-{self.host}.json"

    def _remembered(self) -> dict[str, Any] | None:
        """What accounting said of this cluster and user in the last minutes, or None."""
        try:
            known = json.loads(self._memory().read_text())
        except (OSError, ValueError):
            return None
        fresh = 0 <= time.time() - known.get("at", 0) < REMEMBERED_S
        return known if fresh and all(isinstance(known.get(key), str) for key in ACCOUNTING) else None

    def _commands(self, plan: dict[str, Any]) -> dict[str, list[str]]:
        # the login name is known only there: ssh's own configuration may choose it
        mine = shlex.join(sacctmgr.associations_argv("USER")).replace("user=USER", 'user="$(id -un)"')
        return {
            "config": scontrol.show_argv("config"),
            "partitions": scontrol.show_argv("partition"),
            "nodes": sinfo.argv(),
            "qos": sacctmgr.qos_argv(),
            "associations": ["sh", "-c", mine],
            "scratch": ["sh", "-c", _SCRATCH, "sh", plan["cluster"]["scratch"]],
            "files": ["sh", "-c", _MISSING, "sh", *self._needed(), *[path for _field, path in cluster_paths(plan)]],
        }

    def _needed(self) -> list[str]:
        """Paths of images, and of what they are built from, that must be on the cluster."""
        return [image["needs"] for image in self.options["images"]]

    def _facts(self, plan: dict[str, Any], answers: dict[str, Result]) -> dict[str, Any]:
        for key in ("config", "partitions", "nodes"):
            if answers[key].rc != 0:
                doing = f"ask Slurm on {self.host}"
                raise errors.from_result(doing, [key], answers[key].rc, answers[key].out, answers[key].err)
        config = scontrol.parse_config(answers["config"].out)
        groups = sinfo.parse(answers["nodes"].out)
        partitions = [
            cluster.partition(record, [group for group in groups if group["partition"] == record["PartitionName"]])
            for record in scontrol.records(answers["partitions"].out)
        ]
        facts = {
            **self._of_files(plan, answers),
            "version": config.get("SLURM_VERSION"),
            "gathering": cluster.gathering(config),
            "partitions": partitions,
        }
        # without accounting, or while it does not answer, sbatch is the judge
        if answers["qos"].rc == 0 and answers["associations"].rc == 0:
            associations = [
                entry
                for entry in sacctmgr.parse_associations(answers["associations"].out)
                if entry["cluster"] == config.get("ClusterName")
            ]
            facts["associations"] = associations
            facts["may"] = cluster.may(partitions, associations, sacctmgr.parse_qos(answers["qos"].out))
        return facts

    def _of_files(self, plan: dict[str, Any], answers: dict[str, Result]) -> dict[str, Any]:
        missing = answers["files"].out.split("\n")[:-1]
        return {
            "missing_images": [image for image in self.options["images"] if image["needs"] in missing],
            "missing_inputs": [(field, path) for field, path in cluster_paths(plan) if path in missing],
            "scratch_error": None if answers["scratch"].rc == 0 else answers["scratch"].out.strip(),
        }

    def _of_slurm(self, remote: Remote) -> dict[str, Any]:
        """The facts that slurmrestd knows."""
        client = self.slurm(remote)
        facts = cluster.gather(client, client.slurm.user_name)
        remote.calls.update(client.counts)
        return facts

    def _sayable(self, remote: Remote) -> list[str]:
        """What of the scripts can't be said to slurmrestd, which has no test of its own."""
        client, said = self.slurm(remote), []
        for name, script in self.options["files"].items():
            if name.endswith(".sbatch"):
                try:
                    client.test_only(name, script.strip() + "\n", rest_submit.options(client.slurm, "/", "/"))
                except SlurmError as error:
                    said.append(f"{name}: {error}")
        if not client.slurm.warns_script:
            self.say("slurmrestd v0.0.38 cannot warn the jobs a minute before their time limit: they are told at it")
        if self.check_mode and not said:
            self.say("slurmrestd cannot test a submission: Slurm itself was not asked about the scripts")
        return said

    def _test_only(self, remote: Remote) -> list[str]:
        """What Slurm itself says of the scripts, without submitting them."""
        said = []
        for name, script in self.options["files"].items():
            if not name.endswith(".sbatch"):
                continue
            answer = remote.shell(
                "exec sbatch --test-only", stdin=script.lstrip().encode() + b"\n", counts=["sbatch --test-only"]
            )
            if answer.rc != 0:
                argv = ["sbatch", "--test-only", name]
                said.append(str(errors.from_result(f"submit {name}", argv, answer.rc, answer.out, answer.err)))
            else:
                start = sbatch.parse_test(answer.err)
                self.say(f"{name}: Slurm would accept it; {start.get('text') or answer.err.strip()}")
        return said
