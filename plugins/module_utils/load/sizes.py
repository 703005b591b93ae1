# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sizes of objects and values as a recipe gives them: fixed, normally distributed, or several by weight."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import bisect
import itertools
import re

FORMS = "write a size such as 4096 or 1MiB, {mean: 1MiB, stddev: 256KiB}, or a list of {size: 4KiB, weight: 3}"
_TEXT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([KMGT])(i?B)?|B)?$", re.IGNORECASE)
_MOST_BYTES = 1 << 50
_SPREAD = 4  # standard deviations that a drawn size is at most above the mean, where no bound is given
_NORMAL_KEYS = ("mean", "stddev", "min", "max")


def bytes_of(value):
    """Bytes (int) of 4096, `1MiB`, `1M` (powers of 1024) or `1MB` (powers of 1000). Raises ValueError."""
    amount = None
    if isinstance(value, int) and not isinstance(value, bool):
        amount = value
    elif isinstance(value, str):
        found = _TEXT.match(value.strip())
        if found:
            number, prefix, suffix = found.groups()
            base = 1000 if (suffix or "").upper() == "B" else 1024
            amount = int(float(number) * base ** " KMGT".index((prefix or " ").upper()))
    if amount is None:
        raise ValueError("%r is no size" % (value,))
    if not 0 <= amount <= _MOST_BYTES:
        raise ValueError("a size is between 0 and 1PiB, not %r" % (value,))
    return amount


class Sizes:
    """choices: sizes (list of int, bytes) of which each draw takes one by its weight; or mean, stddev, least, most.

    `most` (int) is the largest that can be drawn.
    """

    def __init__(self, choices=None, weights=None, *, mean=0, stddev=0, least=0, most=None):
        self.choices = choices
        if choices:
            self.sums = list(itertools.accumulate(weights))
            self.mean = sum(size * weight for size, weight in zip(choices, weights)) / self.sums[-1]
            self.most = max(choices)
            return
        self.mean, self.stddev, self.least = mean, stddev, least
        self.most = int(mean + _SPREAD * stddev) if most is None else most

    def draw(self, random):
        """One size (int, bytes). random: a random.Random."""
        if self.choices:
            if len(self.choices) == 1:
                return self.choices[0]
            return self.choices[bisect.bisect(self.sums, random.random() * self.sums[-1])]
        return min(self.most, max(self.least, int(random.gauss(self.mean, self.stddev) + 0.5)))

    @classmethod
    def of(cls, value):
        """Of what a recipe gives (int, str, dict or list). Raises ValueError."""
        if isinstance(value, dict):
            return cls._normal(value)
        if isinstance(value, list):
            return cls._several(value)
        return cls([bytes_of(value)], [1])

    @classmethod
    def _normal(cls, given):
        unknown = sorted(set(given) - set(_NORMAL_KEYS))
        if unknown:
            raise ValueError("%r is none of %s" % (unknown[0], ", ".join(_NORMAL_KEYS)))
        if "mean" not in given:
            raise ValueError("a distribution needs a mean")
        sizes = {key: bytes_of(value) for key, value in given.items()}
        mean, stddev = sizes["mean"], sizes.get("stddev", 0)
        least, most = sizes.get("min", min(1, mean)), sizes.get("max")
        if not least <= mean <= (mean if most is None else most):
            raise ValueError("the mean is not between min and max")
        return cls(mean=mean, stddev=stddev, least=least, most=most)

    @classmethod
    def _several(cls, given):
        choices, weights = [], []
        for entry in given:
            item = entry if isinstance(entry, dict) else {"size": entry}
            unknown = sorted(set(item) - {"size", "weight"})
            if unknown or "size" not in item:
                raise ValueError("an entry has a size and perhaps a weight, not %s" % sorted(item))
            weight = item.get("weight", 1)
            if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < 1e9:
                raise ValueError("a weight is a number above 0, not %r" % (weight,))
            choices.append(bytes_of(item["size"]))
            weights.append(weight)
        if not choices:
            raise ValueError("the list of sizes is empty")
        return cls(choices, weights)


def check(setting, value):
    """(setting, message, remedy) of what is wrong with a setting that gives sizes."""
    try:
        Sizes.of(value)
    except ValueError as e:
        yield setting, str(e), FORMS
