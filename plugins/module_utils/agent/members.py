# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The members of a service: who this one is, and how they find one another.

Members are the tasks of one srun, each with an agent and a container. `layout` in spec.json has `replicas` services
that know nothing of one another; each has `nodes_per_replica` members (its ranks), one on a node. Which of them
clients talk to, `multi_node` says: the first (`head`) or all (`peers`). They meet through files in the control
directory; the agent of member 0 speaks for all of them. A service of one member has none of this.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError

MEET_DEADLINE_S = 180.0
PEERS = "peers"
_PULSE_EVERY_S = 2.0
_TICK_S = 0.1


class Members:
    """spec: spec.json (dict); directory: RunDir."""

    def __init__(self, spec, directory):
        service = spec["service"]
        layout = service.get("layout") or {}
        self.dir = directory
        self.ranks = int(layout.get("nodes_per_replica") or 1)
        self.count = int(layout.get("replicas") or 1) * self.ranks
        self.gpus = int(layout.get("gpus") or 0) if int(layout.get("replicas_per_node") or 1) > 1 else None
        self.index = int(os.environ.get("SLURM_PROCID") or 0) if self.several else 0
        self.peers = service.get("multi_node") == PEERS
        self.met = []  # what the members of this replica said of themselves, by rank
        self.pulses = {}
        self.pulse_read_at = 0.0

    @property
    def several(self):
        """Whether there is more than this one."""
        return self.count > 1

    @property
    def speaks(self):
        """Whether this member speaks for all."""
        return self.index == 0

    @property
    def replica(self):
        """Which replica (int, from 0) this member belongs to."""
        return self.index // self.ranks

    @property
    def rank(self):
        """Its place (int, from 0) in its replica."""
        return self.index % self.ranks

    @property
    def serves(self):
        """Whether clients talk to this member."""
        return self.peers or self.rank == 0

    def file(self, name):
        """The name of this member's own file: NAME for member 0, else with its number before the ending."""
        stem, dot, ending = name.rpartition(".")
        return name if self.speaks else "%s-%03d%s%s" % (stem, self.index, dot, ending)

    def service_name(self, name):
        """The name (str) of this member's endpoint: `name`, numbered from 1 where there are several."""
        if self.count == (1 if self.peers else self.ranks):
            return name
        return "%s-%d" % (name, (self.index if self.peers else self.replica) + 1)

    def gpu_variables(self):
        """Environment (dict of str) that gives this member its share of the GPUs of a node that it shares."""
        if not self.gpus:
            return {}
        there = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(64)))
        first = int(os.environ.get("SLURM_LOCALID") or 0) * self.gpus
        return {"CUDA_VISIBLE_DEVICES": ",".join(there.split(",")[first : first + self.gpus])}

    # -- meeting -----------------------------------------------------------------------------------------

    def meet(self, says, check):
        """Tell the others (dict) and wait until all have told. `check()` raises when it is time to end.

        Raises AgentError when some do not come.
        """
        if not self.several:
            self.met = [says]
            return
        run_dir.write_json(self.dir.control(_told("told", self.index)), says)
        missing = self._until_all("told", check, time.monotonic() + MEET_DEADLINE_S)
        if missing:
            raise AgentError("member(s) %s of the service did not start within %g s; see logs/slurm-service.out"
                             % (", ".join(map(str, missing)), MEET_DEADLINE_S))  # fmt: skip
        first = self.replica * self.ranks
        self.met = [
            run_dir.read_json(self.dir.control(_told("told", index)), 10) for index in range(first, first + self.ranks)
        ]
        others = [index for index in range(self.count) if index != self.index] if self.speaks else [0]
        self.pulses = {index: run_dir.Pulse(self.dir.control(alive_file(index))) for index in others}

    def all_healthy(self, endpoint, check):
        """Publish this member's endpoint (dict or None: nobody talks to it). Member 0 gets those (list) of all."""
        if not self.several:
            return [endpoint]
        run_dir.write_json(self.dir.control(_told("healthy", self.index)), endpoint)
        if not self.speaks:
            return []
        # each has a deadline of its own, and says so when it has passed
        self._until_all("healthy", check, float("inf"))
        found = [run_dir.read_json(self.dir.control(_told("healthy", index)), 10) for index in range(self.count)]
        return [endpoint for endpoint in found if endpoint]

    def _until_all(self, what, check, end):
        """Wait for the files of all members. Returns the numbers (list of int) of those that have none by `end`."""
        wanted = {_told(what, index): index for index in range(self.count)}
        while True:
            missing = sorted(wanted[name] for name in wanted.keys() - self.dir.signs())
            if not missing or time.monotonic() > end:
                return missing
            check()
            time.sleep(_TICK_S)

    def check(self):
        """Raises AgentError when a member gives no sign of life."""
        now = time.monotonic()
        if not self.pulses or now - self.pulse_read_at < _PULSE_EVERY_S:
            return
        self.pulse_read_at = now
        for index, pulse in self.pulses.items():
            silent_s = pulse.silent_s()
            if silent_s is not None and silent_s > run_dir.STALE_S:
                raise AgentError("member %d of the service gave no sign of life for %g s" % (index, run_dir.STALE_S))

    def say_stopped(self):
        """Tell member 0 that nothing of this one is left, or that it knows what is."""
        if self.several and not self.speaks:
            run_dir.write_json(self.dir.control(_told("stopped", self.index)), {})

    def until_others_stopped(self, deadline_s):
        """Member 0 is the last: who watches the run takes its end for that of all. Not longer than `deadline_s`."""
        if not self.several or not self.speaks:
            return
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            signs = self.dir.signs()
            came = [index for index in range(1, self.count) if alive_file(index) in signs]
            if all(_told("stopped", index) in signs for index in came):
                return
            time.sleep(_TICK_S)

    # -- what its container is told ------------------------------------------------------------------------

    def variables(self):
        """SERVICE_RANK and what else a member knows of its replica (dict of str); see docs/interfaces.md."""
        head = self.met[0]
        found = {
            "SERVICE_REPLICA": str(self.replica),
            "SERVICE_RANK": str(self.rank),
            "SERVICE_RANKS": str(self.ranks),
            "SERVICE_HEAD_ADDRESS": head["address"],
            "SERVICE_PEERS": " ".join(
                "%s:%s" % (member["address"], member["ports"].get("", "")) for member in self.met
            ),
        }
        for name, port in head["ports"].items():
            found["SERVICE_HEAD_PORT" + ("_" + name.upper() if name else "")] = str(port)
        return found


def alive_file(index):
    """The name of a member's heartbeat among the control files."""
    return run_dir.SERVICE_ALIVE if index == 0 else "service-%03d.alive" % index


def _told(what, index):
    return "member-%03d.%s" % (index, what)
