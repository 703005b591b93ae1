# SPDX-License-Identifier: MIT
"""`list` and `summary` of a controller with many runs, beside a play that does nothing.

usage: python store_bench.py [--runs 10000] [--repetitions 10] [--no-postgresql]

Makes that many run directories out of two, fills the stores from them (SQLite, and a PostgreSQL that it starts), and
times the plays in turn, so that a machine whose speed drifts changes all of them. Prints what each needs beyond the
play that does nothing: wall clock and CPU time, of each the least, since other work on the machine only adds to them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / ".collections")]

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import index  # noqa: E402
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store  # noqa: E402

from tests.unit.plugins.plugin_utils import samples, store_places  # noqa: E402
from tests.unit.plugins.plugin_utils.test_finish import finished  # noqa: E402

LIMIT_S = 0.3
FILES = ("run.json", "plan.json", "results.csv", "events.jsonl")
RECIPES, CLUSTERS = 20, ("meluxina", "other", "third")
SPACING_S = 600
PLAYS = {
    "list": ("list",),
    "list -e verdict=INVALID": ("list", "-e", "verdict=INVALID"),
    "list -e recipe=recipe7": ("list", "-e", "recipe=recipe7"),
    "list -e state=failed": ("list", "-e", "state=failed"),
    "list -l other": ("list", "-l", "other"),
    "summary": ("summary",),
    "summary -e run=PREFIX": ("summary", "-e", "run={prefix}"),
    "summary -l other": ("summary", "-l", "other"),
}


def fill_home(home: Path, runs: int) -> list[str]:
    """Run directories like a real one's, each with its own id, time, recipe, cluster and verdict; the ids."""
    with tempfile.TemporaryDirectory() as name:
        model = {
            variant: finished(name, variant, number)[0] for number, variant in enumerate(("finished", "overloaded"))
        }
        texts = {variant: {file: run.read_text(file) for file in FILES} for variant, run in model.items()}
    identifiers = []
    for number in range(runs):
        variant = "overloaded" if number % 10 == 0 else "finished"
        created = samples.BEGIN + number * SPACING_S
        run_id = time.strftime("%Y%m%d-%H%M%S", time.gmtime(created)) + f"-postgresql-{number % 65536:04x}"
        folder = home / "runs" / run_id
        folder.mkdir(parents=True)
        for file, text in texts[variant].items():
            (folder / file).write_text(text.replace(model[variant].id, run_id))
        own = {"created_at": created, "recipe": f"recipe{number % RECIPES}", "cluster": CLUSTERS[number % 7 // 3]}
        record = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**record, **own}, indent=2) + "\n")
        identifiers.append(run_id)
    return identifiers


def timed(argv: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall clock and CPU time (s) of a command that must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(argv, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    wall_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} failed:\n{done.stdout}{done.stderr}")
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def plays(home: Path, url: str | None, prefix: str, repetitions: int) -> dict[str, tuple[float, float]]:
    """What each play needs (wall clock and CPU time, s, the least) beyond the one that does nothing."""
    environment = {
        **os.environ, "AIFACTORY_HOME": str(home), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "NO_COLOR": "1",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
    }  # fmt: skip
    variables = home / "variables.json"
    variables.write_text(json.dumps({"benchmark_store_url": url}))
    inventory = home / "inventory"
    inventory.write_text("".join(f"{name} ansible_host=192.0.2.1\n" for name in CLUSTERS))
    start = [str(ROOT / ".venv/bin/ansible-playbook"), "-i", str(inventory), "-e", f"@{variables}"]
    commands = {"nothing": [*start, str(ROOT / "tests/bench/nothing.yml")]}
    for name, (playbook, *options) in PLAYS.items():
        path = str(ROOT / "playbooks" / f"{playbook}.yml")
        commands[name] = [*start, path, *(option.format(prefix=prefix) for option in options)]
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _repetition in range(repetitions):
        for name, argv in commands.items():
            times[name].append(timed(argv, environment))
    least = {name: [min(column) for column in zip(*rows, strict=True)] for name, rows in times.items()}
    print(f"a play that does nothing: {least['nothing'][0]:.2f} s, CPU {least['nothing'][1]:.2f} s")
    return {name: tuple(a - b for a, b in zip(least[name], least["nothing"], strict=True)) for name in PLAYS}


def queries(home: Path, url: str | None, identifiers: list[str]) -> dict[str, float]:
    """How long each query takes by itself (s, the median of 20), in a store that is open."""
    pair = [identifiers[len(identifiers) // 3], identifiers[-1]]
    with Store(home, url) as store:
        work: dict[str, Any] = {
            "50 newest": lambda: store.runs(limit=50),
            "50 newest INVALID": lambda: store.runs(limit=50, verdict="INVALID"),
            "50 newest of a recipe": lambda: store.runs(limit=50, recipe="recipe7"),
            "all ids": store.ids,
            "all results of two runs": lambda: store.results(pair),
            "one metric of two runs": lambda: store.results(pair, "response_time"),
        }
        return {name: statistics.median(_seconds(call) for _n in range(20)) for name, call in work.items()}


def _seconds(call: Any) -> float:
    began = time.perf_counter()
    assert call()
    return time.perf_counter() - began


@contextlib.contextmanager
def places(with_postgresql: bool) -> Iterator[dict[str, str | None]]:
    """Name → benchmark_store_url of the stores."""
    with contextlib.ExitStack() as stack:
        found: dict[str, str | None] = {"SQLite": None}
        if with_postgresql:
            found["PostgreSQL"] = store_places.new_database(stack.enter_context(store_places.postgresql()))
        yield found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--no-postgresql", action="store_true")
    options = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory() as name, places(not options.no_postgresql) as urls:
        home = Path(name)
        identifiers = fill_home(home, options.runs)
        prefix = identifiers[len(identifiers) // 2][:-2]
        for store, url in urls.items():
            filled_s = _seconds(lambda url=url: index.runs(home, url, limit=1)[0])
            print(f"\n{store}: filled with {options.runs:,} runs in {filled_s:.1f} s")
            if url is None:
                print(f"store.db: {(home / 'store.db').stat().st_size / 1e6:,.0f} MB")
            for query, seconds in queries(home, url, identifiers).items():
                print(f"  query {query:<26} {seconds * 1e3:7.1f} ms")
            for play, (wall_s, cpu_s) in plays(home, url, prefix, options.repetitions).items():
                worst = max(worst, wall_s)
                print(f"  {play:<32} {wall_s:5.2f} s beyond it, CPU {cpu_s:5.2f} s", flush=True)
    print(f"\nworst {worst:.2f} s, limit {LIMIT_S}: {'kept' if worst <= LIMIT_S else 'EXCEEDED'}")


if __name__ == "__main__":
    main()
