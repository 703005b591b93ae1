# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The daemons of a local cluster: their command lines, and what of their configuration they read."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm import daemons


def _daemon(layout, name, command, inputs="", log=None, **environment):
    return daemons.Daemon(
        name=name,
        command=command,
        pid_file=layout.path("run", name + ".pid"),
        log=log or layout.path("log", name + ".log"),
        environment=dict(layout.environment(), **environment),
        inputs=inputs,
    )


def namespace(layout):
    """The process that holds the mount namespace in which the daemons of a root tree live."""
    command = ["unshare", "--mount", "--propagation", "slave", "bash", layout.path("conf", "namespace.sh")]
    command += [layout.root, layout.dir, layout.base]
    return _daemon(layout, "namespace", command, layout.conf("namespace.sh"))


def munged(layout):
    """The authentication daemon, on a socket and with a key of the cluster's own."""
    command = [*layout.enter(), "setpriv", "--reuid", "munge", "--regid", "munge", "--clear-groups"]
    command += ["munged", "--foreground", "--num-threads=10"]
    for option, name in (
        ("--key-file", "munge.key"),
        ("--socket", "socket"),
        ("--pid-file", "munged.pid"),
        ("--log-file", "munged.log"),
        ("--seed-file", "seed"),
    ):
        command += [option, layout.path("munge", name)]
    return _daemon(layout, "munged", command, log=layout.path("munge", "munged.log"))


def mariadbd(layout):
    """The database of slurmdbd. It is always this machine's own program."""
    command = ["mariadbd", "--no-defaults", "--user=mysql", "--bind-address=127.0.0.1", "--skip-name-resolve"]
    command += ["--datadir=" + layout.path("db", "data"), "--socket=" + layout.path("db", "socket")]
    command += ["--port={0}".format(layout.ports["database"]), "--pid-file=" + layout.path("db", "mariadbd.pid")]
    # Values that slurmdbd asks for; a crash of the whole machine may cost the last second.
    command += ["--innodb-buffer-pool-size=128M", "--innodb-lock-wait-timeout=900"]
    command += ["--innodb-flush-log-at-trx-commit=2"]
    return _daemon(layout, "mariadbd", command)


def sshd(layout):
    """The login node's ssh server."""
    command = ["/usr/sbin/sshd", "-D", "-e", "-f", layout.path("conf", "sshd_config")]
    return _daemon(layout, "sshd", layout.enter() + command, layout.conf("sshd_config"))


def slurmdbd(layout):
    """The accounting daemon."""
    return _daemon(layout, "slurmdbd", [*layout.enter(), "slurmdbd", "-D"], layout.conf("slurmdbd.conf"))


def slurmctld(layout):
    """The controller."""
    inputs = layout.conf("slurm.conf", "gres.conf", "cgroup.conf", "job_submit.lua")
    return _daemon(layout, "slurmctld", [*layout.enter(), "slurmctld", "-D"], inputs)


def slurmds(layout):
    """One slurmd for each node."""
    enter, inputs = layout.enter(), layout.conf("slurm.conf", "gres.conf", "cgroup.conf")
    return [_daemon(layout, "slurmd." + node, [*enter, "slurmd", "-D", "-N", node], inputs) for node in layout.nodes]


def slurmrestd(layout):
    """The REST server. It refuses to be root or SlurmUser, and has no rights: each request brings a token."""
    command = [*layout.enter(), "setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
    command += ["slurmrestd", "-a", "rest_auth/jwt"]
    command += ["127.0.0.1:{0}".format(layout.rest_port), "unix:" + layout.path("rest", "socket")]
    # whole index lists of job arrays, never `...`
    variables = {"SLURM_JWT": "daemon", "SLURM_BITSTR_LEN": "0"}
    return _daemon(layout, "slurmrestd", command, layout.conf("slurm.conf"), **variables)
