# SPDX-License-Identifier: MIT
"""Makes run directories of the load generator's own workloads, as `collect` leaves them. Deterministic.

Results are written by the agent's own code from made-up operations, so that what is read is what is written. Kinds:
`sweep` (llm, open loop, three rates of which the last misses the SLO, two repetitions in random order, two nodes),
`search` (the highest rate that meets it), `recall` (vector, closed loop, swept over a setting, with a set-up).
Look at one: PYTHONPATH=.collections python -m tests.unit.plugins.plugin_utils.samples_load KIND HOME
"""

from __future__ import annotations

import json
import math
import random
import sys
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.results import Merged, Results
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.search import Search
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import slo
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.series import Series
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.finish import finish
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

from . import samples

BEGIN, DURATION_S, WARMUP_S, CLIENTS, TOKENS = samples.BEGIN, 10, 2, 2, 20
CAPACITY = 490.0  # 1/s, of every service made here
# The first token takes 40 ms/(1 - load/capacity), log-normally spread with sigma 0.3: its p95 is exp(0.3·1.645) times
# that, and reaches the SLO's 200 ms at this load.
MEETS_UP_TO = CAPACITY * (1 - 0.04 * math.exp(0.3 * 1.645) / 0.2)  # 329.5/s
RATES = (100, 300, 450)
SLO = "ttft_p95_ms < 200 and error_rate < 0.01"
RECALL = {10: 0.93, 20: 0.99, 40: 1.0}
KINDS = ("sweep", "search", "recall")
_LOAD = {
    "sweep": ("llm", [{"name": f"rate-{n}", "concurrency": 1, "rate": float(n), "settings": {}} for n in RATES]),
    "search": ("llm", []),
    "recall": (
        "vector",
        [{"name": f"ef-{n}", "concurrency": 4, "rate": None, "settings": {"search": {"ef": n}}} for n in RECALL],
    ),
}
_SEARCH = {
    "over": "rate", "from": 100.0, "to": None, "tolerance": 0.05, "repetitions": 2, "max_trials": 24, "concurrency": 1,
}  # fmt: skip


def finished(home: str | Path, kind: str) -> tuple[RunDirectory, dict[str, Any]]:
    """A run and its run.json."""
    run = make(home, kind)
    return run, finish_of(run)


def finish_of(run: RunDirectory) -> dict[str, Any]:
    """Write the run.json of a run that `make` made."""
    calls = {"ssh": 6, "sbatch": 2, "squeue": 4}
    return finish(run, run.read_json("plan.json"), run.read_json("jobs.json"), None, calls, now=BEGIN + 900)


def make(home: str | Path, kind: str) -> RunDirectory:
    """Write the run directory of a kind below `home`/runs, with all but run.json and reports."""
    run = RunDirectory(Path(home) / "runs" / f"20260921-141320-{kind}-0001")
    plan = plan_of(run.id, kind)
    run.write_json("plan.json", plan)
    run.write_text("recipe.yml", samples.RECIPE)
    run.write_json("teardown.json", samples.TEARDOWN)
    maker = _Maker(run, plan, kind)
    (maker.search if kind == "search" else maker.cases)()
    maker.close()
    return run


def plan_of(run_id: str, kind: str) -> dict[str, Any]:
    plan = samples.plan_of(run_id)
    workload, cases = _LOAD[kind]
    plan["clients"].update(type=workload, count=CLIENTS, settings={})
    plan["service"].update(name="vllm" if workload == "llm" else "qdrant", type="container")
    plan["benchmarks"].update(
        duration_s=float(DURATION_S), warmup_s=float(WARMUP_S), repetitions=1 if kind == "search" else 2,
        cases=cases, order="random", max_in_flight=4096, metrics=["throughput"],
        arrival={"type": "poisson", "burstiness": 1.0, "ramp_from": 0.0, "trace": None},
        slo=None if kind == "recall" else {"text": SLO, "terms": slo.parse(SLO)},
        search=_SEARCH if kind == "search" else None,
    )  # fmt: skip
    return plan


