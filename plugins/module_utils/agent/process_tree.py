# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The processes below this one: all of them, also those that made themselves daemons.

The agent becomes their "child subreaper" (prctl(2)): whoever loses its parent becomes the agent's child, so that
being a descendant is the proof of where a process came from, whatever sessions and groups it made.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import signal
import time

_PR_SET_CHILD_SUBREAPER = 36
_TICKS = float(os.sysconf("SC_CLK_TCK"))
_PAGE = os.sysconf("SC_PAGE_SIZE")


def become_subreaper():
    """Adopt orphaned descendants. Returns False where this Python cannot call prctl (no ctypes)."""
    try:
        import ctypes
    except ImportError:
        return False
    return ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


class Process:
    """One line of /proc/PID/stat."""

    __slots__ = ("cpu_s", "name", "parent", "pid", "state")

    def __init__(self, pid, text):
        # The name may hold blanks and brackets: the last bracket ends it. Fields: proc(5).
        head, rest = text.rsplit(")", 1)
        fields = rest.split()
        self.pid = pid
        self.name = head.split("(", 1)[1]
        self.state = fields[0]
        self.parent = int(fields[1])
        # its own time and that of its children which it has waited for: nothing is lost when a child ends
        self.cpu_s = sum(map(int, fields[11:15])) / _TICKS


def _own():
    """Every process (dict by pid) of this user."""
    found = {}
    uid = os.getuid()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            if os.stat("/proc/" + name).st_uid != uid:
                continue
            with open("/proc/%s/stat" % name, errors="replace") as stream:
                found[int(name)] = Process(int(name), stream.read())
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
    return found


def descendants(root=None):
    """The living and the dead-but-not-collected descendants (list of Process) of `root` (pid; else this one)."""
    processes = _own()
    children = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process)
    found, wanted = [], [root or os.getpid()]
    while wanted:
        below = children.get(wanted.pop(), [])
        found += below
        wanted += [process.pid for process in below]
    return found


def family(root=None):
    """Like descendants, by the kernel's lists of children where it has them: its cost is that of the family.

    A child that ends meanwhile may hide a sibling (proc(5)): good for measuring, no proof.
    """
    root = root or os.getpid()
    if not os.path.exists("/proc/%d/task/%d/children" % (root, root)):
        return descendants(root)
    found, wanted = [], [root]
    while wanted:
        for pid in _children(wanted.pop()):
            try:
                with open("/proc/%d/stat" % pid, errors="replace") as stream:
                    found.append(Process(pid, stream.read()))
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended meanwhile
            wanted.append(pid)
    return found


def _children(pid):
    found = []
    try:
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, thread)) as stream:
                found += map(int, stream.read().split())
    except (FileNotFoundError, ProcessLookupError):
        return found  # ended meanwhile
    return found


def cpu_s(processes=None):
    """CPU seconds (float) of this process's children: of those that live (list of Process) and those that ended."""
    times = os.times()
    living = family() if processes is None else processes
    return times[2] + times[3] + sum(process.cpu_s for process in living)


def memory_bytes(processes):
    """What the processes hold in memory (int): private pages, and the largest share of shared ones.

    Summing resident sizes would count the buffers of a database once per connection.
    """
    private, shared = 0, 0
    for process in processes:
        try:
            with open("/proc/%d/statm" % process.pid) as stream:
                fields = stream.read().split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
        private += int(fields[1]) - int(fields[2])
        shared = max(shared, int(fields[2]))
    return (private + shared) * _PAGE


def running(leader=None):
    """Descendants that have not ended; those that were adopted and have ended are collected.

    `leader` (pid) is a child whose exit code somebody else collects.
    """
    alive = []
    for process in descendants():
        if process.state not in ("Z", "X"):
            alive.append(process)
        elif process.parent == os.getpid() and process.pid != leader:
            try:
                os.waitpid(process.pid, os.WNOHANG)
            except ChildProcessError:
                pass  # somebody else collected it
    return alive


def end_all(leader, first_signal, grace_s, kill_s=5.0):
    """End every descendant: `first_signal` to the process group of `leader` (pid), SIGKILL after `grace_s`.

    Returns those that are left (list of Process); [] is the proof that none is.
    """
    try:
        os.killpg(leader, first_signal)
    except ProcessLookupError:
        pass  # the group has ended; others may still be there
    if not _wait(leader, grace_s):
        return []
    end = time.time() + kill_s
    while time.time() < end:
        for process in running(leader):
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if not _wait(leader, 0.2):
            return []
    return running(leader)


def _wait(leader, seconds):
    end = time.time() + seconds
    while True:
        left = running(leader)
        if not left or time.time() >= end:
            return left
        time.sleep(0.02)
