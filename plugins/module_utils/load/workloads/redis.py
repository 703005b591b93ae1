# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Redis, and what speaks its protocol: commands mixed by weight over a key space, one by one or in a pipeline."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import random

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import mix, sizes, upkeep
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.engine_workload import EngineWorkload
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis import keys
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.blocking import Redis
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.commands import Commands, RedisOperation
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.connection import RedisConnector
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.data import KeySpace, contents, run_prefix
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint

ENGINE = True
METRICS = ("service_time", "commands", "commands_per_s", "bytes_received", "bytes_sent")

_KINDS = {
    "get": "GET of a key that holds a value; the value is compared",
    "set": "SET of such a key",
    "incr": "INCR of a counter",
    "lpush": "LPUSH of a value to a list",
    "lpop": "LPOP from a list, which may be empty",
    "lrange": "LRANGE of the first 100 elements of a list",
    "sadd": "SADD to one of 1,000 sets",
    "hset": "HSET of a field of one of 1,000 hashes",
    "zadd": "ZADD to one of 1,000 sorted sets",
    "ping": "PING",
}
_STRINGS = ("get", "set")  # of these the keys are there before the load begins
_MOST_VALUE_BYTES = 512 << 20

SETTINGS = {
    "operations": mix.option(_KINDS, {"get": 9, "set": 1}, "Commands"),
    "pipeline": {
        "type": "int",
        "default": 1,
        "min": 1,
        "description": "Commands that are sent at once; one operation is one such batch.",
    },
    "keys": {"type": "int", "default": 100000, "min": 1, "description": "How many keys there are of each type."},
    "key_distribution": {
        "type": "str",
        "default": keys.UNIFORM,
        "choices": [keys.UNIFORM, keys.ZIPF],
        "description": "Whether all keys are asked for alike, or some far more often.",
    },
    "zipf_exponent": {"type": "float", "default": 0.99, "description": "Of zipf: the higher, the fewer keys are hot."},
    "value_size": {
        "type": "raw",
        "default": 100,
        "description": "Size of a value: 100, 4KiB, {mean: 1KiB, stddev: 256}, or a list of {size, weight}.",
    },
    "secret": {
        "type": "str",
        "default": "",
        "description": "Which of the service's secrets is the password; empty: the one that its type says, if any.",
    },
    "username": {"type": "str", "default": "", "description": "The user of that password; empty: the default user."},
    "database": {"type": "int", "default": 0, "min": 0, "description": "Number of the database."},
    "tls": {"type": "bool", "default": False, "description": "Speak TLS, also where the URL does not say rediss://."},
    "tls_verify": {"type": "bool", "default": True, "description": "Check the service's certificate."},
    "ca_file": {"type": "path", "default": "", "description": "File of the certificates that are trusted."},
}


def check(settings):
    """(setting, message, remedy) of what is wrong with the settings as a whole."""
    yield from mix.check("operations", settings["operations"])
    yield from sizes.check("value_size", settings["value_size"])
    if not 0 < settings["zipf_exponent"] <= 10:
        yield "zipf_exponent", "expected more than 0 and at most 10", "its default is 0.99"
    try:
        most = sizes.Sizes.of(settings["value_size"]).most
    except ValueError:
        return  # said above
    if most > _MOST_VALUE_BYTES:
        yield "value_size", "a value of Redis has at most 512MiB", "lower it"


class Workload(EngineWorkload):
    """See the module."""

    def kinds(self, settings):
        """The commands, where an operation is but one of them."""
        return mix.kinds_of(settings["operations"]) if settings["pipeline"] == 1 else [""]

    def setup(self, ctx):
        """Make the keys that GET asks for, in every service, for every case."""
        content = contents(ctx.run_id)
        wanting = [s for s in ctx.all_settings() if any(s["operations"].get(name) for name in _STRINGS)]
        spaces = {space.prefix: space for space in (KeySpace(ctx.run_id, s, content) for s in wanting)}
        for endpoint, tls in _endpoints(ctx):
            with Redis(endpoint, _greeting(ctx), tls) as server:
                for space in spaces.values():
                    server.fill(space.loading(), ctx.stop)

    def prepare(self, ctx):
        """Make what the values consist of."""
        self.content = contents(ctx.run_id)

    def connectors(self, ctx):
        """One a service."""
        return [RedisConnector(endpoint, _greeting(ctx), tls) for endpoint, tls in _endpoints(ctx)]

    def operations(self, ctx, case):
        """Commands by weight, the services in turn."""
        self.pipeline = ctx.settings["pipeline"]
        return _Batches(ctx, case, KeySpace(ctx.run_id, ctx.settings, self.content)).next

    def cleanup(self, ctx):
        """Remove all keys of the run."""

        def clear(service):
            with Redis(service[0], _greeting(ctx), service[1], hurry=ctx.stop.is_set()) as server:
                server.clear(run_prefix(ctx.run_id))

        upkeep.of_each(clear, _endpoints(ctx))

    def _facts(self, case, engine, recorder):
        facts = super()._facts(case, engine, recorder)
        recorder.count("commands", "1", recorder.operations * self.pipeline)
        return facts


class _Batches:
    """Makes the operations of one case."""

    def __init__(self, ctx, case, space):
        settings = ctx.settings
        draw = random.Random(case.seed)
        names = mix.kinds_of(settings["operations"])
        commands = Commands(space)
        self.makers = [getattr(commands, name) for name in names]
        self.checks = [commands.check(name) for name in names]
        self.draw_kind = mix.drawing(settings["operations"], draw)
        if settings["key_distribution"] == keys.ZIPF:
            self.draw_key = keys.zipf(space.count, settings["zipf_exponent"], draw)
        else:
            self.draw_key = keys.uniform(space.count, draw)
        self.count = settings["pipeline"]
        self.services = len(ctx.services)
        self.turn = case.client
        if self.count > 1:
            self.next = self._batch

    def next(self):
        """The next operation: one command."""
        kind, number = self.draw_kind(), self.draw_key()
        return RedisOperation(self.makers[kind](number), ((self.checks[kind], number),), kind, self._endpoint())

    def _batch(self):
        """The next operation: several commands."""
        parts, checks = [], []
        for _command in range(self.count):
            kind, number = self.draw_kind(), self.draw_key()
            parts.append(self.makers[kind](number))
            checks.append((self.checks[kind], number))
        return RedisOperation(b"".join(parts), checks, 0, self._endpoint())

    def _endpoint(self):
        self.turn += 1
        return self.turn % self.services


def _endpoints(ctx):
    """(Endpoint, ssl.SSLContext or None) of each service."""
    settings = ctx.settings
    for service in ctx.services:
        endpoint = Endpoint.of_service(service)
        endpoint.tls = settings["tls"] or (service.get("url") or "").startswith("rediss:")
        yield endpoint, endpoint.tls_context(settings["tls_verify"], settings["ca_file"])


def _greeting(ctx):
    """The commands that a connection begins with."""
    settings, greeting = ctx.settings, []
    password = ctx.service_secret(settings["secret"])
    if password:
        greeting.append(["AUTH", settings["username"], password] if settings["username"] else ["AUTH", password])
    if settings["database"]:
        greeting.append(["SELECT", settings["database"]])
    return greeting
