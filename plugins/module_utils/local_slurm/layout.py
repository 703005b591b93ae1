# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where everything of a local cluster lies, what of it runs, and how a command gets there."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import subprocess

from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm import daemons, processes

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Slurm's own commands give up on a silent daemon after MessageTimeout (10 s).
COMMAND_LIMIT_S = 30


class Layout:
    """A cluster's folder and its processes.

    :param params: the parameters that the module local_slurm documents
    """

    def __init__(self, params):
        self.params = params
        self.name = params["name"]
        self.nodes = params["nodes"]
        self.ports = params["ports"]
        self.rest_port = (self.ports or {}).get("slurmrestd")
        self.root = params["root"]
        self.base = params["directory"]
        self.dir = os.path.join(self.base, self.name)
        # A cluster that is to be stopped may be named without its root tree.
        self.in_namespace = bool(self.root) or os.path.exists(self.path("conf", "passwd"))

    def path(self, *parts):
        """A path in the cluster's folder."""
        return os.path.join(self.dir, *parts)

    def environment(self):
        """What a daemon or a Slurm command gets: nothing of the caller's environment."""
        return {"PATH": PATH, "LANG": "C.UTF-8", "SLURM_CONF": self.path("conf", "slurm.conf")}

    def conf(self, *names):
        """The text of files in conf, in one string; nothing for a file that is not there."""
        return "".join(processes.read_text(self.path("conf", name)) or "" for name in names)

    def run_files(self):
        """Names of the files in run; none when there is no such folder."""
        folder = self.path("run")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def records(self):
        """{daemon name: record} of all processes of this cluster that run, from its pid files."""
        found = {}
        for name in self.run_files():
            record = processes.parse_record(processes.read_text(self.path("run", name)) or "")
            if name.endswith(".pid") and processes.is_running(record):
                found[name[: -len(".pid")]] = record
        return found

    def enter(self):
        """The words before a command that take it into the cluster's mount namespace, if it has one.

        :raises DaemonError: when it has one that is not there
        """
        if not self.in_namespace:
            return []
        record = self.records().get("namespace")
        if record is None:
            raise daemons.DaemonError("The mount namespace of cluster {0} is not there.".format(self.name))
        return ["nsenter", "--target", str(record.pid), "--mount", "--wd=/", "--"]

    def run(self, command, text="", inside=True):
        """Run a command of the cluster's own.

        :param text: its standard input
        :param inside: whether in the cluster's mount namespace
        :returns: (exit status, stdout and stderr together); 124 after COMMAND_LIMIT_S seconds
        """
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            (self.enter() if inside else []) + command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment(),
            cwd="/",
            universal_newlines=True,
        )
        try:
            output = process.communicate(text, timeout=COMMAND_LIMIT_S)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return 124, process.communicate()[0] + "\nno answer in {0} s".format(COMMAND_LIMIT_S)
        return process.returncode, output
