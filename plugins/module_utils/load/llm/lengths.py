# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long prompts and answers are: fixed, or normally distributed within bounds."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class Lengths:
    """mean, stddev: tokens; least, most: bounds (int; most None: no bound). stddev 0 is a fixed length."""

    def __init__(self, mean, stddev=0.0, least=1, most=None):
        self.mean, self.stddev, self.least, self.most = mean, stddev, least, most

    def draw(self, random):
        """One length (int)."""
        if not self.stddev:
            return int(self.mean)
        drawn = max(self.least, int(random.gauss(self.mean, self.stddev) + 0.5))
        return drawn if self.most is None else min(drawn, self.most)

    @classmethod
    def of(cls, settings, name):
        """Of the settings NAME, NAME_stddev, NAME_min, NAME_max; a maximum of 0 is none."""
        return cls(settings[name], settings[name + "_stddev"], settings[name + "_min"], settings[name + "_max"] or None)


def options(name, default, what):
    """The four settings of a length, for a workload's SETTINGS."""
    return {
        name: {"type": "int", "default": default, "min": 1, "description": "Tokens of %s; the mean of several." % what},
        name + "_stddev": {
            "type": "float",
            "default": 0.0,
            "min": 0,
            "description": "Standard deviation of %s, normally distributed; 0: all alike." % name,
        },
        name + "_min": {"type": "int", "default": 1, "min": 1, "description": "The least %s that is drawn." % name},
        name + "_max": {"type": "int", "default": 0, "min": 0, "description": "The most that is drawn; 0: no bound."},
    }


def check(settings, name):
    """(setting, message, remedy) of what is wrong with them."""
    most, least = settings[name + "_max"], settings[name + "_min"]
    if most and most < least:
        yield name + "_max", "%d is below %s_min, %d" % (most, name, least), "raise it, or lower %s_min" % name
    if settings[name + "_stddev"] and most and not least <= settings[name] <= most:
        yield name, "%d is not between %s_min and %s_max" % (settings[name], name, name), "move the bounds"
