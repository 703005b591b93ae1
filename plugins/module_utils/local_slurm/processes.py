# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Processes of our own, found again by number and start time, never by name.

A process number alone proves nothing: after a reboot, or once numbers wrap, it belongs to somebody
else. So a record holds the number, the start time in clock ticks since boot (field 22 of
``/proc/PID/stat``, see proc(5)) and the boot id: together they name one process and no other.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import signal
import time

BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Record:
    """One started process: what its pid file says.

    :ivar pid: process number
    :ivar start_ticks: start time, clock ticks since boot
    :ivar boot_id: the kernel's id of this boot
    :ivar fingerprint: digest of what the process was started from, to tell when it is out of date
    """

    def __init__(self, pid, start_ticks, boot_id, fingerprint):
        self.pid = pid
        self.start_ticks = start_ticks
        self.boot_id = boot_id
        self.fingerprint = fingerprint

    def line(self):
        """The text of its pid file."""
        return "{0} {1} {2} {3}\n".format(self.pid, self.start_ticks, self.boot_id, self.fingerprint)


def parse_record(text):
    """The record in a pid file's text, or None when the text is not one (empty, cut short, foreign)."""
    words = text.split()
    if len(words) != 4 or not words[0].isdigit() or not words[1].isdigit():
        return None
    return Record(int(words[0]), int(words[1]), words[2], words[3])


def parse_stat(text):
    """(state letter, parent's number, start time in ticks) from the text of /proc/PID/stat.

    The command name stands in parentheses and may itself hold spaces and parentheses, so the fields
    are counted from the last closing one.
    """
    fields = text[text.rindex(")") + 2 :].split()
    return fields[0], int(fields[1]), int(fields[19])


def read_text(path):
    """A small file's text, or None when it is not there (or its process is gone)."""
    try:
        with open(path, errors="replace") as stream:
            return stream.read()
    except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
        return None


def boot_id():
    """The kernel's id of this boot."""
    return (read_text(BOOT_ID) or "unknown").strip()


def stat_of(pid):
    """parse_stat of a living process; None for one that is gone or a zombie."""
    text = read_text("/proc/{0}/stat".format(pid))
    if not text:
        return None
    stat = parse_stat(text)
    return None if stat[0] in "ZX" else stat


def record_of(pid, fingerprint):
    """The record of a process that runs now; None when it has ended already."""
    stat = stat_of(pid)
    return Record(pid, stat[2], boot_id(), fingerprint) if stat else None


def is_running(record):
    """Whether the very process of the record still runs."""
    if record is None or record.boot_id != boot_id():
        return False
    stat = stat_of(record.pid)
    return stat is not None and stat[2] == record.start_ticks


def all_pids():
    """Numbers of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(pid):
    """Records of all processes below pid."""
    children = {}
    for other in all_pids():
        stat = stat_of(other)
        if stat:
            children.setdefault(stat[1], []).append(Record(other, stat[2], boot_id(), "-"))
    found, queue = [], [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += [record.pid for record in below]
    return found


def send(record, number):
    """Send a signal to the record's process, if it still runs."""
    if is_running(record):
        try:
            os.kill(record.pid, number)
        except ProcessLookupError:
            pass  # it ended between the look and the signal, which is what was wanted


def stop_all(records, grace_s):
    """SIGTERM all at once, wait up to grace_s seconds, then SIGKILL what is left and wait for its end.

    :returns: the records that outlived even SIGKILL (a process in uninterruptible sleep)
    """
    for record in records:
        send(record, signal.SIGTERM)
    left = wait_gone(records, grace_s)
    for record in left:
        send(record, signal.SIGKILL)
    return wait_gone(left, 5.0)


def wait_gone(records, limit_s):
    """Wait until none of the processes runs; the records of those that still do after limit_s seconds."""
    deadline = time.monotonic() + limit_s
    left = [record for record in records if is_running(record)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [record for record in left if is_running(record)]
    return left
