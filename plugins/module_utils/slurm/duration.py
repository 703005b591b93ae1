# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Slurm's time formats and seconds. Source: the --time option of sbatch(1) and ELAPSED of sacct(1). No I/O."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

UNLIMITED = "UNLIMITED"
_FORMS = (
    # minutes | minutes:seconds | hours:minutes:seconds, all with fractions of a second in sacct's output
    (re.compile(r"^(\d+)$"), (60,)),
    (re.compile(r"^(\d+):(\d+(?:\.\d+)?)$"), (60, 1)),
    (re.compile(r"^(\d+):(\d+):(\d+(?:\.\d+)?)$"), (3600, 60, 1)),
    # days-hours | days-hours:minutes | days-hours:minutes:seconds
    (re.compile(r"^(\d+)-(\d+)$"), (86400, 3600)),
    (re.compile(r"^(\d+)-(\d+):(\d+)$"), (86400, 3600, 60)),
    (re.compile(r"^(\d+)-(\d+):(\d+):(\d+(?:\.\d+)?)$"), (86400, 3600, 60, 1)),
)
_NOTHING = (
    "",
    "UNLIMITED",
    "INFINITE",
    "NOT_SET",
    "N/A",
    "NONE",
    "INVALID",
    "PARTITION_LIMIT",
    "(NULL)",
    "UNKNOWN",
)


def to_seconds(text):
    """Seconds (int, fractions dropped) of a Slurm time such as `30` (minutes), `01:00:00` or `1-02:03:04`.

    None for `UNLIMITED` and everything that means "no value". Raises ValueError for any other text.
    """
    text = str(text if text is not None else "").strip()
    if text.upper() in _NOTHING:
        return None
    for form, weights in _FORMS:
        match = form.match(text)
        if match:
            return int(sum(float(part) * weight for part, weight in zip(match.groups(), weights)))
    raise ValueError(
        "{0!r} is no Slurm time: expected minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM, D-HH:MM:SS or UNLIMITED".format(text)
    )


def from_seconds(seconds):
    """The Slurm time (str, `D-HH:MM:SS` or `HH:MM:SS`) of a number of seconds; None gives `UNLIMITED`."""
    if seconds is None:
        return UNLIMITED
    if seconds < 0:
        raise ValueError("a Slurm time cannot be negative: {0} s".format(seconds))
    days, rest = divmod(int(seconds), 86400)
    clock = "{0:02d}:{1:02d}:{2:02d}".format(rest // 3600, rest // 60 % 60, rest % 60)
    return "{0}-{1}".format(days, clock) if days else clock


def is_valid(text):
    """True when Slurm would accept the text as a --time value."""
    if str(text).strip().upper() in (UNLIMITED, "INFINITE"):
        return True
    try:
        return to_seconds(text) is not None
    except ValueError:
        return False
