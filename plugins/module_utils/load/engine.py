# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The engine of the load: starts operations when they are due, over connections that are kept.

Open loop: a schedule says when, whatever the service does; a new connection is opened when none is idle, up to
`max_in_flight` operations, beyond which what is due is dropped and counted. Closed loop: each of `concurrency`
connections begins the next operation when the one before has ended, or a pause later.
One thread, one event loop, no task an operation.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import asyncio
import collections
import gc
import random
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.alarm import alarm
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.framing import UNREADABLE
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pool import Pool
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.samples import ROWS
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.sockets import Sockets

_TICK_S = 0.05
_FLUSH_S = 0.5
_AT_ONCE = 64  # operations started in a row before the answers have their turn
_CUT_DRAIN_S = 5.0


class Load:
    """What is asked of an engine. Times are seconds of time.monotonic().

    begin, end (None: `requests` operations from `measure` on); arrivals: iterator of seconds from `begin`, None for
    a closed loop; concurrency (int); think_s: mean pause, exponential; requests (int or None); max_in_flight (int);
    timeout_s (float or None); retries (int); drain_s (float); seed (int).
    """

    def __init__(self, **fields):
        self.__dict__.update(fields)


class Engine:
    """Makes a Load on an event loop and tells Samples what came of it.

    next_operation: callable, the next Operation; a class, such as HttpOperation.always gives, where all are alike.
    connectors: one a service (see load.pool); signs: object with `stop` and `cut` (threading.Event).
    """

    def __init__(self, loop, load, samples, *, next_operation, connectors, signs):
        self.loop, self.load, self.samples = loop, load, samples
        self.next_operation = next_operation
        self.signs = signs
        self.sockets = Sockets(loop)
        self.pools = [Pool(self.sockets, connector, self) for connector in connectors]
        self.in_flight = 0
        self.most_in_flight = 0
        self.deadlines = collections.deque()  # (time, operation, its attempt), the earliest first
        self.offering = True
        # until then the next operation follows at once on the same connection: the shortest way from answer to request
        self.straight_until = float("-inf")
        if load.arrivals is None and load.requests is None and not load.think_s and not load.timeout_s:
            self.straight_until = load.end
        self.stopped = False  # by `signs.stop`
        self.cut_at = None
        self.over = loop.create_future()
        self.random = random.Random(load.seed)
        self.left = load.requests
        self.alarm = None
        self.drained_at = None
        self.flush_at = 0.0

    def run(self):
        """Make the load. Returns when it is over, drained or stopped."""
        gc.collect()
        gc.disable()  # a collection in mid-run would be a pause of the generator, measured as the service's
        try:
            self.loop.run_until_complete(self._run())
        finally:
            self.sockets.close()
            gc.enable()

    async def _run(self):
        load = self.load
        if load.arrivals is None:
            await self._connect(load.concurrency)
        self._ticker = self.loop.call_later(_TICK_S, self._tick)
        self.alarm = alarm(self.loop, self._wake_closed if load.arrivals is None else self._wake_open)
        try:
            if load.arrivals is None:
                self._waiting = [load.begin] * load.concurrency
            else:
                self._due = load.begin + next(load.arrivals, float("inf"))
            self.alarm.set(load.begin)
            await self.over
        finally:
            self._ticker.cancel()
            self.alarm.close()
            self._abandon()
            for pool in self.pools:
                pool.close()
            await asyncio.sleep(0)  # the transports that were ended say so

    async def _connect(self, count):
        """Open the connections of a closed loop before it begins; what fails here fails again when it counts."""
        shares = [count // len(self.pools) + (number < count % len(self.pools)) for number in range(len(self.pools))]
        for pool, share in zip(self.pools, shares):
            await pool.open(share, self.load.begin)

    # -- when operations begin -------------------------------------------------------------------------

    def _wake_open(self):
        """Begin what is due by the schedule."""
        load, samples = self.load, self.samples
        for _turn in range(_AT_ONCE):
            due = self._due
            if due > time.monotonic():
                break
            if not self._may_begin(due):
                return
            samples.due_in(due)
            if self.in_flight >= load.max_in_flight:
                samples.drop(due)
            else:
                self._begin(due)
            self._due = load.begin + next(load.arrivals, float("inf"))
        else:
            self.loop.call_soon(self._wake_if_offering)
            return
        end = float("inf") if load.end is None else load.end
        if min(self._due, end) == float("inf") or (self._due >= end and time.monotonic() >= end):
            self._end_offering()  # the end of the load, or of its trace
        else:
            self.alarm.set(min(self._due, end))

    def _wake_if_offering(self):
        if self.offering:
            self._wake_open()

    def _wake_closed(self):
        """Begin what waits for its time: all at the start, later those that pause."""
        now = time.monotonic()
        waiting, self._waiting = sorted(self._waiting), []
        for number, due in enumerate(waiting):
            if due > now:
                self._waiting = waiting[number:] + self._waiting
                break
            if self._may_begin(now):
                self._begin(now)
        if self._waiting and self.offering:
            self.alarm.set(min(self._waiting))

    def _may_begin(self, due):
        """False when nothing more is to be begun: the load's end, or the number of operations."""
        if not self.offering:
            return False
        load = self.load
        if load.end is not None and due >= load.end:
            self._end_offering()
            return False
        if self.left is not None and due >= self.samples.start:
            if self.left <= 0:
                self._end_offering()
                return False
            self.left -= 1
        return True

    def _begin(self, due):
        operation = self.next_operation()
        operation.due = due
        self.in_flight += 1
        if self.in_flight > self.most_in_flight:  # noqa: PLR1730  (a call less on the hot path)
            self.most_in_flight = self.in_flight
        self._dispatch(operation)

    def _dispatch(self, operation):
        operation.attempts += 1
        if self.load.timeout_s:
            self.deadlines.append((time.monotonic() + self.load.timeout_s, operation, operation.attempts))
        self.pools[operation.endpoint].send(operation)

    # -- how operations end (the owner of the connections calls these) ---------------------------------

    def finished(self, connection, operation):
        """A connection has all of an operation's answer."""
        try:
            goes_on = operation.finished()
        except UNREADABLE as e:
            operation.fail("wrong answer", repr(e))
            goes_on = False
        if goes_on:
            if connection.usable:
                connection.send(operation)
            else:
                operation.connection = None
                self.pools[operation.endpoint].send(operation)
            return
        if operation.error is not None:
            operation.connection = None
            if connection.usable:
                self.pools[operation.endpoint].idle.append(connection)
            self._failed(operation)
            return
        self.samples.add(operation.row())
        if operation.end < self.straight_until and connection.usable:
            if operation.__class__ is self.next_operation:
                # all are alike: what is in its row already is not needed any more
                operation.due = operation.start = operation.end
                operation.received, operation.sent = 0, len(operation.payload)
                self.samples.repeated = (operation.kind, operation.sent)
                connection.send_again(operation)
                return
            following = self.next_operation()
            following.due = operation.end
            if following.endpoint == operation.endpoint:
                following.attempts = 1
                following.connection = connection
                connection.send(following)
                return
            self.pools[operation.endpoint].idle.append(connection)
            self._dispatch(following)
            return
        operation.is_over = True
        if connection.usable:
            self.pools[operation.endpoint].idle.append(connection)
        self.in_flight -= 1
        self._next(operation)

    def repeat(self, operation, status, received, write):
        """The same answer as before to the same request: send that again with `write`, and only then keep account.

        Returns False where it is not to be sent again, so that `finished` is to be called.
        """
        end = time.monotonic()
        if end >= self.straight_until:
            return False
        write(operation.payload)
        repeats = self.samples.repeats
        repeats.append((operation.start, end, status, received))
        operation.due = operation.start = end
        if len(repeats) >= ROWS:
            self.samples.flush()
        return True

    def broken(self, operation, error_class, text):
        """An operation could not be sent, or its answer did not come."""
        operation.connection = None
        operation.fail(error_class, text)
        if not operation.end:
            operation.end = time.monotonic()
        self._failed(operation)

    def _failed(self, operation):
        if operation.attempts <= self.load.retries and self.offering:
            self.samples.retries += self.samples.is_measured(operation.due)
            operation.again()
            self._dispatch(operation)
            return
        operation.is_over = True
        self.in_flight -= 1
        self.samples.error_of(operation.row(), operation.error, operation.example)
        self._next(operation)

    def _next(self, operation):
        """What follows an operation that has ended."""
        load = self.load
        if load.arrivals is None and self.offering:
            if operation.error is not None and not operation.received:
                # a service that refuses at once would be asked in a spin, and nothing else would run
                self._pause(operation.end + 0.01)
            elif load.think_s:
                self._pause(operation.end + self.random.expovariate(1.0 / load.think_s))
            elif self._may_begin(operation.end):
                self._begin(operation.end)
        if not self.offering and not self.in_flight:
            self._done()

    def _pause(self, until):
        self._waiting.append(until)
        if until == min(self._waiting):
            self.alarm.set(until)

    # -- the end ---------------------------------------------------------------------------------------

    def _end_offering(self):
        if self.offering:
            self._offer_no_more()
            drain_s = self.load.drain_s if self.cut_at is None else min(self.load.drain_s, _CUT_DRAIN_S)
            self.drained_at = time.monotonic() + drain_s
            if not self.in_flight:
                self._done()

    def _offer_no_more(self):
        self.offering, self.straight_until = False, float("-inf")

    def _done(self):
        if not self.over.done():
            self.over.set_result(None)

    def _tick(self):
        """Twenty times a second: signs from outside, time-outs, the end of the drain."""
        self._ticker = self.loop.call_later(_TICK_S, self._tick)
        now = time.monotonic()
        if now >= self.flush_at:  # for the progress; at high rates it happens by itself
            self.samples.flush()
            self.flush_at = now + _FLUSH_S
        while self.deadlines and self.deadlines[0][0] <= now:
            _when, operation, attempt = self.deadlines.popleft()
            if not operation.is_over and operation.attempts == attempt:
                self._give_up(operation, "timeout", "no answer within %g s" % self.load.timeout_s)
        if self.signs.stop.is_set():
            self.stopped = True
            self._offer_no_more()
            self._done()
        elif self.signs.cut.is_set() and self.cut_at is None and self.offering:
            self.cut_at = now
            self._end_offering()
        if self.offering and self.load.end is not None and now >= self.load.end:
            self._end_offering()
        if self.drained_at is not None and now >= self.drained_at:
            self._done()

    def _give_up(self, operation, error_class, text):
        """End an operation from here: its connection's state is unknown, so that goes, too."""
        connection = operation.connection
        if connection is None:
            self.pools[operation.endpoint].forget(operation)
        else:
            connection.close()
        operation.end = time.monotonic()
        self.broken(operation, error_class, text)

    def _abandon(self):
        """What is still in flight when all is over: errors, unless somebody stopped the run."""
        if self.stopped:
            return
        for pool in self.pools:
            for operation in pool.under_way():
                self._give_up(operation, "unfinished", "no answer within %g s after the load's end" % self.load.drain_s)
