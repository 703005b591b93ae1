# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several kinds of operations, mixed at random by weight: the setting `operations` of a workload."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import bisect
import itertools


def option(kinds, default, what):
    """The setting, for a workload's SETTINGS. kinds: name -> what it does; default: name -> weight; what: plural."""
    weights = {
        name: {"type": "int", "default": 0, "min": 0, "description": "The weight of: %s." % what}
        for name, what in kinds.items()
    }
    description = "%s, each with its weight: %s." % (what, ", ".join(kinds))
    return {"type": "dict", "default": default, "options": weights, "description": description}


def kinds_of(weights):
    """The kinds (list of str, in order) that are asked for. weights: the setting's value (dict)."""
    return sorted(name for name, weight in weights.items() if weight)


def check(setting, weights):
    """(setting, message, remedy) of what is wrong with it."""
    if not kinds_of(weights):
        yield setting, "asks for no operation", "give a weight above 0, such as {get: 1}"


def drawing(weights, random):
    """A callable that draws an index of `kinds_of(weights)` by weight. random: a random.Random."""
    sums = list(itertools.accumulate(weights[name] for name in kinds_of(weights)))
    if len(sums) == 1:
        return lambda: 0
    draw, total, find = random.random, sums[-1], bisect.bisect
    return lambda: find(sums, draw() * total)
