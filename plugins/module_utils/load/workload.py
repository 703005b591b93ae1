# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a workload is: the base class, and what it is given.

A workload is one file in `load/workloads/`; its file name is the recipe's `client.type`. It holds
- `SETTINGS`: what `client.settings` may contain, as plain data (see `load.registry`), and
- `Workload`: a class derived from `WorkloadBase` here.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import copy
import os
import re

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import slo
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.recorder import Recorder
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.schedule import TRACE, seed_of

MAX_IN_FLIGHT = 4096
DRAIN_S = 60.0


class LoadError(Exception):
    """The load cannot be made; the message says what is wrong and what to do."""


class Case:
    """One case of one repetition, for one client. Times are epoch seconds.

    `rate`: this client's operations per second (float), or None for a closed loop. `measure_end` is None when
    `requests` (int, per client) is set; else `duration_s` is set. The load goes on until `load_end`, after the
    measurement. `seed` (int) is unlike any other client's. The rest is as docs/interfaces.md has it.
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
        self.load_end = message.get("load_end", self.measure_end)
        self.arrival = message.get("arrival") or {}
        self.think_time_s = message.get("think_time_s") or 0.0
        self.max_in_flight = int(message.get("max_in_flight") or MAX_IN_FLIGHT)
        self.timeout_s = message.get("timeout_s")
        self.retries = int(message.get("retries") or 0)
        self.drain_s = float(DRAIN_S if message.get("drain_s") is None else message["drain_s"])
        self.records = bool(message.get("records"))
        self.slo_terms = slo.per_request_terms(message.get("slo_terms") or [])
        self.client = client
        self.clients = clients
        self.seed = seed_of(run_id, message["seed"], self.name, self.repetition, client)

    @property
    def is_open(self):
        """Whether a schedule says when operations begin."""
        return self.rate is not None or self.arrival.get("type") == TRACE

    @property
    def file_stem(self):
        """The name (str) of its files, without an ending."""
        safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in self.name)
        return "%s-%d" % (safe, self.repetition)


class Context:
    """What a workload may use.

    run_id (str), client (int; None in the set-up), clients (int), services (list of dict, as endpoint.json has
    them; empty before they are known), settings (dict, complete with the defaults), command (str or None),
    container (list of str: the argv that runs something in the clients' container, [] for the host), runtime
    (`apptainer` or `singularity`), env (dict of str: the recipe's client.env), run_dir, output_dir and tmp_dir
    (str: directories; tmp_dir is node-local and removed afterwards), log (a function that takes a str), stop
    and cut (threading.Event: end soon; end this case and keep what it has), parser (str or None: client.parser).
    overrides (list of dict: the settings that each case changes), companions (dict: name of a further service of the
    recipe -> its endpoints).
    """

    overrides = ()
    companions = {}

    def __init__(self, **fields):
        self.__dict__.update(fields)
        self._shells = {}

    @property
    def service(self):
        """The endpoint (dict) of this client, where it uses only one: they take turns."""
        return self.services[(self.client or 0) % len(self.services)]

    def stores(self):
        """A Context for each service that has data of its own: one for each replica, with its first endpoint."""
        firsts = {}
        for number, service in enumerate(self.services):
            firsts.setdefault(service.get("replica", number), service)
        found = []
        for service in firsts.values():
            one = copy.copy(self)  # the shells are the same
            one.services = [service]
            found.append(one)
        return found

    def all_settings(self):
        """The settings (list of dict) of every case: what a set-up has to provide for."""
        return [dict(self.settings, **override) for override in self.overrides] or [self.settings]

    def secret(self, name):
        """A secret of the run (str). Raises LoadError when the service has none of this name."""
        path = os.path.join(self.run_dir, "secrets", name)
        try:
            with open(path) as stream:
                return stream.read().strip()
        except (IOError, OSError) as e:
            raise LoadError("the service has no secret %r: %s" % (name, e))

    def service_secret(self, name):
        """The secret (str) of that name, else the one that the service's type says; None without either."""
        name = name or (self.service.get("connection") or {}).get("secret")
        return self.secret(name) if name else None

    def shell(self, number=0):
        """A Shell in the clients' container, the same one for the same number; started, perhaps not ready."""
        from ansible_collections.aifactory.benchmark.plugins.module_utils.load.shell import Shell

        if number not in self._shells:
            env = with_binds(os.environ, self.runtime, [d for d in (self.tmp_dir, self.output_dir) if d])
            self._shells[number] = Shell(self.container, env, self.tmp_dir, "shell-%d" % number)
            self._shells[number].start()
        return self._shells[number]

    def close(self):
        """End all shells."""
        for shell in self._shells.values():
            shell.close()
        self._shells = {}

    def variables(self, more=None):
        """Environment variables (dict of str) for a command: the recipe's, the run's, and `more`."""
        service = self.service
        found = dict(self.env)
        found.update(
            BENCHMARK_ID=self.run_id,
            SERVICE_NAME=service["name"],
            SERVICE_HOSTNAME=service["host"],
            SERVICE_ADDRESS=service["address"],
            SERVICE_PORT="" if service["port"] is None else str(service["port"]),
            SERVICE_URL=service["url"] or "",
            SERVICE_URLS=" ".join(each["url"] or "" for each in self.services),
        )
        found.update(companion_variables(self.companions))
        found.update(more or {})
        return found


def companion_variables(companions):
    """SERVICE_NAME_URL and the like (dict of str) of the further services of a recipe (name -> endpoints).

    NAME is in capitals, with _ for what is neither letter nor digit. Of several endpoints the first one's address, and
    SERVICE_NAME_URLS of all.
    """
    found = {}
    for name, services in companions.items():
        prefix = "SERVICE_%s_" % re.sub("[^A-Z0-9]+", "_", name.upper())
        first = services[0]
        found[prefix + "HOSTNAME"], found[prefix + "ADDRESS"] = first["host"], first["address"]
        found[prefix + "PORT"] = "" if first["port"] is None else str(first["port"])
        found[prefix + "URL"] = first["url"] or ""
        found[prefix + "URLS"] = " ".join(each["url"] or "" for each in services)
    return found


def with_binds(base, runtime, directories):
    """`base` (dict) for a runtime that is to bind `directories` (list of str) under their own paths.

    APPTAINER_BIND and SINGULARITY_BIND add to the command line's --bind.
    """
    env = dict(base)
    name = runtime.upper() + "_BIND"
    env[name] = ",".join(([env[name]] if env.get(name) else []) + list(directories))
    return env


class WorkloadBase:
    """One kind of load: `setup` and `cleanup` run once a job, `prepare` once and `run` per case in every client."""

    #: Whether `setup` uses ctx.shell(0), which can start before the service is there.
    setup_uses_shell = False

    def shells(self, benchmarks):
        """How many shells (int) each client should have ready; `benchmarks` is the plan's (dict)."""
        return 0

    def minimum_warmup_s(self, prepared_s):
        """Seconds that the load needs to be steady; a shorter warm-up is made this long.

        `prepared_s` (float): what `prepare` took the slowest client, all of them at once.
        """
        return 0.0

    def setup(self, ctx):
        """Prepare the service once, before the clients (tables, data). Raises LoadError."""

    def prepare(self, ctx):
        """Get ready, in every client, perhaps while `setup` is still at work: what only the first use costs."""

    def recorder(self, ctx, case):
        """What takes the results of a case (Recorder)."""
        return Recorder(case.measure_start, case.measure_end)

    def in_flight(self):
        """Operations (int) that are under way now; None where it isn't known."""

    def run(self, ctx, case, recorder):
        """Make the load of a case (Case) from `case.warmup_start` on, and tell `recorder` (Recorder).

        Returns a dict to add to the client's result, at least `threads` (int: how many CPUs the load can keep
        busy). Ends soon when `ctx.stop` is set. Raises LoadError when this client can make no load at all.
        """
        raise NotImplementedError

    def cleanup(self, ctx):
        """Undo `setup` where the service outlives the run."""
