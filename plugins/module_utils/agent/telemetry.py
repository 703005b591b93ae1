# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One row a second about this node: CPU, memory, disks, network, pressure, and the service's own share.

Percentages of the node's CPU: 100 is all of its CPUs. `service_cpu_percent`: 100 is one CPU. Rates and powers are means
since the row before. Sources: proc(5), Documentation/accounting/psi.rst, Documentation/admin-guide/iostats.rst,
Documentation/power/powercap/powercap.rst.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib
import glob
import os
import re
import threading
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.console import tell

COLUMNS = (
    "t",
    "cpu_user_percent",
    "cpu_system_percent",
    "cpu_iowait_percent",
    "memory_used_bytes",
    "memory_available_bytes",
    "disk_read_bytes_per_s",
    "disk_write_bytes_per_s",
    "network_receive_bytes_per_s",
    "network_transmit_bytes_per_s",
    "psi_cpu_some_percent",
    "psi_memory_some_percent",
    "psi_io_some_percent",
    "service_memory_bytes",
    "service_cpu_percent",
    "cpu_power_w",
)

_SECTOR_BYTES = 512  # of /proc/diskstats, whatever the disk's own
# Partitions lie on disks, and these on other disks or on memory: they would count twice, or what is no disk.
_NOT_DISKS = re.compile(r"^(loop|ram|zram|dm-|md|sr|fd)")
_PRESSURE = (("psi_cpu_some_percent", "cpu"), ("psi_memory_some_percent", "memory"), ("psi_io_some_percent", "io"))


def _read(path):
    try:
        with open(path) as stream:
            return stream.read()
    except OSError:
        return ""  # this kernel lacks the source: its columns stay empty


class CpuEnergy:
    """What the processors' packages have used (J), which most sites let root alone read; each counter starts anew."""

    def __init__(self, root="/sys/class/powercap"):
        # a domain below a package has a second number: it is a part of the first one's
        folders = sorted(glob.glob(os.path.join(root, "intel-rapl:*")))
        packages = [folder for folder in folders if os.path.basename(folder).count(":") == 1]
        self._range_uj = {folder: _number(folder + "/max_energy_range_uj") for folder in packages}
        self._last_uj = {}
        self._used_uj = 0

    def read(self):
        """Since the first reading (float, J); None where nobody may know it of every package."""
        now = {folder: _number(folder + "/energy_uj") for folder in self._range_uj}
        if not now or None in now.values():
            return None
        for folder, value in now.items():
            grown = value - self._last_uj.get(folder, value)
            self._used_uj += grown if grown >= 0 else grown + (self._range_uj[folder] or 0)
        self._last_uj = now
        return self._used_uj / 1e6


class Counters:
    """What only grows, at one moment, by column; seconds of CPU, bytes, seconds of pressure, joules."""

    def __init__(self, disks, energy):
        self.monotonic = time.monotonic()
        self.cpu_total = 0.0
        self.values = {}
        self._cpu(_read("/proc/stat"))
        self._disks(_read("/proc/diskstats"), disks)
        self._network(_read("/proc/net/dev"))
        for column, name in _PRESSURE:
            found = re.search(r"^some .*total=(\d+)", _read("/proc/pressure/" + name))
            if found:
                self.values[column] = int(found.group(1)) / 1e6
        used_j = energy.read()
        if used_j is not None:
            self.values["cpu_power_w"] = used_j

    def _cpu(self, text):
        if not text.startswith("cpu "):
            return
        user, nice, system, idle, iowait, irq, softirq, steal = map(int, text.split(None, 9)[1:9])
        self.cpu_total = user + nice + system + idle + iowait + irq + softirq + steal
        self.values["cpu_user_percent"] = user + nice
        self.values["cpu_system_percent"] = system + irq + softirq
        self.values["cpu_iowait_percent"] = iowait

    def _disks(self, text, disks):
        read = written = 0
        for line in text.splitlines():
            fields = line.split()
            if fields[2] in disks:
                read += int(fields[5]) * _SECTOR_BYTES
                written += int(fields[9]) * _SECTOR_BYTES
        if text:
            self.values["disk_read_bytes_per_s"] = read
            self.values["disk_write_bytes_per_s"] = written

    def _network(self, text):
        received = sent = 0
        for line in text.splitlines()[2:]:
            name, fields = line.split(":", 1)
            if name.strip() != "lo":
                received += int(fields.split()[0])
                sent += int(fields.split()[8])
        if text:
            self.values["network_receive_bytes_per_s"] = received
            self.values["network_transmit_bytes_per_s"] = sent


