# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The objects of a run: those that the set-up makes, which stay, and those that a client makes and may delete."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections
import json
import random
import re

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.content import Content
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.schedule import seed_of
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.sizes import Sizes

_BUCKET_CHARACTERS = 63


class Thing:
    """An object: its key (str), size (bytes), and the place (int) in the pool at which its content begins."""

    __slots__ = ("key", "place", "size")

    def __init__(self, key, size):
        self.key, self.size = key, size
        self.place = seed_of(key)


def contents(run_id):
    """The bytes (Content) that the objects of a run are made of."""
    return Content(seed_of(run_id))


def bucket_name(run_id):
    """The bucket (str) that a run makes for itself: 3 to 63 letters, digits and hyphens, as S3's rules want it."""
    return re.sub("[^a-z0-9-]", "-", "aifactory-" + run_id.lower())[:_BUCKET_CHARACTERS].strip("-")


def run_prefix(run_id):
    """What the keys (str) of all objects of a run begin with."""
    return "aifactory-%s/" % run_id


class Prepared:
    """What the set-up makes. settings (dict): `objects` and `object_size`; other ones are other objects."""

    def __init__(self, run_id, settings):
        kind = json.dumps([settings["objects"], settings["object_size"]], sort_keys=True)
        self.prefix = "%sprepared-%08x/" % (run_prefix(run_id), seed_of(kind))
        self.count = settings["objects"]
        draw, sizes = random.Random(seed_of(run_id, kind)), Sizes.of(settings["object_size"])
        self.sizes = [sizes.draw(draw) for _number in range(self.count)]

    def key(self, number):
        """The key (str) of an object by its number; in the order of the numbers."""
        return "%s%09d" % (self.prefix, number)

    def thing(self, number):
        """An object (Thing) by its number."""
        return Thing(self.key(number), self.sizes[number])


class Own:
    """What a client makes in a service during a case. prefix (str): nobody else's keys begin with it.

    most (int): so many at a time, then the oldest one is overwritten; 0: no limit.
    """

    def __init__(self, prefix, most):
        self.prefix, self.most = prefix, most
        self.ready = collections.deque()  # keys of objects that are there, and that no operation is about
        self.alive = 0
        self.made = 0

    def key(self):
        """The key (str) of the object that is put next; say `done` when it is there."""
        if self.most and self.alive >= self.most and self.ready:
            return self.ready.popleft()
        self.alive += 1
        self.made += 1
        return "%s%09d" % (self.prefix, self.made)

    def done(self, key):
        """It is there: it may be deleted, or overwritten. One whose PUT failed is never touched again."""
        self.ready.append(key)

    def take(self):
        """The key (str) of the oldest object, to delete it; None when there is none."""
        if not self.ready:
            return None
        self.alive -= 1
        return self.ready.popleft()
