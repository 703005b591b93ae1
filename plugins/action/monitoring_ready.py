# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waits until Prometheus and Grafana are healthy, and says where they are and how to reach them from here."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.run_dir import ENDPOINT, SERVICE_FAILED
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import jobs as run_jobs
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Remote
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import (
    UNREACHABLE_S,
    RunAction,
    RunFailed,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, write_at_once

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 10.0
_FAILED, _NOT_YET, _GONE = 5, 4, 3
# one line of JSON, then the passwords, each a line
_LOOK = f"""cd "$1" || exit {_GONE}; ls control >/dev/null
[ ! -e control/{SERVICE_FAILED} ] || {{ cat control/{SERVICE_FAILED}; exit {_FAILED}; }}
[ -e control/{ENDPOINT} ] || exit {_NOT_YET}
cat control/{ENDPOINT} secrets/password secrets/prometheus/password"""
_LOCAL_PORTS = {"grafana": 3000, "prometheus": 9090}
_USERS = {"grafana": "admin", "prometheus": "prometheus"}


class ActionModule(RunAction):
    """See the module monitoring_ready for the options."""

    OPTIONS = {
        "run": {"type": "str", "required": True},
        "timeout_s": {"type": "float", "default": 600.0},
    }

    def act(self) -> dict[str, Any]:
        """Return where Grafana and Prometheus are; their passwords are written into files of mode 0600."""
        run = self.find(self.options["run"])
        remote = self.remote(patience_s=UNREACHABLE_S)
        services, passwords = self._await(remote, run)
        found: dict[str, Any] = {"run": run.id, "tunnel": self._tunnel(services)}
        for name, service in services.items():
            file = self.home / f"{self.host}-{name}.password"
            write_at_once(Path(file), passwords[name].encode() + b"\n", 0o600)
            found[name] = {
                "url": f"http://{service['address']}:{service['port']}",
                "here": f"http://localhost:{_LOCAL_PORTS[name]}" if found["tunnel"] else "",
                "user": _USERS[name],
                "password_file": str(file),
            }
        return found

    def _await(self, remote: Remote, run: RunDirectory) -> tuple[dict[str, Any], dict[str, str]]:
        """The endpoint and the password of each service, by its name. Raises RunFailed."""
        run_dir, client = run.read_json("plan.json")["run_dir"], self.slurm(remote)
        records = run_jobs.read(run) or run_jobs.adopt(run, client)
        give_up, wait_s = time.monotonic() + self.options["timeout_s"], FIRST_WAIT_S
        while True:
            answer = remote.shell(_LOOK, run_dir)
            if answer.rc == 0:
                text, *passwords = answer.out.splitlines()
                told = json.loads(text)
                services = {"grafana": told["services"][0], "prometheus": told["companions"]["prometheus"][0]}
                return services, dict(zip(services, passwords, strict=True))
            state = self._state(client, records)
            if answer.rc == _FAILED:
                failed = json.loads(answer.out)
                tail = "\n".join(failed.get("log_tail") or [])
                raise RunFailed(f"{failed['reason']}\n{tail}\n{self._remedy(run)}".replace("\n\n", "\n"))
            if answer.rc != _NOT_YET or not state:
                raise RunFailed(f"the job of the stack has ended before it was ready. {self._remedy(run)}")
            if time.monotonic() > give_up:
                raise RunFailed(
                    f"not ready after {self.options['timeout_s']:g} s: job {state}. It goes on; "
                    "start it again to see where it is, or set monitoring_wait_s"
                )
            time.sleep(wait_s)
            wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)

    def _state(self, client: SlurmClient, records: list[dict[str, Any]]) -> str:
        """The jobs that live, in words; empty when none does."""
        found = client.jobs([job["id"] for job in records]).values()
        return ", ".join(f"{job.id} {job.state} {job.reason or ''}".strip() for job in found if not job.gone)

    def _remedy(self, run: RunDirectory) -> str:
        return (
            f"Its logs: logs/ of run {run.id}, which -e monitoring_state=stopped brings to {run.path}; "
            "then start it again"
        )

    def _tunnel(self, services: dict[str, Any]) -> str:
        """The command that makes both reachable on the controller; empty where its nodes are this machine's."""
        if self._connection.transport != "ssh":
            return ""
        words = ["ssh", "-N"]
        for name, service in services.items():
            words += ["-L", f"{_LOCAL_PORTS[name]}:{service['address']}:{service['port']}"]
        get = self._connection.get_option
        user, host, port, key = (get(name) for name in ("remote_user", "host", "port", "private_key_file"))
        words += ["-p", str(port)] if port and int(port) != 22 else []
        words += ["-i", str(key)] if key else []
        return shlex.join([*words, f"{user}@{host}" if user else str(host)])
