# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which key is next: all alike, or some far more often than others."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import math

UNIFORM, ZIPF = "uniform", "zipf"


def uniform(count, random):
    """A callable that draws 0 to count - 1 (int), all alike. random: a random.Random."""
    draw = random.random
    return lambda: int(draw() * count)


def zipf(count, exponent, random):
    """A callable that draws 0 to count - 1 (int), number k with a probability proportional to (k + 1) ** -exponent.

    Exact, and the same time for any count: rejection-inversion, W. Hörmann and G. Derflinger, ACM Transactions on
    Modeling and Computer Simulation 6 (1996) 169-184. exponent: float > 0.
    """
    draw = random.random
    flat = 1.0 - exponent
    # H(x) = integral of t ** -exponent; by expm1 and log1p it is exact at, and near, an exponent of 1
    if abs(flat) < 1e-12:
        area, place = math.log, math.exp
    else:

        def area(x):
            return math.expm1(flat * math.log(x)) / flat

        def place(y):
            return math.exp(math.log1p(max(-1.0 + 1e-300, flat * y)) / flat)

    first = area(1.5) - 1.0
    last = area(count + 0.5)
    sure = 2.0 - place(area(2.5) - 2.0**-exponent)

    def following():
        while True:
            u = last + draw() * (first - last)
            x = place(u)
            k = min(count, max(1, int(x + 0.5)))
            if k - x <= sure or u >= area(k + 0.5) - k**-exponent:
                return k - 1

    return following
