# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A shell that waits in the clients' container for commands, so that no container starts while time is taken.

Starting a container takes a tenth of a second of CPU, many at once take seconds: measured as the service's
latency it would be a lie, before the load it costs nothing. The same shell serves where there is no container.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import glob
import os
import select
import signal
import subprocess
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.processes import signal_group
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

# Runs each line that it reads, in a child; what that prints goes to standard error, its exit code to standard output.
_LOOP = 'while IFS= read -r line; do (eval "$line") </dev/null 1>&2; echo "$?"; done'
_START_DEADLINE_S = 120.0
_GRACE_S = 2.0
GONE = -1  # the "exit code" of a command whose shell was ended


class Shell:
    """One shell; one command at a time. container: the argv (list of str) that starts something in the image.

    env (dict): of the shell itself, where the runtime finds its binds. directory (str): for its files, seen by
    both sides. Not thread-safe but for `end`, which another thread may call while one waits.
    """

    def __init__(self, container, env, directory, name):
        self.argv = [*container, "sh", "-c", _LOOP]
        self.env = env
        self.output_path = os.path.join(directory, name + ".out")
        self.variables_path = os.path.join(directory, name + ".env")
        self.process = None
        self.answer = b""
        self.greeted = False
        # Appending, so that truncating it between commands moves their output to its start.
        self.output = os.open(self.output_path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self.set_variables({})

    def start(self):
        """Start it without waiting. Raises LoadError."""
        try:
            # in a job there is no AnsibleModule
            self.process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                self.argv,
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.output,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as e:
            raise LoadError("cannot start %s: %s" % (self.argv[0], e.strerror))
        self.answer, self.greeted = b"", False
        self._send("true")

    def ready(self):
        """Wait until it takes commands. Raises LoadError with the end of what it printed."""
        code = 0 if self.greeted else self.wait(_START_DEADLINE_S)
        self.greeted = code == 0
        if not self.greeted:
            raise LoadError("%s does not start: %s" % (" ".join(self.argv[:-3]) or "sh", self.tail() or "no answer"))

    def set_variables(self, variables):
        """The environment variables (dict) of the commands to come; a file of mode 0600, for secrets go by it."""
        text = "".join("export %s=%s\n" % (name, quote(str(value))) for name, value in variables.items())
        with os.fdopen(os.open(self.variables_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.write(text)

    def execute(self, line):
        """Begin a command (str, one line of shell); its output replaces that of the one before."""
        if self.process is None or self.process.returncode is not None:
            self.start()
        self.ready()
        os.ftruncate(self.output, 0)
        self._send(". %s; %s" % (quote(self.variables_path), line))

    def wait(self, timeout_s=None):
        """The exit code (int) of the command, GONE when the shell has ended, None when `timeout_s` is over."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while b"\n" not in self.answer:
            left_s = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self.process.stdout], [], [], left_s)[0]:
                return None
            more = os.read(self.process.stdout.fileno(), 100)
            if not more:
                self._collect()
                return GONE
            self.answer += more
        code, self.answer = int(self.answer), b""
        return code

    def tail(self, most_bytes=2000):
        """The end (str) of what the command has printed."""
        size = os.fstat(self.output).st_size
        return os.pread(self.output, most_bytes, max(0, size - most_bytes)).decode("utf-8", "replace").strip()

    def end(self, number=signal.SIGTERM):
        """Signal the shell and the command in it; who waits gets GONE. The next command starts a new one."""
        if self.process is not None:
            signal_group(self.process, number)

    def close(self):
        """End it, and wait for it."""
        if self.process is not None and self.process.returncode is None:
            self.process.stdin.close()
            self.end()
            self._collect()
        os.close(self.output)

    def _send(self, line):
        if "\n" in line:
            raise ValueError("a command is one line: %r" % line)
        try:
            self.process.stdin.write(line.encode("utf-8") + b"\n")
        except BrokenPipeError:
            return  # it has ended: wait() says so

    def _collect(self):
        """The shell has ended or was told to: what it started has the grace to end, too."""
        end = time.monotonic() + _GRACE_S
        while self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        signal_group(self.process, signal.SIGKILL)
        self.process.wait()
        while time.monotonic() < end and _group_lives(self.process.pid):
            time.sleep(0.01)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # nothing of it is left
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()


def _group_lives(group):
    """Whether a process of the group runs; those that ended and wait for somebody to collect them do not."""
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, errors="replace") as stream:
                state, _parent, found = stream.read().rsplit(")", 1)[1].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
        if int(found) == group and state not in ("Z", "X"):
            return True
    return False


def quote(text):
    """A word (str) for a POSIX shell."""
    return "'" + text.replace("'", "'\"'\"'") + "'"
