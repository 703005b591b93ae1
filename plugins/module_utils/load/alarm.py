# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An alarm for an event loop that rings on time.

The timers of asyncio and uvloop are as coarse as a millisecond: a request that is due would leave half a
millisecond late, as much as a fast service takes to answer. Linux's timerfd (man timerfd_create) is exact to
some ten microseconds and costs nothing while it waits. Where it is not to be had the loop's own timer serves.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import ctypes
import os
import time

_CLOCK_MONOTONIC = 1
_NONBLOCK, _CLOEXEC = os.O_NONBLOCK, getattr(os, "O_CLOEXEC", 0o2000000)
_ABSOLUTE = 1  # TFD_TIMER_ABSTIME
_NOW_NS = 1  # a time in the past rings at once; zero would disarm


class _Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class _Itimerspec(ctypes.Structure):
    _fields_ = [("interval", _Timespec), ("value", _Timespec)]


def alarm(loop, ring):
    """An alarm of `loop` that calls `ring()`: exact where the system can, else by the loop's own timer."""
    try:
        return _Exact(loop, ring)
    except (OSError, AttributeError):
        return _Coarse(loop, ring)


class _Exact:
    """By timerfd. One time at a time: setting it again replaces the one before."""

    def __init__(self, loop, ring):
        self.loop, self.ring = loop, ring
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK | _CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self.spec = _Itimerspec()
        self.pointer = ctypes.byref(self.spec)
        loop.add_reader(self.fd, self._ready)

    def set(self, when):
        """Ring at `when` (seconds of time.monotonic())."""
        whole = int(when)
        self.spec.value.seconds = whole
        self.spec.value.nanoseconds = max(_NOW_NS, int((when - whole) * 1e9))
        self.libc.timerfd_settime(self.fd, _ABSOLUTE, self.pointer, None)

    def close(self):
        """No more rings."""
        self.loop.remove_reader(self.fd)
        os.close(self.fd)

    def _ready(self):
        try:
            os.read(self.fd, 8)
        except BlockingIOError:
            return  # set anew since it rang
        self.ring()


class _Coarse:
    """By the loop's own timer."""

    def __init__(self, loop, ring):
        self.loop, self.ring = loop, ring
        self.handle = None

    def set(self, when):
        """Ring at `when` (seconds of time.monotonic())."""
        self.close()
        self.handle = self.loop.call_later(max(0.0, when - time.monotonic()), self.ring)

    def close(self):
        """No more rings."""
        if self.handle:
            self.handle.cancel()
            self.handle = None
