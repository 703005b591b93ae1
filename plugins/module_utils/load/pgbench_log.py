# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""pgbench's per-transaction log, read while it grows.

A line is `client transaction time script epoch_s epoch_us [lag] [retries]`: `time` and `lag` in microseconds,
the epoch that of the end. `lag` is there with --rate; `time` then counts from the scheduled start and contains
it. `time` is a word for what did not succeed: `skipped`, `failed`, or with --failures-detailed `serialization`,
`deadlock`. Source: PostgreSQL documentation, pgbench, "Per-Transaction Logging".
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import glob

_TIME, _EPOCH_S, _EPOCH_US, _LAG = 2, 4, 5, 6
_BLOCK_BYTES = 1 << 20


class LogReader:
    """Reads the logs `PREFIX.*` of one pgbench process into a Recorder.

    has_lag (bool): the process ran with --rate. A transaction belongs to the measurement when it was due in it.
    """

    def __init__(self, prefix, recorder, has_lag):
        self.prefix = prefix
        self.recorder = recorder
        self.has_lag = has_lag
        self.offsets = {}
        self.start_us = round(recorder.measure_start * 1e6)
        end = recorder.measure_end
        self.end_us = None if end is None else round(end * 1e6)
        self.first_due_us = None

    def read(self):
        """Take in all whole lines that were added since the last call."""
        for path in glob.glob(glob.escape(self.prefix) + ".*"):
            with open(path, "rb") as stream:
                stream.seek(self.offsets.get(path, 0))
                while True:
                    block = stream.read(_BLOCK_BYTES)
                    whole = block.rfind(b"\n") + 1
                    if not whole:
                        break
                    self._take(block[:whole])
                    stream.seek(whole - len(block), 1)
                self.offsets[path] = stream.tell() - len(block)

    def _take(self, block):
        """Take in whole lines, by columns: a third of the time of going line by line."""
        words = block.split()
        columns = len(block[: block.index(b"\n")].split())
        if columns < _LAG or len(words) % columns:
            raise ValueError("pgbench's log has an unknown form: %r" % block[:200])
        try:
            times = list(map(int, words[_TIME::columns]))
        except ValueError:
            self._take_one_by_one(words, columns)
            return
        seconds = map(int, words[_EPOCH_S::columns])
        ends = [s * 1000000 + us for s, us in zip(seconds, map(int, words[_EPOCH_US::columns]))]
        lags = list(map(int, words[_LAG::columns])) if self.has_lag else None
        self._record(times, ends, lags)

    def _take_one_by_one(self, words, columns):
        times, ends, lags = [], [], []
        for i in range(0, len(words), columns):
            end_us = int(words[i + _EPOCH_S]) * 1000000 + int(words[i + _EPOCH_US])
            word = words[i + _TIME]
            if word.isdigit():
                times.append(int(word))
                ends.append(end_us)
                if self.has_lag:
                    lags.append(int(words[i + _LAG]))
            else:
                kind = word.decode("ascii", "replace")
                end = end_us / 1e6
                # When a failed transaction was due is not in the log: its end has to do.
                self.recorder.error(end, end, kind, "pgbench counted a transaction as %s" % kind)
        self._record(times, ends, lags if self.has_lag else None)

    def _record(self, times, ends, lags):
        recorder, start_us = self.recorder, self.start_us
        with recorder.lock:
            row = recorder.series.row
            for end, time in zip(ends, times):
                found = row((end - start_us) // 1000000)
                found[0] += 1
                found[2] += time
                found[3] = max(found[3], time)
            limit = self.end_us if self.end_us is not None else 1 << 62
            inside = [start_us <= end - time < limit for end, time in zip(ends, times)]
            if self.first_due_us is None and inside:
                self.first_due_us = min(end - time for end, time in zip(ends, times))
            if not all(inside):
                times = [time for time, yes in zip(times, inside) if yes]
                ends = [end for end, yes in zip(ends, inside) if yes]
                lags = lags and [lag for lag, yes in zip(lags, inside) if yes]
            recorder.seen_operations += len(inside)
            if not times:
                return
            recorder.operations += len(times)
            recorder.histograms["response_time"].record_many(times)
            if lags:
                recorder.lag_histogram().record_many(lags)
            first, last = min(ends) / 1e6, max(ends) / 1e6
            recorder.first_end = first if recorder.first_end is None else min(recorder.first_end, first)
            recorder.last_end = last if recorder.last_end is None else max(recorder.last_end, last)
