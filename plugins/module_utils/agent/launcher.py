# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starts N clients, and carries messages to and from them.

In a Slurm job one srun starts them all and broadcasts its standard input; elsewhere they are children of this
process ("local"). Either way one reader thread per pipe puts what comes into one queue.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.console import tell
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.processes import stop_group

# "srun: error: mel0001: tasks 3,5-7: Killed", "srun: error: mel0001: task 3: Exited with exit code 1"
_TASKS_ENDED = re.compile(r"^srun: error: \S+: tasks? ([0-9,\-]+): (.+)$")


def srun_argv(count, placement="separate", component=1):
    """The command (list of str) that starts `count` tasks of one step on all nodes that the clients have.

    With the placement `together` these are the nodes of the job's last component (its number), after those of the
    services; srun takes the first by itself.
    With `shared` members of the service may be a step of the same nodes.
    """
    component = {"together": ["--het-group=%d" % component], "shared": ["--overlap"]}.get(placement, [])
    return [
        "srun",
        "--ntasks=%d" % count,
        "--kill-on-bad-exit=0",
        "--wait=0",
        "--cpu-bind=none",
        "--export=ALL",
        "--job-name=clients",
        *component,
    ]


def lost_tasks(line):
    """(numbers, reason) of the tasks that a line of srun's standard error reports as ended, else ([], "")."""
    found = _TASKS_ENDED.match(line.strip())
    if not found:
        return [], ""
    numbers = []
    for part in found.group(1).split(","):
        first, dash, last = part.partition("-")
        numbers += range(int(first), int(last if dash else first) + 1)
    return numbers, found.group(2)


class Launcher:
    """The clients as a whole.

    messages (queue.Queue of dict): their answers, each with `received` (epoch, s), and {"op": "lost", "client",
    "reason"}.
    """

    def __init__(self, count, spec_path, container, placement="separate", component=1):
        self.count = count
        self.srun = srun_argv(count, placement, component)
        agent = os.path.abspath(sys.argv[0])
        self.client_argv = [sys.executable, agent, "client", "--spec", os.path.abspath(spec_path)]
        if container:
            self.client_argv += ["--", *list(container)]
        self.messages = queue.Queue()
        self.processes = []
        self.tail = []
        self.threads = []

    @property
    def kind(self):
        """`srun` in a Slurm job, else `local`."""
        return "srun" if os.environ.get("SLURM_JOB_ID") and shutil.which("srun") else "local"

    def start(self):
        """Start all clients. Raises AgentError."""
        try:
            if self.kind == "srun":
                self._start(self.srun + self.client_argv, os.environ, range(self.count))
            else:
                for number in range(self.count):
                    self._start(self.client_argv, dict(os.environ, AIFACTORY_CLIENT=str(number)), [number])
        except OSError as e:
            raise AgentError("cannot start the clients: %s" % e)

    def _start(self, argv, env, numbers):
        # in a job there is no AnsibleModule
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C or signal to our group is ours to handle
        )
        self.processes.append(process)
        for target in (self._read_answers, self._read_complaints):
            thread = threading.Thread(target=target, args=(process, numbers), daemon=True)
            thread.start()
            self.threads.append(thread)

    def _read_answers(self, process, numbers):
        for line in process.stdout:
            received = time.time()
            try:
                message = json.loads(line.decode("utf-8"))
                number, op = message["client"], message["op"]
            except (ValueError, KeyError, TypeError):
                self._complain("not an answer of a client: %r" % line[:200])
                continue
            if number in numbers and op:
                message["received"] = received
                self.messages.put(message)
        code = process.wait()
        for number in numbers:
            self.messages.put({"op": "lost", "client": number, "reason": "ended with exit code %d" % code})

    def _read_complaints(self, process, numbers):
        for line in process.stderr:
            text = line.decode("utf-8", "replace").rstrip()
            self._complain(text)
            lost, reason = lost_tasks(text)
            for number in lost:
                self.messages.put({"op": "lost", "client": number, "reason": reason})

    def _complain(self, text):
        self.tail = [*self.tail[-19:], text]
        tell(text)

    def send(self, op, **fields):
        """Send one order to all clients; those that have ended are known by their `lost`."""
        line = (json.dumps(dict(fields, op=op), separators=(",", ":")) + "\n").encode("utf-8")
        for process in self.processes:
            try:
                process.stdin.write(line)
                process.stdin.flush()
            except (BrokenPipeError, ValueError):
                continue

    def stop(self, deadline_s, lost=()):
        """Let the clients quit, and clean up after those that are lost; end who has not after `deadline_s`."""
        self.send("quit", lost=list(lost))
        for process in self.processes:
            try:
                process.stdin.close()
            except BrokenPipeError:
                continue  # it has ended already
        end = time.monotonic() + deadline_s
        for process in self.processes:
            try:
                process.wait(timeout=max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                stop_group(process)
        for thread in self.threads:
            thread.join(2)
