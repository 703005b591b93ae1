# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A row a second about each GPU of a job: load, memory, power, energy, clocks, temperature, what holds it back.

A thread of its own: a driver that takes its time must not delay the node's own rows. A source is a class like Nvml: it
gives GPUs that have index, uuid, name and sample(). Another vendor's is one more entry of SOURCES.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib
import csv
import os
import threading
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.console import tell
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.nvidia_smi import own_gpus
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.nvml import Nvml, NvmlError

VALUES = (
    "utilization_percent", "memory_busy_percent", "memory_used_bytes", "power_w", "energy_j", "sm_clock_mhz",
    "memory_clock_mhz", "temperature_celsius", "throttle_reasons",
)  # fmt: skip
COLUMNS = ("t", "gpu", "uuid", *VALUES)
SOURCES = {"nvml": Nvml}


def of_job(gpus, environ):
    """Those GPUs (list) that the job has been given, by index or UUID.

    Where the site shows a job its own GPUs only, they are numbered anew and none of the numbers may fit: then all.
    """
    names = (own_gpus(environ) or "").split(",")
    return [gpu for gpu in gpus if str(gpu.index) in names or gpu.uuid in names] or gpus


class GpuSampler(threading.Thread):
    """Writes telemetry/gpu-NODE.csv until `stop` is called. Raises NvmlError where no source answers.

    `tell`: a function that gets the number, the UUID and the values (dict by column) of each sample, too.
    """

    def __init__(self, path, source="nvml", interval_s=1.0, environ=None, tell=None):
        super().__init__(name="gpu telemetry")
        self.daemon = True
        self.interval_s = interval_s
        self.kind = source
        self.tell = tell
        self.source = SOURCES[source]()
        self.gpus = of_job(self.source.gpus(), os.environ if environ is None else environ)
        self.ended = threading.Event()
        self.samples, self.seconds, self.problem = 0, 0.0, None
        new = not os.path.exists(path)
        self.stream = open(path, "a", newline="", buffering=1)  # noqa: SIM115  (stop() closes it)
        self.writer = csv.writer(self.stream, lineterminator="\n")
        if new:
            self.writer.writerow(COLUMNS)

    def describe(self):
        """What the GPUs are (dict): for the run's provenance."""
        found = [
            {"index": gpu.index, "uuid": gpu.uuid, "name": gpu.name, "power_limit_w": gpu.power_limit_w(),
             "memory_total_bytes": gpu.memory_total_bytes()}
            for gpu in self.gpus
        ]  # fmt: skip
        return {"source": self.kind, "driver": self.source.driver(), "gpus": found, "interval_s": self.interval_s}

    def run(self):
        """Each sample is due at a multiple of the interval from the first: a late one delays no other."""
        start, number = time.monotonic(), 0
        while not self.ended.wait(max(0.0, start + number * self.interval_s - time.monotonic())):
            if not self._sample():
                return
            number = max(number + 1, int((time.monotonic() - start) // self.interval_s) + 1)

    def _sample(self):
        began = time.monotonic()
        try:
            for gpu in self.gpus:
                t, values = time.time(), gpu.sample()
                if self.tell:
                    self.tell(gpu.index, gpu.uuid, values)
                row = ["" if values[column] is None else values[column] for column in VALUES]
                self.writer.writerow(["%.3f" % t, gpu.index, gpu.uuid, *row])
        except OSError as e:  # such as a full disk: what was kept until now is worth more than the rest
            self.problem = str(e)
            tell("GPU telemetry: %s" % e)
            return False
        self.samples += 1
        self.seconds += time.monotonic() - began
        return True

    def stop(self):
        """A last row, and no more. Returns what to tell of it (dict): samples, the seconds they took, a problem."""
        self.ended.set()
        if self.is_alive():
            self.join(5)
        if not self.is_alive() and self.problem is None:
            self._sample()
        with contextlib.suppress(OSError):
            self.stream.close()
        with contextlib.suppress(NvmlError):
            self.source.close()
        return {"samples": self.samples, "seconds": round(self.seconds, 3), "problem": self.problem}


def start(path, events, tell=None):
    """A GpuSampler at work where the job has GPUs and somebody tells of them, else None; `events` (EventLog) say so."""
    if not own_gpus():
        return None
    try:
        sampler = GpuSampler(path, tell=tell)
    except (NvmlError, OSError) as e:
        events.emit("gpu_telemetry_missing", reason=str(e))
        return None
    events.emit("gpu_telemetry_started", **sampler.describe())
    sampler.start()
    return sampler
