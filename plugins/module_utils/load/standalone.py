# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One client without a cluster: the same load, against a URL, its result as JSON.

For trying a workload's settings on a machine at hand, and for measuring the generator itself.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import argparse
import json
import os
import sys
import tempfile
import threading
import time
import uuid

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import pressure, registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import Case, Context, LoadError

_AHEAD_S = 0.3  # until the load begins: connections are opened meanwhile


def main(argv=None):
    """Make the load of one case. Returns the exit code (int)."""
    options = _options(argv)
    with tempfile.TemporaryDirectory(prefix="aifactory-load-") as tmp_dir:
        try:
            result = run(options, tmp_dir)
        except LoadError as e:
            sys.stderr.write("load: %s\n" % e)
            return 1
    text = json.dumps(result, separators=(",", ":")) + "\n"
    if options.out == "-":
        sys.stdout.write(text)
    else:
        with open(options.out, "w") as stream:
            stream.write(text)
    return 0


def run(options, tmp_dir):
    """The result (dict, as a client of a run leaves it). Raises LoadError."""
    context = _context(options, tmp_dir)
    workload = registry.load(options.workload).Workload()
    try:
        workload.setup(context)
        workload.prepare(context)
        start = options.at or time.time() + _AHEAD_S
        case = Case(_order(options, start), options.client, options.clients, options.run_id or uuid.uuid4().hex)
        recorder = workload.recorder(context, case)
        begin = time.time()
        used = os.times()
        strain = pressure.Strain(case.measure_start)
        extra = workload.run(context, case, recorder)
        spent = os.times()
        result = recorder.result()
        result.update(strain.measured())
        result.update(extra)
        cpu_s = spent.user + spent.system - used.user - used.system
        result.update(client=options.client, cpu_percent=round(100.0 * cpu_s / max(1e-6, time.time() - begin), 2))
        return result
    finally:
        workload.cleanup(context)
        context.close()


def _order(options, start):
    measure_start = start + options.warmup
    end = None if options.requests else measure_start + options.duration
    return {
        "case": "load",
        "repetition": 1,
        "concurrency": options.concurrency,
        "rate": options.rate,
        "requests": options.requests,
        "duration_s": None if options.requests else options.duration,
        "warmup_s": options.warmup,
        "warmup_start": start,
        "measure_start": measure_start,
        "measure_end": end,
        "load_end": None if end is None else end + options.cooldown,
        "arrival": {"type": options.arrival},
        "max_in_flight": options.max_in_flight,
        "timeout_s": options.timeout,
        "drain_s": options.drain,
        "seed": options.seed,
    }


def _context(options, tmp_dir):
    from urllib.parse import urlsplit

    parts = urlsplit(options.url)
    service = {
        "name": "service",
        "host": parts.hostname,
        "address": parts.hostname,
        "port": parts.port or {"https": 443}.get(parts.scheme, 80),
        "url": options.url,
    }
    return Context(
        run_id="load",
        client=options.client,
        clients=options.clients,
        services=[service],
        settings=registry.with_defaults(options.workload, json.loads(options.settings)),
        command=None,
        container=[],
        runtime="apptainer",
        env={},
        run_dir=tmp_dir,
        output_dir=tmp_dir,
        tmp_dir=tmp_dir,
        log=lambda text: sys.stderr.write(text + "\n"),
        stop=threading.Event(),
        cut=threading.Event(),
        parser=None,
    )


def _options(argv):
    parser = argparse.ArgumentParser(prog="load", description=__doc__.splitlines()[0])
    parser.add_argument("--workload", required=True, choices=registry.names())
    parser.add_argument("--url", required=True, help="of the service")
    parser.add_argument("--settings", default="{}", help="the workload's settings, as JSON")
    parser.add_argument("--rate", type=float, help="operations a second; default: a closed loop")
    parser.add_argument("--arrival", default="poisson", choices=["poisson", "constant", "gamma"])
    parser.add_argument("--concurrency", type=int, default=1, help="connections of a closed loop")
    parser.add_argument("--duration", type=float, default=10.0, help="seconds that are measured")
    parser.add_argument("--requests", type=int, help="operations that are measured, instead of a duration")
    parser.add_argument("--warmup", type=float, default=0.0, help="seconds under load before")
    parser.add_argument("--cooldown", type=float, default=0.0, help="seconds under load after")
    parser.add_argument("--drain", type=float, default=60.0, help="seconds that operations may go on after the load")
    parser.add_argument("--timeout", type=float, help="seconds that one operation may take")
    parser.add_argument("--max-in-flight", type=int, default=4096)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--client", type=int, default=0, help="this client's number, from 0")
    parser.add_argument("--clients", type=int, default=1, help="how many make the load together")
    parser.add_argument("--run-id", help="clients that belong together have the same; default: one of its own")
    parser.add_argument("--at", type=float, help="epoch time at which the load begins; default: at once")
    parser.add_argument("--out", default="-", help="file of the result; default: standard output")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())  # pylint: disable=ansible-bad-function
