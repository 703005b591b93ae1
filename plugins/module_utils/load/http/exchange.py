# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One request by http.client that ends, whatever the server does.

The time-out of http.client is that of each read, so that a server which sends a byte now and then holds it for ever;
and it reads whatever comes into memory.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import http.client
import socket
import threading

MOST_BYTES = 256 << 20
_PIECE_BYTES = 1 << 16


def exchange(connection, method, path, body=None, headers=(), *, deadline_s, most_bytes=None, cut=False):
    """(answer, its body as bytes) of one request on an HTTPConnection.

    Raises OSError and HTTPException: also when not all of it has come within `deadline_s`, and when the body has more
    than `most_bytes` (default: MOST_BYTES), unless it is to be `cut` there. The connection is closed then.
    """
    most_bytes = MOST_BYTES if most_bytes is None else most_bytes
    with _Deadline(connection, deadline_s) as deadline:
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            data, whole = _read(answer, most_bytes)
            if not (whole or cut):
                raise http.client.HTTPException("the answer is larger than %d MiB" % (most_bytes >> 20))
        except (OSError, http.client.HTTPException, ValueError) as e:
            connection.close()
            if deadline.passed:
                raise socket.timeout("no whole answer within %g s" % deadline_s)
            if isinstance(e, ValueError):  # such as a chunk of negative length
                raise http.client.HTTPException(str(e))
            raise
    if deadline.passed or not whole:
        answer.close()
        connection.close()
    if deadline.passed:
        raise socket.timeout("no whole answer within %g s" % deadline_s)
    return answer, data


def _read(answer, most_bytes):
    """(what came of the body, at most so many bytes; whether that is all). A buffer bounds what each read may take."""
    data, view = bytearray(), memoryview(bytearray(_PIECE_BYTES))
    while True:
        count = answer.readinto(view)
        if not count:
            return bytes(data), True
        data += view[:count]
        if len(data) > most_bytes:
            return bytes(data[:most_bytes]), False


class _Deadline:
    """Shuts a connection's socket when its time is over: whoever reads from it goes on at once."""

    def __init__(self, connection, seconds):
        if connection.sock is None:
            connection.connect()
        self.socket = connection.sock  # the connection forgets it while its answer is read
        self.passed = False
        self.timer = threading.Timer(seconds, self._end)
        self.timer.daemon = True

    def __enter__(self):
        self.timer.start()
        return self

    def __exit__(self, *_exception):
        self.timer.cancel()

    def _end(self):
        self.passed = True
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is closed already
