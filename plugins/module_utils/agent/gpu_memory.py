# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the GPUs of a job have their memory back when its service is gone, as nvidia-smi tells it.

A process that died in the driver can hold memory although nothing is left of it in /proc; whoever gets the node next
would find the GPU full.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import nvidia_smi

_TOLERANCE_BYTES = 64 << 20  # the driver's own share moves a little
_TICK_S = 0.5


def used_bytes(environ=None):
    """Memory in use (int) of each GPU of this job, by its UUID; None where there is no GPU, or nobody to ask."""
    rows, _why = nvidia_smi.query(["memory.used"], environ)
    return {row[1]: int(row[2]) << 20 for row in rows or () if row[2].isdigit()} or None


class GpuMemory:
    """Remembers how much was in use before the service started."""

    def __init__(self):
        self.before = used_bytes()

    def freed(self, deadline_s=10.0):
        """Whether no GPU has more in use than before (bool), waiting for it; None where nobody can tell."""
        end = time.monotonic() + deadline_s
        while self.before is not None:
            now = used_bytes()
            if now is None:
                return None
            if all(now.get(gpu, 0) <= used + _TOLERANCE_BYTES for gpu, used in self.before.items()):
                return True
            if time.monotonic() > end:
                return False
            time.sleep(_TICK_S)
        return None
