# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run is judged by, where a number stops being quotable, and the form of a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.results import Table

# Why a repetition was ended before its time, as cases.json has it in `cut`.
ERROR_RATE, OVER_SATURATION, STABLE = "error_rate", "over_saturation", "stable"
SERVICE_FAILED, STOPPED = "service failed", "stopped"


@dataclass(frozen=True)
class Thresholds:
    """Where a number stops being quotable. Rates are shares of 1.

    `run_delay_percent`: of each second in which an answer may come, a client that is ready to run and waits for a CPU
    a tenth of the time reads a tenth of the answers late, so p90 and beyond are the client's.
    `cpu_wait_floor_s`: of a measurement of 40 ms a single turn of another process is a tenth. Ten turns of the
    scheduler (about 5 ms each) are no chance any more.
    `node_pressure_percent`: half of the time some task of the clients' node waited for a CPU. Up to there it may be
    another's; beyond, there are more tasks than CPUs, and the clients are those that make most of them.
    `clock_s`, `clock_share`: the clients measure in the same window, by their own clocks. One whose clock is off by x
    measures x of the load at its ends alone, so an offset below a hundredth of the window moves sums by less than the
    1 % that the other checks grant; and 50 ms is what clocks that are kept by NTP stay below.
    """

    error_rate: float = 0.01  # operations that failed, of all
    rate_delivered: float = 0.99  # completed, of the offered rate; and begun, of the offered operations
    lag_share: float = 0.05  # p99 of the clients' lag behind the schedule, of the median response time
    lag_floor_s: float = 0.005  # a lag below this never counts: it is the kernel's scheduling
    drift: float = 0.2  # change of the throughput from the first half of a measurement to the second (a note)
    client_cpu_percent: float = 80.0  # of the cores that a client may use
    run_delay_percent: float = 10.0  # of the time, a client could have run and had no CPU
    cpu_wait_floor_s: float = 0.05  # a wait for a CPU below this, in all of a measurement, never counts
    node_pressure_percent: float = 50.0  # of the time, some task of the clients' node could have run and had no CPU
    clock_s: float = 0.05  # how far the clocks of two nodes may be apart,
    clock_share: float = 0.01  # or this share of the shortest measurement, whichever is more


class Evidence(NamedTuple):
    """What a run left: its plan, Slurm's job records, events, cases.json, results.csv, merged histograms, search.json.

    `histograms`: metric → case → Histogram; `rates`, `responses`: (case, repetition) → operations of each measured
    second, and their mean response time (s; None of a second without any); `setup`: what the workload's set-up
    measured, rows with `metric`, `unit`, `statistic`, `value`.
    """

    plan: dict[str, Any]
    jobs: list[dict[str, Any]]
    events: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    table: Table
    histograms: dict[str, dict[str, Histogram]]
    rates: dict[tuple[str, int], list[float]]
    search: dict[str, Any] | None = None
    setup: Sequence[dict[str, Any]] = ()
    responses: Mapping[tuple[str, int], Sequence[float | None]] = {}

    @property
    def benchmarks(self) -> dict[str, Any]:
        """The plan's part about the load."""
        return self.plan.get("benchmarks") or {}

    @property
    def planned(self) -> list[dict[str, Any]]:
        """Repetitions that were measured to their end, be it one that a stop rule chose, in the plan's order of cases.

        Trials of a search are not among them.
        """
        place = {case["name"]: number for number, case in enumerate(self.benchmarks.get("cases") or [])}
        found = [case for case in self.cases if not case.get("trial") and not is_partial(case)]
        return sorted(found, key=lambda case: (place.get(case["case"], len(place)), case["repetition"]))


def is_partial(case: dict[str, Any]) -> bool:
    """Whether a repetition was ended since the run ended: what was measured of it is kept, and is not the whole."""
    return case.get("cut") in (SERVICE_FAILED, STOPPED)


def item(code: str, message: str, case: str | None = None) -> dict[str, Any]:
    """A reason or a note."""
    return {"code": code, "message": message, "case": case}


def grouped(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One for all that have its code and case: a hundred clients that failed alike are one reason."""
    groups: dict[Any, list[dict[str, Any]]] = {}
    for each in items:
        groups.setdefault((each["code"], each["case"]), []).append(each)
    for first, *more in groups.values():
        if more:
            first["message"] += f" (and {len(more)} more like it)"
    return [group[0] for group in groups.values()]
