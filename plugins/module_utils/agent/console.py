# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The job's own output, which Slurm keeps in logs/slurm-ROLE.out."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os


def tell(line):
    """Write one line (str) at once: a job that is killed has said what it knew. On a full disk it is lost."""
    try:
        os.write(1, (line + "\n").encode("utf-8", "replace"))
    except OSError:
        pass
