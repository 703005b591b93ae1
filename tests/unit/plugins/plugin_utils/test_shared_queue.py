# SPDX-License-Identifier: MIT
"""Many plays of one controller, and one question to the cluster's queue."""

from __future__ import annotations

import os
import time

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.shared_queue import WATCHED_S, SharedQueue


def test_who_asks_does_so_for_all_and_the_others_take_the_answer(tmp_path):
    one, two = SharedQueue(tmp_path, "one", ["1", "2"]), SharedQueue(tmp_path, "two", ["3"])
    assert one.wanted() == ["1", "2"]
    assert two.wanted() == ["3", "1", "2"]
    two.keep(["3", "1", "2"], "a listing")
    assert one.answer(10) == two.answer(10) == "a listing"


def test_an_answer_counts_only_when_it_is_fresh_and_about_these_jobs(tmp_path):
    one = SharedQueue(tmp_path, "one", ["1"])
    assert one.answer(10) is None
    one.keep(["1"], "x")
    assert SharedQueue(tmp_path, "new", ["1", "9"]).answer(10) is None
    time.sleep(0.01)
    assert one.answer(0.001) is None
    (tmp_path / "answer.json").write_text('{"at": 1')
    assert one.answer(10) is None


def test_a_play_that_is_gone_is_not_asked_for(tmp_path):
    one, two = SharedQueue(tmp_path, "one", ["1"]), SharedQueue(tmp_path, "two", ["2"])
    one.wanted()
    long_ago = time.time() - WATCHED_S - 1
    os.utime(tmp_path / "one.jobs", (long_ago, long_ago))
    assert two.wanted() == ["2"]
    assert one.wanted() == ["1", "2"], "and is there again when it goes on"
    two.leave()
    two.leave()
    assert one.wanted() == ["1"]


def test_one_asks_at_a_time(tmp_path):
    one, two = SharedQueue(tmp_path, "one", ["1"]), SharedQueue(tmp_path, "two", ["2"])
    with one.turn() as mine, two.turn() as also:
        assert (mine, also) == (True, False)
    with two.turn() as mine:
        assert mine
