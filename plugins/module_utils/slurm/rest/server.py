# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One request to slurmrestd over HTTP, HTTPS or a unix socket. The only I/O of this package; standard library."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import http.client
import json
import socket
import ssl
from urllib.parse import urlsplit

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import errors
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError

# A cluster with 50,000 jobs answers with some hundred megabytes; more than this is no answer of slurmrestd.
LARGEST_ANSWER_BYTES = 1024**3
_URL = "write benchmark_slurmrestd_url such as https://slurm.example.org:6820 or unix:/run/slurmrestd/socket"


class Server:
    """Where slurmrestd listens: url (str), ca_file (str or None), timeout_s.

    Raises SlurmError for a URL of another kind. No proxy of the environment is used: a token goes nowhere else.
    """

    def __init__(self, url, ca_file=None, timeout_s=60.0):
        self.url = str(url or "").rstrip("/")
        self.timeout_s = timeout_s
        self.ca_file = ca_file
        self.socket_path = self.url[len("unix:") :].replace("//", "", 1) if self.url.startswith("unix:") else None
        try:
            parts = urlsplit(self.url)
            self.host, self.port = parts.hostname, parts.port
        except ValueError as error:
            raise SlurmError("usage", "{0!r} is no address of slurmrestd: {1}".format(self.url, error), _URL)
        self.scheme, self.path = parts.scheme, parts.path
        known = self.socket_path if self.scheme == "unix" else self.scheme in ("http", "https") and self.host
        if not known or parts.username or parts.query:
            raise SlurmError("usage", "{0!r} is no address of slurmrestd".format(self.url), _URL)

    def request(self, method, path, headers, body=None):
        """(HTTP status, text) of one request; body (JSON value or None). Raises SlurmError when no answer came.

        Kind no_connection when nothing was sent, unreachable when it may have been carried out.
        """
        doing = "{0} {1} at {2}".format(method, path.partition("?")[0], self.url)
        data = None if body is None else json.dumps(body).encode("utf-8")
        headers = dict(headers, Accept="application/json")
        if data is not None:
            headers["Content-Type"] = "application/json"
        connection = self._connection()
        try:
            self._connect(connection, doing)
            prefix = "" if self.socket_path else self.path
            connection.request(method, prefix + path, data, headers)
            answer = connection.getresponse()
            text = answer.read(LARGEST_ANSWER_BYTES + 1)
        except socket.timeout:
            raise _no_answer(doing, "no answer in {0:g} s".format(self.timeout_s))
        except (OSError, http.client.HTTPException) as error:
            raise _no_answer(doing, str(error) or type(error).__name__)
        finally:
            connection.close()
        if len(text) > LARGEST_ANSWER_BYTES:
            raise SlurmError(errors.FAILED, "cannot {0}: the answer does not end".format(doing), _URL)
        return answer.status, text.decode("utf-8", "replace")

    def _connection(self):
        if self.socket_path:
            return _UnixConnection(self.socket_path, timeout=self.timeout_s)
        if self.scheme == "http":
            return http.client.HTTPConnection(self.host, self.port or 80, timeout=self.timeout_s)
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SlurmError(
                "tls",
                "the certificates in {0} cannot be read: {1}".format(self.ca_file, error),
                "correct benchmark_slurmrestd_ca_file: certificates in PEM form",
            )
        return http.client.HTTPSConnection(self.host, self.port or 443, timeout=self.timeout_s, context=context)

    def _connect(self, connection, doing):
        try:
            connection.connect()
        except (ssl.CertificateError, ssl.SSLError) as error:
            raise _not_trusted(doing, error)
        except (OSError, http.client.HTTPException) as error:
            raise SlurmError(
                errors.NO_CONNECTION,
                "cannot {0}: {1}".format(doing, error),
                "slurmrestd cannot be reached: check benchmark_slurmrestd_url, and that it runs",
            )


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path, timeout):
        http.client.HTTPConnection.__init__(self, "localhost", timeout=timeout)
        self.socket_path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.socket_path)


def _not_trusted(doing, error):
    if isinstance(error, ssl.CertificateError) or "CERTIFICATE_VERIFY_FAILED" in str(error):  # 3.6 has the latter
        return SlurmError(
            "tls",
            "cannot {0}: the server's certificate is not trusted: {1}".format(doing, error),
            "set benchmark_slurmrestd_ca_file to the certificate of its authority, and use the host name in it",
        )
    return SlurmError(
        "tls",
        "cannot {0}: no TLS there: {1}".format(doing, error),
        "correct benchmark_slurmrestd_url: http:// where slurmrestd itself listens, https:// for a proxy with TLS",
    )


def _no_answer(doing, why):
    return SlurmError(
        errors.UNREACHABLE,
        "cannot {0}: {1}".format(doing, why),
        "slurmrestd did not answer in time: try again later; benchmark_slurmrestd_timeout_s gives it longer",
    )
