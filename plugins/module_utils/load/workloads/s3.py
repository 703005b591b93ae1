# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""S3 object stores: PUT, GET, HEAD, LIST and DELETE mixed by weight; every byte that comes back is compared."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import itertools
import os
import random

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import mix, sizes, upkeep
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.engine_workload import EngineWorkload
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.http.connection import HttpConnection
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.pool import Connector
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3 import blocking, objects, operations
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3.bucket import Bucket
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3.sigv4 import Signer
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

ENGINE = True
METRICS = ("service_time", "time_to_first_byte", "bytes_received", "bytes_sent")

_KINDS = {
    "put": "PUT of an object",
    "get": "GET of an object of the set-up; its bytes are compared",
    "head": "HEAD of such an object; its size is compared",
    "list": "ListObjectsV2 of such objects; they are counted",
    "delete": "DELETE of an object that this client has put; PUT where there is none yet",
}
_READING = ("get", "head", "list")
_MOST_PARTS = 10000
_LEAST_PART_BYTES = 5 << 20  # but for the last one
_MOST_BYTES_AT_ONCE = 5 << 30  # of one PUT
_MOST_KEYS = 1000  # of one listing
_CONNECTIONS = 8  # of the set-up

SETTINGS = {
    "operations": mix.option(_KINDS, {"put": 1, "get": 3}, "Operations"),
    "object_size": {
        "type": "raw",
        "default": "1MiB",
        "description": "Size of an object: 4096, 1MiB, {mean: 1MiB, stddev: 256KiB}, or a list of {size, weight}.",
    },
    "objects": {
        "type": "int",
        "default": 100,
        "min": 0,
        "description": "How many objects the set-up makes for GET, HEAD and LIST.",
    },
    "put_objects": {
        "type": "int",
        "default": 0,
        "min": 0,
        "description": "How many objects a client has made at a time before it overwrites its oldest; 0: no limit.",
    },
    "multipart_size": {
        "type": "raw",
        "default": "64MiB",
        "description": "Objects of this size and above are put in parts; 0: none is.",
    },
    "part_size": {"type": "raw", "default": "16MiB", "description": "Size of a part, at least 5MiB."},
    "list_keys": {"type": "int", "default": 100, "min": 1, "description": "How many keys a LIST asks for."},
    "payload": {
        "type": "str",
        "default": "unsigned",
        "choices": ["unsigned", "sha256"],
        "description": "Whether signatures contain a hash of the body, which costs the client 1 to 3 ms a MiB.",
    },
    "bucket": {"type": "str", "default": "", "description": "A bucket that is there; empty: the run makes its own."},
    "region": {"type": "str", "default": "us-east-1", "description": "The region that signatures name."},
    "anonymous": {"type": "bool", "default": False, "description": "Send no signatures."},
    "access_key_secret": {
        "type": "str",
        "default": "",
        "description": "The secret that is the access key; empty: the service's own user, else `access_key`.",
    },
    "secret_key_secret": {
        "type": "str",
        "default": "",
        "description": "The secret that is the secret key; empty: the service's own, else `secret_key`.",
    },
    "tls_verify": {"type": "bool", "default": True, "description": "Check the service's certificate (https)."},
    "ca_file": {"type": "path", "default": "", "description": "File of the certificates that are trusted (https)."},
}


def check(settings):
    """(setting, message, remedy) of what is wrong with the settings as a whole."""
    weights = settings["operations"]
    problems = [mix.check("operations", weights), sizes.check("object_size", settings["object_size"])]
    problems += [_check_size(name, settings[name]) for name in ("multipart_size", "part_size")]
    found = list(itertools.chain(*problems))
    yield from found
    if weights.get("delete", 0) > weights.get("put", 0):
        message = "more is deleted (%d) than put (%d)" % (weights["delete"], weights.get("put", 0))
        yield "operations.delete", message, "a client deletes only what it has put: raise put, or lower delete"
    reading = [name for name in _READING if weights.get(name)]
    if reading and not settings["objects"]:
        yield "objects", "%s needs objects that the set-up makes" % reading[0], "raise it, such as to its default 100"
    if settings["list_keys"] > _MOST_KEYS:
        yield "list_keys", "a listing has at most 1,000 keys", "lower it"
    if not found:
        yield from _check_parts(settings)


