# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Signatures of AWS, version 4, as S3 wants them: in the header Authorization.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import hmac
import time
from urllib.parse import quote

UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = hashlib.sha256().hexdigest()
_ALGORITHM = "AWS4-HMAC-SHA256"
_SAFE = "-_.~"


def encoded_path(path):
    """A path (str) as it is sent and signed: each byte but the unreserved ones and `/` as %XX."""
    return quote(path, safe="/" + _SAFE)


def encoded_query(parameters):
    """A query (str) of (name, value) pairs in the order in which it is signed."""
    pairs = sorted((quote(name, safe=_SAFE), quote(str(value), safe=_SAFE)) for name, value in parameters)
    return "&".join("%s=%s" % pair for pair in pairs)


class Signer:
    """access_key, secret_key (str); token (str): of temporary credentials, "" for others; region, service (str)."""

    def __init__(self, access_key, secret_key, region, service="s3", token=""):
        self.access_key, self.token = access_key, token
        self.secret = ("AWS4" + secret_key).encode("utf-8")
        self.region, self.service = region, service
        self._second, self._stamp = None, ""
        self._day, self._scope, self._key = None, "", None

    def headers(self, method, path, query, host, payload_hash, more=(), now=None):  # noqa: PLR0917
        """The header fields (list of pairs of str) that sign a request, `more` among them.

        path, query: encoded; host: the Host header's value; payload_hash: hex of SHA-256, or UNSIGNED; more: pairs
        of str, names in lower case; now: epoch s.
        """
        stamp = self._stamp_of(time.time() if now is None else now)
        fields = [("x-amz-content-sha256", payload_hash), ("x-amz-date", stamp), *more]
        if self.token:
            fields.append(("x-amz-security-token", self.token))
        names, request = canonical_request(method, path, query, [("host", host), *fields], payload_hash)
        digest = hashlib.sha256(request.encode("utf-8")).hexdigest()
        mac = self._key.copy()
        mac.update(("%s\n%s\n%s\n%s" % (_ALGORITHM, stamp, self._scope, digest)).encode("ascii"))
        authorization = "%s Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
            _ALGORITHM, self.access_key, self._scope, names, mac.hexdigest(),
        )  # fmt: skip
        return [("Authorization", authorization), *fields]

    def _stamp_of(self, now):
        """The time as it is sent; brings the key of the day up to date."""
        second = int(now)
        if second != self._second:
            self._second, self._stamp = second, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
            day = self._stamp[:8]
            if day != self._day:
                self._day = day
                self._scope = "%s/%s/%s/aws4_request" % (day, self.region, self.service)
                self._key = hmac.new(self._key_of(day), digestmod=hashlib.sha256)
        return self._stamp

    def _key_of(self, day):
        key = self.secret
        for word in (day, self.region, self.service, "aws4_request"):
            key = hmac.new(key, word.encode("utf-8"), hashlib.sha256).digest()
        return key


def canonical_request(method, path, query, fields, payload_hash):
    """(names of the signed headers, the canonical request): both str. fields: pairs of str, names in lower case."""
    fields = sorted(fields)
    names = ";".join([name for name, _value in fields])
    lines = "".join(["%s:%s\n" % (name, " ".join(value.split())) for name, value in fields])
    return names, "%s\n%s\n%s\n%s\n%s\n%s" % (method, path or "/", query, lines, names, payload_hash)