class Sampler(threading.Thread):
    """Writes telemetry/ROLE-NODE.csv until `stop` is called; `usage` (Usage) adds the service's columns.

    `tell`: a function that gets each row (dict by column), too.
    """

    def __init__(self, path, usage=None, interval_s=1.0, tell=None):
        super().__init__(name="telemetry")
        self.daemon = True
        self.interval_s = interval_s
        self.usage = usage
        self.tell = tell
        self.ended = threading.Event()
        self.samples, self.seconds = 0, 0.0
        self.disks = {name for name in os.listdir("/sys/block") if not _NOT_DISKS.match(name)}
        self.energy = CpuEnergy()
        self.last = Counters(self.disks, self.energy)
        self.last_cpu_s = self.usage.read()[0] if usage else None
        new = not os.path.exists(path)
        self.stream = open(path, "a", buffering=1)  # noqa: SIM115  (stop() closes it)
        if new:
            self.stream.write(",".join(COLUMNS) + "\n")

    def run(self):
        """Each sample is due at a multiple of the interval from the first: a late one delays no other."""
        start, number = time.monotonic(), 1
        while not self.ended.wait(max(0.0, start + number * self.interval_s - time.monotonic())):
            began = time.monotonic()
            row = self.sample()
            if self.tell:
                self.tell(row)
            try:
                self.stream.write(",".join(_format(row.get(column)) for column in COLUMNS) + "\n")
            except OSError as e:  # such as a full disk: what was kept until now is worth more than the rest
                tell("telemetry: %s" % e)
                return
            self.samples += 1
            self.seconds += time.monotonic() - began
            number = max(number + 1, int((time.monotonic() - start) // self.interval_s) + 1)

    def stop(self):
        """No more rows. Returns what to tell of them (dict): samples, and the seconds that they took."""
        self.ended.set()
        self.join(5)
        with contextlib.suppress(OSError):  # a disk that is full says it here once more
            self.stream.close()
        return {"samples": self.samples, "seconds": round(self.seconds, 3)}

    def sample(self):
        """One row (dict by column)."""
        now = Counters(self.disks, self.energy)
        seconds = max(1e-6, now.monotonic - self.last.monotonic)
        ticks = max(1, now.cpu_total - self.last.cpu_total)
        row = {"t": round(time.time(), 3)}
        for column, value in now.values.items():
            grown = max(0, value - self.last.values.get(column, value))
            if column.startswith("cpu_") and column.endswith("_percent"):
                row[column] = 100.0 * grown / ticks
            elif column.startswith("psi_"):
                row[column] = 100.0 * grown / seconds
            else:
                row[column] = grown / seconds
        self.last = now
        row.update(_memory())
        if self.usage:
            cpu_s, memory = self.usage.read()
            row["service_memory_bytes"] = memory
            row["service_cpu_percent"] = 100.0 * max(0.0, cpu_s - self.last_cpu_s) / seconds
            self.last_cpu_s = cpu_s
        return row


def _memory():
    fields = dict(re.findall(r"^(\w+):\s+(\d+) kB", _read("/proc/meminfo"), re.MULTILINE))
    if "MemAvailable" not in fields:
        return {}
    available = int(fields["MemAvailable"]) * 1024
    return {"memory_used_bytes": int(fields["MemTotal"]) * 1024 - available, "memory_available_bytes": available}


def _number(path):
    text = _read(path).strip()
    return int(text) if text.isdigit() else None


def _format(value):
    if value is None:
        return ""
    return "%d" % value if isinstance(value, int) else ("%.3f" % value).rstrip("0").rstrip(".")