def _check_size(name, value):
    try:
        sizes.bytes_of(value)
    except ValueError as e:
        yield name, str(e), "write a size such as 67108864 or 64MiB"


def _check_parts(settings):
    most = sizes.Sizes.of(settings["object_size"]).most
    limit, part = sizes.bytes_of(settings["multipart_size"]), sizes.bytes_of(settings["part_size"])
    if limit and most >= limit and part < _LEAST_PART_BYTES:
        yield "part_size", "S3 takes no part below 5MiB but the last one", "raise it, such as to its default 16MiB"
    elif limit and most >= limit and most > part * _MOST_PARTS:
        yield "part_size", "an object of %d bytes has more than 10,000 parts" % most, "raise it"
    elif (not limit or most < limit) and most > _MOST_BYTES_AT_ONCE:
        yield "multipart_size", "S3 takes at most 5GiB in one piece", "lower it, such as to its default 64MiB"


class Workload(EngineWorkload):
    """See the module."""

    def kinds(self, settings):
        """The operations that are asked for."""
        return mix.kinds_of(settings["operations"])

    def setup(self, ctx):
        """Make the bucket, and the objects that are read, in every replica, for every case."""
        content = objects.contents(ctx.run_id)
        reading = [s for s in ctx.all_settings() if any(s["operations"].get(name) for name in _READING)]
        prepared = {made.prefix: made for made in (objects.Prepared(ctx.run_id, s) for s in reading)}
        split = _split(ctx.settings)
        for bucket, tls in _stores(ctx):
            clients = [blocking.S3(bucket, tls) for _number in range(_CONNECTIONS)]
            if not ctx.settings["bucket"]:
                with clients[0] as client:
                    client.make_bucket()
            for made in prepared.values():
                things = map(made.thing, range(made.count))
                upkeep.in_parallel(clients, lambda c, thing: c.put(thing, content, *split), things, ctx.stop)

    def prepare(self, ctx):
        """Make what the objects consist of."""
        self.content = objects.contents(ctx.run_id)

    def recorder(self, ctx, case):
        """The workload keeps it: GETs add when their first byte came."""
        self.samples = super().recorder(ctx, case)
        return self.samples

    def connectors(self, ctx):
        """One a service."""
        return [Connector(bucket.endpoint, HttpConnection, tls) for bucket, tls in _buckets(ctx)]

    def operations(self, ctx, case):
        """Operations by weight, the services in turn."""
        return _Client(ctx, case, self.content, self.samples).next

    def cleanup(self, ctx):
        """Remove all objects of the run, and the bucket that it has made."""

        def clear(service):
            with blocking.S3(*service, hurry=ctx.stop.is_set()) as client:
                client.clear(objects.run_prefix(ctx.run_id))
                if not ctx.settings["bucket"]:
                    client.remove_bucket()

        upkeep.of_each(clear, _stores(ctx))


