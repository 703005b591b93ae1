# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA's management library, as far as telemetry needs it, by ctypes: nvidia-smi knows no energy counter.

Source: nvml.h, NVML API Reference Manual. The library comes with the driver, so each node with GPUs has it.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import ctypes

_LIBRARY = "libnvidia-ml.so.1"
_UUID_BYTES, _NAME_BYTES, _VERSION_BYTES = 96, 96, 80
_SM_CLOCK, _MEMORY_CLOCK = 1, 2
_CORE_SENSOR = 0
# bits of nvmlDeviceGetCurrentClocksThrottleReasons; an idle GPU (1) is not held back
_HELD_BACK = (
    (0x2, "applications_clocks_setting"), (0x4, "sw_power_cap"), (0x8, "hw_slowdown"), (0x10, "sync_boost"),
    (0x20, "sw_thermal_slowdown"), (0x40, "hw_thermal_slowdown"), (0x80, "hw_power_brake_slowdown"),
    (0x100, "display_clock_setting"),
)  # fmt: skip


class NvmlError(Exception):
    """There is no library, or it does not say what it is asked."""


class _Utilization(ctypes.Structure):
    _fields_ = [("gpu", ctypes.c_uint), ("memory", ctypes.c_uint)]


class _Memory(ctypes.Structure):
    _fields_ = [("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong)]


class Nvml:
    """The library, initialised. Raises NvmlError where there is none, or no driver."""

    def __init__(self, library=_LIBRARY):
        try:
            self._library = ctypes.CDLL(library)
        except OSError as e:
            raise NvmlError(str(e))
        self._explain = self._function("nvmlErrorString")
        self._explain.restype = ctypes.c_char_p
        self.call("nvmlInit_v2")

    def _function(self, name):
        try:
            return getattr(self._library, name)
        except AttributeError:
            raise NvmlError("this driver's library has no %s" % name)

    def call(self, name, *arguments):
        """One of its functions. Raises NvmlError, with its own words, unless it succeeds."""
        code = self._function(name)(*arguments)
        if code:
            raise NvmlError("%s: %s" % (name, (self._explain(code) or b"").decode("utf-8", "replace")))

    def number(self, name, kind, *arguments):
        """The number (int) that a function leaves in its last argument, of a C type; None where it has none."""
        value = kind()
        try:
            self.call(name, *arguments, ctypes.byref(value))
        except NvmlError:
            return None
        return value.value

    def text(self, name, size, *arguments):
        """The text (str) that a function leaves in a buffer; None where it has none."""
        value = ctypes.create_string_buffer(size)
        try:
            self.call(name, *arguments, value, ctypes.c_uint(size))
        except NvmlError:
            return None
        return value.value.decode("utf-8", "replace")

    def driver(self):
        """The driver's version (str or None)."""
        return self.text("nvmlSystemGetDriverVersion", _VERSION_BYTES)

    def gpus(self):
        """All GPUs (list of Gpu) that this process may use."""
        count = ctypes.c_uint()
        self.call("nvmlDeviceGetCount_v2", ctypes.byref(count))
        return [Gpu(self, index) for index in range(count.value)]

    def close(self):
        """Give it back."""
        self.call("nvmlShutdown")


class Gpu:
    """One GPU: index (int, NVML's own), uuid and name (str), and what it says at a moment."""

    def __init__(self, nvml, index):
        self._nvml = nvml
        self._handle = ctypes.c_void_p()
        nvml.call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(self._handle))
        self.index = index
        self.uuid = nvml.text("nvmlDeviceGetUUID", _UUID_BYTES, self._handle)
        self.name = nvml.text("nvmlDeviceGetName", _NAME_BYTES, self._handle)

    def _number(self, name, kind, *arguments):
        return self._nvml.number(name, kind, self._handle, *arguments)

    def _structure(self, name, kind):
        value = kind()
        try:
            self._nvml.call(name, self._handle, ctypes.byref(value))
        except NvmlError:
            return None
        return value

    def power_limit_w(self):
        """The power (float, W) that it is held to; None where it has no limit."""
        return _thousandth(self._number("nvmlDeviceGetEnforcedPowerLimit", ctypes.c_uint))

    def memory_total_bytes(self):
        """All of its memory (int)."""
        memory = self._structure("nvmlDeviceGetMemoryInfo", _Memory)
        return memory.total if memory else None

    def sample(self):
        """What it says now (dict by column of telemetry; None where this GPU has no such sensor)."""
        busy = self._structure("nvmlDeviceGetUtilizationRates", _Utilization)
        memory = self._structure("nvmlDeviceGetMemoryInfo", _Memory)
        reasons = self._number("nvmlDeviceGetCurrentClocksThrottleReasons", ctypes.c_ulonglong)
        return {
            "utilization_percent": busy.gpu if busy else None,
            "memory_busy_percent": busy.memory if busy else None,
            "memory_used_bytes": memory.used if memory else None,
            "power_w": _thousandth(self._number("nvmlDeviceGetPowerUsage", ctypes.c_uint)),
            "energy_j": _thousandth(self._number("nvmlDeviceGetTotalEnergyConsumption", ctypes.c_ulonglong)),
            "sm_clock_mhz": self._number("nvmlDeviceGetClockInfo", ctypes.c_uint, _SM_CLOCK),
            "memory_clock_mhz": self._number("nvmlDeviceGetClockInfo", ctypes.c_uint, _MEMORY_CLOCK),
            "temperature_celsius": self._number("nvmlDeviceGetTemperature", ctypes.c_uint, _CORE_SENSOR),
            "throttle_reasons": None if reasons is None else held_back(reasons),
        }


def held_back(mask):
    """Why its clocks are lower than they could be, by NVML's own names (str, joined by `|`; empty: they are not)."""
    return "|".join(name for bit, name in _HELD_BACK if mask & bit)


def _thousandth(value):
    return None if value is None else value / 1000.0
