# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes the Context that a workload gets, for the conductor (set-up) and for each client."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.run_dir import secret_variables
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import Context

LOG_BYTES = 1 << 20


def make_workload(spec):
    """The workload (WorkloadBase) that spec.json names. Raises AgentError."""
    try:
        return registry.load(spec["clients"]["type"]).Workload()
    except KeyError as e:
        raise AgentError("client.type: %s" % e.args[0])


def make_context(spec, container, *, stop, log, tmp_dir, cut=None, client=None, output_dir=None):
    """See Context; `client` is None for the set-up."""
    clients = spec["clients"]
    settings = registry.with_defaults(clients["type"], clients.get("settings"))
    return Context(
        run_id=spec["run_id"],
        client=client,
        clients=clients["count"],
        services=[],
        settings=registry.located(clients["type"], settings, spec["run_dir"]),
        command=clients.get("command"),
        container=container,
        runtime=spec.get("runtime", "apptainer"),
        env=dict(
            clients.get("env") or {}, **secret_variables(spec["run_dir"], "clients", clients.get("secrets") or ())
        ),
        run_dir=spec["run_dir"],
        output_dir=output_dir,
        tmp_dir=tmp_dir,
        log=log,
        stop=stop,
        cut=cut,
        parser=clients.get("parser"),
        overrides=_overrides(spec["benchmarks"]),
    )


def _overrides(benchmarks):
    """What each case changes of the settings; the trials of a search change nothing."""
    found = [case.get("settings") or {} for case in benchmarks.get("cases") or []]
    return [*found, {}] if benchmarks.get("search") else found


class BoundedLog:
    """A text log whose lines begin with their time, in UTC; it stops growing at LOG_BYTES, and says so."""

    def __init__(self, path):
        self.stream = open(path, "a", errors="replace", buffering=1)  # noqa: SIM115  (lives as long as the client)
        self.left = LOG_BYTES - self.stream.tell()

    def __call__(self, text):
        """Add a text, with a line's end."""
        if self.left <= 0:
            return
        now = time.time()
        begin = "%s%03dZ " % (time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(now)), now % 1 * 1000)
        text = "".join(begin + line + "\n" for line in text.split("\n"))
        self.left -= len(text)
        self.stream.write(text)
        if self.left <= 0:
            self.stream.write("... the log ends here: it has reached %d bytes\n" % LOG_BYTES)
