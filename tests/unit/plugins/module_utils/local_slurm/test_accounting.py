# SPDX-License-Identifier: MIT
"""Which sacctmgr commands bring accounting to what it must be."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm import accounting

QOS = [{"name": "test", "set": ["MaxWall=00:30:00", "Flags=DenyOnLimit"]}, {"name": "default", "set": []}]
NOTHING = {"cluster": set(), "qos": {"normal"}, "account": {"root"}, "user": {"root"}}


def test_everything_is_added_in_order():
    assert accounting.additions("mel", "p1", ["u1", "u2"], QOS, NOTHING) == [
        ["add", "cluster", "mel"],
        ["add", "qos", "test,default"],
        ["add", "account", "p1", "cluster=mel", "description=p1"],
        ["add", "user", "u1", "account=p1"],
        ["add", "user", "u2", "account=p1"],
    ]


def test_only_what_is_missing_is_added():
    known = {"cluster": {"mel"}, "qos": {"normal", "test"}, "account": {"root", "p1"}, "user": {"root", "u1"}}
    assert accounting.additions("mel", "p1", ["u1", "u2"], QOS, known) == [
        ["add", "qos", "default"],
        ["add", "user", "u2", "account=p1"],
    ]
    known["qos"].add("default")
    known["user"].add("u2")
    assert accounting.additions("mel", "p1", ["u1", "u2"], QOS, known) == []


def test_the_account_gets_its_levels_before_its_default():
    assert accounting.settings("p1", QOS, "default") == [
        ["modify", "qos", "test", "set", "MaxWall=00:30:00", "Flags=DenyOnLimit"],
        ["modify", "account", "p1", "set", "qos=test,default"],
        ["modify", "account", "p1", "set", "defaultqos=default"],
    ]


def test_nothing_to_do_is_no_error():
    assert accounting.is_unchanged("  Nothing modified\n")
    assert not accounting.is_unchanged(" Error with request: Connection refused\n")


def test_names():
    assert accounting.parse_names("root\nu101\n\nu101\n") == {"root", "u101"}
    assert accounting.parse_names("") == set()


@pytest.mark.parametrize("state", ["idle", "mixed", "allocated", "drained", "draining", "planned", "reserved"])
def test_a_node_that_answers_is_ready(state):
    assert accounting.unready_nodes(f"mel1 {state}\nmel2 idle\n", ["mel1", "mel2"]) == []


@pytest.mark.parametrize("state", ["idle*", "down*", "down", "unknown", "unknown*", "drained*", "fail"])
def test_a_node_that_does_not_answer_is_not(state):
    # a node in several partitions has several lines
    assert accounting.unready_nodes(f"mel1 {state}\nmel2 idle\nmel2 idle\n", ["mel1", "mel2"]) == ["mel1"]


def test_a_node_that_slurm_does_not_name_is_not_ready():
    assert accounting.unready_nodes("", ["mel1"]) == ["mel1"]
