# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far the clocks of the clients' nodes are from the conductor's.

All clients start at one time of day, and what one of them measured is put beside what another did: both need clocks
that agree. Asked as by NTP (RFC 5905, section 8), with one time stamp at the client instead of two: it answers at
once. The answer was written somewhere between our question and its arrival, so half the round trip is the bound of
the error, and the quickest of several rounds has the smallest.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

ROUNDS = 8
ANSWER_DEADLINE_S = 2.0
_TICK_S = 0.05


def offset(sent, answered, received):
    """(offset, uncertainty) in seconds of a clock that showed `answered` between our `sent` and `received`."""
    return answered - (sent + received) / 2.0, (received - sent) / 2.0


class Clocks:
    """The answers to `clock` orders. sent: round -> when it was asked (epoch, s)."""

    def __init__(self):
        self.sent = {}
        self.best = {}  # client -> (uncertainty, offset) of its quickest round

    def take(self, message):
        """Keep a client's answer (dict): `client`, `n` (the round), `t`, `received` (epoch, s)."""
        if message["n"] not in self.sent:
            return
        found, uncertainty = offset(self.sent[message["n"]], message["t"], message["received"])
        known = self.best.get(message["client"])
        if known is None or uncertainty < known[0]:
            self.best[message["client"]] = (uncertainty, found)

    def by_node(self, nodes):
        """Node -> {"offset_s", "uncertainty_s"}, by its client whose answer was quickest. nodes: client -> node."""
        found = {}
        for number, (uncertainty, seconds) in self.best.items():
            node = nodes.get(number)
            if node is not None and (node not in found or uncertainty < found[node][0]):
                found[node] = (uncertainty, seconds)
        return {
            node: {"offset_s": round(seconds, 6), "uncertainty_s": round(uncertainty, 6)}
            for node, (uncertainty, seconds) in sorted(found.items())
        }


def measure(conductor):
    """Ask all clients of a Conductor. Returns Clocks.by_node; who does not answer in 2 s is left out."""
    clocks = Clocks()
    asked = set(conductor.active)
    for number in range(ROUNDS):
        silent = set(asked)
        end = time.monotonic() + ANSWER_DEADLINE_S
        clocks.sent[number] = time.time()
        conductor.launcher.send("clock", n=number)
        while silent and time.monotonic() < end:
            message = conductor.receive(_TICK_S)
            conductor.check()
            if message and message["op"] == "clock":
                clocks.take(message)
                if message["n"] == number:
                    silent.discard(message["client"])
            silent -= set(conductor.lost)
        asked -= silent  # not waited for again
        if not asked:
            break
    return clocks.by_node(conductor.nodes)
