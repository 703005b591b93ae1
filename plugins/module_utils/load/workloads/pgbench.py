# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL's own load generator: one pgbench process per client, case and repetition."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pgbench_log import LogReader
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.processes import sleep_until, stop_group
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError, WorkloadBase

SETTINGS = {
    "scale": {"type": "int", "default": 10, "min": 1, "description": "Scale factor: 100,000 accounts each."},
    "script": {
        "type": "str",
        "default": "tpcb-like",
        "choices": ["tpcb-like", "simple-update", "select-only"],
        "description": "The built-in transaction.",
    },
    "scripts": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "sql": {"type": "str", "description": "The transaction, in pgbench's language."},
            "weight": {"type": "int", "default": 1, "min": 1, "description": "How often, relative to the others."},
        },
        "description": "Transactions of your own, used instead of the built-in one.",
    },
    "protocol": {
        "type": "str",
        "default": "simple",
        "choices": ["simple", "extended", "prepared"],
        "description": "How queries are sent.",
    },
    "initialize": {"type": "bool", "default": True, "description": "Make pgbench's own tables (pgbench -i)."},
    "setup_sql": {"type": "str", "default": "", "description": "SQL that is run once, after the tables are made."},
    "checkpoint": {"type": "bool", "default": True, "description": "CHECKPOINT between the set-up and the load."},
    "vacuum": {"type": "bool", "default": False, "description": "VACUUM before every case, as pgbench does."},
    "user": {"type": "str", "default": "", "description": "The database user; empty: the service's own."},
    "database": {"type": "str", "default": "", "description": "The database; empty: the service's own."},
    "secret": {"type": "str", "default": "password", "description": "Which of the service's secrets is the password."},
    "extra_arguments": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": "Further arguments of every measuring pgbench.",
    },
}

_PROGRESS = re.compile(r"^progress: ([0-9.]+) s, ([0-9.]+) tps")
_NOT_DONE = re.compile(r", ([0-9]+) (?:failed|skipped)")
_ABORTED = re.compile(r"aborted|error:", re.IGNORECASE)
_CONNECT_TIMEOUT_S = 10
_TICK_S = 0.1
_READ_EVERY_S = 0.5


