# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names and units of metrics by Prometheus' conventions: base units, the unit last, `_ratio` instead of percent.

Source: Prometheus documentation, "Metric and label naming"; OpenMetrics 1.0, "Units and Base Units".
Shared by the agent, which tells it while a run goes on, and the controller, which tells it of runs that are over.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re
from collections import namedtuple

PREFIX = "aifactory_"
PER_SECOND = "_per_second"

# unit → (base unit, factor)
_UNITS = {
    "": ("", 1.0), "1": ("", 1.0), "%": ("ratio", 0.01), "token": ("tokens", 1.0),
    "s": ("seconds", 1.0), "ms": ("seconds", 1e-3), "us": ("seconds", 1e-6), "µs": ("seconds", 1e-6),
    "ns": ("seconds", 1e-9), "h": ("seconds", 3600.0),
    "B": ("bytes", 1.0), "kB": ("bytes", 1e3), "MB": ("bytes", 1e6), "GB": ("bytes", 1e9),
    "KiB": ("bytes", 2.0**10), "MiB": ("bytes", 2.0**20), "GiB": ("bytes", 2.0**30),
    "J": ("joules", 1.0), "Wh": ("joules", 3600.0), "kWh": ("joules", 3.6e6), "W": ("watts", 1.0),
    "Hz": ("hertz", 1.0), "MHz": ("hertz", 1e6),
}  # fmt: skip
# ends of the names of columns, whose unit stands nowhere else; the longer ones first
_ENDS = (
    ("_bytes_per_s", "B/s"), ("_per_s", "1/s"), ("_percent", "%"), ("_bytes", "B"), ("_mhz", "MHz"), ("_s", "s"),
    ("_w", "W"), ("_j", "J"),
)  # fmt: skip
# what is a share by its meaning; results.csv gives it the unit 1
_SHARES = {"error_rate": "error", "recall": "recall"}


#: The name of a metric (str), and what its values are to be multiplied with (float).
Name = namedtuple("Name", "name factor")


def of_result(metric, unit, room="result"):
    """The Name of a metric of results.csv with its unit (str): `aifactory_ROOM_METRIC_UNIT`."""
    if metric in _SHARES and unit in ("", "1"):
        return Name("%s%s_%s_ratio" % (PREFIX, room, _SHARES[metric]), 1.0)
    per = unit.endswith("/s")
    unit = unit[: -len("/s")] if per else unit
    base, factor = _UNITS.get(unit, (_sanitized(unit), 1.0))
    if per and metric.endswith("_per_s"):
        metric = metric[: -len("_per_s")]
    words = [word for word in _sanitized(metric).split("_") if word]
    # bytes_received becomes received_bytes: a unit is named once, and last
    words = [word for word in words if word not in [*base.split("_"), "percent"]] + [base] * bool(base)
    return Name("%s%s_%s%s" % (PREFIX, room, "_".join(words) or "value", PER_SECOND if per else ""), factor)


def of_column(column, room):
    """The Name of a column of a time series, whose unit is the end of its name."""
    for end, unit in _ENDS:
        if column.endswith(end):
            return of_result(column[: -len(end)], unit, room)
    return of_result(column, "1", room)


def unit_of(name):
    """The base unit (str) that a name ends with, for OpenMetrics' UNIT; empty without one."""
    last = name.rpartition("_")[2]
    return last if last in ("seconds", "bytes", "ratio", "joules", "watts", "tokens", "hertz", "celsius") else ""


def _sanitized(text):
    """Lower case letters, digits and single underscores; what a name may not have becomes `_`."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
