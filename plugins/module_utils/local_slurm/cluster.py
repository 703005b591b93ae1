# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One Slurm cluster made of this machine's own processes: started, healed, stopped."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import socket
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm import (
    accounting,
    cgroups,
    daemons,
    files,
    processes,
    programs,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm.layout import Layout

READY_LIMIT_S = 60.0
CLOSING_LIMIT_S = 5.0


class Cluster(Layout):
    """A cluster that can be started and stopped."""

    def start(self):
        """Bring the cluster to idle nodes, whatever state it is in.

        :returns: what was done, a list of short strings; empty when all was as it should be
        :raises DaemonError, FilesError: with a message for the user
        """
        done = files.lay_out(self)
        cgroups.make_slice()
        if self.root:
            done += self._start_namespace()
        done += self._start_services()
        done += self._start_slurm()
        done += self._start_rest()
        return done

    def pending(self):
        """What start would do, as far as it can be told without doing it."""
        names = ["munged", "mariadbd", "sshd", "slurmdbd", "slurmctld"] + ["slurmd." + node for node in self.nodes]
        names += ["slurmrestd"] if self.rest_port else []
        running = self.records()
        return files.pending(self) + ["start " + name for name in names if name not in running]

    def _bring_up(self, wanted):
        """Start what does not run, or runs from old configuration."""
        stale = [daemon for daemon in wanted if not daemon.is_current()]
        stopped = daemons.stop(stale)
        for daemon in stale:
            # the threads of slurmrestd outlive its first one, and hold its port for a moment
            self._claim_port(daemon.name, CLOSING_LIMIT_S if daemon.name in stopped else 0.0)
            daemon.start()
        return ["start " + daemon.name for daemon in stale]

    def _claim_port(self, name, limit_s):
        """Refuse a port that somebody else listens on: it would look as if the daemon answered there."""
        port = self.ports.get("database" if name == "mariadbd" else name)
        give_up = time.monotonic() + limit_s
        while port and is_open(port):
            if time.monotonic() < give_up:
                time.sleep(0.05)
                continue
            raise daemons.DaemonError(
                "Port {0}, which {1} of cluster {2} is to listen on, is in use by another program. "
                "End that program, or give the cluster another port.".format(port, name, self.name)
            )

    def _start_namespace(self):
        holder = programs.namespace(self)
        if holder.is_current():
            return []
        # Whatever lives in an earlier namespace would go on in the old tree.
        self._stop_daemons()
        self._stop("namespace")  # and its sign of being ready, which a killed one leaves behind
        holder.start()
        ready = self.path("run", "namespace.ready")
        daemons.wait_ready("its mounts", lambda: os.path.exists(ready), [holder], READY_LIMIT_S)
        return ["start namespace"]

    def _start_services(self):
        done = []
        data = self.path("db", "data")
        started = self._bring_up([programs.munged(self), programs.sshd(self)])
        if not os.path.isdir(os.path.join(data, "mysql")):
            files.make_database(data, self.path("log", "mariadb-install-db.log"))
            done.append("create database")
        started += self._bring_up([programs.mariadbd(self)])
        if "start mariadbd" in started:
            self._wait_port("database", programs.mariadbd(self))
        if "create database" in done or not os.path.exists(self.path("state", "database.ready")):
            self._grant_database()
        started += self._bring_up([programs.slurmdbd(self)])
        if "start slurmdbd" in started:
            self._wait_port("slurmdbd", programs.slurmdbd(self))
        if "start sshd" in started:
            self._wait_port("sshd", programs.sshd(self))
        return done + started

    def _start_slurm(self):
        done = self._set_up_accounting()
        watched = [programs.slurmctld(self), *programs.slurmds(self)]
        done += self._bring_up(watched)
        if "start slurmctld" in done:  # Slurm's commands take seconds to give up on a closed port
            self._wait_port("slurmctld", watched[0])
        daemons.wait_ready("idle nodes", self._nodes_ready, watched, READY_LIMIT_S)
        return done

    def _start_rest(self):
        server = programs.slurmrestd(self)
        if not self.rest_port:
            return ["stop " + name for name in daemons.stop([server])]
        done = self._bring_up([server])
        if done:
            self._wait_port("slurmrestd", server)
        return done

    def _wait_port(self, name, daemon):
        port = self.ports[name]
        daemons.wait_ready("port {0}".format(port), lambda: is_open(port), [daemon], READY_LIMIT_S)

    def _nodes_ready(self):
        status, output = self.run(["sinfo", "-hN", "-o", "%N %T"])
        return status == 0 and not accounting.unready_nodes(output, self.nodes)

    def _grant_database(self):
        """Make slurmdbd's database and its user. Root of the database is root of the machine, by socket."""
        password = processes.read_text(self.path("conf", "database.password")).strip()
        statements = (
            "CREATE DATABASE IF NOT EXISTS slurm_acct_db;"
            "CREATE USER IF NOT EXISTS slurm@'127.0.0.1' IDENTIFIED BY '{0}';"
            "ALTER USER slurm@'127.0.0.1' IDENTIFIED BY '{0}';"
            "GRANT ALL ON slurm_acct_db.* TO slurm@'127.0.0.1';"
        ).format(password)
        command = ["mariadb", "--no-defaults", "--user=root", "--socket=" + self.path("db", "socket")]
        status, output = self.run(command, statements, inside=False)
        if status != 0:
            raise daemons.DaemonError("MariaDB refused slurmdbd's database: {0}".format(output.strip()))
        files.write(self.path("state", "database.ready"), "")

    def _set_up_accounting(self):
        """Teach slurmdbd cluster, QOS, account and users; nothing when they are as last time."""
        account, users, qos = self.params["account"], self.params["users"], self.params["qos"]
        wanted = files.digest([account, users, qos, self.params["default_qos"]])
        seal = self.path("state", "accounting.digest")
        if processes.read_text(seal) == wanted:
            return []
        daemons.wait_ready("answers", self._accounting_answers, [programs.slurmdbd(self)], READY_LIMIT_S)
        known = {}
        for what, field in (("cluster", "cluster"), ("qos", "name"), ("account", "account"), ("user", "user")):
            known[what] = accounting.parse_names(self._sacctmgr(["-nP", "show", what, "format=" + field]))
        commands = accounting.additions(self.name, account, users, qos, known)
        commands += accounting.settings(account, qos, self.params["default_qos"])
        for command in commands:
            self._sacctmgr(["-iQ", *command])
        files.write(seal, wanted)
        return ["set up accounting"]

    def _accounting_answers(self):
        return self.run(["sacctmgr", "-n", "show", "cluster"])[0] == 0

    def _sacctmgr(self, arguments):
        status, output = self.run(["sacctmgr", *arguments])
        if status != 0 and not accounting.is_unchanged(output):
            raise daemons.DaemonError("sacctmgr {0}: {1}".format(" ".join(arguments), output.strip()))
        return output

    def running(self):
        """What stop would do."""
        return ["stop " + name for name in self.records()]

    def stop(self):
        """End all jobs, then all daemons. :returns: what was done; empty when nothing ran."""
        if not os.path.isdir(self.path("run")):
            return []  # and control groups of that name would be somebody else's
        done = self.running()
        if "stop slurmctld" in done and (not self.in_namespace or "stop namespace" in done):
            self._cancel_jobs()
        left = processes.stop_all(cgroups.members(self.nodes), 2.0)
        if left:
            raise daemons.DaemonError("Process {0} of a job cannot be ended.".format(left[0].pid))
        self._stop_daemons()
        self._stop("namespace")
        processes.stop_all(cgroups.keepers(self.nodes), 2.0)
        cgroups.remove(self.nodes)
        return done

    def _cancel_jobs(self):
        """Cancel every job, and give them the time that Slurm gives them (KillWait)."""
        status, output = self.run(["squeue", "-ah", "-o", "%A"])
        ids = sorted(set(output.split())) if status == 0 else []
        if ids:
            self.run(["scancel", *ids])
            processes.wait_gone(cgroups.members(self.nodes), 10.0)

    def _stop_daemons(self):
        """Stop all but the namespace, those that need others first."""
        self._stop("sshd", below=True)
        self._stop("slurmrestd")
        self._stop("slurmd.", "slurmctld")
        self._stop("slurmdbd")
        self._stop("mariadbd", "munged")

    def _stop(self, *names, **options):
        """Stop the daemons whose names begin so, with ``below=True`` also all processes below them."""
        records = [record for name, record in self.records().items() if name.startswith(names)]
        if options.get("below"):
            records += [child for record in records for child in processes.descendants(record.pid)]
        left = processes.stop_all(records, 15.0)
        if left:
            raise daemons.DaemonError("Process {0} cannot be ended, not even by SIGKILL.".format(left[0].pid))
        for name in self.run_files():
            if name.startswith(names):
                os.unlink(self.path("run", name))


def is_open(port):
    """Whether something accepts connections on the loopback port."""
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex(("127.0.0.1", port)) == 0
