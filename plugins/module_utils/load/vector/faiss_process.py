# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The process that runs Faiss (faiss_script.py), seen from the client: commands, and searches on the engine's loop.

Its pipe outlives the event loop, of which every case has another: what was not sent or not read when a case ended is
sent and read in the next one. So a frame is never cut in two.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import pkgutil
import select
import socket
import struct
import subprocess
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pool import Connector
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError, with_binds

_HEAD = struct.Struct("<II")
_RECEIVE_BYTES = 1 << 18
_TICK_S = 0.2
_END_S = 5.0


class FaissProcess:
    """ctx: Context; directory (str): with the vectors and the index, which the container has to see."""

    def __init__(self, ctx, directory):
        self.ctx = ctx
        script = os.path.join(ctx.tmp_dir, "faiss_script.py")
        with open(script, "wb") as stream:
            stream.write(pkgutil.get_data(__package__, "faiss_script.py"))
        self._errors = os.path.join(ctx.tmp_dir, "faiss.err")
        self._socket, theirs = socket.socketpair()
        argv = [*ctx.container, ctx.settings["python"], "-u", script]
        env = with_binds(os.environ, ctx.runtime, [ctx.tmp_dir, directory])
        try:
            with open(self._errors, "wb") as errors:
                # in a job there is no AnsibleModule
                self.process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                    argv, env=env, stdin=theirs, stdout=theirs, stderr=errors, start_new_session=True
                )
        except OSError as e:
            self._socket.close()
            raise LoadError("cannot start %s: %s" % (argv[0], e.strerror))
        finally:
            theirs.close()
        self._socket.setblocking(False)
        self._out, self._in = bytearray(), bytearray()
        self._loop = None
        self._number = 0
        self._searches = {}  # number -> (channel, its operation)
        self._answer = None
        self._channels = set()

    # -- commands, outside of the load -----------------------------------------------------------------

    def command(self, **order):
        """The answer (dict) to a command. Raises LoadError when it fails, when stopped, when the process has ended."""
        self._answer = None
        self._out += _frame(0, json.dumps(order).encode("utf-8"))
        self._until(lambda: self._answer is not None)
        if not self._answer["ok"]:
            raise LoadError("Faiss: %s" % self._answer["error"])
        return self._answer

    def once(self, payload):
        """The answer (bytes) to one search (payload: bytes). Raises LoadError, as `command` does."""
        found = _Once()
        self._out += self._search_frame(found, None, payload)
        self._until(lambda: found.body is not None)
        return found.body

    def _until(self, is_there):
        while not is_there():
            ready = select.select([self._socket], [self._socket] if self._out else [], [], _TICK_S)
            if ready[0] and not self._receive():
                raise LoadError("Faiss: " + self.last_words())
            if ready[1]:
                self._send()
            if self.ctx.stop.is_set():
                raise LoadError("stopped")

    def last_words(self):
        """What the process said before it ended (str)."""
        try:
            code = self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()  # it closed its pipe and lives: of no use to anybody
            code = self.process.wait()
        with open(self._errors, errors="replace") as stream:
            text = stream.read().strip()
        return "its process ended (exit code %s): %s" % (code, text[-500:] or "no message")

    def close(self):
        """End the process."""
        self._socket.close()  # the end of its input ends it
        try:
            self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    # -- searches, on a loop ---------------------------------------------------------------------------

    def join(self, channel, loop):
        """A FaissChannel begins to use the process. Raises OSError when it has ended."""
        if self.process.poll() is not None:
            raise OSError(self.last_words())
        if self._loop is None:
            self._loop = loop
            loop.add_reader(self._socket.fileno(), self._readable)
            if self._out:
                loop.add_writer(self._socket.fileno(), self._writable)
        self._channels.add(channel)

    def leave(self, channel):
        """It doesn't any more."""
        self._channels.discard(channel)
        if not self._channels and self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop.remove_writer(self._socket.fileno())
            self._loop = None

    def search(self, channel, operation):
        """Send an operation's query (bytes: its payload)."""
        was_empty = not self._out
        self._out += self._search_frame(channel, operation, operation.payload)
        if was_empty:
            self._send()
            if self._out:
                self._loop.add_writer(self._socket.fileno(), self._writable)

    def _search_frame(self, channel, operation, payload):
        self._number = self._number % 0xFFFFFFFF + 1
        self._searches[self._number] = channel, operation
        return _frame(self._number, payload)

    def _readable(self):
        if not self._receive():
            self._loop.remove_reader(self._socket.fileno())
            self._loop.remove_writer(self._socket.fileno())
            reason = self.last_words()
            for channel in list(self._channels):
                channel.ended(reason)

    def _writable(self):
        self._send()
        if not self._out:
            self._loop.remove_writer(self._socket.fileno())

    def _send(self):
        try:
            sent = self._socket.send(self._out)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self._out)  # it has ended: reading says so
        del self._out[:sent]

    def _receive(self):
        """Take what came. Returns False when nothing more will come."""
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        self._in += data
        at = 0
        while len(self._in) - at >= _HEAD.size:
            length, number = _HEAD.unpack_from(self._in, at)
            end = at + 4 + length
            if len(self._in) < end:
                break
            body = bytes(self._in[at + _HEAD.size : end])
            at = end
            if number == 0:
                self._answer = json.loads(body.decode("utf-8"))
                continue
            channel, operation = self._searches.pop(number, (None, None))
            if channel is not None:
                channel.answered(operation, body)
        del self._in[:at]
        return True


class FaissConnector(Connector):
    """Its connections are channels of one FaissProcess, which searches in its own number of threads."""

    def __init__(self, endpoint, process):
        super().__init__(endpoint, None)
        self.process = process

    async def connect(self, sockets, owner):
        """See Connector."""
        channel = FaissChannel(owner, self.process)
        self.process.join(channel, sockets.loop)
        owner.opened(channel)
        return channel


class FaissChannel:
    """One search at a time. owner: as that of HttpConnection; an operation has `payload` and takes `body` (bytes)."""

    def __init__(self, owner, process):
        self.owner, self.process = owner, process
        self.operation = None
        self.usable = True

    def send(self, operation):
        """Begin an operation on this idle channel; its start is now."""
        self.operation = operation
        operation.began(time.monotonic())
        self.process.search(self, operation)

    def close(self):
        """End it at once; an answer that comes later is nobody's."""
        self.operation = None
        self.usable = False
        self.process.leave(self)

    def answered(self, operation, body):
        """The process has an answer."""
        if operation is not self.operation:
            return  # given up meanwhile
        operation.received += len(body) + _HEAD.size
        operation.body = body
        operation.end = time.monotonic()
        self.operation = None
        self.owner.finished(self, operation)

    def ended(self, reason):
        """The process is gone."""
        self.usable = False
        operation, self.operation = self.operation, None
        self.process.leave(self)
        if operation is not None:
            operation.end = time.monotonic()
            self.owner.broken(self, operation, "connection closed", reason)
        self.owner.closed(self)


class _Once:
    """In place of a channel, for a search outside of the load."""

    body = None

    def answered(self, _operation, body):
        """The process has an answer."""
        self.body = body


def _frame(number, body):
    return _HEAD.pack(len(body) + 4, number) + body
