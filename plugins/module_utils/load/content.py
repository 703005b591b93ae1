# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What objects and values consist of: bytes that follow from a seed, so that whoever reads them knows what is right.

Every content is a walk through one pool of random bytes, from a place of its own on: made at the speed of memory,
compared byte by byte at the same speed (a checksum is slower and says less), and nothing has to be stored.
The pool's length is odd, so that its repetitions within a large object do not fall on the blocks of a store that
looks for equal ones; random bytes do not compress.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import random

POOL_BYTES = (8 << 20) + 4093


class Content:
    """seed (int): the same seed, the same bytes, in any process; pool_bytes (int): how many before they repeat."""

    def __init__(self, seed, pool_bytes=POOL_BYTES):
        self.length = pool_bytes
        self.pool = random.Random(seed).getrandbits(8 * pool_bytes).to_bytes(pool_bytes, "little")

    def piece(self, place, begin, end):
        """The bytes from `begin` to `end` of the content that begins at `place` (int >= 0) of the pool."""
        at, left = (place + begin) % self.length, end - begin
        if at + left <= self.length:
            return self.pool[at : at + left]
        parts = [self.pool[at:]]
        left -= self.length - at
        parts += [self.pool] * (left // self.length)
        parts.append(self.pool[: left % self.length])
        return b"".join(parts)

    def holds(self, place, begin, data):
        """Whether `data` (bytes) is right as the part from `begin` on of the content that begins at `place`."""
        at = (place + begin) % self.length
        if at + len(data) <= self.length:
            return self.pool.startswith(data, at)
        return self.piece(place, begin, begin + len(data)) == data
