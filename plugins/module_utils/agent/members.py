# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The members of a service: who this one is, and how they find one another.

Members are the tasks of one srun, each with an agent and a container. `layout` in spec.json has `replicas` services
that know nothing of one another; each has `nodes_per_replica` members (its ranks), one on a node. Which of them
clients talk to, `multi_node` says: the first (`head`) or all (`peers`). They meet through files in the control
directory; the agent of member 0 speaks for all of them. A service of one member has none of this.

A recipe may have further services, its companions, each with members of its own. They start first, and the service that
is benchmarked is told where they are; its member 0 speaks for them, too.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import companion_variables

MEET_DEADLINE_S = 180.0
PEERS = "peers"
_PULSE_EVERY_S = 2.0
_TICK_S = 0.1


class Members:
    """spec: spec.json (dict); directory: RunDir."""

    def __init__(self, spec, directory):
        service = spec["service"]
        self.companion = spec.get("companion") or ""  # the name of the further service that this is, if it is one
        self.companions = dict(spec.get("companions") or {})  # of all: name -> health deadline, s
        self.endpoints = {}  # of the companions: name -> its endpoints
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
    def leads(self):
        """Whether this is the first member of its service."""
        return self.index == 0

    @property
    def speaks(self):
        """Whether this member speaks for all of all services."""
        return self.leads and not self.companion

    @property
    def alone(self):
        """Whether nobody else has a part in the run's services."""
        return not (self.several or self.companions or self.companion)

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
        """The name of this member's own file: NAME, before its ending the companion's name and a number above 0."""
        stem, dot, ending = name.rpartition(".")
        parts = [stem, self.companion] + ([] if self.leads else ["%03d" % self.index])
        return "-".join(part for part in parts if part) + dot + ending

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
        run_dir.write_json(self.dir.control(self._told("told", self.index)), says)
        missing = self._until_all("told", check, time.monotonic() + MEET_DEADLINE_S)
        if missing:
            raise AgentError("member(s) %s of the service did not start within %g s; see logs/slurm-service.out"
                             % (", ".join(map(str, missing)), MEET_DEADLINE_S))  # fmt: skip
        first = self.replica * self.ranks
        self.met = [
            run_dir.read_json(self.dir.control(self._told("told", index)), 10)
            for index in range(first, first + self.ranks)
        ]
        others = [index for index in range(self.count) if index != self.index] if self.leads else [0]
        self.pulses.update((self.who(index), self._pulse(alive_file(index, self.companion))) for index in others)

    def meet_companions(self, check):
        """Wait until the companions are healthy, and learn where they are. Raises AgentError where one is late."""
        if self.companion:
            self.pulses["the service"] = self._pulse(run_dir.SERVICE_ALIVE)
            return
        begin = time.monotonic()
        for name, deadline_s in sorted(self.companions.items()):
            self._until_there(alive_file(0, name), name, begin + MEET_DEADLINE_S, check)
            # it has that deadline itself, and says so when it has passed: this one is for whoever can't say it
            self._until_there(endpoint_file(name), name, begin + deadline_s + 2 * MEET_DEADLINE_S, check)
            self.endpoints[name] = run_dir.read_json(self.dir.control(endpoint_file(name)), 10)["services"]
            if self.leads:
                self.pulses["the service %s" % name] = self._pulse(alive_file(0, name))

    def _until_there(self, sign, name, end, check):
        while sign not in self.dir.signs():
            check()
            if time.monotonic() > end:
                raise AgentError("the service %s did not start in time; see logs/slurm-service-%s.out" % (name, name))
            time.sleep(_TICK_S)

    def _pulse(self, name):
        return run_dir.Pulse(self.dir.control(name))

    def who(self, index=None):
        """A member (by default this one) as messages name it (str); empty for the one and only."""
        of = "the service " + self.companion if self.companion else "the service"
        number = self.index if index is None else index
        return "member %d of %s" % (number, of) if self.several else self.companion and of

    def all_healthy(self, endpoint, check):
        """Publish this member's endpoint (dict or None: nobody talks to it). Member 0 gets those (list) of all."""
        if not self.several:
            return [endpoint]
        run_dir.write_json(self.dir.control(self._told("healthy", self.index)), endpoint)
        if not self.leads:
            return []
        # each has a deadline of its own, and says so when it has passed
        self._until_all("healthy", check, float("inf"))
        found = [run_dir.read_json(self.dir.control(self._told("healthy", index)), 10) for index in range(self.count)]
        return [endpoint for endpoint in found if endpoint]

    def _until_all(self, what, check, end):
        """Wait for the files of all members. Returns the numbers (list of int) of those that have none by `end`."""
        wanted = {self._told(what, index): index for index in range(self.count)}
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
        for who, pulse in self.pulses.items():
            silent_s = pulse.silent_s()
            if silent_s is not None and silent_s > run_dir.STALE_S:
                raise AgentError("%s gave no sign of life for %g s" % (who, run_dir.STALE_S))

    def say_stopped(self):
        """Tell who speaks that nothing of this one is left, or that it knows what is."""
        if not self.speaks:
            run_dir.write_json(self.dir.control(self._told("stopped", self.index)), {})

    def until_others_stopped(self, deadline_s):
        """Member 0 is the last: who watches the run takes its end for that of all. Not longer than `deadline_s`."""
        if self.alone or not self.leads:
            return
        others = {alive_file(n, self.companion): self._told("stopped", n) for n in range(1, self.count)}
        if self.speaks:
            others.update((alive_file(0, name), _told("stopped", 0, name)) for name in self.companions)
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            signs = self.dir.signs()
            if all(stopped in signs for alive, stopped in others.items() if alive in signs):
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
        found.update(companion_variables(self.endpoints))
        return found

    def _told(self, what, index):
        return _told(what, index, self.companion)


def alive_file(index, companion=""):
    """The name of a member's heartbeat among the control files."""
    parts = ["service", companion] + (["%03d" % index] if index else [])
    return "-".join(part for part in parts if part) + ".alive"


def endpoint_file(companion):
    """The name of the control file with the endpoints of a companion."""
    return "endpoint-%s.json" % companion


def _told(what, index, companion=""):
    return "member-%s%03d.%s" % (companion and companion + "-", index, what)
