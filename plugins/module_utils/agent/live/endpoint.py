# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An agent's endpoint for Prometheus while its run goes on: off unless the inventory has `benchmark_live_metrics`.

Whatever goes wrong with it is said, and is no reason for a run to fail.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import network
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError, explain
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.events import node_name
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.live import samples
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.live.board import Board
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.live.server import Server
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.live.targets import TargetFile, token

_SERVICE_VALID_S = 300.0  # it may be asked seldom


class Endpoint:
    """Answers from now on. spec: spec.json (dict); part, role (str): which agent it is; address (str): of this node.

    board (Board): what it tells. port (int). Raises OSError, AgentError.
    """

    def __init__(self, spec, part, role, address):
        directory = spec["live"]["targets"]
        self.board = Board()
        self.role = role
        self.gpus = samples.Gpus(node_name())
        self.address = address
        self.file = TargetFile(directory, spec["run_id"], part, node_name())
        secret = token(directory)
        self.claim = network.PortClaim(address, None)
        self.port = self.claim.port
        self.server = Server(address, self.port, secret, self.board.text)
        self.server.start()
        try:
            self.file.write(address, self.port, dict(spec["live"]["labels"], role=role, node=node_name()))
        except AgentError:
            self.server.stop()
            raise

    # -- what parts of the agent say, each as often as it knows something new ---------------------------------

    def node(self, row):
        """A row (dict) of the node's telemetry."""
        self.board.tell("node", samples.of_node, row, self.role, node_name())

    def gpu(self, index, uuid, values):
        """The values (dict) of one GPU."""
        self.board.tell("gpu %s" % index, self.gpus.samples, index, uuid, values)

    def service(self, name):
        """A function that takes what the service of this name said of itself (list of samples)."""
        return lambda found: self.board.tell(
            "service " + name, samples.of_service, name, found, valid_s=_SERVICE_VALID_S
        )

    def phase(self, name):
        """The phase (str) in which the run is from now on."""
        self.board.tell("phase", samples.of_phase, name, valid_s=float("inf"))

    def close(self):
        """End it: first Prometheus learns that it is gone. Returns what to tell of it (dict)."""
        removed = self.file.remove()
        return dict(
            self.server.stop(), target_removed=removed, port_closed=not network.accepts(self.address, self.port)
        )


def start(spec, part, role, events, address=None):
    """An Endpoint where the run is to have live metrics, else None; `events` (EventLog) say so, or why not."""
    if not spec.get("live"):
        return None
    try:
        address = address or network.service_address(spec.get("service_interface"))
        endpoint = Endpoint(spec, part, role, address)
    except (AgentError, OSError) as e:
        events.emit("live_missing", reason=explain(e))
        return None
    events.emit("live_started", address=address, port=endpoint.port)
    return endpoint
