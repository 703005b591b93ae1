# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The commands of a mix: what each sends, and what is a right reply to it."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.operation import Operation
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.data import STRINGS
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.resp import ErrorReply, command

NUMBERS, LISTS, SETS, HASHES, SORTED = b"n", b"l", b"u", b"h", b"z"
RANGE = 100  # elements that LRANGE asks for

WRONG_VALUE, MISSING_KEY, WRONG_REPLY = "wrong value", "missing key", "wrong reply"


class Commands:
    """Of a key space (KeySpace). Every maker takes a key's number and gives the command's bytes."""

    def __init__(self, space):
        self.space = space
        name = space.key(STRINGS, 0)
        # The command that is sent most is made of two parts that do not change.
        self._get = b"*2\r\n$3\r\nGET\r\n$%d\r\n%b" % (len(name), name[:-12])

    def get(self, number):
        """The value of a string."""
        return b"%b%012d\r\n" % (self._get, number)

    def set(self, number):
        """A string, to the value that it always has."""
        return command(b"SET", self.space.key(STRINGS, number), self.space.value(number))

    def incr(self, number):
        """A counter."""
        return command(b"INCR", self.space.key(NUMBERS, number))

    def lpush(self, number):
        """A value at the head of a list."""
        return command(b"LPUSH", self.space.key(LISTS, number), self.space.value(number))

    def lpop(self, number):
        """A value from the head of a list."""
        return command(b"LPOP", self.space.key(LISTS, number))

    def lrange(self, number):
        """The first elements of a list."""
        return command(b"LRANGE", self.space.key(LISTS, number), 0, RANGE - 1)

    def sadd(self, number):
        """A member of one of a thousand sets."""
        return command(b"SADD", self.space.key(SETS, number % 1000), b"element:%012d" % number)

    def hset(self, number):
        """A field of one of a thousand hashes."""
        return command(
            b"HSET", self.space.key(HASHES, number % 1000), b"element:%012d" % number, self.space.value(number)
        )

    def zadd(self, number):
        """A member of one of a thousand sorted sets."""
        return command(b"ZADD", self.space.key(SORTED, number % 1000), number, b"element:%012d" % number)

    @staticmethod
    def ping(number):
        """Nothing but an answer."""
        return b"*1\r\n$4\r\nPING\r\n"

    # -- what is wrong with a reply: None, or (class of the error, example) ----------------------------

    def check(self, name):
        """The callable(number, reply) that judges replies to a command (str)."""
        return {
            "get": self._is_value,
            "set": _is("OK"),
            "ping": _is("PONG"),
            "lpop": self._is_element,
            "lrange": self._are_elements,
        }.get(name, _is_number)

    def _is_value(self, number, reply):
        if reply is None:
            return MISSING_KEY, self.space.key(STRINGS, number).decode("utf-8", "replace")
        if reply.__class__ is bytes and self.space.holds(number, reply):
            return None
        return WRONG_VALUE, "key %d: %.200r" % (number, reply)

    def _is_element(self, number, reply):
        if reply is None or (reply.__class__ is bytes and self.space.holds(number, reply)):
            return None  # a list may be empty
        return WRONG_VALUE, "list %d: %.200r" % (number, reply)

    def _are_elements(self, number, reply):
        if reply.__class__ is not list or len(reply) > RANGE:
            return WRONG_REPLY, "%.200r" % (reply,)
        for element in reply:
            if element is None or self._is_element(number, element):
                return WRONG_VALUE, "list %d: %.200r" % (number, element)
        return None


def _is(wanted):
    def check(number, reply):
        return None if reply == wanted else (WRONG_REPLY, "%.200r instead of %s" % (reply, wanted))

    return check


def _is_number(number, reply):
    return None if reply.__class__ is int and reply >= 0 else (WRONG_REPLY, "%.200r is no number" % (reply,))


class RedisOperation(Operation):
    """A batch of commands, sent at once. checks: (check, the key's number) of each; see Commands.check."""

    __slots__ = ("checks", "expected", "payload", "replies")

    def __init__(self, payload, checks, kind=0, endpoint=0):
        super().__init__(kind, endpoint)
        self.payload = payload
        self.checks = checks
        self.expected = len(checks)
        self.replies = None

    def began(self, now):
        """See Operation."""
        self.replies = None
        self.sent += len(self.payload)
        if not self.start:
            self.start = now

    def finished(self):
        """See Operation: every reply must be right."""
        for reply, (check, number) in zip(self.replies, self.checks):
            if reply.__class__ is ErrorReply:
                self.fail("redis " + reply.code, reply.text)
                break
            wrong = check(number, reply)
            if wrong is not None:
                self.fail(*wrong)
                break
        self.replies = None
        return False
