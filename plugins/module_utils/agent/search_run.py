# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Searches the highest load that meets the SLO: a case for every trial, and results/search.json after each."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import math

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.case_run import CaseRun
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.search import RATE, Search
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.stop_rules import ERROR_RATE, OVER_SATURATION

# As in the verdict of a run.
CLIENT_CPU_PERCENT = 80.0
RATE_DELIVERED = 0.99


class SearchRun:
    """conductor: Conductor, whose plan has a `search`; workload: WorkloadBase."""

    def __init__(self, conductor, workload):
        self.conductor = conductor
        self.workload = workload
        benchmarks = conductor.spec["benchmarks"]
        self.settings = benchmarks["search"]
        self.slo = benchmarks["slo"]
        self.search = Search(self.settings)
        # Connections for workloads whose open loop needs them.
        self.concurrency = int(self.settings.get("concurrency") or 1)
        self.trials = []

    def run(self):
        """Until the search is over. Raises AgentError when the run ends before; search.json has what there is."""
        self._write()
        while True:
            proposal = self.search.next()
            if proposal is None:
                break
            self._try(proposal)
        self._write()
        self.conductor.events.emit("search_done", trials=len(self.trials), **self._found())

    def _try(self, proposal):
        case = self._case(proposal.value)
        active = self.conductor.active
        place = {"number": len(self.trials) + 1, "step": proposal.step}
        record = CaseRun(self.conductor, self.workload, case, proposal.repetition, place).run()
        throughput = self.conductor.results.throughputs[case["name"]][-1]
        valid, why = judge(record, throughput, active, self.conductor.spec["benchmarks"].get("duration_s"))
        trial = {
            "number": place["number"],
            "case": case["name"],
            "repetition": proposal.repetition,
            "value": proposal.value,
            "step": proposal.step,
            "met": record["slo"]["met"] and why is None,
            "terms": record["slo"]["terms"],
            "throughput": round(throughput, 6),
            "valid": valid,
            "why": why,
        }
        self.trials.append(trial)
        self.search.take(proposal.value, trial["met"])
        self._write()
        event = {name: trial[name] for name in trial if name != "terms"}
        self.conductor.events.emit("search_trial", lower=self.search.lower, upper=self.search.upper, **event)

    def _case(self, value):
        over = self.settings["over"]
        is_rate = over == RATE
        return {
            "name": "search-%s-%s" % (over, number_text(value)),
            "concurrency": self.concurrency if is_rate else value,
            "rate": value if is_rate else None,
            "settings": {},
        }

    def _found(self):
        search = self.search
        return {
            "reason": search.reason,
            "lower": search.lower,
            "upper": search.upper,
            "capacity": search.capacity,
        }

    def _write(self):
        over = self.settings["over"]
        found = {
            "over": over,
            "unit": "1/s" if over == RATE else "1",
            "slo": self.slo["text"],
            "tolerance": self.search.tolerance,
            "trials": self.trials,
        }
        found.update(self._found())
        run_dir.write_json(self.conductor.dir.path("results", "search.json"), found)


def number_text(value):
    """A load as part of a case's name: 480, 0.25."""
    return ("%.6f" % value).rstrip("0").rstrip(".")


def judge(record, throughput, active, duration_s=None):
    """(valid, why) of a trial: whether the clients made the load that was asked, and what else keeps it from being met.

    record: the trial's in cases.json (dict); throughput (float, 1/s); active: the clients (ints) that it began with;
    duration_s (float or None): what was to be measured. why (str or None): besides the terms of the SLO.
    """
    found = [*_of_clients(record, active), *_of_rate(record, throughput, duration_s)]
    if record["cut"] in (ERROR_RATE, OVER_SATURATION):
        found.append((True, "it was cut by the stop rule %s" % record["cut"]))
    # What the clients could not do explains the rest.
    found.sort(key=lambda item: item[0])
    return found[0] if found else (True, None)


def _of_clients(record, active):
    for failed in record["failed_clients"]:
        if failed["client"] in active:
            yield False, "client %d failed: %s" % (failed["client"], failed["reason"])
    for client, percent in record["client_cpu_percent"].items():
        if percent > CLIENT_CPU_PERCENT:
            yield False, "client %s used %.0f %% of its cores" % (client, percent)


def _of_rate(record, throughput, duration_s):
    """Arrivals are random: as in the verdict of a run, three standard deviations of their rate are granted."""
    rate = record["offered_rate_per_s"]
    counted_s = record["measure_end"] - record["measure_start"]
    if not rate or counted_s <= 0:
        return
    window_s = min(counted_s, duration_s or counted_s)  # operations may count longer than they were offered
    enough = RATE_DELIVERED * rate - 3.0 * math.sqrt(rate / window_s)
    offered, dropped = record["offered"], record["dropped"] or 0
    if offered is not None and (offered - dropped) / window_s < enough:
        made = (offered - dropped) / window_s
        yield False, "the clients began %.1f/s of %.1f/s (%d operations were dropped)" % (made, rate, dropped)
    done = throughput + sum(kept["count"] for kept in record["errors"].values()) / counted_s
    if done < enough:
        yield True, "%.1f/s of the offered %.1f/s were completed" % (done, rate)
