# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a service needs beforehand, such as a model's weights: fetched in its container, before its job starts.

The commands run one after another; the first that fails ends it, and with it the run. Nothing of them is left on the
node but what they wrote into the service's volumes.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import signal
import subprocess
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import (
    diagnosis,
    network,
    node_dirs,
    process_tree,
    run_dir,
    surroundings,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.events import EventLog

_ADDRESS = "127.0.0.1"  # for a command that starts a server of its own
_LOOK_EVERY_S = 0.25
_GRACE_S = 10.0
_SHORTEST_SECRET = 6  # characters; what is shorter could be any word


class Prefetch:
    """Runs the commands of service.prefetch. spec: spec.json (dict); argv (list of str): what runs the container."""

    def __init__(self, spec, argv):
        self.spec = spec
        self.service = spec["service"]
        self.dir = run_dir.RunDir(spec)
        self.events = EventLog(self.dir.path("events", "image.jsonl"), "image")
        self.log_path = self.dir.logs("prefetch.log")
        self.data_dir = node_dirs.path(spec, run_dir.service_part(spec))
        # of a service with several members each has a directory; here is one
        self.argv = [word.replace(self.data_dir + "-%t", self.data_dir) for word in argv]
        self.claim = None
        self.command = None

    def run(self):
        """All commands. Returns 0; raises AgentError, having said so in the event `failed`."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _on_signal)
        process_tree.become_subreaper()
        owns_data = False
        try:
            if self.service.get("data"):
                node_dirs.make(self.data_dir)
                owns_data = True
            self._all()
        except (AgentError, OSError) as e:
            tail = [self._masked(line) for line in getattr(e, "log_tail", [])]
            reason, code = self._masked(str(e)), getattr(e, "exit_code", None)
            self.events.emit("failed", reason=reason, command=self.command, exit_code=code, log_tail=tail)
            raise AgentError(reason)
        finally:
            problem = node_dirs.remove(self.data_dir) if owns_data else None
        if problem:
            raise AgentError("the directory %s can't be removed: %s" % (self.data_dir, problem))
        run_dir.write_text(self.dir.control(run_dir.PREFETCH_DONE), "")
        return 0

    def _all(self):
        commands = self.service["prefetch"]
        for number, command in enumerate(commands, 1):
            self.command = _short(command)
            self.events.emit("prefetch_started", command=self.command, number=number, count=len(commands))
            began = time.time()
            code = self._execute(command)
            if code:
                text = "the prefetch command '%s' ended with exit code %d" % (self.command, code)
                cause = diagnosis.explain(self.log_path, code)
                raise AgentError("; ".join(filter(None, (text, cause))), run_dir.tail(self.log_path), code)
            seconds = round(time.time() - began, 3)
            self.events.emit("prefetch_done", command=self.command, number=number, seconds=seconds)

    def _execute(self, command):
        """The exit code (int) of one command, of which no process is left."""
        with open(self.log_path, "ab") as log:
            log.write(("$ %s\n" % command.strip()).encode("utf-8"))
            log.flush()
            env = surroundings.environment(self.spec, self._variables, self.data_dir, self.dir.path("secrets"))
            process = surroundings.start([*self.argv, "/bin/sh", "-c", command], env, log)
        try:
            while True:
                try:
                    return process.wait(_LOOK_EVERY_S)
                except subprocess.TimeoutExpired:
                    if run_dir.STOP in self.dir.signs():
                        raise AgentError("stop was requested")
        finally:
            left = process_tree.end_all(process.pid, signal.SIGTERM, _GRACE_S)
            self._mask_log()
            if left:
                raise AgentError("%d %s is still running" % (left[0].pid, left[0].name))

    def _variables(self, data, secrets_dir):
        """SERVICE_* (dict of str): a port on this node alone, and no secrets, which the service's job makes."""
        if self.claim is None:
            self.claim = network.PortClaim(_ADDRESS, self.service.get("port"))
        return {
            "SERVICE_NAME": self.service["name"],
            "SERVICE_ADDRESS": _ADDRESS,
            "SERVICE_PORT": str(self.claim.port),
            "SERVICE_DATA": data,
            "BENCHMARK_ID": self.spec["run_id"],
        }

    def _mask_log(self):
        """The log becomes part of the report, and a command may have printed a secret."""
        with open(self.log_path, errors="replace") as log:
            text = log.read()
        masked = self._masked(text)
        if masked != text:
            run_dir.write_text(self.log_path, masked)

    def _masked(self, text):
        """A text without the recipe's secrets."""
        names = self.service.get("environment_secrets") or []
        try:
            values = run_dir.secret_variables(self.dir.root, run_dir.service_part(self.spec), names).values()
        except AgentError:
            return text  # they are not there: no command had them
        for value in values:
            for line in value.splitlines():
                if len(line) >= _SHORTEST_SECRET:
                    text = text.replace(line, "…")
        return text


def _short(command):
    text = " ".join(command.split())
    return text if len(text) <= 120 else text[:119] + "…"


def _on_signal(number, frame):
    raise AgentError("%s: the job was cancelled or reached its time limit" % signal.Signals(number).name)
