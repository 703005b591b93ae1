# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A lock that holds on shared file systems: a directory, which only one process can make.

Its holder touches it while it works; a lock that nobody touched for STALE_S belongs to a process that is dead
(a killed job), and is taken over. Uses the clock of the file system only, because hosts' clocks differ.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import json
import os
import shutil
import socket
import threading
import time
import uuid

STALE_S = 90.0
TOUCH_S = 10.0


class LockTimeout(Exception):
    """Somebody else holds the lock; the message says who, and since when."""


class Lock:
    """Context manager: holds the directory `path` (str) while inside; waits at most timeout_s, else LockTimeout."""

    def __init__(self, path, timeout_s=3600.0, stale_s=STALE_S, touch_s=TOUCH_S):
        self.path = path
        self._timeout_s = timeout_s
        self._stale_s = stale_s
        self._touch_s = touch_s
        self._done = threading.Event()
        self._thread = None
        self._mine = None

    def __enter__(self):
        give_up = time.monotonic() + self._timeout_s
        pause = 0.1
        while not self._take():
            if time.monotonic() >= give_up:
                raise LockTimeout("{0} is held by {1}".format(self.path, self.holder()))
            time.sleep(pause)
            pause = min(pause * 1.5, 5.0)
        self._thread = threading.Thread(target=self._touch)
        self._thread.daemon = True
        self._thread.start()
        return self

    def __exit__(self, *unused):
        self._done.set()
        self._thread.join()
        if self._inode() == self._mine:  # after a takeover it is somebody else's
            shutil.rmtree(self.path)

    def holder(self):
        """Who holds it (str)."""
        try:
            with open(os.path.join(self.path, "holder.json")) as stream:
                return "process {pid} on {host} (job {job}) since {since}".format(**json.load(stream))
        except (OSError, ValueError, KeyError):
            return "a process that did not say who it is"

    def _take(self):
        try:
            os.mkdir(self.path)
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise
            self._remove_if_stale()
            return False
        self._mine = self._inode()
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "job": os.environ.get("SLURM_JOB_ID"),
            "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        with open(os.path.join(self.path, "holder.json"), "w") as stream:
            json.dump(holder, stream)
        return True

    def _inode(self):
        try:
            return os.stat(self.path).st_ino
        except OSError:
            return None

    def _remove_if_stale(self):
        # What time the file system has now is seen in a file made now, by a name that no other waiter has.
        probe = "{0}.{1}.{2}.probe".format(self.path, socket.gethostname(), uuid.uuid4().hex)
        try:
            with open(probe, "w"):
                now = os.stat(probe).st_mtime
            if now - os.stat(self.path).st_mtime < self._stale_s:
                return
            # Of several that find it stale only one can rename it.
            grave = probe + ".stale"
            os.rename(self.path, grave)
            shutil.rmtree(grave)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
        finally:
            os.unlink(probe)

    def _touch(self):
        while not self._done.wait(self._touch_s):
            if self._inode() != self._mine:
                return
            os.utime(self.path, None)
