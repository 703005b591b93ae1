# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The keys of a run and what they hold: both follow from a key's number, so that every client knows them all."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import random

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.content import Content
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.resp import command
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.schedule import seed_of
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.sizes import Sizes

_POOL_BYTES = (1 << 20) + 21
_SIZES = 4093  # so many are drawn, and given to the keys in turn: 10 million draws would take their time
_SPREAD = 2654435761  # of Knuth's multiplicative hash: neighbours begin at places far apart
STRINGS = b"s"


def run_prefix(run_id):
    """What all keys (bytes) of a run begin with."""
    return b"aifactory:" + run_id.encode("utf-8") + b":"


def contents(run_id):
    """The bytes (Content) that the values of a run are made of."""
    return Content(seed_of(run_id), _POOL_BYTES)


class KeySpace:
    """settings (dict): `keys` and `value_size` say what it consists of; another key space has other names.

    content: what `contents(run_id)` gives.
    """

    def __init__(self, run_id, settings, content):
        self.count = settings["keys"]
        kind = json.dumps([settings["keys"], settings["value_size"]], sort_keys=True)
        self.prefix = run_prefix(run_id) + b"%08x:" % seed_of(kind)
        draw, sizes = random.Random(seed_of(run_id, kind)), Sizes.of(settings["value_size"])
        self.sizes = [sizes.draw(draw) for _number in range(_SIZES)]
        self.content = content

    def key(self, kind, number):
        """The key (bytes) of a kind (bytes, one letter: keys of one kind hold values of one type)."""
        return b"%b%b%012d" % (self.prefix, kind, number)

    def value(self, number):
        """The bytes that a key holds."""
        return self.content.piece(number * _SPREAD, 0, self.sizes[number % _SIZES])

    def holds(self, number, value):
        """Whether this is the key's value."""
        return len(value) == self.sizes[number % _SIZES] and self.content.holds(number * _SPREAD, 0, value)

    def loading(self):
        """The commands (iterator of bytes) that make all strings."""
        return (command("SET", self.key(STRINGS, number), self.value(number)) for number in range(self.count))
