# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One Slurm cluster made of this machine's own processes: its daemons and the order they start in."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import socket
import subprocess

from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm import (
    accounting,
    cgroups,
    daemons,
    files,
    processes,
)

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Slurm's own commands give up on a silent daemon after MessageTimeout (10 s).
COMMAND_LIMIT_S = 30
READY_LIMIT_S = 60.0


class Cluster:
    """A cluster by its parameters, as the module local_slurm documents them."""

    def __init__(self, params):
        self.params = params
        self.name = params["name"]
        self.nodes = params["nodes"]
        self.ports = params["ports"]
        self.root = params["root"]
        self.base = params["directory"]
        self.dir = os.path.join(self.base, self.name)
        # A cluster that is to be stopped may be named without its root tree.
        self.in_namespace = bool(self.root) or os.path.exists(self.path("conf", "passwd"))

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def environment(self):
        """What a daemon or a Slurm command gets: nothing of the caller's environment."""
        return {"PATH": PATH, "LANG": "C.UTF-8", "SLURM_CONF": self.path("conf", "slurm.conf")}

    # Daemons

    def _daemon(self, name, command, inputs="", log=None):
        return daemons.Daemon(
            name,
            command,
            self.path("run", name + ".pid"),
            log or self.path("log", name + ".log"),
            self.environment(),
            inputs,
        )

    def namespace(self):
        """The process that holds the mount namespace in which the daemons of a root tree live."""
        script = self.path("conf", "namespace.sh")
        command = [
            "unshare",
            "--mount",
            "--propagation",
            "slave",
            "bash",
            script,
            self.root,
            self.dir,
            self.base,
        ]
        return self._daemon("namespace", command, self.conf("namespace.sh", "passwd", "group"))

    def _enter(self):
        """The words before a command that take it into the cluster's mount namespace, if it has one."""
        if not self.in_namespace:
            return []
        record = dict(self._records()).get("namespace")
        if record is None:
            raise daemons.DaemonError("The mount namespace of cluster {0} is not there.".format(self.name))
        return ["nsenter", "--target", str(record.pid), "--mount", "--wd=/", "--"]

    def conf(self, *names):
        """The text of files in conf, in one string."""
        return "".join(processes.read_text(self.path("conf", name)) or "" for name in names)

    def munged(self):
        command = self._enter() + [
            "setpriv",
            "--reuid",
            "munge",
            "--regid",
            "munge",
            "--clear-groups",
            "munged",
        ]
        for option, name in (
            ("--key-file", "munge.key"),
            ("--socket", "socket"),
            ("--pid-file", "munged.pid"),
            ("--log-file", "munged.log"),
            ("--seed-file", "seed"),
        ):
            command += [option, self.path("munge", name)]
        log = self.path("munge", "munged.log")
        return self._daemon("munged", command + ["--foreground", "--num-threads=10"], log=log)

    def mariadbd(self):
        command = [
            "mariadbd",
            "--no-defaults",
            "--user=mysql",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
        ]
        command += ["--datadir=" + self.path("db", "data"), "--socket=" + self.path("db", "socket")]
        command += [
            "--port={0}".format(self.ports["database"]),
            "--pid-file=" + self.path("db", "mariadbd.pid"),
        ]
        # slurmdbd warns below these values; a crash of the whole machine may cost the last second.
        command += ["--innodb-buffer-pool-size=128M", "--innodb-lock-wait-timeout=900"]
        command += ["--innodb-flush-log-at-trx-commit=2"]
        return self._daemon("mariadbd", command)

    def sshd(self):
        command = self._enter() + ["/usr/sbin/sshd", "-D", "-e", "-f", self.path("conf", "sshd_config")]
        return self._daemon("sshd", command, self.conf("sshd_config"))

    def slurmdbd(self):
        return self._daemon("slurmdbd", self._enter() + ["slurmdbd", "-D"], self.conf("slurmdbd.conf"))

    def slurmctld(self):
        inputs = self.conf("slurm.conf", "gres.conf", "cgroup.conf", "job_submit.lua")
        return self._daemon("slurmctld", self._enter() + ["slurmctld", "-D"], inputs)

    def slurmds(self):
        inputs = self.conf("slurm.conf", "gres.conf", "cgroup.conf")
        enter = self._enter()
        return [self._daemon("slurmd." + node, enter + ["slurmd", "-D", "-N", node], inputs) for node in self.nodes]

    # Starting

    def start(self):
        """Bring the cluster to idle nodes, whatever state it is in.

        :returns: what was done, a list of short strings; empty when all was as it should be
        """
        done = files.lay_out(self)
        if self.root:
            done += self._start_namespace()
        done += self._start_services()
        done += self._start_slurm()
        return done

    def pending(self):
        """What start would do, as far as it can be told without doing it."""
        done = files.pending(self)
        names = ["munged", "mariadbd", "sshd", "slurmdbd", "slurmctld"] + ["slurmd." + node for node in self.nodes]
        running = [name for name, _record in self._records()]
        return done + ["start " + name for name in names if name not in running]

    def _bring_up(self, wanted):
        """Start what does not run or runs from old configuration."""
        stale = [daemon for daemon in wanted if not daemon.is_current()]
        daemons.stop(stale)
        for daemon in stale:
            daemon.start()
        return ["start " + daemon.name for daemon in stale]

    def _start_namespace(self):
        holder = self.namespace()
        if holder.is_current():
            return []
        # Whatever lives in an earlier namespace would go on in the old tree.
        self._stop_daemons()
        holder.start()
        ready = self.path("run", "namespace.ready")
        daemons.wait_ready("its mounts", lambda: os.path.exists(ready), [holder], READY_LIMIT_S)
        return ["start namespace"]

    def _start_services(self):
        done = []
        data = self.path("db", "data")
        started = self._bring_up([self.munged(), self.sshd()])
        if not os.path.isdir(os.path.join(data, "mysql")):
            files.make_database(data, self.path("log", "mariadb-install-db.log"))
            done.append("create database")
        started += self._bring_up([self.mariadbd()])
        if "start mariadbd" in started:
            self._wait_port("database", self.mariadbd())
        if "create database" in done or not os.path.exists(self.path("state", "database.ready")):
            self._grant_database()
        started += self._bring_up([self.slurmdbd()])
        if "start slurmdbd" in started:
            self._wait_port("slurmdbd", self.slurmdbd())
        if "start sshd" in started:
            self._wait_port("sshd", self.sshd())
        return done + started

    def _start_slurm(self):
        done = self._accounting()
        done += self._bring_up([self.slurmctld()] + self.slurmds())
        if "start slurmctld" in done:  # Slurm's commands take seconds to give up on a closed port
            self._wait_port("slurmctld", self.slurmctld())
        watched = [self.slurmctld()] + self.slurmds()
        daemons.wait_ready("idle nodes", self._nodes_ready, watched, READY_LIMIT_S)
        return done

    def _wait_port(self, name, daemon):
        daemons.wait_ready(
            "port {0}".format(self.ports[name]), lambda: is_open(self.ports[name]), [daemon], READY_LIMIT_S
        )

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

    # Accounting

    def _accounting(self):
        """Teach slurmdbd cluster, QOS, account and users; nothing when they are as last time."""
        params = self.params
        wanted = files.digest([params["account"], params["users"], params["qos"], params["default_qos"]])
        seal = self.path("state", "accounting.digest")
        if processes.read_text(seal) == wanted:
            return []
        daemons.wait_ready(
            "answers",
            lambda: self.run(["sacctmgr", "-n", "show", "cluster"])[0] == 0,
            [self.slurmdbd()],
            30.0,
        )
        known = {
            what: accounting.parse_names(self._sacctmgr(["-nP", "show", what, "format=" + what.replace("qos", "name")]))
            for what in ("cluster", "qos", "account", "user")
        }
        for command in accounting.additions(self.name, params["account"], params["users"], params["qos"], known):
            self._sacctmgr(["-iQ"] + command)
        for command in accounting.settings(params["account"], params["qos"], params["default_qos"]):
            self._sacctmgr(["-iQ"] + command)
        files.write(seal, wanted)
        return ["set up accounting"]

    def _sacctmgr(self, arguments):
        status, output = self.run(["sacctmgr"] + arguments)
        if status != 0 and not accounting.is_unchanged(output):
            raise daemons.DaemonError("sacctmgr {0}: {1}".format(" ".join(arguments), output.strip()))
        return output

    def run(self, command, text="", inside=True):
        """Run a command of the cluster's own; (exit status, stdout and stderr together)."""
        process = subprocess.Popen(
            (self._enter() if inside else []) + command,
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

    # Stopping

    def _records(self):
        """(daemon name, record) of all processes of this cluster that run, from its pid files."""
        folder = self.path("run")
        names = (
            sorted(name[:-4] for name in os.listdir(folder) if name.endswith(".pid")) if os.path.isdir(folder) else []
        )
        pairs = [
            (name, processes.parse_record(processes.read_text(self.path("run", name + ".pid")) or "")) for name in names
        ]
        return [(name, record) for name, record in pairs if processes.is_running(record)]

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
        cgroups.remove(self.nodes)
        return done

    def running(self):
        """What stop would do."""
        return ["stop " + name for name, _record in self._records()]

    def _cancel_jobs(self):
        """Cancel every job, and give them the time that Slurm gives them (KillWait)."""
        status, output = self.run(["squeue", "-ah", "-o", "%A"])
        ids = sorted(set(output.split())) if status == 0 else []
        if ids:
            self.run(["scancel"] + ids)
            processes.wait_gone(cgroups.members(self.nodes), 10.0)

    def _stop_daemons(self):
        """Stop all but the namespace, those that need others first."""
        self._stop("sshd", below=True)
        self._stop("slurmd.", "slurmctld")
        self._stop("slurmdbd")
        self._stop("mariadbd", "munged")

    def _stop(self, *names, **options):
        chosen = [(name, record) for name, record in self._records() if name.startswith(names)]
        records = [record for _name, record in chosen]
        if options.get("below"):
            records += [child for record in records for child in processes.descendants(record.pid)]
        left = processes.stop_all(records, 15.0)
        if left:
            raise daemons.DaemonError("Process {0} cannot be ended, not even by SIGKILL.".format(left[0].pid))
        for name in os.listdir(self.path("run")) if os.path.isdir(self.path("run")) else []:
            if name.startswith(names):
                os.unlink(self.path("run", name))


def is_open(port):
    """Whether something accepts connections on the loopback port."""
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex(("127.0.0.1", port)) == 0
