# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL's own load generator: one pgbench process per client, case and repetition."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re
import shutil
import tempfile
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pgbench_log import LogReader
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.processes import sleep_until
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.shell import quote
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
_LEAST_WARMUP_S = 0.3
# A start that late into the measurement falsifies its throughput by more than a run's own noise.
_LATE_S, _LATE_SHARE = 0.1, 0.01


def check(settings):
    """(setting, message, remedy) of what is wrong with the settings as a whole."""
    for number, argument in enumerate(settings["extra_arguments"]):
        if "\n" in argument:
            yield "extra_arguments[%d]" % number, "%r has a line break" % argument, "write it in one line"


class Workload(WorkloadBase):
    """See the module."""

    setup_uses_shell = True

    def shells(self, benchmarks):
        """One, for pgbench."""
        return 1

    def minimum_warmup_s(self, prepared_s):
        """The processes start and connect, as in `prepare`, which also had to bring them into memory."""
        return max(_LEAST_WARMUP_S, prepared_s)

    def prepare(self, ctx):
        """Connect once, so that program, libraries and name service are in memory when it counts."""
        path = os.path.join(ctx.tmp_dir, "prepare.sql")
        with open(path, "w") as stream:
            stream.write("SELECT 1;\n")
        self._run(ctx, "pgbench -n -c 1 -t 1 -f %s" % quote(path), "the first connection")

    def setup(self, ctx):
        """Make the tables, run setup_sql, CHECKPOINT."""
        settings = ctx.settings
        steps = []
        if settings["initialize"]:
            steps.append("pgbench -i -q -s %d" % settings["scale"])
        for name, sql in (
            ("setup.sql", settings["setup_sql"]),
            ("checkpoint.sql", "CHECKPOINT;\n" * settings["checkpoint"]),
        ):
            if sql:
                path = os.path.join(ctx.tmp_dir, name)
                with open(path, "w") as stream:
                    stream.write(sql)
                steps.append("pgbench -n -c 1 -t 1 -f %s" % quote(path))
        if steps:
            for each in ctx.stores():
                self._run(each, " && ".join(steps), "the set-up")

    def run(self, ctx, case, recorder):
        """One pgbench process, and with `requests` another one before it for the warm-up."""
        directory = tempfile.mkdtemp(prefix="pgbench-", dir=ctx.tmp_dir)
        try:
            common = self._arguments(ctx, case, directory)
            sleep_until(case.warmup_start, ctx.stop)
            if case.requests is None:
                # From the start of the process, so that it outlasts the measurement in any case.
                seconds = -int(-(case.measure_end - time.time()) // 1)
                limit = ["-T", str(max(1, seconds))]
            else:
                seconds = int(case.measure_start - time.time())
                if seconds >= 1 and not ctx.stop.is_set():
                    self._run(ctx, _line([*common, "-T", str(seconds)]), "the warm-up")
                sleep_until(case.measure_start, ctx.stop)
                limit = ["-t", str(-(-case.requests // case.concurrency))]
            self._measure(ctx, case, recorder, [*common, *limit], os.path.join(directory, "log"))
        finally:
            shutil.rmtree(directory)
        window = {"threads": self.threads, "cut": ctx.cut.is_set()}
        if case.requests is not None or ctx.cut.is_set():  # what a process that was ended had not yet logged is lost
            window["measure_end"] = recorder.last_end or recorder.measure_start
        return window

    def _arguments(self, ctx, case, directory):
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
                path = os.path.join(directory, "script-%d.sql" % number)
                with open(path, "w") as stream:
                    stream.write(script["sql"].rstrip() + "\n")
                argv += ["-f", "%s@%d" % (path, script.get("weight", 1))]
        else:
            argv += ["-b", settings["script"]]
        return argv + list(settings["extra_arguments"])

    def _measure(self, ctx, case, recorder, argv, prefix):
        log = LogReader(prefix, recorder, case.rate is not None)
        output = _Output(ctx, recorder)
        shell = self._start(ctx, _line([*argv, "-P", "1", "-l", "--log-prefix=" + prefix]))
        code, read_at = None, time.monotonic()
        while code is None:
            code = shell.wait(_TICK_S)
            output.read(shell)
            if ctx.stop.is_set() or ctx.cut.is_set():
                shell.end()
            elif time.monotonic() - read_at > _READ_EVERY_S:
                log.read()
                read_at = time.monotonic()
        log.read()
        output.read(shell)
        if ctx.stop.is_set() or ctx.cut.is_set():
            return
        early_s = 0.0 if case.measure_end is None else case.measure_end - time.time()
        if code and (early_s > 0 or not recorder.seen_operations):
            when = " %.1f s before the measurement's end" % early_s if early_s > 0 else ""
            raise LoadError("pgbench ended%s with exit code %d: %s" % (when, code, output.summary()))
        if code:  # some of its connections were aborted, the others went on
            recorder.problem("aborted", output.summary(), max(1, output.complaints))
        if case.requests is not None or case.rate is not None or log.first_due_us is None:
            return  # with a rate the schedule began in time, and the lag behind it tells the rest
        late_s = log.first_due_us / 1e6 - case.measure_start
        if late_s > max(_LATE_S, _LATE_SHARE * case.duration_s):
            raise LoadError(
                "pgbench was not ready before the measurement, but %.1f s into it: give a longer warmup" % late_s
            )

    def _start(self, ctx, line):
        shell = ctx.shell()
        shell.set_variables(_variables(ctx))
        shell.execute(line)
        return shell

    def _run(self, ctx, line, what):
        """Run a preparing command to its end. Raises LoadError with its last lines."""
        output = _Output(ctx, None)
        shell = self._start(ctx, line)
        code = None
        while code is None:
            code = shell.wait(_TICK_S)
            if ctx.stop.is_set():
                shell.end()
        output.read(shell)
        if code and not ctx.stop.is_set():
            raise LoadError("%s ended with exit code %d: %s" % (what, code, output.summary()))


class _Output:
    """Follows pgbench's messages: progress for the recorder, the rest for the log and for error messages."""

    def __init__(self, ctx, recorder):
        self.log = ctx.log
        self.recorder = recorder
        self.offset = 0
        self.tail = []
        self.complaint = ""
        self.complaints = 0
        self.elapsed_s = 0.0
        self.operations = 0.0
        self.failed = 0

    def read(self, shell):
        """Take in all whole lines that were added."""
        with open(shell.output_path, "rb") as stream:
            stream.seek(self.offset)
            block = stream.read()
        whole = block.rfind(b"\n") + 1
        self.offset += whole
        for line in block[:whole].decode("utf-8", "replace").splitlines():
            found = _PROGRESS.match(line)
            if found and self.recorder:
                self._progress(found, sum(map(int, _NOT_DONE.findall(line))))
                continue
            self.log(line)
            self.tail = [*self.tail[-19:], line]
            if _ABORTED.search(line):
                self.complaints += 1
                self.complaint = self.complaint or line

    def summary(self):
        """Its first complaint, else its last lines (str)."""
        return self.complaint or "\n".join(self.tail)

    def _progress(self, found, failed):
        elapsed_s = float(found.group(1))
        self.operations += float(found.group(2)) * (elapsed_s - self.elapsed_s)
        self.elapsed_s = elapsed_s
        self.failed += failed
        self.recorder.live = (round(self.operations), self.failed)


def _variables(ctx):
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
    return ctx.variables(variables)


def _line(argv):
    """An argv (list of str) as a line of shell, which becomes that program."""
    return "exec " + " ".join(quote(word) for word in argv)
