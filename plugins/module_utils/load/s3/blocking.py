# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""S3 outside of the load: makes the bucket and its objects, and removes them again, which nobody measures."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import hashlib
import http.client
import socket
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.exchange import exchange
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3.bucket import (
    completion,
    deletion,
    error_code,
    error_text,
    parts_of,
    texts,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

TIMEOUT_S = 60.0
_HURRY_S = 5.0
_TRIES = 6
_WAIT_S = 0.2  # doubled with each try: a service that has just become healthy may need some seconds for all its parts
_BUSY = (429, 500, 502, 503, 504)
_PAGE = 1000  # keys of a listing, and the most that one request deletes
_STUBBORN = 20  # listings in a row that show the same objects although they were deleted
_OURS = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")  # the name holds the run's id: nobody else has made it


class Answer:
    """status (int), headers (of http.client), body (bytes)."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


class S3:
    """bucket: Bucket; tls: ssl.SSLContext or None. For one thread; a context manager. Methods raise LoadError.

    hurry (bool): the job is being ended, so that nothing may take long.
    """

    def __init__(self, bucket, tls=None, hurry=False):
        self.bucket, self.tls = bucket, tls
        self.timeout_s, self.tries, self.deadline_s = (
            (_HURRY_S, 1, 3 * _HURRY_S) if hurry else (TIMEOUT_S, _TRIES, None)
        )
        self.connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._close()

    def request(self, method, key=None, parameters=(), body=b"", *, wanted=(200,), more=()):
        """The Answer to a request; wanted: statuses that are right. more: header fields, in lower case.

        What fails since the server is busy, or not yet whole, is tried again for some seconds.
        """
        path, query = self.bucket.target(key, parameters)
        where = "%s %s of %s" % (method, path, self.bucket.endpoint.authority)
        for number in range(1, self.tries + 1):
            try:
                answer = self._once(method, path, query, body, more)
            except socket.timeout:
                self._close()
                raise LoadError("%s: no answer within %g s" % (where, self.timeout_s))
            except (OSError, http.client.HTTPException) as e:
                self._close()
                problem = "%s: %s" % (where, e or type(e).__name__)
            else:
                if answer.status in wanted:
                    return answer
                problem = "%s: status %d %s" % (where, answer.status, error_text(answer.body))
                if answer.status not in _BUSY:
                    break
            if number < self.tries:
                time.sleep(_WAIT_S * 2 ** (number - 1))
        raise LoadError(problem)

    def make_bucket(self):
        """Make it, unless it is there."""
        body, signer = b"", self.bucket.signer
        if signer is not None and signer.region != "us-east-1":
            body = "<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>"
            body = (body % signer.region).encode("utf-8")
        answer = self.request("PUT", body=body, wanted=(200, 409))
        if answer.status == 409 and error_code(answer.body) not in _OURS:
            raise LoadError("the bucket %s can't be made: %s" % (self.bucket.name, error_text(answer.body)))

    def put(self, thing, content, multipart_size, part_size):
        """Write an object (Thing), in parts where it is so large."""
        parts = parts_of(thing.size, multipart_size, part_size)
        if not parts:
            self.request("PUT", thing.key, body=content.piece(thing.place, 0, thing.size))
            return
        answer = self.request("POST", thing.key, [("uploads", "")])
        upload_id, etags = "".join(texts(answer.body, "UploadId")), []
        for number, (begin, end) in enumerate(parts, 1):
            parameters = [("partNumber", number), ("uploadId", upload_id)]
            answer = self.request("PUT", thing.key, parameters, content.piece(thing.place, begin, end))
            etags.append(answer.headers["etag"] or "")
        answer = self.request("POST", thing.key, [("uploadId", upload_id)], completion(etags))
        if error_code(answer.body):
            raise LoadError("%s could not be put together: %s" % (thing.key, error_text(answer.body)))

    def keys(self, prefix):
        """The first keys (list of str, at most 1,000) that begin with a prefix; [] also where there is no bucket."""
        parameters = [("list-type", 2), ("prefix", prefix), ("max-keys", _PAGE)]
        answer = self.request("GET", parameters=parameters, wanted=(200, 404))
        return texts(answer.body, "Key") if answer.status == 200 else []

    def delete(self, keys):
        """Delete objects (list of str, at most 1,000)."""
        body = deletion(keys)
        digest = base64.b64encode(_md5(body)).decode("ascii")
        answer = self.request("POST", parameters=[("delete", "")], body=body, more=[("content-md5", digest)])
        if b"<Error>" in answer.body:
            raise LoadError("objects can't be deleted: %s" % error_text(answer.body))

    def clear(self, prefix):
        """Delete all objects, and end all uploads, whose keys begin with a prefix."""
        end = None if self.deadline_s is None else time.monotonic() + self.deadline_s
        self._abort_uploads(prefix)
        before, stubborn = None, 0
        while True:
            keys = self.keys(prefix)
            if not keys:
                return
            stubborn = stubborn + 1 if keys == before else 0
            if stubborn > _STUBBORN or (end is not None and time.monotonic() > end):
                raise LoadError("objects are left in the bucket %s: %s …" % (self.bucket.name, keys[0]))
            if stubborn:
                time.sleep(_WAIT_S)
            self.delete(keys)
            before = keys

    def remove_bucket(self):
        """Remove it when it is empty; one that is not there is fine."""
        self.request("DELETE", wanted=(204, 200, 404))

    def _abort_uploads(self, prefix):
        """End uploads that were not completed: they hold their parts, and no listing of objects shows them."""
        answer = self.request("GET", parameters=[("uploads", ""), ("prefix", prefix)], wanted=(200, 404, 501))
        if answer.status != 200:
            return
        for key, upload_id in zip(texts(answer.body, "Key"), texts(answer.body, "UploadId")):
            self.request("DELETE", key, [("uploadId", upload_id)], wanted=(204, 200, 404))

    def _once(self, method, path, query, body, more):
        endpoint = self.bucket.endpoint
        if self.connection is None:
            options = {"timeout": self.timeout_s}
            kind = http.client.HTTPConnection
            if self.tls is not None:
                kind, options["context"] = http.client.HTTPSConnection, self.tls
            self.connection = kind(endpoint.host, endpoint.port, **options)
        headers = dict(self.bucket.headers(method, path, query, body, more), Host=endpoint.authority)
        if body or method in ("PUT", "POST"):
            headers["Content-Length"] = str(len(body))
        where = endpoint.base + path + ("?" + query if query else "")
        answer, data = exchange(self.connection, method, where, body or None, headers, deadline_s=self.timeout_s)
        if answer.will_close:
            self._close()
        return Answer(answer.status, answer.headers, data)

    def _close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def _md5(data):
    """For the header Content-MD5, which the deletion of several objects must have: no secret depends on it."""
    try:
        return hashlib.md5(data).digest()
    except ValueError:  # a host whose cryptography has been restricted
        return hashlib.md5(data, usedforsecurity=False).digest()
