# SPDX-License-Identifier: MIT
# ruff: noqa: E501 - a table of whole messages
"""A recipe with several services: the first is benchmarked, the others are its companions."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.cases import node_hours

from .helpers import load_text, plan_of, problems_in

TEXT = """\
services:
  - type: nginx
    nodes: 1
  - type: redis
    settings: {io_threads: 2}
    partition: large
  - name: cache
    type: redis
    settings: {maxmemory: 100mb}
    secrets: {TOKEN: {env: TOKEN}}
client:
  settings: {path: /1k}
benchmarks:
  duration: 10s
  rate: 5
"""


def test_the_plan(tmp_path):
    plan = plan_of(load_text(tmp_path, TEXT), {"benchmark_partitions": {"cpu": "batch"}})
    assert (plan["service"]["name"], plan["clients"]["type"]) == ("nginx", "http")
    redis, cache = plan["companions"]
    assert (redis["name"], redis["job"]["partition"]) == ("redis", "large")
    assert (cache["name"], cache["job"]["partition"]) == ("cache", "batch")
    assert plan["service"]["job"]["name"] == redis["job"]["name"], "they are components of one job"
    assert cache["secrets"] == {"TOKEN": {"env": "TOKEN"}}
    # variables of one role: each says all that any of them says
    assert redis["settings"]["io_threads"] == 2 and redis["settings"]["maxmemory"] != "100mb"
    assert cache["settings"]["maxmemory"] == "100mb" and cache["settings"]["io_threads"] == 1


def test_the_resolved_recipe_has_the_same_plan(tmp_path):
    recipe = load_text(tmp_path, TEXT)
    again = load_text(tmp_path, recipe.as_resolved_yaml(), "again")
    first, second = plan_of(recipe), plan_of(again)
    first.pop("recipe"), second.pop("recipe")
    assert first == second


def test_a_list_of_one_is_a_service(tmp_path):
    one = plan_of(load_text(tmp_path, "services:\n  - type: nginx\n"))
    other = plan_of(load_text(tmp_path, "service:\n  type: nginx\n", "other"))
    one.pop("recipe"), other.pop("recipe")
    assert one == other and one["companions"] == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "type: nginx",
            "type: nginxx",
            "recipe.yml:2: services[0].type: the role aifactory.benchmark.nginxx is no service type",
        ),
        (
            "io_threads: 2",
            "io_thread: 2",
            "recipe.yml:5: services[1].settings.io_thread: unknown setting of the service type redis; did you mean 'io_threads'?",
        ),
        (
            "partition: large",
            "partitions: large",
            "recipe.yml:6: services[1].partitions: unknown key; did you mean 'partition'?",
        ),
        ("nodes: 1", "nodes: 2", "recipe.yml:3: services[0].nodes: one nginx would have 2 nodes"),
        (
            "name: cache",
            "name: redis",
            "recipe.yml:7: services[2].name: two services are called 'redis'; give each a name of its own",
        ),
        ("name: cache", "name: head", "recipe.yml:7: services[2].name: 'head' can't be the name of a service"),
        (
            "services:",
            "service: {type: nginx}\nservices:",
            "recipe.yml:2: services: stands beside 'service'; put that one first in the list",
        ),
        (
            TEXT,
            "services: {type: nginx}\n",
            "recipe.yml:1: services: expected a list of services; write one item for each service",
        ),
        (TEXT, "services: []\n", "recipe.yml:1: services: expected a list of services"),
        (TEXT, "services: [3]\n", "recipe.yml:1: services[0]: expected a mapping of keys, found the number 3"),
    ],
)
def test_mistakes(old, new, expected):
    assert old in TEXT
    assert expected in problems_in(TEXT.replace(old, new, 1))[0]


def test_mistakes_of_all_services_at_once():
    found = problems_in(TEXT.replace("nodes: 1", "node: 1").replace("io_threads: 2", "io_threads: many"))
    assert [line.split(":")[1] for line in found] == ["3", "5"]


def test_the_nodes_of_all_count(tmp_path):
    recipe = load_text(tmp_path, TEXT)
    services = [companion.service for companion in recipe.companions]
    alone, all_of_them = node_hours(recipe.model), node_hours(recipe.model, services)
    assert all_of_them == (pytest.approx(2 * alone[0]), 2 * alone[1])
