# SPDX-License-Identifier: MIT
"""Sizes, contents and mixes: what workloads with objects or values have in common."""

from __future__ import annotations

import math
import random
import threading
from collections import Counter

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import mix, sizes, upkeep
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.content import Content
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.sizes import Sizes, bytes_of
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0), (4096, 4096), ("4096", 4096), ("512B", 512), ("4K", 4096), ("4KiB", 4096), ("4kb", 4000),
        ("1.5MiB", 1572864), ("64 MiB", 67108864), ("1G", 2**30), ("1TB", 10**12), ("1PiB", None), ("1024T", 2**50),
        (True, None), (-1, None), (1.5, None), ("-1", None), ("1 Mi", None), ("", None), ([], None), ("1025T", None),
    ],
)  # fmt: skip
def test_sizes_as_people_write_them(value, expected):
    if expected is None:
        with pytest.raises(ValueError, match="size"):
            bytes_of(value)
    else:
        assert bytes_of(value) == expected


def test_a_fixed_size():
    one = Sizes.of("1MiB")
    assert {one.draw(random.Random(n)) for n in range(20)} == {1 << 20} and one.most == one.mean == 1 << 20


def test_sizes_by_weight():
    several = Sizes.of([{"size": "4KiB", "weight": 3}, "1MiB"])
    drawn = Counter(several.draw(random) for random in [random.Random(1)] for _n in range(20000))
    assert set(drawn) == {4096, 1 << 20} and several.most == 1 << 20
    assert abs(drawn[4096] / 20000 - 0.75) < 5 * math.sqrt(0.75 * 0.25 / 20000)
    assert several.mean == 0.75 * 4096 + 0.25 * (1 << 20)


def test_sizes_of_a_normal_distribution():
    normal, draw = Sizes.of({"mean": 1000, "stddev": 100, "min": 900, "max": 1300}), random.Random(1)
    drawn = [normal.draw(draw) for _n in range(20000)]
    assert min(drawn) == 900 and max(drawn) <= 1300 and normal.most == 1300
    below = sum(size <= 900 for size in drawn) / len(drawn)
    assert abs(below - 0.1599) < 0.013  # the normal distribution below -0.995 standard deviations
    assert Sizes.of({"mean": 10, "stddev": 2}).most == 18
    assert min(Sizes.of({"mean": 10, "stddev": 50}).draw(draw) for _n in range(500)) == 1


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("big", "'big' is no size"),
        ({"mean": 5, "sigma": 2}, "'sigma' is none of mean, stddev, min, max"),
        ({"stddev": 5}, "needs a mean"),
        ({"mean": 5, "max": 4}, "not between min and max"),
        ({"mean": "x"}, "'x' is no size"),
        ([], "is empty"),
        ([{"weight": 1}], "an entry has a size"),
        ([{"size": 1, "weight": 0}], "a weight is a number above 0"),
        (None, "None is no size"),
    ],
)
def test_what_is_no_size(value, message):
    ((setting, said, remedy),) = sizes.check("object_size", value)
    assert setting == "object_size" and message in said and "write a size" in remedy


@given(
    place=st.integers(0, 1 << 31),
    begin=st.integers(0, 500),
    length=st.integers(0, 500),
    wrong=st.none() | st.integers(0, 499),
)
def test_a_content_is_one_walk_through_its_pool(place, begin, length, wrong):
    content = Content(7, pool_bytes=101)
    whole = b"".join(content.pool[(place + n) % 101 :][:1] for n in range(begin + length))
    piece = content.piece(place, begin, begin + length)
    assert piece == whole[begin:]
    if wrong is not None and wrong < length:
        piece = piece[:wrong] + bytes([piece[wrong] ^ 1]) + piece[wrong + 1 :]
        assert not content.holds(place, begin, piece)
    else:
        assert content.holds(place, begin, piece)


def test_contents_follow_from_their_seed():
    assert Content(1, 1000).pool == Content(1, 1000).pool != Content(2, 1000).pool


def test_a_mix_draws_by_weight():
    weights = {"put": 1, "get": 3, "list": 0}
    assert mix.kinds_of(weights) == ["get", "put"]
    draw = mix.drawing(weights, random.Random(1))
    drawn = Counter(draw() for _n in range(20000))
    assert set(drawn) == {0, 1} and abs(drawn[0] / 20000 - 0.75) < 5 * math.sqrt(0.75 * 0.25 / 20000)
    assert {mix.drawing({"get": 5}, random.Random(1))() for _n in range(5)} == {0}
    assert [problem[0] for problem in mix.check("operations", {"get": 0})] == ["operations"]


class Client:
    def __init__(self):
        self.closed = 0

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.closed += 1


def test_work_in_parallel_is_all_done_or_says_why_not():
    clients, done, stop = [Client() for _n in range(3)], [], threading.Event()
    upkeep.in_parallel(clients, lambda _client, item: done.append(item), range(100), stop)
    assert sorted(done) == list(range(100)) and [client.closed for client in clients] == [1, 1, 1]

    def failing(_client, item):
        if item == 5:
            raise TypeError("not this one")

    with pytest.raises(TypeError, match="not this one"):
        upkeep.in_parallel(clients, failing, range(100), stop)
    stop.set()
    done.clear()
    upkeep.in_parallel(clients, lambda _client, item: done.append(item), range(100), stop)
    assert not done


def test_every_service_is_cleared_though_one_fails():
    cleared = []

    def clear(service):
        if service == "a":
            raise LoadError("a is gone")
        cleared.append(service)

    with pytest.raises(LoadError, match="a is gone"):
        upkeep.of_each(clear, ["a", "b", "c"])
    assert cleared == ["b", "c"]
