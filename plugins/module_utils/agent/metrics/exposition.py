# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prometheus' text format and OpenMetrics, as far as a scrape needs them.

Source: Prometheus documentation, "Exposition formats"; OpenMetrics 1.0.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import math
import re

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.naming import PREFIX

COUNTER, GAUGE = "counter", "gauge"

_LINE = re.compile(
    r"^(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)"
    r"\s*(?:\{(?P<labels>(?:[^\"}]|\"(?:[^\"\\]|\\.)*\")*)\})?"
    r"\s+(?P<value>\S+)"
)
_COUNTS = ("_bucket", "_count", "_sum", "_total")  # what they end a family's name with only grows
_MOST_LINE = 65536
_MOST_DIGITS = 64
_OF_COUNTS = frozenset(("counter", "histogram", "summary"))
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
UP = "up"  # of Scraper: whether the service answered


def parse(text):
    """(name, labels, kind, value) of each sample: labels as they stand between the braces, kind COUNTER or GAUGE.

    A quantile of a summary is a gauge. Samples that are no finite number, and lines that are none, are left out: they
    belong to the service, and a line that nobody understands is no reason to lose the others.
    """
    kinds = {}
    for line in text.splitlines():
        if len(line) > _MOST_LINE:
            continue
        if line.startswith("#"):
            words = line.split(None, 3)
            if len(words) == 4 and words[1] == "TYPE":
                kinds[words[2]] = words[3].strip().lower()
            continue
        found = _LINE.match(line)
        if found is None:
            continue
        value = _number(found.group("value"))
        if value is not None:
            name = found.group("name")
            yield name, (found.group("labels") or "").strip().rstrip(","), _kind(name, kinds), value


def escaped(value):
    """A label's value (str) as it stands between its quotes."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def public_name(metric):
    """The name (str) by which a service's metric is told to Prometheus, so that it can't pass for one of ours.

    None: it is no name. Prometheus has an `up` of its own.
    """
    if not _NAME.fullmatch(metric):
        return None
    if metric == UP:
        return PREFIX + "service_up"
    return "exported_" + metric if metric.startswith(PREFIX) else metric


def public_labels(text, taken):
    """(name, value) of each label of a service's series; `text` as between the braces, `taken` (set of str): ours.

    What is taken becomes exported_NAME, as Prometheus does it; names that are Prometheus' own are left out.
    """
    for name, value in _LABEL.findall(text):
        if not name.startswith("__"):
            plain = _ESCAPED.sub(lambda found: "\n" if found.group(1) == "n" else found.group(1), value)
            yield ("exported_" + name if name in taken else name), plain


def _kind(name, kinds):
    declared = kinds.get(name)
    if declared is None:
        for end in _COUNTS:
            if name.endswith(end):
                declared = kinds.get(name[: -len(end)])
                return COUNTER if declared in _OF_COUNTS or (declared is None and end == "_total") else GAUGE
        return GAUGE
    return COUNTER if declared == "counter" else GAUGE


def _number(word):
    try:
        value = float(word[:_MOST_DIGITS])
    except ValueError:
        return None
    return value if math.isfinite(value) else None
