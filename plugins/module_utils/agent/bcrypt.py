# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""bcrypt, for servers that take a password as its hash only, such as Prometheus; Python's own library has none.

Source: N. Provos, D. Mazieres, "A Future-Adaptable Password Scheme", USENIX 1999; Blowfish: B. Schneier, FSE 1993. The
passwords are random words of 192 bits: no guesser needs to be slowed down, and so the cost is the least that there is.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import struct

COST = 4  # log2 of the rounds
_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_SUBKEYS, _BOXES = 18, 4 * 256  # words of 32 bits
_WORD = 0xFFFFFFFF
_TEXT = struct.unpack(">6L", b"OrpheanBeholderScryDoubt")
_MOST_BYTES = 72  # of a password: the rest would not count


def hashed(password, salt=None):
    """The hash (str, `$2b$…`) of a password (str). salt: 16 bytes, by default random.

    Raises ValueError for a password that is too long, or has a NUL.
    """
    key = password.encode("utf-8") + b"\0"
    if len(key) > _MOST_BYTES or b"\0" in key[:-1]:
        raise ValueError("bcrypt takes at most %d bytes, without NUL" % (_MOST_BYTES - 1))
    salt = os.urandom(16) if salt is None else salt
    state = _Blowfish()
    salt_words, key_words = struct.unpack(">4L", salt), _cycled(key)
    state.expand(key_words, salt_words)
    for _round in range(1 << COST):
        state.expand(key_words)
        state.expand(_cycled(salt))
    text = list(_TEXT)
    for at in (0, 2, 4):
        for _time in range(64):
            text[at], text[at + 1] = state.encrypt(text[at], text[at + 1])
    # the last byte has no place in the form
    return "$2b$%02d$%s%s" % (COST, _base64(salt), _base64(struct.pack(">6L", *text)[:23]))


class _Blowfish:
    """The cipher's state: subkeys and S-boxes, which begin as the fraction of pi."""

    def __init__(self):
        words = _pi_words(_SUBKEYS + _BOXES)
        self.subkeys, boxes = words[:_SUBKEYS], words[_SUBKEYS:]
        self.boxes = [boxes[at : at + 256] for at in range(0, _BOXES, 256)]

    def encrypt(self, left, right):
        """One block of two words."""
        first, second, third, fourth = self.boxes
        subkeys = self.subkeys
        for at in range(0, 16, 2):
            left ^= subkeys[at]
            right ^= (
                ((first[left >> 24] + second[left >> 16 & 255]) ^ third[left >> 8 & 255]) + fourth[left & 255]
            ) & _WORD
            right ^= subkeys[at + 1]
            left ^= (
                ((first[right >> 24] + second[right >> 16 & 255]) ^ third[right >> 8 & 255]) + fourth[right & 255]
            ) & _WORD
        return right ^ subkeys[17], left ^ subkeys[16]

    def expand(self, key, salt=(0, 0, 0, 0)):
        """Mix in a key (18 words) and a salt (4 words)."""
        self.subkeys = [mine ^ theirs for mine, theirs in zip(self.subkeys, key)]
        left = right = turn = 0
        for part in [self.subkeys, *self.boxes]:
            for at in range(0, len(part), 2):
                left, right = self.encrypt(left ^ salt[turn], right ^ salt[turn + 1])
                part[at], part[at + 1] = left, right
                turn ^= 2


def _cycled(key):
    """18 words of the key's bytes, again and again."""
    return struct.unpack(">%dL" % _SUBKEYS, (key * (4 * _SUBKEYS // len(key) + 1))[: 4 * _SUBKEYS])


def _pi_words(count):
    """The first words (list of int) of the fraction of pi in base 2**32, by Machin's formula."""
    bits = 32 * count
    scale = 1 << (bits + 64)

    def arctan_of_inverse(x):
        term = total = scale // x
        divisor, sign = 1, 1
        while term:
            term //= x * x
            divisor, sign = divisor + 2, -sign
            total += sign * (term // divisor)
        return total

    fraction = (4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239)) >> 64) - (3 << bits)
    return [fraction >> (bits - 32 * (number + 1)) & _WORD for number in range(count)]


def _base64(data):
    """In bcrypt's own alphabet, without filling."""
    number, bits = int.from_bytes(data, "big"), 8 * len(data)
    number, bits = number << -bits % 6, bits + -bits % 6
    return "".join(_ALPHABET[number >> shift & 63] for shift in range(bits - 6, -1, -6))
