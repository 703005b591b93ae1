# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The operations of S3: what each sends, and what is a right answer to it."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.operation import EXAMPLE_BYTES, HttpOperation
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3.bucket import (
    completion,
    error_code,
    parts_of,
    texts,
)

WRONG_CONTENT, WRONG_ANSWER = "wrong content", "wrong answer"


class S3Operation(HttpOperation):
    """client: what makes them (see workloads.s3), for an operation that needs more than its answer."""

    __slots__ = ("client",)

    def __init__(self, client, endpoint, kind, payload, wanted=(200,), **options):
        super().__init__(payload, wanted, kind, endpoint, **options)
        self.client = client

    def finished(self):
        """See Operation: an error is named by S3's own code, where there is one."""
        if self.status not in self.wanted:
            code = error_code(self.body)
            if code:
                self.fail("status %d %s" % (self.status, code), self.body[:EXAMPLE_BYTES].decode("utf-8", "replace"))
        return super().finished()


class Get(S3Operation):
    """Reads an object (Thing), and compares every byte with what it must be."""

    __slots__ = ("came", "read", "right", "thing")

    def __init__(self, client, endpoint, kind, thing):
        super().__init__(client, endpoint, kind, client.buckets[endpoint].request("GET", thing.key))
        self.thing = thing
        self.came, self.read, self.right = 0.0, 0, True

    def again(self):
        """See Operation."""
        super().again()
        self.read, self.right = 0, True

    def head_came(self, head):
        """See HttpOperation."""
        super().head_came(head)
        self.came = time.monotonic()

    def body_came(self, data):
        """See HttpOperation."""
        if self.status not in self.wanted:
            super().body_came(data)
            return
        if self.right and not self.client.content.holds(self.thing.place, self.read, data):
            self.right = False
        self.read += len(data)

    def finished(self):
        """See Operation."""
        super().finished()
        if self.error is not None:
            return False
        if self.read != self.thing.size:
            self.fail(WRONG_CONTENT, "%s: %d bytes instead of %d" % (self.thing.key, self.read, self.thing.size))
        elif not self.right:
            self.fail(WRONG_CONTENT, "%s: its bytes are not those that were written" % self.thing.key)
        else:
            self.client.first_byte(self.due, self.came)
        return False


class Head(S3Operation):
    """Asks for an object's (Thing) size."""

    __slots__ = ("thing",)

    def __init__(self, client, endpoint, kind, thing):
        super().__init__(client, endpoint, kind, client.buckets[endpoint].request("HEAD", thing.key), is_head=True)
        self.thing = thing

    def finished(self):
        """See Operation."""
        super().finished()
        if self.error is None:
            length = self.head.header("content-length")
            if length != str(self.thing.size):
                self.fail(WRONG_CONTENT, "%s: Content-Length %s, not %d" % (self.thing.key, length, self.thing.size))
        return False


class List(S3Operation):
    """Lists prepared objects, `expected` of them, the first of which has the key `first` (str)."""

    __slots__ = ("expected", "first_key")

    def __init__(self, client, endpoint, kind, parameters, expected, first):  # noqa: PLR0917
        payload = client.buckets[endpoint].request("GET", parameters=parameters)
        super().__init__(client, endpoint, kind, payload, keeps_body=True)
        self.expected, self.first_key = expected, first

    def finished(self):
        """See Operation."""
        super().finished()
        if self.error is None:
            count = self.body.count(b"<Key>")
            if count != self.expected or ("<Key>%s<" % self.first_key).encode("utf-8") not in self.body:
                self.fail(
                    WRONG_ANSWER,
                    "%d keys instead of %d from %s on: %s"
                    % (count, self.expected, self.first_key, self.body[:200].decode("utf-8", "replace")),
                )
        self.body = b""
        return False


class Delete(S3Operation):
    """Deletes an object of this client's."""

    __slots__ = ()

    def __init__(self, client, endpoint, kind, key):
        super().__init__(client, endpoint, kind, client.buckets[endpoint].request("DELETE", key), wanted=(204, 200))


class Put(S3Operation):
    """Writes an object (Thing) in one piece."""

    __slots__ = ("thing",)

    def __init__(self, client, endpoint, kind, thing):
        body = client.content.piece(thing.place, 0, thing.size)
        super().__init__(client, endpoint, kind, client.buckets[endpoint].request("PUT", thing.key, body=body))
        self.thing = thing

    def finished(self):
        """See Operation."""
        super().finished()
        if self.error is None:
            self.client.own[self.endpoint].done(self.thing.key)
        return False


class MultipartPut(S3Operation):
    """Writes an object (Thing) in parts, one after the other: a request that begins, one a part, one that completes.

    What a failed one leaves is removed in the clean-up, like all that the run has made.
    """

    __slots__ = ("etags", "parts", "step", "thing", "upload_id")

    def __init__(self, client, endpoint, kind, thing):
        super().__init__(client, endpoint, kind, b"", keeps_body=True)
        self.thing = thing
        self.parts = parts_of(thing.size, client.multipart_size, client.part_size)
        self._begin()

    def again(self):
        """See Operation: a new attempt is a new upload."""
        super().again()
        self._begin()

    def finished(self):
        """See Operation."""
        super().finished()
        if self.error is None:
            self._take_answer()
        if self.error is not None or self.step > len(self.parts):
            self.payload = self.body = b""
            return False
        self.step += 1
        self.payload = self._next_request()
        return True

    def _begin(self):
        self.step, self.upload_id, self.etags = 0, "", []
        self.payload = self._request("POST", [("uploads", "")])

    def _take_answer(self):
        if self.step == 0:
            self.upload_id = (texts(self.body, "UploadId") or [""])[0]
            if not self.upload_id:
                self.fail(WRONG_ANSWER, "no UploadId in " + self._shown())
        elif self.step <= len(self.parts):
            etag = self.head.header("etag")
            if not etag:
                self.fail(WRONG_ANSWER, "no ETag of part %d" % self.step)
            self.etags.append(etag)
        elif b"<CompleteMultipartUploadResult" not in self.body:
            # a status that was sent before the parts were put together says nothing
            self.fail(("not completed " + error_code(self.body)).strip(), self._shown())
        else:
            self.client.own[self.endpoint].done(self.thing.key)

    def _next_request(self):
        if self.step <= len(self.parts):
            begin, end = self.parts[self.step - 1]
            body = self.client.content.piece(self.thing.place, begin, end)
            return self._request("PUT", [("partNumber", self.step), ("uploadId", self.upload_id)], body)
        return self._request("POST", [("uploadId", self.upload_id)], completion(self.etags))

    def _request(self, method, parameters, body=b""):
        return self.client.buckets[self.endpoint].request(method, self.thing.key, parameters, body)

    def _shown(self):
        return self.body[:EXAMPLE_BYTES].decode("utf-8", "replace")
