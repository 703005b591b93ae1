# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tables as squeue, sacct and sinfo print them when told which fields and which separator. No I/O.

The separator is the ASCII unit separator: a job name may contain anything that a person would choose instead
(`|`, tab, comma), and even a line feed, but not this.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import calendar
import re
import time

SEPARATOR = "\x1f"
_INTEGER = re.compile(r"^-?[0-9]{1,30}$")  # str.isdigit is true of what int() refuses, such as a raised 2
_NOTHING = (
    "",
    "(null)",
    "N/A",
    "n/a",
    "NONE",
    "None",
    "Unknown",
    "UNKNOWN",
    "None assigned",
    "Invalid",
    "INVALID",
)

# Times as seconds since the epoch, whatever the time zone; whole index lists of job arrays, never `...`;
# and without the user's own defaults, which can hide jobs (an empty answer would then prove nothing).
_HIDING = ("ACCOUNT", "FORMAT", "FORMAT2", "LICENSES", "NAMES", "PARTITION", "QOS", "STATES", "USERS")
ENVIRONMENT = ["env", *(part for name in _HIDING for part in ("-u", "SQUEUE_" + name))]
ENVIRONMENT += ["SLURM_TIME_FORMAT=%s", "SLURM_BITSTR_LEN=0"]


def rows(text, fields):
    """Rows (list of dict field → str) of a table with these fields (sequence of str).

    A field with a line feed in it is put together again. Lines before the first row that belong to no row (a
    login banner, a warning) are dropped. Raises ValueError when what is left over is no whole row.
    """
    found, pending = [], ""
    wanted = len(fields) - 1
    for line in text.split("\n"):
        if not pending and SEPARATOR not in line:
            continue  # between rows there are only empty lines and other programs' messages
        pending = pending + "\n" + line if pending else line
        count = pending.count(SEPARATOR)
        if count > wanted:
            raise ValueError("a row with {0} fields instead of {1}: {2!r}".format(count + 1, wanted + 1, pending[:200]))
        if count == wanted:
            found.append(dict(zip(fields, (value.strip() for value in pending.split(SEPARATOR)))))
            pending = ""
    if pending:
        raise ValueError("a row that ends early: {0!r}".format(pending[:200]))
    return found


def value(text):
    """The text (str) or None when it stands for no value (`(null)`, `N/A`, `None assigned` ...)."""
    text = str(text if text is not None else "").strip()
    return None if text in _NOTHING else text


def integer(text):
    """The int that a field shows, or None."""
    text = str(text if text is not None else "").strip()
    return int(text) if _INTEGER.match(text) else None


def epoch(text):
    """Seconds since the epoch (int) of a time field, or None (`N/A`, `Unknown`, 0, `None`).

    With SLURM_TIME_FORMAT=%s, Slurm prints the seconds themselves; a Slurm that ignores it prints
    `2026-11-23T18:40:00`, which is read as UTC (set TZ to have it so).
    """
    text = str(text if text is not None else "").strip()
    if _INTEGER.match(text):
        return max(0, int(text)) or None
    try:
        return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return None


def exit_code(text):
    """(code, signal) of `7:0`, both int, or (None, None)."""
    code, colon, signal = str(text or "").partition(":")
    return (integer(code), integer(signal) if colon else 0) if integer(code) is not None else (None, None)


_UNITS = {"K": 1, "M": 2, "G": 3, "T": 4, "P": 5}


def size_bytes(text):
    """Bytes (int) of `12K`, `1.5G` or a plain number of bytes, or None."""
    text = str(value(text) or "").upper().rstrip("BN")
    unit = text[-1:] if text[-1:] in _UNITS else ""
    try:
        return int(float(text[:-1] if unit else text) * 1024 ** _UNITS.get(unit, 0))
    except (OverflowError, ValueError):  # int() of infinity is the former, of what is no number the latter
        return None


def tres(text):
    """Trackable resources (dict) of `cpu=4,mem=1G,node=1,gres/gpu=2`: counts as int, mem in bytes.

    Source: the TRES format of sacct(1); mem without a unit is MiB.
    """
    found = {}
    for item in str(value(text) or "").split(","):
        name, equals, amount = item.partition("=")
        if not equals:
            continue
        unit = amount[-1:].upper()
        number = amount[:-1] if unit in _UNITS else amount
        factor = 1024 ** _UNITS[unit] if unit in _UNITS else 1024**2 if name in ("mem", "vmem") else 1
        try:
            found[name] = int(float(number) * factor)
        except (OverflowError, ValueError):
            found[name] = amount
    return found