class _Directory:
    """Where the agent's results go: here, they lie as after the collection."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run

    def path(self, *parts: str) -> str:
        name = "/".join(parts).removeprefix("results/")
        target = self.run.file(f"series/{name}" if name.startswith("series-") else name)
        target.parent.mkdir(parents=True, exist_ok=True)
        return str(target)


class _Maker:
    def __init__(self, run: RunDirectory, plan: dict[str, Any], kind: str) -> None:
        self.run, self.plan, self.kind = run, plan, kind
        self.rng = random.Random(kind)
        self.directory = _Directory(run)
        self.results = Results(self.directory)
        self.at = BEGIN + 10.0
        self.events: list[dict[str, Any]] = []
        self.event(BEGIN + 4.5, "service", "job_started", job_id="4711")
        self.event(BEGIN + 4.5, "service", "node_described", boot_id="one")
        self.event(BEGIN + 6.5, "clients", "node_described", boot_id="two")
        self.event(BEGIN + 7.4, "service", "healthy", after_s=2.5)
        offsets = {"mel0002": _clock(0.00002, 0.00005), "mel0003": _clock(-0.0013, 0.0002)}
        self.event(BEGIN + 9.0, "clients", "clocks", offsets=offsets)

    def event(self, t: float, source: str, name: str, **fields: Any) -> None:
        self.events.append({"t": round(t, 3), "source": source, "event": name, "node": f"{source}-node", **fields})

    def cases(self) -> None:
        cases = self.plan["benchmarks"]["cases"]
        for repetition in (1, 2):
            for case in self.rng.sample(cases, len(cases)):
                self.measure(case, repetition)
        if self.kind == "recall":
            rows = [["vectors", "1", "value", 20000], ["insert_rate", "vector/s", "value", 5312.4]]
            rows += [["time_to_searchable", "s", "value", 4.2]]
            self.run.write_json("setup-metrics.json", rows)

    def search(self) -> None:
        search, trials = Search(_SEARCH), []
        while (proposal := search.next()) is not None:
            case = {"name": f"search-rate-{proposal.value:g}", "concurrency": 1, "rate": proposal.value, "settings": {}}
            place = {"number": len(trials) + 1, "step": proposal.step}
            record = self.measure(case, proposal.repetition, place)
            throughput = self.results.throughputs[case["name"]][-1]
            search.take(proposal.value, record["slo"]["met"])
            trials.append(
                {
                    **place, "case": case["name"], "repetition": proposal.repetition, "value": proposal.value,
                    "met": record["slo"]["met"], "terms": record["slo"]["terms"], "throughput": throughput,
                    "valid": True, "why": None,
                }
            )  # fmt: skip
        found = {"reason": search.reason, "lower": search.lower, "upper": search.upper, "capacity": search.capacity}
        about = {"over": "rate", "unit": "1/s", "slo": SLO, "tolerance": search.tolerance}
        self.run.write_json("search.json", {**about, **found, "trials": trials})

    def measure(self, case: dict[str, Any], repetition: int, trial: dict[str, Any] | None = None) -> dict[str, Any]:
        """One repetition of a case; returns its record in cases.json."""
        which = {"case": case["name"], "repetition": repetition}
        start = self.at + WARMUP_S
        self.event(self.at, "clients", "warmup_started", **which)
        self.event(start, "clients", "measure_started", **which)
        merged = Merged([self.client(number, case, start) for number in range(CLIENTS)], case["rate"], CLIENTS)
        self.event(start + DURATION_S, "clients", "measure_ended", **which)
        terms = (self.plan["benchmarks"]["slo"] or {}).get("terms") or []
        facts = {
            "rate": case["rate"], "concurrency": case["concurrency"], "settings": case["settings"], "clients": CLIENTS,
            "warmup_start": self.at, "cooldown_s": 0.0, "offered_rate_per_s": case["rate"], "failed_clients": [],
            "cut": None, "slo": slo.evaluate(terms, merged.value) if terms else None, "trial": trial,
        }  # fmt: skip
        self.at = start + DURATION_S + 0.4
        return self.results.add(case["name"], repetition, merged, facts)

    def client(self, number: int, case: dict[str, Any], start: float) -> dict[str, Any]:
        """What one client measured: times that grow without limit when more than the capacity is offered."""
        offered = (case["rate"] or 400.0) / CLIENTS
        share = min(1.0, CAPACITY / CLIENTS / offered)
        idle = max(0.02, 1.0 - (case["rate"] or 0.0) / CAPACITY)
        histograms = {name: Histogram() for name in self.names(case)}
        series, done = Series(), 0
        for second in range(-WARMUP_S, DURATION_S):
            due = int(offered * self.rng.uniform(0.97, 1.03))
            ended = int(due * share)
            first_s = [0.04 / idle * math.exp(self.rng.gauss(0, 0.3)) for _operation in range(ended)]
            times = [int((seconds + 0.018 * TOKENS) * 1e6) for seconds in first_s]
            series.operations(second, times)
            series.row(second)[4] += due if case["rate"] else 0
            if second >= 0:
                done += ended
                self.fill(histograms, times, [int(seconds * 1e6) for seconds in first_s])
        errors = {"timeout": {"count": 3, "example": "no answer within 30 s <eof>"}} if number == 0 else {}
        return {
            "client": number, "node": f"mel000{2 + number}", "measure_start": start, "measure_end": start + DURATION_S,
            "operations": done, "errors": errors, "histograms": {k: h.to_dict() for k, h in histograms.items()},
            "series": series.to_list(), "metrics": self.gauges(case), "counters": self.counters(done), "statistics": [],
            "offered": int(offered * DURATION_S) if case["rate"] else None, "dropped": 0, "retries": 0, "good": None,
            "cpu_percent": 31.5, "run_delay_percent": 0.4, "psi_cpu_some_percent": 3.2,
        }  # fmt: skip

    def names(self, case: dict[str, Any]) -> list[str]:
        names = ["response_time", *(["schedule_lag", "service_time"] if case["rate"] else [])]
        if self.kind != "recall":
            names += ["time_to_first_token", "time_per_output_token", "inter_token_latency"]
        return names

    def fill(self, histograms: dict[str, Histogram], times: list[int], first: list[int]) -> None:
        values = {
            "response_time": times, "service_time": times, "schedule_lag": [40] * len(times),
            "time_to_first_token": first, "time_per_output_token": [18_000] * len(times),
            "inter_token_latency": [17_500, 18_500] * len(times),
        }  # fmt: skip
        for name, histogram in histograms.items():
            histogram.record_many(values[name])

    def gauges(self, case: dict[str, Any]) -> dict[str, Any]:
        if self.kind != "recall":
            return {}
        return {"recall": {"unit": "1", "values": [RECALL[case["settings"]["search"]["ef"]]] * 50}}

    def counters(self, done: int) -> dict[str, Any]:
        if self.kind == "recall":
            return {"bytes_received": {"unit": "B", "total": done * 900}}
        tokens = {"unit": "token", "total": done * TOKENS}
        return {"output_tokens": tokens, "bytes_received": {"unit": "B", "total": done * TOKENS * 180}}

    def close(self) -> None:
        self.event(self.at, "clients", "done", cases=len(self.results.cases))
        self.event(self.at + 1, "service", "stopped", exit_code=0, port_closed=True, processes_left=0)
        self.run.write_text("events.jsonl", "".join(json.dumps(event) + "\n" for event in self.events))
        timetable = [{"end": self.at}]
        self.run.write_json("jobs.json", samples.jobs_of(self.run.id, "finished", timetable))


def _clock(offset_s: float, uncertainty_s: float) -> dict[str, float]:
    return {"offset_s": offset_s, "uncertainty_s": uncertainty_s}


if __name__ == "__main__":
    print(finished(sys.argv[2], sys.argv[1])[0].path)
