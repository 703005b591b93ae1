# SPDX-License-Identifier: MIT
"""How long each dashboard's queries take, in a real Prometheus with the history of many runs.

usage: python bench_dashboards.py [--runs 200] [--days 30] [--times 3]

The runs are those of the tests, of every kind, exported for Prometheus; copies of them, each with an id and a time of
its own, fill the days. Prometheus takes them by promtool as a person would have it do. Then every query of every panel
is asked as Grafana asks it: for the time that the dashboard shows first, in as many steps as a panel has pixels.
"""

from __future__ import annotations

import argparse
import itertools
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / ".collections")]

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import dashboards, openmetrics  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import Dashboard  # noqa: E402

from tests.unit.plugins.plugin_utils import samples  # noqa: E402
from tests.unit.plugins.plugin_utils.monitoring import history, prometheus  # noqa: E402
from tests.unit.plugins.plugin_utils.monitoring.test_dashboards import SCRAPE_S, choices, filled  # noqa: E402

DAY_S, POINTS = 86400.0, 1000
SHOWN_S = {"now-30d": 30 * DAY_S, "now-24h": DAY_S, "now-15m": 900.0}
CHOSEN = 3  # of what can be chosen one by one, such as runs
LIMIT_S = 1.0  # of the slowest query
_TIME = re.compile(r" (\d{10}(?:\.\d+)?)$", re.MULTILINE)  # the last field of a line of OpenMetrics


def exported(folder: Path) -> dict[str, str]:
    """Id → OpenMetrics of runs of every kind."""
    history.runs(folder / "home")
    openmetrics.write_all(folder / "home", folder / "openmetrics", (), True, sys.exit)
    return {path.stem: path.read_text() for path in sorted((folder / "openmetrics").iterdir())}


def copies(texts: dict[str, str], folder: Path, runs: int, days: float) -> list[Path]:
    """Files of so many runs over the days before the first one."""
    folder.mkdir()
    files = []
    for number, (identifier, text) in zip(range(runs), itertools.cycle(texts.items())):
        back_s = round(number * days * DAY_S / runs)
        begin = time.strftime("%Y%m%d-%H%M%S", time.gmtime(samples.BEGIN - back_s))
        name = f"{begin}-{identifier.split('-', 2)[2].rpartition('-')[0]}-{number:04x}"
        shifted = _TIME.sub(lambda found, back_s=back_s: f" {float(found[1]) - back_s:.3f}", text)
        files.append(folder / f"{name}.om")
        files[-1].write_text(shifted.replace(identifier, name))
    return files


def asked(server: Any, dashboard: Dashboard, times: int) -> tuple[list[tuple[float, str]], int]:
    """([(median seconds, title) of each query], how many series they found in all)."""
    shown_s = SHOWN_S[dashboard.since]
    end = samples.BEGIN + min(1140.0, shown_s - 60)  # the first run begins in the middle of the shortest
    start = end - shown_s
    offered = choices(server, dashboard, start, end)
    chosen = offered[:: max(1, -(-len(offered) // CHOSEN))]
    found, series = [], 0
    for panel, choice in itertools.product(dashboard.panels, chosen):
        step = max((end - start) / POINTS, float(panel.interval.rstrip("s") or SCRAPE_S))
        for query in panel.queries:
            expr, taken = filled(query.expr, choice, end - start, step), []
            for _time in range(times):
                began = time.perf_counter()
                if query.instant:
                    result = server.get("query", query=expr, time=end)["result"]
                else:
                    result = server.range(expr, start, end, step)
                taken.append(time.perf_counter() - began)
            series += len(result)
            found.append((statistics.median(taken), panel.title))
    return found, series


def main() -> None:
    """Fill, ask and print; ends with 1 when a query is slower than the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--times", type=int, default=3, help="that each query is asked")
    options = parser.parse_args()
    worst_s = 0.0
    with tempfile.TemporaryDirectory(prefix="aifactory-dashboards-") as name:
        folder = Path(name)
        files = copies(exported(folder), folder / "copies", options.runs, options.days - 1)
        files.append(folder / "live.om")  # what a run that goes on is shown by
        files[-1].write_text(history.live(folder / "home"))
        began = time.monotonic()
        prometheus.backfill(files, folder / "data")
        mib = sum(path.stat().st_size for path in files) / 2**20
        took_s = time.monotonic() - began
        print(f"{options.runs} runs in {options.days:g} days, {mib:.1f} MiB; taken in by promtool in {took_s:.0f} s\n")
        head = ("dashboard", "queries", "series", "median, ms", "slowest, ms", "which")
        print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
        with prometheus.prometheus(folder) as server:
            for dashboard in dashboards.all_dashboards():
                found, series = asked(server, dashboard, options.times)
                slowest_s, title = max(found)
                worst_s = max(worst_s, slowest_s)
                median_ms = 1e3 * statistics.median(seconds for seconds, _title in found)
                cells = (len(found), f"{series:,}", f"{median_ms:.1f}", f"{1e3 * slowest_s:.1f}", title)
                print(f"| {dashboard.name} | {' | '.join(map(str, cells))} |", flush=True)
    print(f"\nlimit of {LIMIT_S:g} s a query {'kept' if worst_s <= LIMIT_S else 'EXCEEDED'}: {worst_s:.2f} s")
    sys.exit(worst_s > LIMIT_S)


if __name__ == "__main__":
    main()
