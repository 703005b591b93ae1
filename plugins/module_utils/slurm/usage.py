# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a step used, as sacct and sstat write it: times, amounts, joules. No I/O.

MaxDiskRead and MaxDiskWrite are not asked for: sacct prints them in MiB with two digits, and sstat prints one byte as
`1.00M` (_print_small_double of its print.c). The same counts stand in TRESUsageInMax and TRESUsageOutMax to the byte.
Source of the formats: print.c of sacct and sstat, slurmdb_make_tres_string_from_simple, Slurm 22.05 to 26.05.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import table

# Both commands are told not to shorten numbers (--noconvert): `4.00G` has lost what was behind the second digit.
FIELDS = (
    "NTasks", "AveCPU", "MaxRSS", "ConsumedEnergyRaw", "TRESUsageInTot", "TRESUsageInMax", "TRESUsageOutTot",
    "TRESUsageOutMax",
)  # fmt: skip
KEYS = (
    "tasks", "mean_task_cpu_s", "energy_j", "max_rss_bytes", "max_disk_read_bytes", "max_disk_write_bytes",
    "disk_read_bytes", "disk_write_bytes",
)  # fmt: skip
DISK = "fs/disk"
# slurm.h: INFINITE64 and NO_VAL64 are the largest numbers of 64 bits, INFINITE and NO_VAL those of 32.
_UNSET_FROM, _UNSET_32 = 2**63, (2**32 - 1, 2**32 - 2)
_TIME = re.compile(r"^(?:(\d{1,9})-)?(?:(\d{1,9}):)?(\d{1,9}):(\d{1,9}(?:\.\d{1,9})?)$")


def seconds(text):
    """Seconds (float, fractions kept) of a CPU time: `MM:SS.mmm`, `HH:MM:SS` or `D-HH:MM:SS`; None for nothing.

    Raises ValueError for any other text.
    """
    text = table.value(text)
    if text is None:
        return None
    match = _TIME.match(text)
    if not match:
        raise ValueError("{0!r} is no CPU time: expected MM:SS.mmm, HH:MM:SS or D-HH:MM:SS".format(text[:40]))
    days, hours, minutes, rest = match.groups()
    return int(days or 0) * 86400.0 + int(hours or 0) * 3600.0 + int(minutes) * 60.0 + float(rest)


def counted(value):
    """A count (int), or None where it is missing, negative, or one of Slurm's numbers that mean "unset"."""
    return None if value is None or not 0 <= value < _UNSET_FROM else value


def joules(value):
    """Joules (int) of a ConsumedEnergyRaw (int or None); None where nothing, or a number that means "unset", stands."""
    return None if value in _UNSET_32 else counted(value)


def amounts(text):
    """Resources (dict name → bytes or count, int) of `cpu=00:00:01,energy=0,fs/disk=8859,mem=4084K`.

    CPU times stand elsewhere to the millisecond and are left out; so is what is no number.
    """
    found = {}
    for item in str(table.value(text) or "").split(","):
        name, equals, amount = item.partition("=")
        count = counted(table.size_bytes(amount)) if equals else None
        if count is not None:
            found[name] = count
    return found


def of_row(row):
    """What a row (dict by field) says of a step: dict with KEYS.

    `max_…` is of the task that had most, `disk_…_bytes` of all tasks; None where nobody tells. Raises ValueError.
    """
    return {
        "tasks": table.integer(row.get("NTasks")),
        "mean_task_cpu_s": seconds(row.get("AveCPU")),
        "energy_j": joules(table.integer(row.get("ConsumedEnergyRaw"))),
        "max_rss_bytes": counted(table.size_bytes(row.get("MaxRSS"))),
        "max_disk_read_bytes": amounts(row.get("TRESUsageInMax")).get(DISK),
        "max_disk_write_bytes": amounts(row.get("TRESUsageOutMax")).get(DISK),
        "disk_read_bytes": amounts(row.get("TRESUsageInTot")).get(DISK),
        "disk_write_bytes": amounts(row.get("TRESUsageOutTot")).get(DISK),
    }
