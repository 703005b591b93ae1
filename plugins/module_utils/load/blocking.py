# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One HTTP request outside of the load: for setting up, probing and cleaning up, which nobody measures."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import http.client

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.exchange import exchange
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError


def request(endpoint, method, path, headers=(), body=b"", *, tls=None, timeout_s=60.0, wanted=(200,)):
    """The body (bytes) of the answer. headers: pairs of str. Raises LoadError, also for a status not in `wanted`."""
    options = {"timeout": timeout_s}
    kind = http.client.HTTPConnection
    if tls is not None:
        kind = http.client.HTTPSConnection
        options["context"] = tls
    connection = kind(endpoint.host, endpoint.port, **options)
    where = "%s %s of %s" % (method, path, endpoint.authority)
    try:
        fields = dict(headers, Host=endpoint.authority)
        answer, data = exchange(connection, method, endpoint.base + path, body or None, fields, deadline_s=timeout_s)
    except (OSError, http.client.HTTPException) as e:
        raise LoadError("%s: %s" % (where, e or type(e).__name__))
    finally:
        connection.close()
    if answer.status not in wanted:
        raise LoadError("%s: status %d: %s" % (where, answer.status, data[:300].decode("utf-8", "replace")))
    return data
