# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a workload is: the base class, and what it is given.

A workload is one file in `load/workloads/`; its file name is the recipe's `client.type`. It holds
- `SETTINGS`: what `client.settings` may contain, as plain data (see `load.workloads`), and
- `Workload`: a class derived from `WorkloadBase` here.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.schedule import seed_of


class LoadError(Exception):
    """The load cannot be made; the message says what is wrong and what to do."""


class Case:
    """One case of one repetition, for one client. Times are epoch seconds.

    `rate`: this client's operations per second (float), or None for a closed loop. `measure_end` is None when
    `requests` (int, per client) is set; else `duration_s` is set. `seed` (int) is unlike any other client's.
    """

    def __init__(self, message, client, clients, run_id):
        self.name = message["case"]
        self.repetition = message["repetition"]
        self.concurrency = int(message["concurrency"])
        self.rate = message["rate"]
        self.requests = message["requests"]
        self.duration_s = message["duration_s"]
        self.warmup_s = message["warmup_s"]
        self.warmup_start = message["warmup_start"]
        self.measure_start = message["measure_start"]
        self.measure_end = message["measure_end"]
        self.client = client
        self.clients = clients
        self.seed = seed_of(run_id, message["seed"], self.name, self.repetition, client)


class Context:
    """What a workload may use.

    run_id (str), client (int; None in the set-up), clients (int), services (list of dict, as endpoint.json has
    them), settings (dict, complete with the defaults), command (str or None), container (list of str: the argv
    that runs something in the clients' container, [] for the host), runtime (`apptainer` or `singularity`),
    env (dict of str: the recipe's client.env), run_dir, output_dir and tmp_dir (str: directories; tmp_dir is
    node-local and removed afterwards), log (a function that takes a str), stop (threading.Event: end soon).
    """

    def __init__(self, **fields):
        self.__dict__.update(fields)

    @property
    def service(self):
        """The first service's endpoint (dict)."""
        return self.services[0]

    def secret(self, name):
        """A secret of the run (str). Raises LoadError when the service has none of this name."""
        path = os.path.join(self.run_dir, "secrets", name)
        try:
            with open(path) as stream:
                return stream.read().strip()
        except (IOError, OSError) as e:
            raise LoadError("the service has no secret %r: %s" % (name, e))

    def argv(self, argv):
        """`argv` (list of str) as it has to be started: in the clients' container where there is one."""
        return list(self.container) + list(argv)

    def environment(self, variables=None, binds=()):
        """The environment (dict) of a child process: the recipe's env, the run's variables, `variables`.

        In a container these come by APPTAINERENV_NAME or SINGULARITYENV_NAME, never by the command line;
        `binds` are directories (list of str) that the container must see under the same path.
        """
        given = dict(self.env)
        given.update(self._run_variables())
        given.update(variables or {})
        return child_environment(os.environ, given, self.runtime if self.container else None, binds)

    def _run_variables(self):
        service = self.service
        return {
            "BENCHMARK_ID": self.run_id,
            "SERVICE_NAME": service["name"],
            "SERVICE_HOSTNAME": service["host"],
            "SERVICE_ADDRESS": service["address"],
            "SERVICE_PORT": "" if service["port"] is None else str(service["port"]),
            "SERVICE_URL": service["url"] or "",
        }


def child_environment(base, variables, runtime=None, binds=()):
    """`base` (dict) with `variables` for a child, also for its container when `runtime` (str) is given.

    Apptainer reads APPTAINERENV_NAME, SingularityCE reads SINGULARITYENV_NAME; APPTAINER_BIND adds to the
    command line's --bind.
    """
    env = dict(base)
    env.update((name, str(value)) for name, value in variables.items())
    if runtime:
        word = runtime.upper()
        env.update(("%sENV_%s" % (word, name), str(value)) for name, value in variables.items())
        if binds:
            name = word + "_BIND"
            env[name] = ",".join(([env[name]] if env.get(name) else []) + list(binds))
    return env


class WorkloadBase:
    """One kind of load. The conductor calls `setup` and `cleanup` once, every client calls `run` for each case."""

    #: Seconds that the load needs before it is steady (connections, start of a process); a shorter warm-up is
    #: made this long.
    minimum_warmup_s = 0.0

    def setup(self, ctx):
        """Prepare the service once, before the clients (tables, data). Raises LoadError."""

    def run(self, ctx, case, recorder):
        """Make the load of a case (Case) from `case.warmup_start` on, and tell `recorder` (Recorder).

        Returns a dict to add to the client's result, at least `threads` (int: how many CPUs the load can keep
        busy). Ends soon when `ctx.stop` is set. Raises LoadError when this client can make no load at all.
        """
        raise NotImplementedError

    def cleanup(self, ctx):
        """Undo `setup` where the service outlives the run."""
