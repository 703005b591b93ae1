# SPDX-License-Identifier: MIT
"""The workload redis against a real Redis, whose own counts are the truth."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.commands import Commands
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.data import KeySpace, contents
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.redis.resp import ErrorReply
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

from .. import servers
from ..servers import asked, calls

ALL = ("get", "set", "incr", "lpush", "lpop", "lrange", "sadd", "hset", "zadd", "ping")


@contextmanager
def set_up(made):
    """As the conductor does it, around a load."""
    workload = registry.load("redis").Workload()
    try:
        workload.setup(made.context)
        yield
    finally:
        workload.cleanup(made.context)


def whole(made):
    """The result of a load, set up before and cleaned up after."""
    with set_up(made):
        return made.run()


def test_what_is_counted_is_what_the_server_counts(load, redis):
    before = calls(redis)
    settings = {"operations": dict.fromkeys(ALL, 1), "keys": 50}
    result = whole(load("redis", redis, settings=settings, requests=3000, concurrency=8))
    assert result["operations"] == 3000 and result["errors"] == {}
    assert result["counters"]["commands"] == {"unit": "1", "total": 3000}
    seen = {name: calls(redis).get(name, 0) - before.get(name, 0) for name in ALL}
    measured = {name: result["histograms"][f"response_time_{name}"]["count"] for name in ALL}
    assert seen == {**measured, "set": measured["set"] + 50}  # the set-up's
    assert all(150 < count < 450 for count in measured.values())
    assert asked(redis, "DBSIZE") == 0


def test_a_batch_is_one_operation(load, redis):
    before = calls(redis)
    settings = {"operations": {"get": 3, "incr": 1}, "keys": 100, "pipeline": 16}
    result = whole(load("redis", redis, settings=settings, requests=200, concurrency=4))
    assert result["operations"] == 200 and result["errors"] == {}
    assert result["counters"]["commands"]["total"] == 3200
    seen = {name: calls(redis)[name] - before.get(name, 0) for name in ("get", "incr")}
    assert sum(seen.values()) == 3200 and 2200 < seen["get"] < 2600
    assert set(result["histograms"]) == {"response_time"}


def test_the_set_up_makes_what_is_asked_for_and_the_clean_up_removes_it(load, redis):
    asked(redis, "SET", "somebody:else", "1")
    made = load("redis", redis, settings={"keys": 2500, "value_size": [{"size": 10, "weight": 1}, {"size": "2KiB"}]})
    with set_up(made):
        assert asked(redis, "DBSIZE") == 2501
        _cursor, keys = asked(redis, "SCAN", 0, "MATCH", "aifactory:run:*", "COUNT", 100000)
        assert len(keys) == 2500
        lengths = {asked(redis, "STRLEN", key) for key in keys[:100]}
        assert lengths == {10, 2048}
        asked(redis, "LPUSH", "aifactory:run:left", "by a client that was killed")
    assert asked(redis, "KEYS", "*") == [b"somebody:else"]
    asked(redis, "DEL", "somebody:else")


def test_a_sweep_has_the_keys_of_all_its_cases(load, redis):
    made = load("redis", redis, settings={"keys": 30, "operations": {"get": 1}}, requests=300)
    made.context.overrides = [{"value_size": 5}, {"value_size": 5000}]
    base = made.context.settings
    with set_up(made):
        assert asked(redis, "DBSIZE") == 60
        received = []
        for override in made.context.overrides:
            made.context.settings = {**base, **override}
            result = made.run()
            assert result["operations"] == 300 and result["errors"] == {}
            received.append(result["counters"]["bytes_received"]["total"])
        made.context.settings = base
    assert received == [300 * len(b"$5\r\n12345\r\n"), 300 * (len(b"$5000\r\n\r\n") + 5000)]
    assert asked(redis, "DBSIZE") == 0


def test_wrong_answers_are_errors_by_class(load, redis):
    made = load("redis", redis, settings={"keys": 4, "operations": {"get": 1}}, requests=400)
    with set_up(made):
        keys = sorted(asked(redis, "KEYS", "*"))
        value = asked(redis, "GET", keys[0])
        asked(redis, "DEL", keys[1])
        asked(redis, "SET", keys[2], value)  # of the right length, and another key's
        asked(redis, "DEL", keys[3])
        asked(redis, "LPUSH", keys[3], "x")
        result = made.run()
    assert set(result["errors"]) == {"missing key", "wrong value", "redis WRONGTYPE"}
    assert result["operations"] + sum(error["count"] for error in result["errors"].values()) == 400
    assert keys[1].decode() in result["errors"]["missing key"]["example"]
    assert "Operation against a key" in result["errors"]["redis WRONGTYPE"]["example"]
    assert result["counters"]["commands"]["total"] == result["operations"]


def test_hot_keys_are_asked_for_more_often(load, redis):
    settings = {"operations": {"incr": 1}, "keys": 100, "key_distribution": "zipf", "zipf_exponent": 1.2}
    made = load("redis", redis, settings=settings, requests=4000, concurrency=4)
    with set_up(made):
        made.run()
        counts = {key: int(asked(redis, "GET", key)) for key in asked(redis, "KEYS", "*")}
    assert sum(counts.values()) == 4000
    hottest = max(counts, key=counts.get)
    weights = [(k + 1) ** -1.2 for k in range(100)]
    assert hottest.endswith(b"n000000000000")
    assert abs(counts[hottest] / 4000 - 1 / sum(weights)) < 0.04


def test_a_rate_and_several_services(load, redis, tmp_path_factory):
    with servers.redis(tmp_path_factory.mktemp("second")) as second:
        before = [calls(server).get("get", 0) for server in (redis, second)]
        settings = {"operations": {"get": 1}, "keys": 20}
        result = whole(load("redis", redis, second, settings=settings, rate=200.0, duration_s=1.0,
                            arrival={"type": "constant"}))  # fmt: skip
        seen = [calls(server)["get"] - count for server, count in zip((redis, second), before, strict=True)]
        assert result["operations"] == 200 and seen == [100, 100]
        assert asked(redis, "DBSIZE") == asked(second, "DBSIZE") == 0


def secret(made, name, text):
    folder = Path(made.context.run_dir) / "secrets"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text + "\n")


def test_a_password_and_a_database(load, tmp_path):
    user = ["--user", "me", "on", ">mine", "~*", "+@all"]
    with servers.redis(tmp_path, "--requirepass", "s3cret", *user) as server:
        for settings, right in (
            ({"secret": "password", "database": 3}, "s3cret"), ({"secret": "password", "username": "me"}, "mine"),
        ):  # fmt: skip
            made = load("redis", server, settings={"keys": 10, "database": 0, **settings}, requests=50, concurrency=4)
            secret(made, "password", right)
            result = whole(made)
            assert result["operations"] == 50 and result["errors"] == {}

        server.service["connection"] = {"secret": "password"}  # as the service type redis says it
        made = load("redis", server, settings={"keys": 10}, requests=50, concurrency=4)
        secret(made, "password", "s3cret")
        assert whole(made)["errors"] == {}
        del server.service["connection"]

        made = load("redis", server, settings={"keys": 10, "secret": "password"})
        secret(made, "password", "wrong")
        with pytest.raises(LoadError, match="AUTH: WRONGPASS"):
            registry.load("redis").Workload().setup(made.context)
        made.order.update(requests=5, concurrency=1)
        result = made.run()
        assert result["operations"] == 0 and result["errors"]["connect"]["count"] == 5
        assert "AUTH: WRONGPASS" in result["errors"]["connect"]["example"]

        made = load("redis", server, settings={"keys": 10, "operations": {"get": 1}}, requests=5)
        with pytest.raises(LoadError, match="NOAUTH"):
            registry.load("redis").Workload().setup(made.context)
        assert made.run()["errors"]["redis NOAUTH"]["count"] == 5


def test_over_tls(load, tmp_path, certificate):
    with servers.redis(tmp_path, tls=certificate) as server:
        settings = {"keys": 10, "ca_file": str(certificate[0])}
        assert whole(load("redis", server, settings=settings, requests=40, concurrency=2))["operations"] == 40
        with pytest.raises(LoadError, match="certificate"):
            registry.load("redis").Workload().setup(load("redis", server).context)


def test_a_server_that_dies_in_mid_run(load, tmp_path):
    with servers.redis(tmp_path) as server:
        made = load("redis", server, settings={"keys": 100}, duration_s=2.0, concurrency=4)
        registry.load("redis").Workload().setup(made.context)
        threading.Timer(1.0, server.end).start()
        begin = time.monotonic()
        result = made.run()
    assert result["operations"] > 0
    assert set(result["errors"]) <= {"connection closed", "connect"} and "connect" in result["errors"]
    assert time.monotonic() - begin < 30
    with pytest.raises(LoadError, match="refused"):
        registry.load("redis").Workload().cleanup(made.context)


def test_a_server_that_is_full(load, tmp_path):
    with servers.redis(tmp_path, "--maxmemory", "3mb") as server:
        made = load("redis", server, settings={"keys": 5000, "value_size": "10KiB"})
        with pytest.raises(LoadError, match="does not take the keys that the load needs: OOM"), set_up(made):
            pass
        assert asked(server, "DBSIZE") == 0


def test_a_set_up_that_is_stopped(load, redis):
    made = load("redis", redis, settings={"keys": 10000})
    made.context.stop.set()
    with set_up(made):
        assert 0 < asked(redis, "DBSIZE") < 10000
    assert asked(redis, "DBSIZE") == 0


# -- the parts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reply", "wrong"),
    [
        ("set", "OK", None), ("set", None, "wrong reply"), ("set", b"OK", "wrong reply"), ("ping", "PONG", None),
        ("incr", 7, None), ("incr", b"7", "wrong reply"), ("zadd", 0, None), ("get", "OK", "wrong value"),
        ("lpop", None, None), ("lpop", b"x", "wrong value"), ("lrange", [], None), ("lrange", [None], "wrong value"),
        ("lrange", b"", "wrong reply"), ("lrange", [b"x"], "wrong value"),
    ],
)  # fmt: skip
def test_replies_that_are_right_or_wrong(name, reply, wrong):
    space = KeySpace("run", {"keys": 10, "value_size": 40}, contents("run"))
    found = Commands(space).check(name)(3, reply)
    assert (found and found[0]) == wrong
    assert not isinstance(reply, ErrorReply)


def test_values_of_a_key_are_the_same_for_every_client():
    first, second = (KeySpace("run", {"keys": 10, "value_size": {"mean": 90, "stddev": 20}}, contents("run"))
                     for _n in range(2))  # fmt: skip
    assert [first.value(n) for n in range(50)] == [second.value(n) for n in range(50)]
    assert len({first.value(n) for n in range(5000)}) == 5000
    assert first.holds(3, first.value(3)) and not first.holds(3, first.value(4))
    other = KeySpace("run", {"keys": 10, "value_size": 90}, contents("run"))
    assert other.prefix != first.prefix and other.prefix.startswith(b"aifactory:run:")


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({}, []),
        ({"operations": {}}, ["operations"]),
        ({"operations": {"get": 0}}, ["operations"]),
        ({"value_size": "large"}, ["value_size"]),
        ({"value_size": "1GiB"}, ["value_size"]),
        ({"key_distribution": "zipf", "zipf_exponent": 0.0}, ["zipf_exponent"]),
    ],
)
def test_settings_that_make_no_sense(settings, wrong):
    check = registry.load("redis").check
    assert [name for name, _message, _remedy in check(registry.with_defaults("redis", settings))] == wrong


def test_kinds():
    workload = registry.load("redis").Workload()
    assert workload.kinds(registry.with_defaults("redis", {})) == ["get", "set"]
    assert workload.kinds(registry.with_defaults("redis", {"pipeline": 2})) == [""]
