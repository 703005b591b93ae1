# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a server is: the parts of its address that a connection needs."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import ssl
from urllib.parse import urlsplit

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

_PORTS = {"http": 80, "https": 443}


class Endpoint:
    """host, port: to connect to; tls (bool); authority (str): the Host header's value; base (str): path before all."""

    def __init__(self, host, port, tls=False, authority=None, base=""):
        self.host = host
        self.port = int(port)
        self.tls = tls
        self.authority = authority or host_port(host, port)
        self.base = base.rstrip("/")

    @classmethod
    def of_url(cls, url):
        """Of an http or https URL. Raises LoadError."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            raise LoadError("%r is no URL of http or https" % url)
        if not parts.hostname:
            raise LoadError("the URL %r names no host" % url)
        return cls(parts.hostname, port, parts.scheme == "https", base=parts.path)

    @classmethod
    def of_service(cls, service):
        """Of a service as endpoint.json has it; connections go to its address, not through the name service."""
        url = service.get("url") or ""
        if not service.get("port"):
            raise LoadError("the service %r has no port" % service.get("name"))
        base = urlsplit(url).path if url.startswith("http") else ""
        host = service.get("address") or service["host"]
        authority = host_port(service.get("host") or host, service["port"])
        return cls(host, service["port"], url.startswith("https:"), authority, base)

    def tls_context(self, verify=True, ca_file=None):
        """An ssl.SSLContext, or None without TLS. Raises LoadError when the file of CAs can't be read."""
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=ca_file or None)
        except (OSError, ssl.SSLError) as e:
            raise LoadError("the file of certificates %s: %s" % (ca_file, e))
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def host_port(host, port):
    """`host:port` (str), an IPv6 address in brackets."""
    return ("[%s]:%s" if ":" in host else "%s:%s") % (host, port)
