# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP requests of any kind: one, or several that are mixed by weight, each with checks on its answer."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import itertools
import random
import re

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import template
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.engine_workload import EngineWorkload
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.connection import HttpConnection
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.operation import (
    EXAMPLE_BYTES,
    HttpOperation,
    http_request,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pool import Connector
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint

ENGINE = True
METRICS = ("service_time", "bytes_received", "bytes_sent")

_REQUEST = {
    "method": {
        "type": "str",
        "default": "GET",
        "choices": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        "description": "The method.",
    },
    "path": {"type": "str", "default": "/", "description": "Path and query, below the service's URL; may have ${…}."},
    "headers": {"type": "dict", "default": {}, "description": "Header fields; their values may have ${…}."},
    "body": {"type": "str", "default": "", "description": "The body; may have ${…}."},
    "status": {
        "type": "list",
        "elements": "int",
        "default": [200],
        "description": "Status codes that are right; any other one is an error, and redirects are not followed.",
    },
    "contains": {"type": "str", "default": "", "description": "Text that the body of a right answer contains."},
    "matches": {"type": "str", "default": "", "description": "Regular expression that is found in that body."},
}
SETTINGS = dict(
    _REQUEST,
    requests={
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": dict(
            _REQUEST,
            name={"type": "str", "description": "Names its metrics; default: the method in lower case and a number."},
            weight={"type": "int", "default": 1, "min": 1, "description": "How often, relative to the others."},
        ),
        "description": "Several requests, mixed at random by weight, instead of the one above.",
    },
    keep_alive={"type": "bool", "default": True, "description": "Use a connection for more than one request."},
    tls_verify={"type": "bool", "default": True, "description": "Check the service's certificate (https)."},
    ca_file={"type": "path", "default": "", "description": "File of the certificates that are trusted (https)."},
)


def check(settings):
    """(setting, message, remedy) of what is wrong with the settings as a whole."""
    for number, request in enumerate(_requests(settings)):
        where = "requests[%d]." % number if settings.get("requests") else ""
        texts = [("path", request["path"]), ("body", request["body"])]
        texts += [("headers", str(value)) for value in request["headers"].values()]
        for name, text in texts:
            try:
                template.parse(text)
            except ValueError as e:
                yield where + name, str(e), "correct the place, or write $${ for a plain ${"
        try:
            re.compile(request["matches"])
        except re.error as e:
            yield where + "matches", "is no regular expression: %s" % e, "see Python's re for its form"
        if not request["path"].startswith(("/", "${")):
            yield where + "path", "%r does not begin with /" % request["path"], "write /" + request["path"]
        if request["method"] == "HEAD" and (request["contains"] or request["matches"]):
            yield where + "method", "the answer to a HEAD has no body to look into", "remove contains and matches"


class Workload(EngineWorkload):
    """See the module."""

    def kinds(self, settings):
        """The requests' names where there are several."""
        requests = settings.get("requests") or []
        return [r.get("name") or "%s_%d" % (r.get("method", "GET").lower(), n) for n, r in enumerate(requests)] or [""]

    def connectors(self, ctx):
        """One a service."""
        settings = ctx.settings
        endpoints = [Endpoint.of_service(service) for service in ctx.services]
        contexts = [e.tls_context(settings["tls_verify"], settings["ca_file"]) for e in endpoints]
        return [Connector(e, HttpConnection, tls) for e, tls in zip(endpoints, contexts)]

    def operations(self, ctx, case):
        """Requests by weight, the services in turn."""
        draw = random.Random(case.seed)
        endpoints = [Endpoint.of_service(service) for service in ctx.services]
        makers = [
            [_Maker(request, ctx, draw, kind, (number, endpoint)) for number, endpoint in enumerate(endpoints)]
            for kind, request in enumerate(_requests(ctx.settings))
        ]
        numbers = itertools.count(case.client)
        if len(makers) == 1 and len(endpoints) == 1:
            maker = makers[0][0]
            return maker.always or (lambda: maker.make(next(numbers)))
        bag = [
            kind for kind, request in enumerate(_requests(ctx.settings)) for _time in range(request.get("weight") or 1)
        ]

        def following():
            number = next(numbers)
            kind = bag[draw.randrange(len(bag))]
            return makers[kind][number % len(endpoints)].make(number - case.client)

        return following


class _Maker:
    """Makes the operations of one request to one endpoint."""

    def __init__(self, request, ctx, draw, kind, numbered):
        self.request, self.kind = request, kind
        self.number, self.endpoint = numbered
        self.wanted, self.is_head = tuple(request["status"]), request["method"] == "HEAD"
        self.operation = _operation_of(request)

        def of(text):
            return template.Template(str(text), ctx.client or 0, draw, ctx.secret)

        self.path, self.body = of(request["path"]), of(request["body"])
        self.headers = [(name, of(value)) for name, value in request["headers"].items()]
        if not ctx.settings["keep_alive"]:
            self.headers.append(("Connection", of("close")))
        templates = [self.path, self.body] + [value for _name, value in self.headers]
        self.always = None  # makes the operation where all are alike
        if all(t.fixed is not None for t in templates):
            payload = self._payload(0)
            self.always = self.operation.always(payload, self.wanted, kind, self.number, is_head=self.is_head)

    def make(self, seq):
        """The operation with this number."""
        if self.always is not None:
            return self.always()
        return self.operation(self._payload(seq), self.wanted, self.kind, self.number, is_head=self.is_head)

    def _payload(self, seq):
        headers = [(name, value.text(seq)) for name, value in self.headers]
        body = self.body.text(seq).encode("utf-8")
        return http_request(self.request["method"], self.path.text(seq), self.endpoint, headers, body)


class _Plain(HttpOperation):
    """One whose answer is counted only."""

    judged_by_head = True

    def all_came(self, head, data, at):
        """See HttpOperation; without its two calls, which are a tenth of the time of an operation."""
        self.head, self.status = head, head.status
        if head.status not in self.wanted:
            self.body = data[at : at + EXAMPLE_BYTES]


class _Checked(HttpOperation):
    """One whose answer is looked into. contains: bytes; matches: a pattern of bytes or None; of its class."""

    keeps_body = True
    contains, matches = b"", None

    def finished(self):
        """See Operation."""
        super().finished()
        if (self.contains and self.contains not in self.body) or (self.matches and not self.matches.search(self.body)):
            self.fail("wrong answer", self.body[:EXAMPLE_BYTES].decode("utf-8", "replace"))
        self.body = b""
        return False


def _operation_of(request):
    """The class of a request's operations."""
    contains, matches = request["contains"].encode("utf-8"), request["matches"].encode("utf-8")
    if not (contains or matches):
        return _Plain
    pattern = re.compile(matches) if matches else None
    return type("_CheckedRequest", (_Checked,), {"contains": contains, "matches": pattern})


def _requests(settings):
    """The requests (list of dict), complete with their defaults."""
    defaults = {name: option["default"] for name, option in _REQUEST.items()}
    given = settings.get("requests") or [{name: settings[name] for name in _REQUEST if name in settings}]
    return [dict(defaults, **request) for request in given]
