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
# srun asks slurmctld before it starts anything, and does not ask again when no answer comes
_NO_ANSWER = re.compile(
    r"^srun: error: Unable to (?:confirm allocation|create step) for job \S+: "
    r".*(?:timed out|contact slurm controller|Zero Bytes|Connection|endpoint)"
)
_START_S, _AGAIN_AFTER_S = 100.0, 2.0


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


def is_unanswered(lines):
    """Whether srun's complaints (list of str) say that slurmctld did not answer it, before there was any task."""
    return any(_NO_ANSWER.match(line) for line in lines)


class _Started:
    """A process that starts clients: argv, env, numbers (of its clients), complaints (list of str: its stderr)."""

    def __init__(self, argv, env, numbers):
        self.argv, self.env, self.numbers = argv, env, numbers
        self.complaints = []
        # in a job there is no AnsibleModule
        self.process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C or signal to our group is ours to handle
        )


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
        self.started = []
        self.orders = []  # for those who start later
        self.sending = threading.Lock()
        self.give_up_at = float("inf")
        self.tail = []
        self.threads = []

    @property
    def kind(self):
        """`srun` in a Slurm job, else `local`."""
        return "srun" if os.environ.get("SLURM_JOB_ID") and shutil.which("srun") else "local"

    def start(self):
        """Start all clients. Raises AgentError."""
        self.give_up_at = time.monotonic() + _START_S
        try:
            if self.kind == "srun":
                self._start(self.srun + self.client_argv, os.environ, range(self.count))
            else:
                for number in range(self.count):
                    self._start(self.client_argv, dict(os.environ, AIFACTORY_CLIENT=str(number)), [number])
        except OSError as e:
            raise AgentError("cannot start the clients: %s" % e)

    def _start(self, argv, env, numbers):
        started = _Started(argv, env, numbers)
        with self.sending:
            self.started.append(started)
            for line in self.orders:
                self._write(started, line)
        complaints = threading.Thread(target=self._read_complaints, args=(started,), daemon=True)
        answers = threading.Thread(target=self._read_answers, args=(started, complaints), daemon=True)
        for thread in (complaints, answers):
            thread.start()
            self.threads.append(thread)

    def _read_answers(self, started, complaints):
        heard = False
        for line in started.process.stdout:
            received = time.time()
            try:
                message = json.loads(line.decode("utf-8"))
                number, op = message["client"], message["op"]
            except (ValueError, KeyError, TypeError):
                self._complain("not an answer of a client: %r" % line[:200])
                continue
            if number in started.numbers and op:
                heard = True
                message["received"] = received
                self.messages.put(message)
        code = started.process.wait()
        complaints.join(2)
        if not heard and is_unanswered(started.complaints) and self._start_again(started):
            return
        for number in started.numbers:
            self.messages.put({"op": "lost", "client": number, "reason": "ended with exit code %d" % code})

    def _start_again(self, started):
        """Start those again whom slurmctld kept from starting. False: it was away for too long, or all is over."""
        time.sleep(_AGAIN_AFTER_S)
        if time.monotonic() > self.give_up_at:
            return False
        self._complain("slurmctld did not answer srun: the clients are started again")
        with self.sending:
            self.started.remove(started)
        try:
            self._start(started.argv, started.env, started.numbers)
        except OSError as e:
            self._complain("cannot start the clients again: %s" % e)
            return False
        return True

    def _read_complaints(self, started):
        for line in started.process.stderr:
            text = line.decode("utf-8", "replace").rstrip()
            started.complaints.append(text)
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
        with self.sending:
            self.orders.append(line)
            for started in self.started:
                self._write(started, line)

    @staticmethod
    def _write(started, line):
        try:
            started.process.stdin.write(line)
            started.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return

    def stop(self, deadline_s, lost=()):
        """Let the clients quit, and clean up after those that are lost; end who has not after `deadline_s`."""
        self.give_up_at = 0.0
        self.send("quit", lost=list(lost))
        processes = [started.process for started in self.started]
        for process in processes:
            try:
                process.stdin.close()
            except BrokenPipeError:
                continue  # it has ended already
        end = time.monotonic() + deadline_s
        for process in processes:
            try:
                process.wait(timeout=max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                stop_group(process)
        for thread in self.threads:
            thread.join(2)
