# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Events of a run: JSON lines, each written with one call, so that readers never see half a line.

A file system that is full must not end what has to end in order: what can't be written waits for the next event.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import socket
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.console import tell


def node_name():
    """The name (str) by which Slurm knows this node, else its host name."""
    return os.environ.get("SLURMD_NODENAME") or socket.gethostname().split(".")[0]


class EventLog:
    """Appends to events/SOURCE.jsonl, and shows each event in the job's own output."""

    def __init__(self, path, source):
        self.source = source
        self.node = node_name()
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.waiting = b""  # lines that are still to be written, from the middle of the first where that is half there

    def emit(self, event, t=None, **fields):
        """Write one event; `t` (epoch, s) is now where none is given."""
        record = {"t": round(time.time() if t is None else t, 6), "source": self.source, "event": event}
        record["node"] = self.node
        record.update(fields)
        line = json.dumps(record, separators=(",", ":"))
        self.waiting += (line + "\n").encode("utf-8")
        self._write()
        if event != "progress":
            if self.waiting and run_dir.release_reserves():
                self._write()
            tell(line)

    def _write(self):
        try:
            self.waiting = self.waiting[os.write(self.descriptor, self.waiting) :]
        except OSError as e:
            tell("events: %s" % e)