class Workload(WorkloadBase):
    """See the module."""

    minimum_warmup_s = 0.5

    def setup(self, ctx):
        """Make the tables, run setup_sql, CHECKPOINT."""
        settings = ctx.settings
        if settings["initialize"]:
            _run(ctx, ["pgbench", "-i", "-q", "-s", str(settings["scale"])], "pgbench -i")
        for sql, what in (
            (settings["setup_sql"], "setup_sql"),
            ("CHECKPOINT;\n" * settings["checkpoint"], "CHECKPOINT"),
        ):
            if sql:
                path = _write_script(ctx, "setup.sql", sql)
                _run(ctx, ["pgbench", "-n", "-c", "1", "-t", "1", "-f", path], what)

    def run(self, ctx, case, recorder):
        """One pgbench process, and with `requests` another one before it for the warm-up."""
        self.directory = tempfile.mkdtemp(prefix="pgbench-", dir=ctx.tmp_dir)
        try:
            common = self._arguments(ctx, case)
            if case.requests is None:
                sleep_until(case.warmup_start, ctx.stop)
                # From the start of the process, so that it outlasts the measurement in any case.
                seconds = -int(-(case.measure_end - time.time()) // 1)
                self._measure(ctx, case, recorder, [*common, "-T", str(max(1, seconds))])
            else:
                sleep_until(case.warmup_start, ctx.stop)
                seconds = int(case.measure_start - time.time())
                if seconds >= 1 and not ctx.stop.is_set():
                    _run(ctx, [*common, "-T", str(seconds)], "pgbench (warm-up)")
                sleep_until(case.measure_start, ctx.stop)
                each = -(-case.requests // case.concurrency)
                self._measure(ctx, case, recorder, [*common, "-t", str(each)])
        finally:
            shutil.rmtree(self.directory)
        return self._window(case, recorder)

    def _arguments(self, ctx, case):
        settings = ctx.settings
        threads = max(1, min(case.concurrency, len(os.sched_getaffinity(0)) or 1))
        self.threads = threads
        argv = ["pgbench", "-c", str(case.concurrency), "-j", str(threads), "-M", settings["protocol"]]
        argv += ["--random-seed=%d" % case.seed]
        if not settings["vacuum"]:
            argv.append("-n")
        if case.rate is not None:
            argv += ["-R", "%.6f" % case.rate]
        if settings["scripts"]:
            for number, script in enumerate(settings["scripts"]):
                path = os.path.join(self.directory, "script-%d.sql" % number)
                with open(path, "w") as stream:
                    stream.write(script["sql"].rstrip() + "\n")
                argv += ["-f", "%s@%d" % (path, script.get("weight", 1))]
        else:
            argv += ["-b", settings["script"]]
        return argv + list(settings["extra_arguments"])

    def _measure(self, ctx, case, recorder, argv):
        prefix = os.path.join(self.directory, "log")
        log = LogReader(prefix, recorder, case.rate is not None)
        process = subprocess.Popen(
            ctx.argv([*argv, "-P", "1", "-l", "--log-prefix=" + prefix]),
            env=_environment(ctx, [self.directory]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            errors="replace",
            start_new_session=True,
        )
        output = _Output(process.stdout, recorder, ctx.log)
        output.start()
        read_at = time.time()
        while process.poll() is None:
            if ctx.stop.wait(_TICK_S):
                stop_group(process)
            elif time.time() - read_at > _READ_EVERY_S:
                log.read()
                read_at = time.time()
        output.join(5)
        log.read()
        self._judge(ctx, process.returncode, output, recorder)

    def _judge(self, ctx, exit_code, output, recorder):
        """An exit code of 2 means that some of its connections were aborted, 1 that it could do nothing."""
        if exit_code == 0 or ctx.stop.is_set():
            return
        example = "\n".join(output.tail)
        if not recorder.seen_operations:
            raise LoadError("pgbench ended with exit code %d: %s" % (exit_code, example))
        recorder.problem("aborted", output.complaint or example, max(1, output.complaints))

    def _window(self, case, recorder):
        """The time over which the operations count; pgbench's load goes on beyond it."""
        if case.requests is None:
            return {"threads": self.threads}
        return {"threads": self.threads, "measure_end": recorder.last_end or recorder.measure_start}


class _Output(threading.Thread):
    """Follows pgbench's messages: progress for the recorder, the last lines for an error message."""

    def __init__(self, stream, recorder, log):
        super().__init__()
        self.daemon = True
        self.stream = stream
        self.recorder = recorder
        self.log = log
        self.tail = []
        self.complaint = ""
        self.complaints = 0
        self.elapsed_s = 0.0
        self.operations = 0.0
        self.failed = 0

    def run(self):
        """Until pgbench closes its output."""
        for line in map(str.rstrip, self.stream):
            found = _PROGRESS.match(line)
            if found:
                self._progress(found, sum(map(int, _NOT_DONE.findall(line))))
                continue
            self.log(line)
            self.tail = [*self.tail, line][-20:]
            if _ABORTED.search(line):
                self.complaints += 1
                self.complaint = self.complaint or line

    def _progress(self, found, failed):
        elapsed_s = float(found.group(1))
        self.operations += float(found.group(2)) * (elapsed_s - self.elapsed_s)
        self.elapsed_s = elapsed_s
        self.failed += failed
        self.recorder.live = (round(self.operations), self.failed)


def _environment(ctx, binds=()):
    service, settings = ctx.service, ctx.settings
    connection = service.get("connection") or {}
    variables = {
        "PGHOST": service["address"],
        "PGPORT": service["port"],
        "PGUSER": settings["user"] or connection.get("user", "postgres"),
        "PGDATABASE": settings["database"] or connection.get("database", "postgres"),
        "PGCONNECT_TIMEOUT": _CONNECT_TIMEOUT_S,
    }
    if settings["secret"]:
        variables["PGPASSWORD"] = ctx.secret(settings["secret"])
    return ctx.environment(variables, binds)


def _write_script(ctx, name, sql):
    path = os.path.join(ctx.tmp_dir, name)
    with open(path, "w") as stream:
        stream.write(sql)
    return path


def _run(ctx, argv, what):
    """Run a preparing pgbench to its end. Raises LoadError with its last lines."""
    process = subprocess.Popen(
        ctx.argv(argv),
        env=_environment(ctx, [ctx.tmp_dir]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        errors="replace",
        start_new_session=True,
    )
    output = _Output(process.stdout, None, ctx.log)
    output.start()
    while process.poll() is None:
        if ctx.stop.wait(_TICK_S):
            stop_group(process)
    output.join(5)
    if process.returncode and not ctx.stop.is_set():
        raise LoadError("%s ended with exit code %d: %s" % (what, process.returncode, "\n".join(output.tail)))