class _Client:
    """Makes the operations of one case."""

    def __init__(self, ctx, case, content, samples):
        settings = ctx.settings
        self.content, self.samples = content, samples
        self.buckets = [bucket for bucket, _tls in _buckets(ctx)]
        self.prepared = objects.Prepared(ctx.run_id, settings)
        mine = "%sclient-%03d/%s/" % (objects.run_prefix(ctx.run_id), case.client, case.file_stem)
        self.own = [
            objects.Own("%s%d/" % (mine, number) if number else mine, settings["put_objects"])
            for number in range(len(self.buckets))
        ]
        self.sizes = sizes.Sizes.of(settings["object_size"])
        self.multipart_size, self.part_size = _split(settings)
        self.list_keys = settings["list_keys"]
        self.random = random.Random(case.seed)
        self.names = mix.kinds_of(settings["operations"])
        self.draw_kind = mix.drawing(settings["operations"], self.random)
        self.makers = [getattr(self, name) for name in self.names]
        self.turn = case.client
        self.first_bytes = samples.histogram("time_to_first_byte") if "get" in self.names else None

    def next(self):
        """The next operation."""
        kind = self.draw_kind()
        self.turn += 1
        return self.makers[kind](self.turn % len(self.buckets), kind)

    def first_byte(self, due, came):
        """The answer to a GET that was due at `due` began at `came` (s of time.monotonic())."""
        if self.samples.is_measured(due):
            self.first_bytes.record(int((came - due) * 1e6 + 0.5))

    # -- operations on the service with this index -----------------------------------------------------

    def put(self, endpoint, kind):
        """A new object, or the oldest again."""
        thing = objects.Thing(self.own[endpoint].key(), self.sizes.draw(self.random))
        if self.multipart_size and thing.size >= self.multipart_size:
            return operations.MultipartPut(self, endpoint, kind, thing)
        return operations.Put(self, endpoint, kind, thing)

    def get(self, endpoint, kind):
        """One of the objects of the set-up."""
        return operations.Get(self, endpoint, kind, self._prepared_thing())

    def head(self, endpoint, kind):
        """One of the objects of the set-up."""
        return operations.Head(self, endpoint, kind, self._prepared_thing())

    def list(self, endpoint, kind):
        """Some of the objects of the set-up, from any one on."""
        prepared = self.prepared
        first = self.random.randrange(max(1, prepared.count - self.list_keys + 1))
        expected = min(self.list_keys, prepared.count)
        parameters = [("list-type", 2), ("prefix", prepared.prefix), ("max-keys", self.list_keys)]
        if first:
            parameters.append(("start-after", prepared.key(first - 1)))
        return operations.List(self, endpoint, kind, parameters, expected, prepared.key(first))

    def delete(self, endpoint, kind):
        """The oldest object of this client's, or a new one when there is none."""
        key = self.own[endpoint].take()
        if key is None:
            return self.put(endpoint, self.names.index("put"))
        return operations.Delete(self, endpoint, kind, key)

    def _prepared_thing(self):
        return self.prepared.thing(self.random.randrange(self.prepared.count))


def _split(settings):
    """(multipart_size, part_size) in bytes."""
    return sizes.bytes_of(settings["multipart_size"]), sizes.bytes_of(settings["part_size"])


def _buckets(ctx):
    """(Bucket, ssl.SSLContext or None) of each service."""
    settings = ctx.settings
    name = settings["bucket"] or objects.bucket_name(ctx.run_id)
    signer = None if settings["anonymous"] else _signer(ctx)
    for service in ctx.services:
        endpoint = Endpoint.of_service(service)
        tls = endpoint.tls_context(settings["tls_verify"], settings["ca_file"])
        yield Bucket(endpoint, name, signer, settings["payload"] == "sha256"), tls


def _stores(ctx):
    """Like _buckets, but of one endpoint of each replica: all of its endpoints show the same objects."""
    for one in ctx.stores():
        yield from _buckets(one)


def _signer(ctx):
    """With the service's own or the run's secrets, else with AWS's variables, of client.env or of the job."""
    settings, variables = ctx.settings, dict(os.environ, **ctx.env)
    own = ctx.service.get("connection") or {}
    user = None if settings["access_key_secret"] else own.get("user")
    names = (
        settings["access_key_secret"] or "access_key",
        settings["secret_key_secret"] or own.get("secret") or "secret_key",
    )
    try:
        keys = [user or ctx.secret(names[0]), ctx.secret(names[1])]
    except LoadError:
        keys = [variables.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
        if not all(keys):
            raise LoadError(
                "there are no credentials: the service has no secrets %r and %r, and the job's environment no"
                " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; without any set client.settings.anonymous: true" % names
            )
        return Signer(keys[0], keys[1], settings["region"], token=variables.get("AWS_SESSION_TOKEN", ""))
    return Signer(keys[0], keys[1], settings["region"])
