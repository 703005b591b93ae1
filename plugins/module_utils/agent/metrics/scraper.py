# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asks a running service for its own metrics once a second, and keeps what has changed."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib
import csv
import math
import os
import threading
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.console import tell
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.exposition import UP
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.sources import SOURCES, SourceError
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.framing import UNREADABLE

COLUMNS = ("t", "metric", "labels", "kind", "value")
_MOST_BYTES = 64 << 20
_MOST_SERIES, _MOST_LABELS = 100000, 10000
_SHARE = 0.05  # of the time, that asking may take: what takes longer is asked less often


class Scraper(threading.Thread):
    """Writes metrics/NAME.csv until `stop` is called. target: sources.Target; path (str): of the file.

    A row is a value that differs from the one before: until the next row of its series it is the same. `t` is the
    epoch time (s) at which the question was sent. The series `up` is 1 while the service answers and 0 while it does
    not; its last row is that of the last question. `tell`: a function that gets the samples (list) of each, too.
    """

    def __init__(self, target, path, tell=None):
        super().__init__(name="metrics")
        self.daemon = True
        options = target.options
        self.source = SOURCES[options["type"]](target)
        self.interval_s = float(options.get("interval_s") or 1.0)
        self.path = path
        self.tell = tell
        self.ended = threading.Event()
        self.last = {}
        self.scrapes = self.failures = 0
        self.seconds = 0.0
        self.problem = None
        self.is_cut = False
        self.stream = open(path, "a", newline="", buffering=1 << 16)  # noqa: SIM115  (stop() closes it)
        self.writer = csv.writer(self.stream, lineterminator="\n")
        if not os.path.getsize(path):
            self.writer.writerow(COLUMNS)

    def run(self):
        """Ask until stopped."""
        start = time.monotonic()
        due = start
        while not self.ended.wait(max(0.0, due - time.monotonic())):
            took_s = self.scrape()
            due = max(due + self.interval_s, time.monotonic() + took_s * (1 - _SHARE) / _SHARE)

    def scrape(self, last=False):
        """Ask once. Returns the seconds that it took."""
        began, t = time.monotonic(), time.time()
        try:
            samples = [*self.source.read(), (UP, "", "gauge", 1.0)]
        except (SourceError, OSError, *UNREADABLE) as e:
            # whatever a service answers, it is measured on
            samples = [(UP, "", "gauge", 0.0)]
            self.failures += 1
            if self.problem is None:
                self.problem = str(e) or type(e).__name__
                tell("metrics: %s" % self.problem)
        if self.tell:
            self.tell(samples)
        if last:
            self.last.pop((UP, ""), None)
        self._keep(t, samples)
        self.scrapes += 1
        took_s = time.monotonic() - began
        self.seconds += took_s
        return took_s

    def _keep(self, t, samples):
        if self.is_cut:
            return
        rows = []
        for name, labels, kind, value in samples:
            known = self.last.get((name, labels))
            if known is None and (len(self.last) >= _MOST_SERIES or len(labels) > _MOST_LABELS):
                self.problem = self.problem or "more than %d series, or labels of more than %d characters" % (
                    _MOST_SERIES, _MOST_LABELS
                )  # fmt: skip
                continue
            if known != value and math.isfinite(value):
                self.last[name, labels] = value
                rows.append(("%.3f" % t, name, labels, kind, repr(int(value)) if value.is_integer() else repr(value)))
        try:
            self.writer.writerows(rows)
            self.stream.flush()
            self.is_cut = self.stream.tell() > _MOST_BYTES
        except OSError as e:  # such as a quota: what was kept until now is worth more than this series
            self.is_cut = True
            self.problem = self.problem or str(e)

    def stop(self):
        """Ask a last time, as long as the service answers, and close the file. Returns what to tell of it (dict)."""
        self.ended.set()
        if self.is_alive():
            self.join(10)
        if not self.is_alive():
            self.scrape(last=True)
            self.source.close()
            with contextlib.suppress(OSError):  # a disk that is full says it here once more
                self.stream.close()
        return {
            "scrapes": self.scrapes,
            "failures": self.failures,
            "problem": self.problem,
            "seconds": round(self.seconds, 3),
            "series": len(self.last),
            "cut": self.is_cut,
        }
