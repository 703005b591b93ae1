# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Slurm host lists: `mel[0001-0003,0007],login1` and back. Source: scontrol(1), HOSTLIST. No I/O."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

MAX_HOSTS = 100000  # a typing mistake such as n[1-999999999] must not eat the memory
_RANGE = re.compile(r"^(\d+)(?:-(\d+))?$")
_NUMBERED = re.compile(r"^(.*?)(\d+)$")


def _split(text):
    """The parts of a host list at the commas outside brackets."""
    parts, depth, start = [], 0, 0
    for position, char in enumerate(text):
        if char == "[":
            depth += 1
        elif char == "]":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
        if depth not in (0, 1):
            break
    if depth:
        raise ValueError("host list {0!r}: brackets do not match".format(text))
    return [*parts, text[start:]]


def _numbers(ranges, text):
    """The numbers (list of str, zeros kept) of `0001-0003,0007`."""
    found = []
    for part in ranges.split(","):
        match = _RANGE.match(part.strip())
        if not match:
            raise ValueError("host list {0!r}: {1!r} is no number or range".format(text, part))
        low, high = match.group(1), match.group(2) or match.group(1)
        if int(high) < int(low):
            raise ValueError("host list {0!r}: the range {1!r} runs backwards".format(text, part))
        if int(high) - int(low) >= MAX_HOSTS:
            raise ValueError("host list {0!r}: more than {1} hosts".format(text, MAX_HOSTS))
        found.extend(str(number).zfill(len(low)) for number in range(int(low), int(high) + 1))
    return found


def _expand_one(part, text):
    opening = part.find("[")
    if opening < 0:
        return [part]
    closing = part.index("]", opening)
    heads = [part[:opening] + number for number in _numbers(part[opening + 1 : closing], text)]
    tails = _expand_one(part[closing + 1 :], text)
    return [head + tail for head in heads for tail in tails]


def expand(text):
    """The host names (list of str, in order) of a Slurm host list; empty for nothing, `(null)` or `None assigned`.

    Raises ValueError for unbalanced brackets, bad ranges and absurdly long lists.
    """
    text = str(text or "").strip()
    if text in ("", "(null)", "None", "None assigned", "N/A", "n/a"):
        return []
    hosts = []
    for part in _split(text):
        if part:
            hosts.extend(_expand_one(part, text))
        if len(hosts) > MAX_HOSTS:
            raise ValueError("host list {0!r}: more than {1} hosts".format(text, MAX_HOSTS))
    return hosts


def _ranges(numbers):
    """`0001-0003,0007` of numbers (list of (int value, str as written)), sorted and of one width."""
    runs = []
    for value, written in numbers:
        if runs and value == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], value, runs[-1][2], written)
        elif not runs or value != runs[-1][1]:
            runs.append((value, value, written, written))
    return ",".join(first if low == high else first + "-" + last for low, high, first, last in runs)


def compress(hosts):
    """The shortest usual host list (str) of host names (iterable of str), sorted, without doubles."""
    groups, order = {}, []
    for host in sorted(set(hosts)):
        match = _NUMBERED.match(host)
        # Numbers of one group share their width when they have leading zeros: 09 and 9 are different hosts.
        prefix, number = match.groups() if match else (host, None)
        width = len(number) if number and number.startswith("0") and len(number) > 1 else 0
        key = (prefix, number is not None, width)
        if key not in groups:
            groups[key] = []
            order.append(key)
        if number is not None:
            groups[key].append((int(number), number))
    parts = []
    for key in order:
        ranges = _ranges(sorted(groups[key]))
        many = "," in ranges or "-" in ranges
        parts.append(key[0] + ("[" + ranges + "]" if many else ranges))
    return ",".join(parts)
