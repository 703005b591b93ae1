# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the parts of an agent know, as samples for the board, under the names that the export of a run that is over has.

docs/monitoring.md names every metric.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir, telemetry
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.live.board import VALID_S, labels
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.exposition import (
    public_labels,
    public_name,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.naming import PREFIX, of_column

# labels that are ours, or Prometheus' own, in whatever a service says of itself
TAKEN = frozenset(("run", "cluster", "recipe", "service", "role", "node", "job", "instance"))
PHASES = ("queued", "starting", "ready", "warmup", "measuring", "ending")  # as in a run's timeline
_CLIENTS = "clients-"
_MOST_NODES = 1000


def of_node(row, role, node):
    """Of a row (dict by column) of a node's telemetry."""
    where = labels((("role", role), ("node", node)))
    for column, value in sorted(row.items()):
        if column != "t" and value is not None:
            name, factor = of_column(column, "node")
            yield name, where, value * factor


class Gpus:
    """Of the GPUs' telemetry of a node (str). What holds one back is 1 while it does, 0 from then on."""

    def __init__(self, node):
        self.node = node
        self.seen = set()

    def samples(self, index, uuid, values):
        """Of the values (dict by column) of one GPU."""
        pairs = (("node", self.node), ("gpu", index), ("uuid", uuid))
        told = values.get("throttle_reasons")
        now = set(told.split("|")) - {""} if told else set()
        self.seen |= now
        for reason in sorted(self.seen):
            yield PREFIX + "gpu_throttled", labels((*pairs, ("reason", reason))), reason in now
        where = labels(pairs)
        for column, value in sorted(values.items()):
            if isinstance(value, (int, float)):
                name, factor = of_column(column, "gpu")
                yield name + ("_total" if column == "energy_j" else ""), where, value * factor


def of_service(service, samples):
    """Of what a service said of itself: (name, labels, kind, value) of each, as metrics.sources has them."""
    for metric, text, _kind, value in samples:
        name = public_name(metric)
        if name is not None:
            pairs = [*public_labels(text, TAKEN), ("service", service)]
            yield name, labels(pairs), value


def of_phase(phase):
    """1 for the phase (str) in which the run is, 0 for the others."""
    for name in PHASES:
        yield PREFIX + "run_phase", labels((("phase", name),)), name == phase


def of_load(tags, numbers):
    """Of the case that is measured: tags (dict of labels: case, repetition, phase), numbers (dict by metric)."""
    where = labels(sorted(tags.items()))
    for name, value in sorted(numbers.items()):
        if value is not None:
            yield PREFIX + "load_" + name, where, value


def of_clients(numbers):
    """Of the clients as a whole: numbers (dict by metric)."""
    for name, value in sorted(numbers.items()):
        if value is not None:
            yield PREFIX + "load_" + name, "", value


class ClientNodes:
    """The telemetry of the clients' nodes, from the ends of the files that one client of each node writes.

    No client answers anybody: it makes the load.
    """

    def __init__(self, directory):
        self.directory = directory

    def samples(self):
        """Of every node whose newest row is no older than VALID_S."""
        now = time.time()
        for name in sorted(_names(self.directory))[:_MOST_NODES]:
            for row in reversed(run_dir.tail(os.path.join(self.directory, name), 2, 2048)):
                values = row.split(",")
                if len(values) != len(telemetry.COLUMNS) or values[0] == "t":
                    continue  # the last line may be half there
                found = {column: float(text) for column, text in zip(telemetry.COLUMNS, values) if text}
                if abs(now - found["t"]) <= VALID_S:
                    yield from of_node(found, "clients", name[len(_CLIENTS) : -len(".csv")])
                break


def _names(directory):
    try:
        return [name for name in os.listdir(directory) if name.startswith(_CLIENTS) and name.endswith(".csv")]
    except OSError:
        return []
