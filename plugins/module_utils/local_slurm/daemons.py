# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Daemons in the foreground as processes of our own: started, found again, replaced, stopped."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import os
import subprocess
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm import processes

LOG_TAIL_LINES = 12


class DaemonError(Exception):
    """A daemon did not start, or did not become ready; the message is for the user."""


class Daemon:
    """One daemon of a cluster.

    :param name: names its pid file and its log
    :param command: the argument list, staying in the foreground
    :param inputs: text that decides how it behaves (its configuration); a change means a restart
    :param log: file that its own log goes to
    :param environment: the whole environment of the process
    """

    def __init__(self, name, command, pid_file, log, environment, inputs):  # noqa: PLR0917
        self.name = name
        self.command = command
        self.pid_file = pid_file
        self.log = log
        self.environment = environment
        self.inputs = inputs

    def fingerprint(self):
        """A digest of all that it is started from."""
        parts = self.command + ["{0}={1}".format(*item) for item in sorted(self.environment.items())]
        return hashlib.sha256("\0".join([*parts, self.inputs]).encode()).hexdigest()[:16]

    def record(self):
        """The record of the running process, or None."""
        record = processes.parse_record(processes.read_text(self.pid_file) or "")
        return record if processes.is_running(record) else None

    def is_current(self):
        """Whether it runs, and from the present configuration."""
        record = self.record()
        return record is not None and record.fingerprint == self.fingerprint()

    def start(self):
        """Start it in a session of its own, away from our terminal and pipes; write the pid file."""
        output = os.path.splitext(self.log)[0] + ".out"
        with open(output, "wb") as sink:
            process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=self.environment,
                cwd="/",
                start_new_session=True,
            )
        record = processes.record_of(process.pid, self.fingerprint())
        if record is None:
            raise DaemonError(self.failure("ended at once with exit status {0}".format(process.wait())))
        with open(self.pid_file, "w") as stream:
            stream.write(record.line())

    def failure(self, what):
        """An error message with the last lines that the daemon wrote."""
        lines = []
        for path in (os.path.splitext(self.log)[0] + ".out", self.log):
            text = processes.read_text(path) or ""
            if text.strip():
                lines += ["{0}:".format(path), *text.splitlines()[-LOG_TAIL_LINES:]]
        return "{0} {1}. Command: {2}\n{3}".format(
            self.name, what, " ".join(self.command), "\n".join(lines) or "It wrote no log."
        )

    def forget(self):
        """Remove the pid file."""
        if os.path.exists(self.pid_file):
            os.unlink(self.pid_file)


def stop(daemons, grace_s=10.0):
    """Stop those that run, all at once, and remove their pid files.

    :returns: names of those that ran
    :raises DaemonError: when one cannot be ended
    """
    running = [(daemon, daemon.record()) for daemon in daemons]
    running = [(daemon, record) for daemon, record in running if record]
    left = processes.stop_all([record for _daemon, record in running], grace_s)
    if left:
        raise DaemonError("Process {0} cannot be ended, not even by SIGKILL.".format(left[0].pid))
    for daemon in daemons:
        daemon.forget()
    return [daemon.name for daemon, _record in running]


def wait_ready(what, probe, daemons, limit_s):
    """Call probe until it is true; fail early when one of the daemons has ended.

    :raises DaemonError: with the tail of the log of the daemon that died, or of the first one when the
        time is up
    """
    deadline = time.monotonic() + limit_s
    while not probe():
        for daemon in daemons:
            if daemon.record() is None:
                raise DaemonError(daemon.failure("ended while {0} was waited for".format(what)))
        if time.monotonic() > deadline:
            raise DaemonError(daemons[0].failure("did not get to {0} in {1:g} s".format(what, limit_s)))
        time.sleep(0.05)
