# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One operation of the engine: what is sent, what came back, and whether it was right."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.framing import BadResponse

EXAMPLE_BYTES = 400
MOST_KEPT_BYTES = 64 << 20  # of a body that is looked into


class Operation:
    """Times are seconds of time.monotonic(), 0.0 where they do not apply; see load.samples for their meaning.

    A workload derives from it. What a connection does with it is between the two: HttpOperation below is for
    HttpConnection. `error` (str or None) is the class of what went wrong, `example` its text.
    """

    # What most operations never change stays with the class: making one is part of the time between two requests.
    kind = 0
    endpoint = 0  # index of the one that it goes to
    due = start = first = last = end = 0.0
    status = received = sent = tokens_in = tokens_out = 0
    error = connection = None
    example = ""
    attempts = 0
    is_over = False

    def __init__(self, kind=0, endpoint=0):
        if kind:
            self.kind = kind
        if endpoint:
            self.endpoint = endpoint

    def began(self, now):
        """It is being sent; of several attempts or steps the first one counts."""
        if not self.start:
            self.start = now

    def finished(self):
        """All of an answer has come: judge it with `fail`. Returns True when there is one more request to send."""
        return False

    def fail(self, error_class, example=""):
        """It went wrong; the first reason stays."""
        if self.error is None:
            self.error, self.example = error_class, example

    def again(self):
        """Forget the answer of an attempt that failed, before the next one."""
        self.error, self.example = None, ""
        self.first = self.last = 0.0
        self.status = self.tokens_in = self.tokens_out = 0

    def row(self):
        """The columns of load.samples."""
        return (
            self.due, self.start, self.first, self.last, self.end, self.status, 0 if self.error else 1, self.kind,
            self.received, self.sent, self.tokens_in, self.tokens_out,
        )  # fmt: skip


class HttpOperation(Operation):
    """A request whose answer must have one of `wanted` as its status; its body is counted, and kept if `keeps_body`.

    Redirects are not followed: what another address answers would be measured as this one's speed.
    """

    keeps_body = is_head = False
    judged_by_head = False  # its `finished` looks at nothing but the status
    body = b""
    head = None

    def __init__(self, payload, wanted=(200,), kind=0, endpoint=0, *, keeps_body=False, is_head=False):
        super().__init__(kind, endpoint)
        self.payload = payload
        self.wanted = wanted
        if keeps_body:
            self.keeps_body = True
        if is_head:
            self.is_head = True

    @classmethod
    def always(cls, payload, wanted=(200,), kind=0, endpoint=0, *, is_head=False):
        """A class of operations that are all alike, called without arguments."""
        fields = {"payload": payload, "wanted": wanted, "kind": kind, "endpoint": endpoint, "is_head": is_head}
        return type(cls.__name__, (cls,), dict(fields, __init__=object.__init__))

    def began(self, now):
        """See Operation."""
        self.sent += len(self.payload)
        if self.start:
            self.body = b""  # of the answer before
        else:
            self.start = now

    def head_came(self, head):
        """The head (Head) of the answer."""
        self.head = head
        self.status = head.status

    def body_came(self, data):
        """A part (bytes) of the body. The beginning of an error's body is kept: it says what is wrong."""
        if self.keeps_body:
            if len(self.body) + len(data) > MOST_KEPT_BYTES:
                self.body = b""
                raise BadResponse("the answer has more than %d MiB" % (MOST_KEPT_BYTES >> 20))
            if not self.body:
                self.body = data
            elif isinstance(self.body, bytes):
                self.body = bytearray(self.body) + data  # which grows without being copied each time
            else:
                self.body += data
        elif self.status not in self.wanted and len(self.body) < EXAMPLE_BYTES:
            self.body += data[:EXAMPLE_BYTES]

    def all_came(self, head, data, at):
        """All of an answer at once: its head, and its body, which is `data` from `at` on."""
        self.head_came(head)
        self.body_came(data[at:])

    def finished(self):
        """See Operation."""
        if self.status in self.wanted:
            return False
        text = self.body[:EXAMPLE_BYTES].decode("utf-8", "replace")
        if 300 <= self.status < 400:
            self.fail("redirect", "to %s; redirects are not followed" % self.head.header("location"))
        else:
            self.fail("status %d" % self.status, text)
        return False


def http_request(method, target, endpoint, headers=(), body=b""):
    """The bytes of a request. target (str): path and query; headers: (name, value) pairs (str); body: bytes."""
    lines = ["%s %s HTTP/1.1" % (method, endpoint.base + target), "Host: " + endpoint.authority]
    lines += ["%s: %s" % pair for pair in headers]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append("Content-Length: %d" % len(body))
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
