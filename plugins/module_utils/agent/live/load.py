# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the clients do, live: once a second of the repetition that is measured, and of all of them."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.live import samples

_PART = "load"


class LiveLoad:
    """The conductor's part of an endpoint. endpoint: live.endpoint.Endpoint; conductor: Conductor; planned (int or
    None): how many repetitions there will be, where that is known.
    """

    def __init__(self, endpoint, conductor, planned):
        self.endpoint = endpoint
        self.conductor = conductor
        self.planned = planned
        self.last = None
        endpoint.phase("starting")
        endpoint.board.ask(self._clients)
        endpoint.board.ask(samples.ClientNodes(conductor.dir.path("telemetry", "")).samples)

    def _clients(self):
        lost = len(self.conductor.lost)
        return samples.of_clients({
            "clients": len(self.conductor.ready) - lost, "clients_lost": lost,
            "repetitions": self.planned, "repetitions_done": len(self.conductor.results.cases),
        })  # fmt: skip

    def phase(self, name):
        """The phase (str) of the run's timeline; outside of `warmup` and `measuring` nothing is under way."""
        self.endpoint.phase(name)
        if name not in ("warmup", "measuring"):
            self.endpoint.board.forget(_PART)
            self.last = None

    def tell(self, progress, t, tags, elapsed_s, duration_s):
        """What happened until now. progress (Progress); t (epoch, s); tags (dict): case, repetition, phase."""
        now, before = progress.at(t), self.last
        self.last = now
        if before is None or now.t <= before.t:
            return
        numbers = {name + "_per_second": _rate(before, now, name) for name in ("operations", "errors", "offered")}
        count, sum_us, max_us = progress.recent()
        if count:
            numbers.update(response_time_mean_seconds=sum_us / count / 1e6, response_time_max_seconds=max_us / 1e6)
        numbers.update(in_flight=now.in_flight, elapsed_seconds=elapsed_s, duration_seconds=duration_s)
        if now.lag_ms is not None:
            numbers["schedule_lag_seconds"] = now.lag_ms / 1e3
        totals = {"operations_total": now.operations, "errors_total": now.errors}
        self.endpoint.board.tell(_PART, _samples, tags, numbers, totals)


def _rate(before, now, name):
    first, last = getattr(before, name), getattr(now, name)
    return None if first is None or last is None else max(0.0, last - first) / (now.t - before.t)


def _samples(tags, numbers, totals):
    yield from samples.of_load(tags, numbers)
    # a counter goes on when the warm-up is over
    yield from samples.of_load({name: tags[name] for name in ("case", "repetition")}, totals)
