# SPDX-License-Identifier: MIT
"""How long the pages of the web UI take with many runs in the store.

usage: python web_bench.py [--runs 10000] [--repetitions 10]

Starts the server as a user does, asks for every page in turn, so that a machine whose speed drifts changes all of them,
and prints of each the median and the worst; the first answer of each, with nothing in memory, apart.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / ".collections")]

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import index  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import control  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings  # noqa: E402

from tests.bench.store_bench import fill_home  # noqa: E402

LIMIT_S = 1.0
PAGES = {
    "runs": "/", "runs, the last page": "/?page=200", "runs, filtered and sorted": "/?verdict=INVALID&order=recipe",
    "one run": "/runs/{last}/", "its logs": "/runs/{last}/logs", "recipes": "/recipes/",
    "a recipe": "/recipes/shipped/quickstart/", "plays": "/plays/", "compare two": "/compare/?runs={first},{last}",
    "trends of a recipe": "/trends/?recipe=recipe7", "clusters": "/clusters/", "API: runs": "/api/v1/runs?size=500",
    "API: one run": "/api/v1/runs/{last}", "API: document": "/api/v1/openapi.json", "metrics": "/metrics",
}  # fmt: skip


def asked(url: str, token: str) -> float:
    """Seconds until the whole answer is there."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    began = time.perf_counter()
    with urllib.request.urlopen(request) as answer:
        answer.read()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--repetitions", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        identifiers = fill_home(home, options.runs)
        began = time.perf_counter()
        index.runs(home, limit=1)
        print(f"{options.runs:,} runs are in the store after {time.perf_counter() - began:.1f} s")
        settings = Settings(home=home, port=0, directory=str(home))
        began = time.perf_counter()
        process = control.start(settings)
        print(f"the server answers after {time.perf_counter() - began:.1f} s")
        try:
            base, token = f"http://127.0.0.1:{process['port']}", settings.token()
            urls = {page: base + url.format(first=identifiers[0], last=identifiers[-1]) for page, url in PAGES.items()}
            first = {page: asked(url, token) for page, url in urls.items()}
            times: dict[str, list[float]] = {page: [] for page in urls}
            for _repetition in range(options.repetitions):
                for page, url in urls.items():
                    times[page].append(asked(url, token))
        finally:
            control.stop(home)
    print(f"{'page':<28}{'median':>9}{'worst':>9}{'first':>9}   s")
    for page, found in times.items():
        print(f"{page:<28}{statistics.median(found):>9.3f}{max(found):>9.3f}{first[page]:>9.3f}")
    worst = max(statistics.median(found) for found in times.values())
    print(f"\nthe slowest page {worst:.2f} s, limit {LIMIT_S}: {'kept' if worst <= LIMIT_S else 'EXCEEDED'}")
    sys.exit(worst > LIMIT_S)


if __name__ == "__main__":
    main()
