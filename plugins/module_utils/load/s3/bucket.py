# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A bucket on a server of S3: the requests to it, ready to be sent, and what answers say."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import re
from xml.sax.saxutils import escape, unescape

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.operation import http_request
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3 import sigv4

_CODE = re.compile(rb"<Code>([^<]{1,100})</Code>")


class Bucket:
    """endpoint: Endpoint; name (str); signer: sigv4.Signer, None for anonymous requests; hashes (bool): sign bodies."""

    def __init__(self, endpoint, name, signer=None, hashes=False):
        self.endpoint, self.name, self.signer, self.hashes = endpoint, name, signer, hashes
        self.root = "/" + name

    def target(self, key=None, parameters=()):
        """(path, query) of an object (str), or of the bucket itself; both encoded."""
        path = self.root if key is None else sigv4.encoded_path("%s/%s" % (self.root, key))
        return path, sigv4.encoded_query(parameters) if parameters else ""

    def headers(self, method, path, query, body=b"", more=()):
        """The header fields (list of pairs of str) of a request besides Host and Content-Length."""
        if self.signer is None:
            return list(more)
        digest = sigv4.UNSIGNED if body else sigv4.EMPTY_SHA256
        if body and self.hashes:
            digest = hashlib.sha256(body).hexdigest()
        endpoint = self.endpoint
        return self.signer.headers(method, endpoint.base + path, query, endpoint.authority, digest, more)

    def request(self, method, key=None, parameters=(), body=b""):
        """The bytes of a request."""
        path, query = self.target(key, parameters)
        headers = self.headers(method, path, query, body)
        return http_request(method, path + "?" + query if query else path, self.endpoint, headers, body)


def error_code(body):
    """The code (str) that an error's body (bytes) names, "" without one."""
    found = _CODE.search(body)
    return found.group(1).decode("utf-8", "replace") if found else ""


def error_text(body):
    """What an error's body (bytes) says (str): code and message, else its beginning."""
    code, message = error_code(body), "".join(texts(body, "Message")[:1])
    return "%s: %s" % (code, message) if code else body[:300].decode("utf-8", "replace")


def texts(body, element):
    """The texts (list of str) of all elements of a name in a body (bytes); S3 puts no element into those asked for."""
    pattern = "<{0}>([^<]*)</{0}>".format(element)
    found = re.findall(pattern, body.decode("utf-8", "replace"))
    return [unescape(text, {"&quot;": '"', "&apos;": "'", "&#34;": '"', "&#39;": "'"}) for text in found]


def completion(etags):
    """The body (bytes) that completes an upload of parts with these ETags (list of str), in order."""
    parts = [
        "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>" % (number, escape(etag))
        for number, etag in enumerate(etags, 1)
    ]
    return ("<CompleteMultipartUpload>%s</CompleteMultipartUpload>" % "".join(parts)).encode("utf-8")


def deletion(keys):
    """The body (bytes) that deletes objects (list of str)."""
    objects = "".join("<Object><Key>%s</Key></Object>" % escape(key) for key in keys)
    return ("<Delete><Quiet>true</Quiet>%s</Delete>" % objects).encode("utf-8")


def parts_of(size, multipart_size, part_size):
    """[(begin, end), ...] in bytes of the parts of an object; [] when it is sent in one piece."""
    if not multipart_size or size < multipart_size:
        return []
    return [(begin, min(size, begin + part_size)) for begin in range(0, size, part_size)]
